import asyncio


class Lifo(asyncio.SelectorEventLoop):
    def _run_once(self):
        self._ready.reverse()
        super()._run_once()
