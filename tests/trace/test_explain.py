"""`explain` and `trace` on the command line: what they tell, and what they refuse."""

from pathlib import Path

import pytest

from miniloop.cli import main
from miniloop.difftest.scripts import run_side
from miniloop.trace.document import assemble, state_after

TEA = """\
import asyncio

async def tea():
    await asyncio.sleep(2)
    print("tea is ready")

async def toast():
    await asyncio.sleep(1)
    print("toast is ready")

async def main():
    await asyncio.gather(tea(), toast())
    print("breakfast")

asyncio.run(main())
"""

RING = """\
import asyncio

async def alice(fork, knife):
    async with fork:
        await asyncio.sleep(0)
        async with knife:
            print("alice eats")

async def bob(fork, knife):
    async with knife:
        await asyncio.sleep(0)
        async with fork:
            print("bob eats")

async def main():
    fork, knife = asyncio.Lock(), asyncio.Lock()
    await asyncio.gather(alice(fork, knife), bob(fork, knife))

asyncio.run(main())
"""

EACH_OTHER = """\
import asyncio

async def wait_for_the_other(name):
    await asyncio.sleep(0)
    await tasks[1 - name]

async def main():
    global tasks
    tasks = [asyncio.create_task(wait_for_the_other(n), name="ab"[n]) for n in range(2)]
    await asyncio.wait(tasks)

asyncio.run(main())
"""


@pytest.fixture
def explain(tmp_path, monkeypatch, capfd):
    """Write a program to `script.py`, explain it, and return status, output and errors."""
    monkeypatch.chdir(tmp_path)

    def explain(source, *options):
        if source is not None:
            Path("script.py").write_text(source)
        status = main(["explain", *options, "script.py"])
        out, err = capfd.readouterr()
        return status, out, err

    return explain


@pytest.mark.parametrize("loop", ["miniloop", "asyncio"])
def test_a_run_is_told_tick_by_tick(explain, loop):
    status, out, err = explain(TEA, "--loop", loop)
    assert (status, err) == (0, "")
    assert f"script.py on {loop}, on virtual time\n" in out
    assert (
        """\
tick 2, at 0.000 s: ready: tea, toast
  tea: runs because main called gather(), line 12
      starts in        3  async def tea():
      waits in         4  await asyncio.sleep(2)   for sleep(2)
  toast: runs because main called gather(), line 12
      starts in        7  async def toast():
      waits in         8  await asyncio.sleep(1)   for sleep(1)
"""
        in out
    )
    assert (
        """\
tick 7, at 2.000 s: ready: tea
  tea: runs because its sleep(2), line 4, was due
      goes on in       4  await asyncio.sleep(2)
      prints │ tea is ready
      ends
"""
        in out
    )
    assert "tick 5: only the loop's own work (--all shows it)\n" in out
    assert "ticks 10 to 14: only the loop's own work (--all shows it)\n" in out
    assert out.endswith("The program has ended. (2.000 s)\n")


def test_all_shows_what_the_loop_does_for_itself(explain):
    _, out, _ = explain(TEA, "--all")
    assert "shutdown_asyncgens" in out
    assert "only the loop's own work" not in out


@pytest.mark.parametrize("loop", ["miniloop", "asyncio"])
@pytest.mark.parametrize("why", ["main@9", "13", "12"])
def test_why_follows_the_causes_back_to_the_start(explain, loop, why):
    status, out, _ = explain(TEA, "--loop", loop, "--why", why)
    assert status == 0
    step = "tick 1, at 0.000 s" if why == "12" else "tick 9, at 2.000 s"
    assert out.startswith(f"Why does main run in {step}?\n")
    if why != "12":
        assert "tick 7: tea goes on, line 4: await asyncio.sleep(2)\n" in out
        assert "    because its sleep(2), line 4, was due\n" in out
        ticks = [int(line.split()[1][:-1]) for line in out.splitlines() if line[:6] == "  tick"]
        assert ticks == [9, 8, 7, 6, 2, 1]
    assert "start: the program, outside the loop" in out


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("main@4", "main does not run in tick 4; it runs in 1, 9"),
        ("coffee@4", "there is no task 'coffee'; there are main, tea, toast"),
        ("2", "no step of a task has run line 2"),
        ("main", "--why takes TASK@TICK or a line number, and 'main' is neither"),
    ],
)
def test_a_step_that_is_not_there_is_bad_input(explain, why, said):
    assert explain(TEA, "--why", why) == (2, "", f"miniloop explain: {said}\n")


@pytest.mark.parametrize("loop", ["miniloop", "asyncio"])
def test_a_deadlock_shows_the_ring(explain, loop):
    status, out, err = explain(RING, "--loop", loop)
    assert (status, err) == (1, "")
    assert "waits in         6  async with knife:   for the Lock of bob" in out
    assert "The program waits for ever: nothing is ready" in out
    assert "  alice     6  async with knife:   for the Lock of bob\n" in out
    assert out.endswith(
        "They wait for each other in a ring: alice waits for bob, bob waits for alice.\n"
    )


def test_tasks_that_await_each_other_are_a_ring(explain):
    status, out, _ = explain(EACH_OTHER)
    assert status == 1
    assert out.endswith("They wait for each other in a ring: a waits for b, b waits for a.\n")


def test_a_queue_that_nobody_fills(explain):
    source = "import asyncio\nasync def main():\n    await asyncio.Queue().get()\n"
    status, out, _ = explain(source + "asyncio.run(main())\n")
    assert status == 1
    assert "  main     3  await asyncio.Queue().get()   for Queue.get()\n" in out
    assert "ring" not in out


def test_a_script_that_hangs_is_told_up_to_there(explain):
    source = """\
import asyncio
async def main():
    await asyncio.sleep(1)
    print("now")
    while True:
        pass
asyncio.run(main())
"""
    status, out, _ = explain(source, "--limit", "2")
    assert status == 1
    assert "      prints │ now\n      is still in" in out
    assert "The program was still at work in line" in out
    assert "for nothing: it is at work" in out


def test_a_script_without_an_end_is_told_up_to_there(explain):
    source = "import asyncio\nasync def main():\n    while True:\n        await asyncio.sleep(0)\n"
    source += "asyncio.run(main())\n"
    status, out, _ = explain(source, "--ticks", "50")
    assert status == 1
    assert "tick 50, at 0.000 s: ready: main\n" in out
    assert "The program was still running after 50 ticks." in out
    status, out, _ = explain(source, "--steps", "60")
    assert status == 0
    assert "The recording was cut off after 60 steps; --steps allows more." in out


def test_a_long_run_is_shortened(explain):
    source = "import asyncio\nasync def main():\n    for _ in range(400):\n"
    source += "        await asyncio.sleep(0)\nasyncio.run(main())\n"
    _, out, _ = explain(source)
    assert "(252 more steps; --all shows them)\n" in out
    assert "tick 200" not in out
    _, out, _ = explain(source, "--all")
    assert "tick 200" in out


def test_a_script_that_fails_says_so(explain):
    source = "import asyncio\nasync def main():\n    raise ValueError(7)\nasyncio.run(main())\n"
    status, out, _ = explain(source)
    assert status == 0
    assert "fails with ValueError(7)" in out
    assert "The program has ended with ValueError(7)." in out


def test_a_script_that_leaves_at_once_is_told_up_to_there(explain):
    source = """\
import asyncio, os
async def main():
    print("bye")
    os._exit(3)
asyncio.run(main())
"""
    _, out, _ = explain(source)
    assert "prints │ bye" in out
    assert "The program leaves in mid-run by os._exit(3)." in out


@pytest.mark.parametrize("command", ["explain", "trace"])
@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "can't open 'script.py': No such file or directory"),
        ("print(1)\n", "script.py runs no event loop that could be traced"),
        ("\0\1", "'script.py' is not Python source; name a .py file"),
        ("def f(:\n", "script.py:1: "),
        ("import sys\nsys.exit(3)\n", "script.py ends before any event loop runs"),
        ("while True: pass\n", "before any event loop ran"),
    ],
)
def test_bad_input_is_one_line(tmp_path, monkeypatch, capfd, command, source, said):
    monkeypatch.chdir(tmp_path)
    if source is not None:
        Path("script.py").write_text(source)
    more = ["-o", "out.json", "--format", "json"] if command == "trace" else []
    assert main([command, "script.py", "--limit", "2", *more]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(f"miniloop {command}: ")
    assert said in err
    assert err.count("\n") == 1
    assert not Path("out.json").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "-o FILE says where to write the trace to; - is the terminal"),
        (["-o", "."], "'.' is a folder; name a file in it"),
        (["-o", "no/such/file"], "there is no folder 'no/such' to write 'file' to"),
        (["-o", "x", "--format", "svg", "--compare"], "--compare shows two runs in one player"),
        (["-o", "x", "--loop", "nosuch"], "no loop named 'nosuch'"),
    ],
)
def test_bad_options_are_one_line(tmp_path, monkeypatch, capfd, options, said):
    monkeypatch.chdir(tmp_path)
    Path("script.py").write_text(TEA)
    assert main(["trace", "script.py", *options]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]


def test_options_stand_on_both_sides_and_arguments_behind_dashes(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    source = "import asyncio, sys\nasync def main():\n    print(sys.argv[1:])\n"
    source += "asyncio.run(main())\n"
    Path("script.py").write_text(source)
    assert main(["explain", "script.py", "--all", "--", "--why", "x"]) == 0
    out, _ = capfd.readouterr()
    assert "prints │ ['--why', 'x']" in out
    assert "shutdown_asyncgens" in out
    with pytest.raises(SystemExit) as left:
        main(["explain", "script.py", "--unknown"])
    assert left.value.code == 2
    assert "those of the script follow a --" in capfd.readouterr().err


@pytest.mark.parametrize("loop", ["miniloop", "asyncio"])
def test_a_cancellation_on_its_way_is_seen(tmp_path, loop):
    script = tmp_path / "script.py"
    script.write_text(
        """\
import asyncio
async def child():
    await asyncio.sleep(9)
async def main():
    early = asyncio.create_task(child())
    early.cancel()
    late = asyncio.create_task(child())
    await asyncio.sleep(0)
    late.cancel()
    await asyncio.wait([late])
asyncio.run(main())
"""
    )
    run = run_side(loop, str(script), steps=1000)
    document = assemble(run.watched, "script.py", loop)
    first, second = [
        index
        for index, step in enumerate(document["steps"])
        if step.get("task") == 0 and step["kind"] == "run"
    ][:2]
    after = state_after(document, first)["tasks"]
    assert after["1"] == {"state": "ready", "line": 2, "cancel": True}
    assert after["2"] == {"state": "ready", "line": 2}
    assert state_after(document, second)["tasks"]["2"]["cancel"] is True


WAITS = """\
import asyncio, socket, time
async def main():
    async with asyncio.timeout(25):
        await asyncio.to_thread(time.sleep, 2)
    await asyncio.to_thread(time.sleep, 2)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    loop = asyncio.get_running_loop()
    loop.call_later(1, theirs.send, b"x")
    async with asyncio.timeout(25):
        await loop.sock_recv(ours, 10)
    ours.close()
    theirs.close()
asyncio.run(main())
"""


@pytest.mark.parametrize("loop", ["miniloop", "asyncio"])
def test_a_limit_of_a_wait_is_told_as_one(explain, loop):
    _, out, _ = explain(WAITS, "--loop", loop)
    waits = [line for line in out.splitlines() if " waits " in line and line.startswith("tick")]
    found = [line.partition(" s: ")[2].partition(";")[0] for line in waits]
    # On 3.11 and 3.12, asyncio waits once more, for the end of the executor's threads.
    assert found[:4] == [
        "waits for a thread, at most 25 s",
        "waits for a thread",
        "waits 1 s",
        "waits for a descriptor, at most 24 s",
    ]
    run = run_side(loop, "script.py", steps=1000)
    said = [step["say"] for step in assemble(run.watched)["steps"] if step["kind"] == "wait"]
    assert "A new tick: nothing is ready. The loop waits for a thread, at most 25 s." in said
    assert "A new tick: nothing is ready. The loop waits 1 s for the first timer." in said


CONTEXTS = """\
import asyncio, contextvars
user = contextvars.ContextVar("user")
def who():
    print(user.get("nobody"))
async def login(name):
    user.set(name)
async def main():
    token = user.set("anna")
    await asyncio.create_task(login("bob"))
    context = contextvars.copy_context()
    await asyncio.create_task(login("carl"), context=context)
    await asyncio.create_task(login("dora"), context=context)
    loop = asyncio.get_running_loop()
    loop.call_soon(who, context=context)
    loop.call_soon(who)
    loop.call_later(1, who, context=context)
    await asyncio.sleep(2)
    user.reset(token)
with asyncio.Runner() as runner:
    runner.run(main())
    runner.run(login("fred"))
"""


@pytest.mark.parametrize("loop", ["miniloop", "asyncio"])
def test_a_context_is_told_if_it_is_not_its_own(explain, loop):
    _, out, _ = explain(CONTEXTS, "--loop", loop)
    lines = out.splitlines()
    shared = [line.strip() for line in lines if "context of" in line]
    assert shared == [
        "login-3: runs because main called create_task(), line 12, in the context of login-2",
        "(callback who): runs because main called call_soon(), line 14, in the context of login-2",
        "(callback who): runs because main called call_later(), line 16, in the context of login-2",
        "login-4: runs because the program called run(), line 21, in the context of main",
    ]
    sets = [line.partition("│ ")[2] for line in lines if line.startswith("      sets   │")]
    assert sets == [
        "user = 'anna'",
        "user = 'bob'",
        "user = 'carl'",
        "user = 'dora'",
        "user = (nothing)",
        "user = 'fred'",
    ]
    assert [line.partition("│ ")[2] for line in lines if " prints │" in line] == [
        "dora",
        "anna",
        "dora",
    ]


def test_callbacks_share_a_context(explain):
    source = """\
import asyncio, contextvars
def one():
    pass
def two():
    pass
loop = asyncio.new_event_loop()
context = contextvars.copy_context()
loop.call_soon(one, context=context)
loop.call_soon(two, context=context)
loop.call_soon(loop.stop)
loop.run_forever()
loop.close()
"""
    _, out, _ = explain(source)
    assert "line 8\n" in out
    assert "line 9, in the same context as (callback one)\n" in out


ENDS = """\
import asyncio, time
async def save():
    pass
async def forever():
    await asyncio.sleep(3600)
async def main():
    left = asyncio.create_task(forever())
    await asyncio.create_task(asyncio.to_thread(time.sleep, 0))
    save()
    asyncio.run(main())
print("before")
asyncio.run(main())
"""


@pytest.mark.parametrize("loop", ["miniloop", "asyncio"])
def test_the_ends_of_a_run_are_told(explain, loop):
    _, out, _ = explain(ENDS, "--loop", loop)
    lines = out.splitlines()
    assert lines[2:5] == [
        "outside the loop",
        "      prints │ before",
        "  the program makes the task main.",
    ]
    assert "      waits   for to_thread()" in lines
    because = "run(), line 12, cancels the tasks that are left, and CancelledError() is thrown in"
    assert f"  forever: runs because {because}" in lines
    end = lines.index(next(line for line in lines if line.startswith("The program has ended")))
    assert lines[end].startswith(
        "The program has ended with "
        "RuntimeError(asyncio.run() cannot be called from a running event loop)."
    )
    assert (
        "At the end Python reports: RuntimeWarning: coroutine 'save' was never awaited"
        in lines[end:]
    )
