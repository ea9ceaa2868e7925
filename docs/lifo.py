"""A loop of one's own for two pages of this documentation."""

import asyncio


class Lifo(asyncio.SelectorEventLoop):
    """Runs the ready queue from the back."""

    def _run_once(self):
        self._ready.reverse()
        super()._run_once()
