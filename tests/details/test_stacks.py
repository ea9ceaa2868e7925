"""get_stack and print_stack: where a task waits, where it failed."""

import io
from types import FrameType, ModuleType
from typing import Any

import pytest


async def outer(future: Any) -> None:
    await middle(future)


async def middle(future: Any) -> None:
    await inner(future)


async def inner(future: Any) -> None:
    await future
    raise ZeroDivisionError("here")


def names(frames: list[FrameType]) -> list[str]:
    return [frame.f_code.co_name for frame in frames]


def printed(task: Any, **options: Any) -> tuple[str, str]:
    """Return the head of what `print_stack` prints, without the task, and the rest."""
    file = io.StringIO()
    task.print_stack(file=file, **options)
    head, _, rest = file.getvalue().partition("\n")
    return head.replace(repr(task), "TASK"), rest


@pytest.fixture
def future(loop: Any) -> Any:
    return loop.create_future()


@pytest.fixture
def task(loop: Any, future: Any) -> Any:
    """Give a task that waits."""
    task = loop.create_task(outer(future))
    loop.call_soon(loop.stop)
    loop.run_forever()
    return task


def end(loop: Any, task: Any) -> None:
    with pytest.raises(BaseException, match=r"here|^$"):  # failed or cancelled
        loop.run_until_complete(task)


def test_a_waiting_task(loop: Any, task: Any, future: Any) -> None:
    # asyncio shows the outermost frame only: it is the coroutine's own
    [frame] = task.get_stack()
    assert names([frame]) == ["outer"]
    head, rest = printed(task)
    assert head == "Stack for TASK (most recent call last):"
    assert rest.splitlines()[0] == f'  File "{__file__}", line {frame.f_lineno}, in outer'
    assert rest.splitlines()[1] == "    await middle(future)"
    future.cancel()
    end(loop, task)


def test_a_failed_task(loop: Any, task: Any, future: Any) -> None:
    future.set_result(None)
    end(loop, task)
    frames = names(task.get_stack())
    assert frames[-3:] == ["outer", "middle", "inner"]
    head, rest = printed(task)
    assert head == "Traceback for TASK (most recent call last):"
    assert rest.splitlines()[-1] == "ZeroDivisionError: here"
    assert rest.splitlines()[-2] == '    raise ZeroDivisionError("here")'


def test_a_finished_task(aio: ModuleType, loop: Any) -> None:
    task = loop.create_task(aio.sleep(0))
    loop.run_until_complete(task)
    assert task.get_stack() == []
    assert printed(task) == ("No stack for TASK", "")


def test_a_cancelled_task(loop: Any, task: Any, future: Any) -> None:
    task.cancel()
    end(loop, task)
    assert task.get_stack() == []
    assert printed(task) == ("No stack for TASK", "")


def test_a_task_that_has_not_begun(aio: ModuleType, loop: Any) -> None:
    task = loop.create_task(aio.sleep(0))
    assert names(task.get_stack()) == ["sleep"]
    loop.run_until_complete(task)


def test_a_running_task_shows_who_called_it(aio: ModuleType, loop: Any) -> None:
    async def main() -> list[str]:
        return names(task.get_stack())

    task = loop.create_task(main())
    stack = loop.run_until_complete(task)
    assert stack[-1] == "main"
    assert "run_until_complete" in stack
    task = loop.create_task(limited := limited_stack(lambda: task))
    assert loop.run_until_complete(task) == ["limited_stack"]
    assert limited is task.get_coro()


async def limited_stack(task: Any) -> list[str]:
    return names(task().get_stack(limit=1))


def test_limit_keeps_the_oldest_frames_of_a_traceback(loop: Any, task: Any, future: Any) -> None:
    future.set_result(None)
    end(loop, task)
    everything = names(task.get_stack())
    assert names(task.get_stack(limit=1)) == everything[:1]
    assert names(task.get_stack(limit=2)) == everything[:2]
    assert len(printed(task, limit=1)[1].splitlines()) < len(printed(task)[1].splitlines())


def test_without_a_file_the_head_goes_to_stdout_and_the_frames_to_stderr(
    loop: Any, task: Any, future: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    task.print_stack()
    head, frames = capsys.readouterr()
    assert head == f"Stack for {task!r} (most recent call last):\n"
    assert frames.startswith("  File ")
    future.cancel()
    end(loop, task)
