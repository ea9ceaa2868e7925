"""`python -m miniloop compare`: whole scripts on both loops, and what it says to bad ones."""

import contextlib
import io
import os
import sys
import textwrap
from pathlib import Path
from unittest import mock

import pytest

from miniloop import lab
from miniloop.cli import compare as compare_command
from miniloop.cli import main
from miniloop.difftest.scripts import Comparison, compare_script
from miniloop.lab.diagnosis import place
from tests.cli.both_ways import ROOT, Ended, run

ON_MINILOOP = "'miniloop' in asyncio.sleep.__module__"

EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.py"))

START = """
    import asyncio
    async def main():
        await asyncio.sleep(0.25)
{body}
    asyncio.run(main())
"""


def script(folder: Path, body: str) -> str:
    """Write a script into the folder; a body without `import` goes into `main()`."""
    if "import asyncio" not in body:
        body = START.format(body=textwrap.indent(textwrap.dedent(body), " " * 8))
    (folder / "script.py").write_text(textwrap.dedent(body))
    return "script.py"


def compare(folder: Path, body: str, *options: str, **environ: str) -> Ended:
    """`miniloop compare` of such a script, in this process: only the sides have their own.

    That it takes long is left out of what it says: it may, on a machine that has much to do.
    """
    with (
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, environ),
        contextlib.redirect_stdout(io.StringIO()) as stdout,
        contextlib.redirect_stderr(io.StringIO()) as stderr,
    ):
        try:
            status = main(["compare", *options, script(folder, body)])
        except SystemExit as left:
            status = int(str(left.code))
    said = [line for line in stderr.getvalue().splitlines(True) if "(--limit)" not in line]
    return Ended(stdout.getvalue(), "".join(said), status)


def compared(folder: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> Comparison:
    monkeypatch.chdir(folder)
    return compare_script(script(folder, body))


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_agree(name: str) -> None:
    if name == "threads.py" and sys.version_info < (3, 13):
        pytest.skip("a known difference: see test_a_known_difference_is_named")
    comparison = compare_script(str(ROOT / "examples" / name))
    assert comparison.agree, comparison.rows[comparison.first or 0]
    assert comparison.left.complete
    assert any(event.who == "print" for event in comparison.left.schedule.events)


def test_a_known_difference_is_named() -> None:
    command = [sys.executable, "-m", "miniloop", "compare", "examples/threads.py"]
    ended = run(command, ROOT)
    known = "\nknown difference: executor-shutdown-timer: The end of asyncio.run() sets a timer "
    assert (ended.status, known in ended.stdout) == (
        (1, True) if sys.version_info < (3, 13) else (0, False)
    )


def test_a_difference_before_a_known_one_is_not_explained_by_it(tmp_path: Path) -> None:
    ended = compare(tmp_path, textwrap.dedent(DIFFERENT) + "await asyncio.to_thread(int)")
    assert ended.status == 1
    assert "known difference" not in ended.stdout


def test_agreement_is_shown(tmp_path: Path) -> None:
    ended = compare(tmp_path, "print('hello')\nprint('x' * 150)", COLUMNS="80")
    assert (ended.status, ended.stderr) == (0, "")
    verdict = "asyncio and miniloop agree: 6 events in 8 ticks, 0.250 s of virtual time.\n\n"
    assert ended.stdout.startswith(
        verdict
        + textwrap.dedent("""\
        tick 1, at 0.000 s
          main  waits in    4  await asyncio.sleep(0.25)
        tick 2: waits at most 0.25 s; only the loop's own work (--all shows it)
        tick 3, at 0.250 s
          main  prints │ hello
        """)
    )
    assert ended.stdout.endswith("\n        ends\nticks 4 to 8: only the loop's own work\n")
    assert ended.stdout.count("x") == 150  # in three lines
    assert max(map(len, ended.stdout.splitlines())) <= 80


@pytest.mark.parametrize("width", [40, 60])
def test_in_a_narrow_terminal_one_side_stands_below_the_other(width: int, tmp_path: Path) -> None:
    other = "await asyncio.wait_for(asyncio.sleep(0, 'a result'), timeout=10)"
    ended = compare(tmp_path, f"if {ON_MINILOOP}: {other}\nprint('here')", COLUMNS=str(width))
    assert ended.status == 1
    lines = ended.stdout.splitlines()
    on_asyncio, on_miniloop = lines.index("on asyncio:"), lines.index("on miniloop:")
    assert lines[on_asyncio + 1].split() == ["=>", "main", "prints", "│", "here"]
    assert lines[on_miniloop + 1].split()[:5] == ["=>", "main", "waits", "in", "5"]
    assert "".join(ended.stdout.split()).count("".join(f"{other}".split())) == 2
    assert max(map(len, lines)) <= width


def test_in_a_pipe_nothing_is_cut(tmp_path: Path) -> None:
    text = " ".join(f"word{number}" for number in range(12))
    ended = compare(tmp_path, f"print({text!r})", COLUMNS="")
    assert f"  prints │ {text}\n" in ended.stdout


def test_sleeping_takes_no_real_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = """
        import time
        began = time.monotonic()
        await asyncio.sleep(100_000)
        time.sleep(1000)
        print(time.monotonic() - began)
    """
    comparison = compared(tmp_path, body, monkeypatch)
    assert comparison.agree
    printed = [e.what for e in comparison.left.schedule.events if e.who == "print"]
    assert printed == ["101000.0"]


DIFFERENT = """
    if "miniloop" in asyncio.sleep.__module__:
        await asyncio.sleep(0)
    print("here")
"""


def test_the_first_difference_is_marked(tmp_path: Path) -> None:
    ended = compare(tmp_path, DIFFERENT)
    assert (ended.status, ended.stderr) == (1, "")
    assert ended.stdout.startswith(
        textwrap.dedent("""\
        asyncio and miniloop differ, first in tick 3, at 0.250 s:
          asyncio   main prints │ here
          miniloop  main waits in line 7: await asyncio.sleep(0)

        =>  the first difference
        ~   differs as well; later differences mostly follow from the first

        alike on both:
        tick 1, at 0.000 s
        """)
    )
    lines = ended.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("=>   "))
    assert lines[at - 1].split() == ["asyncio", "miniloop"]
    assert lines[at].split(maxsplit=5)[:5] == ["=>", "main", "prints", "│", "here"]
    assert lines[at].endswith("  main  waits in    7  await asyncio.sleep(0)")


def test_a_tick_more_is_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = compared(tmp_path, DIFFERENT, monkeypatch)
    assert not comparison.agree
    ticks = [len(side.schedule.timeouts) for side in (comparison.left, comparison.right)]
    assert ticks[1] == ticks[0] + 1


def test_real_time(tmp_path: Path) -> None:
    ended = compare(tmp_path, "print('hello')", "--real-time")
    assert ended.status == 0
    assert "agree on the order of" in ended.stdout


WITHOUT_END = {
    "deadlock": (
        "await asyncio.get_running_loop().create_future()",
        [],
        "script.py waits for ever: nothing is ready, no timer is set, and no thread, socket or "
        "signal can wake it; waiting: main at line 5",
    ),
    "endless": (
        "while True: await asyncio.sleep(1)",
        ["--ticks", "500"],
        "script.py still running after 500 ticks; --ticks allows more",
    ),
    "no control back": (
        "while True: pass",
        ["--limit", "1"],
        "script.py was still at work in line 5 when its time was up: no difference shows until it "
        "was cut off; allow more time with --limit, or let the script wait for nothing outside its "
        "process",
    ),
    "no control back on one side": (
        "if 'miniloop' in asyncio.sleep.__module__:\n    while True: pass",
        ["--limit", "1"],
        "script.py on miniloop was still at work in line 6 when its time was up: no difference ",
    ),
    "thread that nothing wakes": (
        "import threading\nawait asyncio.to_thread(threading.Event().wait)",
        [],
        "script.py waits for ever: nothing is ready, no timer is set, and no thread, socket or "
        "signal can wake it; waiting: main at line 6",
    ),
    "blocked thread": (
        "import socket\npair = socket.socketpair()\nawait asyncio.to_thread(pair[0].recv, 1)",
        ["--limit", "1"],
        "script.py was still at work",
    ),
    "no control back after its end": (
        "import threading\nthreading.Thread(target=threading.Event().wait).start()",
        ["--limit", "1"],
        "script.py was still at work",
    ),
}

BAD = {
    "no asyncio": (
        "print('no import asyncio here')",
        [],
        "script.py runs no event loop that could be recorded: ",
    ),
    "fails at once": (
        "import asyncio\n1 / 0",
        [],
        "script.py ends before any event loop runs: ZeroDivisionError: division by zero",
    ),
    "in a library": (
        "import unittest  # import asyncio\n"
        "class T(unittest.IsolatedAsyncioTestCase):\n    async def test(self): pass\n"
        "unittest.main()",
        [],
        "script.py runs asyncio inside a library, which uses the real asyncio, so nothing runs on ",
    ),
    "missing name": (
        "await asyncio.create_subprocess_exec('true')",
        [],
        "miniloop has no asyncio.create_subprocess_exec; ",
    ),
    "wrong arguments": (
        "import asyncio\nimport argparse\n"
        "parser = argparse.ArgumentParser()\nparser.add_argument('n')\nparser.parse_args()",
        [],
        "ends before any event loop runs: script.py: error: the following arguments are required",
    ),
    "in another thread": (
        "import asyncio, threading\nasync def main(): await asyncio.sleep(0.01)\n"
        "thread = threading.Thread(target=lambda: asyncio.run(main()))\n"
        "thread.start(); thread.join()",
        [],
        "script.py runs no event loop that could be recorded: loops in other threads run on real "
        "time and are not recorded",
    ),
    "another library's loop": (
        "import asyncio, selectors\nclass Loop(asyncio.SelectorEventLoop):\n    pass\n",
        [],
        "script.py runs no event loop that could be recorded: it does not call asyncio.run(), or "
        "only a library does",
    ),
    "syntax": ("import asyncio\ndef", [], "script.py:2: invalid syntax"),
}


@pytest.mark.parametrize("kind", BAD)
def test_nothing_to_compare(kind: str, tmp_path: Path) -> None:
    body, options, message = BAD[kind]
    ended = compare(tmp_path, body, *options)
    assert (ended.stdout, ended.status) == ("", 2)
    assert ended.stderr.startswith("miniloop compare: ")
    assert ended.stderr.count("\n") == 1
    assert message in ended.stderr


@pytest.mark.parametrize("kind", WITHOUT_END)
def test_a_script_without_end_is_shown_up_to_there(kind: str, tmp_path: Path) -> None:
    body, options, message = WITHOUT_END[kind]
    ended = compare(tmp_path, body, *options)
    assert ended.status == 2
    assert ended.stderr.startswith("miniloop compare: ")
    assert ended.stderr.count("\n") == 1
    assert message in ended.stderr
    verdict, *lines = ended.stdout.splitlines()
    if kind == "no control back after its end":
        until = "until the time was up"
    elif "thread that" in kind or kind == "deadlock":
        until = "until both wait for ever"
        assert "  main  waits in    4  await asyncio.sleep(0.25)" in lines
        assert lines[lines.index("Still waiting:") + 1].startswith("  main     ")
        assert "#" not in ended.stdout
    else:
        until = "until both were stopped" if kind == "endless" else "until the time was up"
        assert "  main  waits in    4  await asyncio.sleep(0.25)" in lines
    assert verdict.startswith(f"asyncio and miniloop agree, {until}: ")
    if kind == "no control back":
        assert lines[-1] == "  still at work in    5  while True: pass"


def test_the_ring_of_a_deadlock_is_named(tmp_path: Path) -> None:
    body = """
        async def take(one, other):
            async with one:
                await asyncio.sleep(1)
                async with other:
                    print("never")
        fork, knife = asyncio.Lock(), asyncio.Lock()
        async with asyncio.TaskGroup() as group:
            group.create_task(take(fork, knife), name="alice")
            group.create_task(take(knife, fork), name="bob")
    """
    ended = compare(tmp_path, body)
    assert ended.status == 2
    assert ended.stdout.endswith(
        "\nThey wait for each other in a ring: alice waits for bob, bob waits for alice.\n"
    )
    assert "  alice  waits in    9  async with other:\n" in ended.stdout
    assert "  bob    waits in    9  async with other:\n" in ended.stdout


def test_no_script(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name, line in {
        "missing.py": "can't open 'missing.py': No such file or directory",
        "folder": "'folder' is a folder; name the script in it",
    }.items():
        ended = run([sys.executable, "-m", "miniloop", "compare", name], tmp_path)
        assert (ended.stdout, ended.stderr, ended.status) == ("", f"miniloop compare: {line}\n", 2)


@pytest.mark.parametrize(
    ("body", "note"),
    [
        ("raise SystemExit(3)", "on both the script ends with exit status 3"),
        ("raise ValueError('oh')", "on both the script ends with ValueError: oh"),
        (
            "async with asyncio.TaskGroup(): raise ValueError",
            "on both the script ends with ExceptionGroup: unhandled errors in a TaskGroup",
        ),
        ("raise KeyboardInterrupt", "on both the script ends with KeyboardInterrupt: stopped at"),
        ("input()", "standard input is empty; --stdin FILE gives the script something to read"),
        ("import os; os._exit(3)", "leaves in mid-run by os._exit(3): compared up to there"),
        ("import os, signal; os.kill(os.getpid(), 9)", "crashes: SIGKILL: compared up to there"),
        ("import sys; sys.stdout.buffer.write(b'\\xff\\0\\n')", "bytes that are no text"),
        ("import os; os.write(1, b'\\xff\\0')", "past sys.stdout: \\xff\\x00"),
    ],
)
def test_odd_ends_and_output_are_explained(body: str, note: str, tmp_path: Path) -> None:
    ended = compare(tmp_path, body, COLUMNS="120")
    assert (ended.status, ended.stderr) == (0, "")
    assert note in ended.stdout
    assert "asyncio and miniloop agree: " in ended.stdout


def test_standard_input(tmp_path: Path) -> None:
    (tmp_path / "names").write_text("Ada\nGrace\n")
    body = "import sys\nprint('hello', await asyncio.to_thread(input))\nprint(sys.stdin.read())"
    ended = compare(tmp_path, body, "--real-time", "--stdin", "names")
    assert ended.status == 0
    assert ended.stdout.count("prints │ hello Ada") == 1
    assert ended.stdout.count("prints │ Grace") == 1
    ended = compare(tmp_path, body, "--stdin", "nowhere")
    assert (ended.stdout, ended.status) == ("", 2)
    assert ended.stderr == (
        "miniloop compare: can't open 'nowhere' for --stdin: No such file or directory\n"
    )


def test_what_is_named_otherwise_in_each_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = """
        task = asyncio.create_task(asyncio.sleep(0))
        for one in (asyncio.Lock(), asyncio.Queue(3), asyncio.Event(), asyncio.Semaphore(2)):
            print(one, type(one))
        print(task, asyncio.current_task().get_name(), asyncio.all_tasks())
        print(asyncio.get_running_loop(), await task, task.get_name())
    """
    comparison = compared(tmp_path, body, monkeypatch)
    assert comparison.agree, comparison.rows[comparison.first or 0]
    printed = [e.what for e in comparison.right.schedule.events if e.who == "print"]
    assert printed[0] == "<asyncio.Lock object at 0x... [unlocked]> <class 'asyncio.Lock'>"
    assert printed[-1].endswith("> None Task-2")


def test_a_thread_that_ends_slowly(tmp_path: Path) -> None:
    """While it ends, the clock does not go on to the timeout of the one who waits for its end."""
    body = """
        import asyncio, threading, time

        class EndsSlowly(threading.Thread):
            def _delete(self):  # from here on, threading.enumerate() does not have it
                super()._delete()
                until = time.process_time() + 0.05
                while time.process_time() < until:
                    pass

        async def main():
            thread = EndsSlowly(target=print, args=("works",))
            thread.start()
            async with asyncio.timeout(300):
                await asyncio.to_thread(thread.join)
            print("joined")

        asyncio.run(main())
    """
    ended = compare(tmp_path, body)
    assert "prints │ joined" in ended.stdout, ended.stdout


def test_a_thread_that_waits_for_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = """
        import queue, threading, time
        queue = queue.Queue()
        def put():
            time.sleep(30)
            queue.put("an apple")
        threading.Thread(target=put).start()
        print(await asyncio.to_thread(queue.get))
    """
    comparison = compared(tmp_path, body, monkeypatch)
    for side in (comparison.left, comparison.right):
        printed = [(e.time, e.what) for e in side.schedule.events if e.who == "print"]
        assert printed == [(30250, "an apple")]


def test_children_of_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = """
        import asyncio, concurrent.futures, multiprocessing, subprocess, sys
        async def main():
            subprocess.run(["echo", "hello"], stdout=sys.stdout)
            context = multiprocessing.get_context("fork")
            with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
                loop = asyncio.get_running_loop()
                print(await loop.run_in_executor(pool, abs, -3))
        asyncio.run(main())
    """
    comparison = compared(tmp_path, body, monkeypatch)
    for side in (comparison.left, comparison.right):
        assert side.complete
        assert side.wrote == "hello\n"
        assert [e.what for e in side.schedule.events if e.who == "print"] == ["3"]
        assert any("processes: time passes really" in note for note in side.notes)


def test_one_that_ends_otherwise_on_miniloop(tmp_path: Path) -> None:
    body = "if 'miniloop' in asyncio.sleep.__module__: await asyncio.Event().wait()"
    ended = compare(tmp_path, body)
    assert ended.status == 1
    assert "note: on miniloop the script waits for ever: " in ended.stdout
    assert "\nStill waiting on miniloop:\n  main     5  " in ended.stdout


def test_threads_sleep_in_virtual_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = """
        import threading, time
        def work(seconds):
            time.sleep(seconds)
            print("worked", seconds)
        await asyncio.gather(*(asyncio.to_thread(work, seconds) for seconds in (3, 1, 2, 1)))
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=work, args=(50,))
        thread.start()
        thread.join()
        async def later():
            await asyncio.sleep(0.2)
        await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(later(), loop).result())
    """
    comparison = compared(tmp_path, body, monkeypatch)
    for side in (comparison.left, comparison.right):
        printed = [(e.time, e.what) for e in side.schedule.events if e.who == "print"]
        assert printed == [
            (1250, "worked 1"),
            (1250, "worked 1"),
            (2250, "worked 2"),
            (3250, "worked 3"),
            (53250, "worked 50"),
        ]
    if sys.version_info >= (3, 13):  # before, the wait for the pool at the end has no time limit
        assert comparison.agree


def printed(comparison: Comparison) -> list[list[str]]:
    """What each side has printed."""
    return [
        [event.what for event in side.schedule.events if event.who == "print"]
        for side in (comparison.left, comparison.right)
    ]


def test_time_stands_still_while_a_thread_computes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = """
        job = asyncio.create_task(asyncio.to_thread(sum, range(3_000_000)))
        try:
            await asyncio.wait_for(job, 0.001)
            print("done in time")
        except TimeoutError:
            print("too late")
    """
    assert printed(compared(tmp_path, body, monkeypatch)) == [["done in time"]] * 2


def test_time_passes_really_while_a_thread_waits_for_the_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = """
        import subprocess, sys
        command = [sys.executable, "-c", "import time; time.sleep(0.5)"]
        job = asyncio.create_task(asyncio.to_thread(subprocess.run, command))
        try:
            await asyncio.wait_for(job, 25)
            print("done in time")
        except TimeoutError:
            print("too late")
    """
    comparison = compared(tmp_path, body, monkeypatch)
    assert printed(comparison) == [["done in time"]] * 2
    for side in (comparison.left, comparison.right):
        assert any("time passes really meanwhile" in note for note in side.notes)


def test_sockets_take_real_time(tmp_path: Path) -> None:
    body = """
        import os, socket, subprocess, sys
        a, b = socket.socketpair()
        os.set_inheritable(b.fileno(), True)
        loop = asyncio.get_running_loop()
        got = loop.create_future()
        loop.add_reader(a, lambda: got.done() or got.set_result(a.recv(9)))
        child = f"import os, time; time.sleep(0.2); os.write({b.fileno()}, b'hello')"
        process = subprocess.Popen([sys.executable, "-c", child], close_fds=False)
        print(await asyncio.wait_for(got, 20))
        loop.remove_reader(a)
        process.wait()
    """
    ended = compare(tmp_path, "import sys\n" + textwrap.dedent(body))
    assert (ended.status, ended.stderr) == (0, "")
    assert "note: waits for sockets, signals or processes: time passes really" in ended.stdout
    assert "agree on the order of" in ended.stdout


def test_what_is_undefined_is_made_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = """
        import random
        async def child(number):
            try:
                await asyncio.sleep(5)
            finally:
                print("child", number, random.random())
        async def fails():
            raise ValueError
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(20):
                    group.create_task(child(number))
                group.create_task(fails())
        except ExceptionGroup:
            pass
        for one in asyncio.as_completed([child(number) for number in range(20)]):
            await one
        done, _ = await asyncio.wait([asyncio.create_task(child(n)) for n in range(20)])
        print([task.get_coro().__name__ for task in done], object())
        for number in range(20):
            asyncio.create_task(child(number))
        await asyncio.sleep(0)
    """
    comparison = compared(tmp_path, body, monkeypatch)
    assert comparison.agree, comparison.rows[comparison.first or 0]
    children = [e.what.split()[1] for e in comparison.left.schedule.events if e.who == "print"]
    assert children[:20] == [str(number) for number in range(20)]
    assert children[-20:] == [str(number) for number in range(20)]


@pytest.mark.parametrize(
    "start",
    [
        "asyncio.run(main())",
        "asyncio.new_event_loop().run_until_complete(main())",
        "with asyncio.Runner() as runner: runner.run(main())",
        "with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner: runner.run(main())"
        if sys.version_info < (3, 13)
        else "asyncio.run(main(), loop_factory=asyncio.EventLoop)",
        "asyncio.run(main()); asyncio.run(main())",
    ],
)
def test_however_the_loop_is_made(
    start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = f"import asyncio\nasync def main(): await asyncio.sleep(9)\n{start}"
    comparison = compared(tmp_path, body, monkeypatch)
    assert comparison.agree
    assert comparison.left.complete
    assert comparison.right.schedule.events[-1].time in (9000, 18000)


def test_arguments_and_own_factories_and_handlers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = """
        loop = asyncio.get_running_loop()
        assert loop.get_task_factory() is None
        def factory(loop, coro, **keywords):
            print("made")
            return asyncio.Task(coro, loop=loop, **keywords)
        loop.set_task_factory(factory)
        assert loop.get_task_factory() is factory
        loop.set_exception_handler(lambda loop, context: print("handled", context["message"]))
        loop.call_soon(lambda: 1 / 0)
        await asyncio.create_task(asyncio.sleep(1))
    """
    comparison = compared(tmp_path, body, monkeypatch)
    assert comparison.agree
    events = [(event.who, event.what) for event in comparison.right.schedule.events]
    assert ("print", "made") in events
    assert ("handler", "Exception in callback ZeroDivisionError(), handle") in events
    assert any(who == "print" and what.startswith("handled Exception") for who, what in events)
    assert ("sleep#1", "send -> returned None") in events


def test_a_pool_that_is_kept_is_no_deadlock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = """
        import asyncio
        from concurrent.futures import ThreadPoolExecutor
        async def main():
            loop = asyncio.get_running_loop()
            with ThreadPoolExecutor(1) as pool:  # kept, by this name, to the end
                await loop.run_in_executor(pool, int)
            for _ in range(100):
                await asyncio.to_thread(int)
            print("end")
        asyncio.run(main())
    """
    comparison = compared(tmp_path, body, monkeypatch)
    assert printed(comparison) == [["end"]] * 2
    assert comparison.left.complete
    assert comparison.right.complete
    if sys.version_info >= (3, 13):
        assert comparison.agree, comparison.rows[comparison.first or 0]


def test_what_is_no_coroutine_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = """
        async def child():
            return asyncio.current_task().get_name()
        async def main():
            try:
                asyncio.create_task(child)  # the parentheses were forgotten
            except TypeError as error:
                print(error)
            coro = child()
            task = asyncio.create_task(coro)
            print(task.get_coro() is coro, await task)
            print(await asyncio.Task(child(), name="by hand"))
        import asyncio
        asyncio.run(main())
    """
    comparison = compared(tmp_path, body, monkeypatch)
    assert comparison.agree, comparison.rows[comparison.first or 0]
    lines = ["a coroutine was expected, got <function child at 0x...>", "True Task-2", "by hand"]
    assert printed(comparison) == [lines] * 2
    steps = [event.who for event in comparison.left.schedule.events if event.who != "print"]
    assert {"main#0", "child#1", "child#2"} <= set(steps)


def test_what_takes_long_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / script(tmp_path, "print('hello')")
    with (
        mock.patch("miniloop.cli.on_record.UNTOLD", 0),
        mock.patch("miniloop.difftest.scripts.GLANCE", 0.01),
    ):
        assert main(["compare", str(path)]) == 0
    said = "still running on asyncio after 0 s; each loop may take 20 s (--limit)\n"
    assert capsys.readouterr().err == f"miniloop compare: {said}"


def test_explain_tells_what_takes_long_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / script(tmp_path, "print('hello')")
    with (
        mock.patch("miniloop.cli.on_record.UNTOLD", 0),
        mock.patch("miniloop.difftest.scripts.GLANCE", 0.01),
    ):
        assert main(["explain", str(path), "--limit", "30"]) == 0
    said = "still running on miniloop after 0 s; the run may take 30 s (--limit)\n"
    assert capsys.readouterr().err == f"miniloop explain: {said}"


def test_a_script_with_a_library_runs_on_interop(tmp_path: Path) -> None:
    body = """
        import asyncio
        import async_timeout
        async def main():
            try:
                async with async_timeout.timeout(0.1):
                    await asyncio.sleep(1)
            except asyncio.TimeoutError:
                print("timeout")
        asyncio.run(main())
    """
    ended = compare(tmp_path, body)
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.startswith("asyncio and interop agree: ")
    ended = compare(tmp_path, body, "--core")
    assert ended.status == 1
    assert "asyncio and miniloop differ, first in tick " in ended.stdout


def test_interop_can_be_asked_for(tmp_path: Path) -> None:
    body = "print(await asyncio.gather(*map(asyncio.sleep, (3, 1), 'ab')))"
    ended = compare(tmp_path, body, "--interop")
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.startswith("asyncio and interop agree: ")


OWN = """
import asyncio
class Own(asyncio.SelectorEventLoop):
    pass
class Backwards(asyncio.SelectorEventLoop):
    def _run_once(self):
        self._ready.reverse()
        super()._run_once()
class PlainBackwards(Backwards):
    def __init__(self):
        super().__init__()
class Plain(asyncio.SelectorEventLoop):
    def __init__(self):
        super().__init__()
def make():
    return Own()
"""


@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        (["--loop", "own:Own"], 0, "asyncio and own:Own agree: "),
        (["--loop", "own:Own", "--against", "miniloop"], 0, "miniloop and own:Own agree: "),
        (["--loop", "own:Backwards"], 1, "own:Backwards  child-3 prints │ 2\n"),
        (["--loop", "own:Plain"], 0, "asyncio and own:Plain agree on the order of "),
        (["--loop", "own:make"], 0, "asyncio and own:make agree on the order of "),
        (["--loop", "own:Missing"], 2, "own:Missing: module 'own' has no 'Missing'\n"),
        (["--loop", "nowhere"], 2, "no loop named 'nowhere': choose from asyncio, miniloop, "),
    ],
)
def test_a_loop_of_ones_own(
    options: list[str], status: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "LOOPS", {})
    (tmp_path / "own.py").write_text(OWN)
    body = """
        from concurrent.futures import ThreadPoolExecutor
        async def child(number):
            print(number)
            await asyncio.sleep(0.1 * number)
        await asyncio.gather(*map(child, range(3)))
        print(await asyncio.get_running_loop().run_in_executor(ThreadPoolExecutor(1), int, 3))
    """
    ended = compare(tmp_path, body, *options)
    assert ended.status == status, ended.stdout
    assert says in ended.stdout + ended.stderr
    if "order" in says:
        assert ended.stdout.startswith(f"note: {options[1]} takes no selector, so only the ")


TELLS = """
async def child(number):
    try:
        print(number)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    finally:
        print(number)
loop = asyncio.get_running_loop()
loop.call_later(0, print, "timer")
tasks = [asyncio.create_task(child(number)) for number in range(3)]
await asyncio.sleep(0)
tasks[1].cancel()
print(await asyncio.gather(*tasks, return_exceptions=True))
"""


@pytest.mark.parametrize(
    "loop", ["own:Backwards", pytest.param("own:PlainBackwards", marks=pytest.mark.long)]
)
def test_the_rule_that_a_loop_breaks(
    loop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = ("batch-in-reverse", "fifo-timers", "last-in-first-out", "timers-first")
    monkeypatch.setattr(
        lab, "LOOPS", {name: one for name, one in lab.LOOPS.items() if name in some}
    )
    monkeypatch.setattr(compare_command, "LONGEST_DIAGNOSIS", 100.0)
    (tmp_path / "own.py").write_text(OWN)
    ended = compare(tmp_path, TELLS, "--loop", loop)
    assert ended.status == 1, ended.stdout
    rule = "rule broken: batch-in-reverse: What is ready when a tick begins runs in the order in "
    assert rule in " ".join(ended.stdout.split())
    assert "\nor: " not in ended.stdout


@pytest.mark.long
def test_the_rule_is_found_in_the_whole_lab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare_command, "LONGEST_DIAGNOSIS", 100.0)
    for name in ("last-in-first-out", "cancel-forgotten"):
        ended = compare(tmp_path, TELLS, "--loop", place(name))
        assert ended.status == 1, ended.stdout
        assert f"\nrule broken: {name}: " in ended.stdout


@pytest.mark.long
def test_no_rule_is_named_for_what_is_no_rule(tmp_path: Path) -> None:
    ended = compare(tmp_path, "print(asyncio.sleep.__module__)")
    assert ended.status == 1
    assert "rule broken" not in ended.stdout
    (tmp_path / "own.py").write_text(OWN.replace("    pass", "    def get_debug(self): return 7"))
    ended = compare(tmp_path, "print(asyncio.get_running_loop().get_debug())", "--loop", "own:Own")
    assert ended.status == 1
    assert "rule broken" not in ended.stdout


def test_a_package(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text(
        "import asyncio, sys\nasync def main():\n    print(sys.argv[1:])\nasyncio.run(main())\n"
    )
    ended = run([sys.executable, "-m", "miniloop", "compare", "-m", "package", "a", "-b"], tmp_path)
    assert (ended.stderr, ended.status) == ("", 0)
    assert "  main  prints │ ['a', '-b']\n" in ended.stdout


def test_what_records_does_not_show_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = """
        import asyncio
        import logging
        import selectors
        import sys
        logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(message)s")
        async def main():
            logging.info("in main")
            await asyncio.sleep(0.1)
        asyncio.run(main())
        print(selectors.DefaultSelector.__name__)
    """
    comparison = compared(tmp_path, body, monkeypatch)
    assert comparison.agree, comparison.rows[comparison.first or 0]
    for using, in_main, name in printed(comparison):
        assert (using, in_main) == (f"Using selector: {name}", "in main")


def test_the_standard_output_is_as_python_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = r"""
        import asyncio
        import sys
        async def main():
            out = sys.stdout
            print(type(out), out.encoding, out.errors, out.name, out.mode, out.isatty())
            print(out is sys.__stdout__, out.fileno(), out.writable(), out.readable())
            print(type(out.buffer).__mro__[-5:], out.buffer.name, out.buffer.mode)
            out.buffer.write("café
".encode(out.encoding))
            out.buffer.raw.write(b"raw
")
            out.reconfigure(encoding="latin-1", errors="replace")
            print("é €", out.encoding)
        asyncio.run(main())
    """
    comparison = compared(tmp_path, body, monkeypatch)
    bare = run([sys.executable, "script.py"], tmp_path).stdout
    for lines in printed(comparison):
        assert lines == bare.splitlines()
    assert comparison.agree


def test_a_forgotten_await_is_shown(tmp_path: Path) -> None:
    ended = compare(tmp_path, "asyncio.sleep(1)\nawait asyncio.sleep(1)", COLUMNS="200")
    assert ended.status == 0
    warning = "at the end: RuntimeWarning: coroutine 'sleep' was never awaited"
    assert ended.stdout.count(warning) == 1


def test_what_the_garbage_collector_frees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = """
        class Ring:
            def __init__(self, number):
                self.number, self.me = number, self
            def __del__(self):
                if self.number % 100 == 0:
                    print("freed", self.number)
        for number in range(3000):
            Ring(number)
            await asyncio.sleep(0)
        async def generator():
            try:
                while True:
                    yield 1
            finally:
                await asyncio.sleep(0)
                print("closed")
        left = [generator() for _ in range(10)]
        for one in left:
            async for _ in one:
                break
        del one
        left.append(left)
    """
    comparison = compared(tmp_path, body, monkeypatch)
    assert comparison.agree, comparison.rows[comparison.first or 0]
    assert printed(comparison)[0].count("closed") == 10
    assert printed(comparison)[0].count("freed 0") == 1


def test_signals_come_while_a_call_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = """
        import signal, time
        began = time.monotonic()
        def at():
            return round(time.monotonic() - began, 1)
        signal.signal(signal.SIGALRM, lambda *_: print("alarm", at()))
        signal.setitimer(signal.ITIMER_REAL, 0.5, 1)
        time.sleep(2)
        print("slept", at(), signal.setitimer(signal.ITIMER_REAL, 0) > (0, 0))
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        signal.signal(signal.SIGALRM, lambda *_: loop.call_soon_threadsafe(woken.set_result, at()))
        print(signal.alarm(5), await woken)
        def fails(*_):
            raise TimeoutError
        signal.signal(signal.SIGALRM, fails)
        signal.alarm(1)
        try:
            time.sleep(3)
        except TimeoutError:
            print("interrupted", at())
        def compute():
            while True:
                pass
        signal.alarm(1)
        try:
            compute()
        except TimeoutError:
            print("interrupted")
    """
    comparison = compared(tmp_path, body, monkeypatch)
    assert comparison.agree, comparison.rows[comparison.first or 0]
    lines = ["alarm 0.5", "alarm 1.5", "slept 2.0 True", "0 7.0", "interrupted 8.0", "interrupted"]
    assert printed(comparison) == [lines] * 2


def test_tracebacks_are_shown_without_frames_of_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = """
        import sys, traceback
        async def fails():
            await asyncio.sleep(1)
            raise ValueError
        try:
            await asyncio.gather(fails())
        except ValueError:
            traceback.print_exc(file=sys.stdout)
        asyncio.get_running_loop().call_soon(lambda: traceback.print_stack(file=sys.stdout))
        await asyncio.sleep(1)
    """
    comparison = compared(tmp_path, body, monkeypatch)
    assert comparison.agree, comparison.rows[comparison.first or 0]
    frames = [line for line in printed(comparison)[0] if line.startswith("  File ")]
    names = [frame.rpartition(", in ")[2] for frame in frames]
    assert (names[:2], names[-1]) == (["main", "fails"], "<lambda>")
    assert not any("/asyncio/" in frame for frame in frames)


def test_threads_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = """
        import queue, threading, time
        loop = asyncio.get_running_loop()
        jobs, results = queue.Queue(), queue.SimpleQueue()
        class Worker(threading.Thread):
            def run(self):
                while (job := jobs.get()) is not None:
                    time.sleep(job)
                    results.put((self.name, job))
                    loop.call_soon_threadsafe(print, "done", job)
                print("leaves", self.name)
        workers = [Worker(name=name) for name in "abc"]
        for worker in workers:
            worker.start()
        for job in (3, 1, 2, 5, 4, 1):
            jobs.put(job)
        for _ in workers:
            jobs.put(None)
        condition = threading.Condition()
        def patient():
            with condition:
                print("waited", condition.wait(timeout=2.5), time.monotonic() // 1)
        await asyncio.gather(asyncio.to_thread(patient), asyncio.sleep(20))
        for worker in workers:
            worker.join()
        print([results.get() for _ in range(6)])
    """
    comparison = compared(tmp_path, body, monkeypatch)
    first, second = printed(comparison)
    assert first == second
    assert [line for line in first if line.startswith("waited")] == ["waited False 2.0"]
    assert first[-1] == "[('b', 1), ('c', 2), ('a', 3), ('a', 1), ('b', 5), ('c', 4)]"


def test_a_loop_that_is_busy_until_a_thread_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = """
        import threading, time
        thread = threading.Thread(target=time.sleep, args=(3,))
        thread.start()
        while thread.is_alive():
            await asyncio.sleep(0)
        print("ended", time.monotonic() // 1)
    """
    comparison = compared(tmp_path, body, monkeypatch)
    assert comparison.agree, comparison.rows[comparison.first or 0]
    assert printed(comparison) == [["ended 3.0"]] * 2


@pytest.mark.parametrize("option", ["--ticks", "--limit"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "x"])
def test_limits_are_numbers(option: str, value: str, tmp_path: Path) -> None:
    ended = compare(tmp_path, "pass", option, value)
    assert ended.status == 2
    assert f"argument {option}: invalid " in ended.stderr


def test_the_last_line_may_have_no_end(tmp_path: Path) -> None:
    ended = compare(tmp_path, "print('mini' in asyncio.sleep.__module__, end='')")
    assert ended.status == 1
    assert "miniloop  the program prints │ True" in ended.stdout


def test_a_loop_of_the_lab_that_replaces_a_function(tmp_path: Path) -> None:
    body = """
        tasks = [asyncio.ensure_future(asyncio.sleep(one)) for one in (1, 2)]
        await asyncio.wait(tasks, timeout=0.5)
        await asyncio.sleep(0.1)
        print(tasks[0].cancelled())
    """
    ended = compare(tmp_path, body, "--loop", "miniloop.lab.combinators:WaitCancels")
    assert ended.status == 1
    assert "RecursionError" not in ended.stdout
    assert "prints │ True" in ended.stdout
