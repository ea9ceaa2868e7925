"""How a program comes to the interop loop."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import miniloop
from miniloop import interop


async def kinds() -> tuple[type, type]:
    return type(asyncio.get_running_loop()), type(asyncio.current_task())


EXPECTED = (interop.EventLoop, interop.Task)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="run() takes a loop factory since 3.12")
def test_asyncio_run() -> None:
    run: Any = asyncio.run
    assert run(kinds(), loop_factory=interop.EventLoop) == EXPECTED


def test_runners_of_both() -> None:
    with asyncio.Runner(loop_factory=interop.EventLoop) as runner:
        assert runner.run(kinds()) == EXPECTED
    assert miniloop.run(kinds(), loop_factory=interop.EventLoop) == EXPECTED


policies = pytest.mark.filterwarnings("ignore:.*Policy|.*policy:DeprecationWarning")
"""Python 3.14 says that they will be gone."""


@pytest.fixture
def policy() -> Iterator[None]:
    before = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(interop.EventLoopPolicy())
    yield
    asyncio.set_event_loop_policy(before)


@policies
@pytest.mark.usefixtures("policy")
def test_the_policy() -> None:
    assert isinstance(asyncio.get_event_loop_policy(), interop.EventLoopPolicy)
    assert asyncio.run(kinds()) == EXPECTED
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    assert asyncio.get_event_loop() is loop
    assert loop.run_until_complete(kinds()) == EXPECTED
    asyncio.set_event_loop(None)
    loop.close()


@policies
@pytest.mark.usefixtures("policy")
@pytest.mark.skipif(sys.platform == "win32", reason="selector loops have no subprocesses there")
def test_a_subprocess_under_the_policy() -> None:
    async def main() -> int:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "raise SystemExit(5)")
        return await process.wait()

    assert asyncio.run(main()) == 5


def test_nothing_deprecated_is_touched_at_import() -> None:
    program = "import miniloop.interop; from miniloop.interop import *"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_python_without_policies() -> None:
    """Python 3.16 will have none."""
    program = """
import asyncio, types

class WithoutPolicies(types.ModuleType):
    def __getattribute__(self, name):
        if "olicy" in name:
            raise AttributeError(f"no {name}")
        return super().__getattribute__(name)

asyncio.__class__ = WithoutPolicies
from miniloop import interop
print(hasattr(interop, "EventLoopPolicy"))
with asyncio.Runner(loop_factory=interop.EventLoop) as runner:
    print(runner.run(asyncio.sleep(0, "runs")))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "False\nruns\n", "")


@policies
def test_the_policy_is_made_when_it_is_asked_for() -> None:
    policy: Any = interop.EventLoopPolicy
    assert policy is interop.EventLoopPolicy
    assert issubclass(policy, asyncio.DefaultEventLoopPolicy)
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        interop.Nothing  # noqa: B018


def test_both_libraries_see_each_others_tasks() -> None:
    """A task of asyncio's own class is current for miniloop, too, and the other way round."""

    async def of_asyncio() -> None:
        current: Any = miniloop.current_task()
        assert current is asyncio.current_task()
        with pytest.raises(TimeoutError):
            async with miniloop.timeout(0.001):
                await miniloop.sleep(60)

    async def of_miniloop() -> None:
        current: Any = asyncio.current_task()
        assert current is miniloop.current_task()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await asyncio.sleep(60)

    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        await asyncio.Task(of_asyncio(), loop=loop)
        await miniloop.Task(of_miniloop(), loop=loop)
        loop.set_task_factory(miniloop.eager_task_factory)
        await asyncio.create_task(of_miniloop())

    miniloop.run(main(), loop_factory=interop.EventLoop)
