"""Under `run --interop`, every way to a loop that this Python has leads to an interop loop."""

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.cli.both_ways import on_miniloop

WAYS = {
    "run": "asyncio.run(main())",
    "Runner": "with asyncio.Runner() as runner: runner.run(main())",
    "SelectorEventLoop": "run_on(asyncio.SelectorEventLoop)",
    "SelectorEventLoop by its name": """
        from asyncio import SelectorEventLoop
        run_on(SelectorEventLoop)
    """,
    "SelectorEventLoop of its module": """
        from asyncio.unix_events import SelectorEventLoop
        run_on(SelectorEventLoop)
    """,
    "new_event_loop": "run_on(asyncio.new_event_loop)",
    "new_event_loop by its name": """
        from asyncio.events import new_event_loop
        run_on(new_event_loop)
    """,
    "no policy": "asyncio.set_event_loop_policy(None); asyncio.run(main())",
    "the default policy": """
        asyncio.set_event_loop_policy(asyncio.DefaultEventLoopPolicy())
        asyncio.run(main())
    """,
    "a policy of its own": """
        class Policy(asyncio.DefaultEventLoopPolicy):
            pass
        asyncio.set_event_loop_policy(Policy())
        asyncio.run(main())
    """,
    "get_event_loop of a policy": """
        loop = asyncio.get_event_loop_policy().new_event_loop()
        loop.run_until_complete(main())
        loop.close()
    """,
    "in a thread": """
        import threading
        thread = threading.Thread(target=asyncio.run, args=[main()])
        thread.start()
        thread.join()
    """,
    "in a process": """
        import multiprocessing
        if __name__ == "__main__":
            process = multiprocessing.get_context("spawn").Process(target=work)
            process.start()
            process.join()
    """,
    "a subclass": """
        class Loop(asyncio.SelectorEventLoop):
            def __init__(self):
                super().__init__()
                self.selector = self._selector
                self._selector = self
                self.ticks = 0
            def select(self, timeout):
                self.ticks += 1
                return self.selector.select(timeout)
            def __getattr__(self, name):
                return getattr(self.__dict__["selector"], name)
        run_on(Loop)
    """,
}
if sys.version_info >= (3, 13):
    WAYS["EventLoop"] = "run_on(asyncio.EventLoop)"
    WAYS["EventLoop by its name"] = "from asyncio import EventLoop; run_on(EventLoop)"
if sys.version_info >= (3, 12):
    WAYS["a factory of run()"] = "asyncio.run(main(), loop_factory=asyncio.SelectorEventLoop)"
if sys.version_info < (3, 14):
    WAYS["get_event_loop"] = """
        loop = asyncio.get_event_loop()
        loop.run_until_complete(main())
        loop.close()
    """

SCRIPT = """
import asyncio, sys, warnings
warnings.simplefilter("ignore")  # policies are deprecated

async def main():
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    kinds = [kind.__module__ for kind in type(loop).__mro__]
    print("miniloop.interop" in kinds, type(task).__module__)

def run_on(factory):
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())

def work():
    asyncio.run(main())

"""


@pytest.mark.parametrize("way", WAYS)
def test_a_way_to_a_loop(way: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT + dedent(WAYS[way]))
    ended = on_miniloop(tmp_path, "--interop", "script.py")
    assert (ended.stdout, ended.stderr, ended.status) == ("True miniloop.interop\n", "", 0)


OTHERS = """
from asyncio.selector_events import BaseSelectorEventLoop

class Other(BaseSelectorEventLoop):
    pass

for _ in range(2):
    run_on(Other)
asyncio.run(main())
"""


def test_any_other_loop_is_named(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT + OTHERS)
    ended = on_miniloop(tmp_path, "--interop", "script.py")
    assert ended.stdout == "False _asyncio\nFalse _asyncio\nTrue miniloop.interop\n"
    assert ended.stderr == (
        "miniloop run: __main__.Other is not a loop of miniloop: it runs as it is\n"
    )
    assert ended.status == 0
