"""Ctrl-C under run() and Runner, each program in an interpreter of its own."""

from types import ModuleType

import pytest

from tests.child_process import INTERRUPTED, run_program

# name: the program, what it prints, and the status it ends with
PROGRAMS = {
    "the first cancels the main task, which comes out as KeyboardInterrupt": (
        """
        async def main():
            try:
                signal.raise_signal(signal.SIGINT)
                print("not broken into")
                await aio.sleep(60)
            except aio.CancelledError:
                print("cancelled", aio.current_task().cancelling())
                raise
        try:
            aio.run(main())
        except KeyboardInterrupt:
            print("KeyboardInterrupt")
        """,
        "not broken into\ncancelled 1\nKeyboardInterrupt\n",
        0,
    ),
    "a main task that swallows the cancel goes on to its end": (
        """
        async def main():
            try:
                signal.raise_signal(signal.SIGINT)
                await aio.sleep(60)
            except aio.CancelledError:
                await aio.sleep(0)
                return "result"
        print(aio.run(main()))
        """,
        "result\n",
        0,
    ),
    "the second raises at once": (
        """
        async def main():
            try:
                signal.raise_signal(signal.SIGINT)
                await aio.sleep(60)
            except aio.CancelledError:
                print("cancelled")
                signal.raise_signal(signal.SIGINT)
                print("never here")
        aio.run(main())
        """,
        "cancelled\n",
        INTERRUPTED,
    ),
    "a busy main task is cancelled at its next wait": (
        """
        async def main():
            signal.raise_signal(signal.SIGINT)
            print("busy")
            await aio.sleep(0)
            print("never here")
        aio.run(main())
        """,
        "busy\n",
        INTERRUPTED,
    ),
    "other tasks are cancelled after the main task": (
        """
        async def other():
            try:
                await aio.sleep(60)
            finally:
                print("other", aio.current_task().get_name())
        async def main():
            task = aio.create_task(other(), name="beside")
            await aio.sleep(0)
            try:
                signal.raise_signal(signal.SIGINT)
                await task
            finally:
                print("main")
        aio.run(main())
        """,
        "other beside\nmain\n",
        INTERRUPTED,
    ),
    "one that comes from outside ends the wait of the loop": (
        """
        import os, threading
        async def main():
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
            await aio.get_running_loop().create_future()
        aio.run(main())
        """,
        "",
        INTERRUPTED,
    ),
    "a cancel that was not asked for by Ctrl-C stays a CancelledError": (
        """
        async def main():
            aio.current_task().cancel("why")
            await aio.sleep(60)
        try:
            aio.run(main())
        except aio.CancelledError as exc:
            print(repr(exc))
        """,
        "CancelledError('why')\n",
        0,
    ),
    "the handler is put back after each run": (
        """
        with aio.Runner() as runner:
            async def main():
                return signal.getsignal(signal.SIGINT) is signal.default_int_handler
            print(runner.run(main()))
            print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        """,
        "False\nTrue\n",
        0,
    ),
    "a runner goes on after Ctrl-C": (
        """
        async def interrupted():
            signal.raise_signal(signal.SIGINT)
            await aio.sleep(60)
        with aio.Runner() as runner:
            for _ in range(2):
                try:
                    runner.run(interrupted())
                except KeyboardInterrupt:
                    print("KeyboardInterrupt")
            print(runner.run(aio.sleep(0, "and goes on")))
        """,
        "KeyboardInterrupt\nKeyboardInterrupt\nand goes on\n",
        0,
    ),
    "a handler of the program's own is left in place": (
        """
        def handler(signum, frame):
            print("mine")
        signal.signal(signal.SIGINT, handler)
        async def main():
            signal.raise_signal(signal.SIGINT)
            await aio.sleep(0)
            return "not cancelled"
        print(aio.run(main()))
        print(signal.getsignal(signal.SIGINT) is handler)
        """,
        "mine\nnot cancelled\nTrue\n",
        0,
    ),
    "a runner in another thread leaves signals alone": (
        """
        import threading
        async def main():
            print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        thread = threading.Thread(target=lambda: aio.run(main()))
        thread.start()
        thread.join()
        """,
        "True\n",
        0,
    ),
    "Ctrl-C in a callback without a runner breaks into it": (
        """
        loop = aio.new_event_loop()
        def callback():
            signal.raise_signal(signal.SIGINT)
            print("never here")
        loop.call_soon(callback)
        loop.call_soon(print, "next in the batch")
        try:
            loop.run_forever()
        except KeyboardInterrupt:
            print("KeyboardInterrupt", loop.is_running())
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.close()
        """,
        "KeyboardInterrupt False\nnext in the batch\n",
        0,
    ),
    "SystemExit in a task comes out, and the others are tidied up": (
        """
        import sys
        async def other():
            try:
                await aio.sleep(60)
            finally:
                print("other")
        async def main():
            task = aio.create_task(other())
            await aio.sleep(0)
            sys.exit(3)
        aio.run(main())
        """,
        "other\n",
        3,
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_interrupt(aio: ModuleType, name: str) -> None:
    source, stdout, status = PROGRAMS[name]
    ended = run_program(aio, source)
    assert (ended.stdout, ended.status) == (stdout, status), ended.stderr
    if status == INTERRUPTED:
        assert ended.stderr.strip().splitlines()[-1] == "KeyboardInterrupt"
        assert ended.stderr.count("Traceback") <= 2
    else:
        assert ended.stderr == ""
