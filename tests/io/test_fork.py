"""A forked child has no loop: the parent's goes on in the parent only."""

import asyncio
import os
import sys
from types import ModuleType

import pytest

from tests.child_process import run_program

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


def test_a_forked_child_can_run_a_loop_of_its_own(aio: ModuleType) -> None:
    source = """
        import os, sys
        def in_child():
            try:
                aio.get_running_loop()
            except RuntimeError as exc:
                print("child:", exc)
            print("child:", aio.run(aio.sleep(0, "runs")))
            sys.stdout.flush()
            os._exit(7)

        async def main():
            pid = os.fork()
            if pid == 0:
                in_child()
            await aio.sleep(0)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            print("parent:", status, aio.get_running_loop().is_running())
        aio.run(main())
    """
    ended = run_program(aio, source)
    assert ended.stderr == ""
    assert ended.stdout == ("child: no running event loop\nchild: runs\nparent: 7 True\n")


def test_a_signal_sent_to_a_forked_child_does_not_reach_the_parents_loop(
    aio: ModuleType,
) -> None:
    if aio is asyncio and sys.version_info < (3, 12):
        pytest.skip("asyncio of 3.11 shares its self-pipe with the child")
    source = """
        import os, time
        async def main():
            loop = aio.get_running_loop()
            loop.add_signal_handler(signal.SIGUSR1, print, "never: the signal was the child's")
            pid = os.fork()
            if pid == 0:
                signal.raise_signal(signal.SIGUSR1)
                os._exit(0)
            os.waitpid(pid, 0)
            await aio.sleep(0.05)
            loop.remove_signal_handler(signal.SIGUSR1)
        aio.run(main())
    """
    ended = run_program(aio, source)
    assert (ended.stdout, ended.stderr, ended.status) == ("", "", 0)


def test_a_forked_child_has_no_current_task(aio: ModuleType) -> None:
    if aio is asyncio and sys.version_info < (3, 14):
        pytest.skip("asyncio before 3.14 keeps the parent's task")
    source = """
        import os, sys
        async def main():
            loop = aio.get_running_loop()
            pid = os.fork()
            if pid == 0:
                aio._set_running_loop(loop)
                print(aio.current_task())
                sys.stdout.flush()
                os._exit(0)
            os.waitpid(pid, 0)
            print(aio.current_task() is not None)
        aio.run(main())
    """
    ended = run_program(aio, source)
    assert ended.stderr == ""
    assert ended.stdout == "None\nTrue\n"
