"""Walk through the package as a program does: `python -m tests.walk`.

Two small programs run while every call of a function of the package is noted. The fewer functions
and files a program visits, and the less often it changes from one file to another, the easier it is
to follow with the finger on the page.

`way_of_a_value()` follows one value more closely, from `create_task()` to the step in which the
waiting task gets it. The documentation makes a picture of that.
"""

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import miniloop

PACKAGE = Path(miniloop.__file__).parent


class Walk(NamedTuple):
    """The calls of functions of the package, in order: each a file and a function's name."""

    steps: list[tuple[str, str]]

    @property
    def functions(self) -> int:
        """How many different functions are visited."""
        return len(set(self.steps))

    @property
    def files(self) -> list[str]:
        """The files that are visited, in the order of the first visit."""
        return list(dict.fromkeys(file for file, _ in self.steps))

    @property
    def changes(self) -> int:
        """How often the walk goes from one file to another."""
        files = [file for file, _ in self.steps]
        return sum(one != other for one, other in itertools.pairwise(files))

    def __str__(self) -> str:
        return (
            f"{len(self.steps)} calls, {self.functions} functions, {len(self.files)} files, "
            f"{self.changes} changes of file"
        )


def walk(program: Callable[[], Any]) -> Walk:
    """Run a program and note each call of a function of the package."""
    steps: list[tuple[str, str]] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(PACKAGE):
            name = frame.f_code.co_qualname.replace("<locals>.", "")
            steps.append((str(path.relative_to(PACKAGE).with_suffix("")), name))

    sys.setprofile(note)
    try:
        program()
    finally:
        sys.setprofile(None)
    return Walk(steps)


async def child() -> int:
    return 1


async def sleep_once() -> None:
    await miniloop.sleep(0)


async def create_and_gather() -> None:
    task = miniloop.create_task(child())
    await miniloop.gather(task, child())


PROGRAMS = {
    "run(main()), main() awaits sleep(0)": sleep_once,
    "run(main()), main() awaits gather() of a task and a coroutine": create_and_gather,
}


class Visit(NamedTuple):
    """One call on the way of a value."""

    file: str
    """The file in the package, or YOURS."""
    name: str
    depth: int
    """How many calls of the way it is inside of."""
    tick: int
    """The number of the tick, from 1."""
    queue: tuple[str, ...] | None
    """If a tick begins with this call: the tasks in the ready queue, by their coroutines."""
    passes: str
    """What the call passes back to its caller, if that is the value or a future."""


YOURS = "your program"


async def kettle() -> str:
    return "tea"


async def guest() -> None:
    task = miniloop.create_task(kettle())
    drink = await task
    assert drink == "tea"


def way_of_a_value() -> list[Visit]:
    """Run `guest()`, and return the calls from its first step to the one that gets the value."""
    found: list[Visit] = []
    inside: list[int] = []  # the numbers of the calls that have not come back
    tick = 0
    over = False

    def note(frame: FrameType, event: str, result: object) -> None:
        nonlocal tick, over
        path = Path(frame.f_code.co_filename)
        if frame.f_code in (kettle.__code__, guest.__code__):
            file = YOURS
        elif path.is_relative_to(PACKAGE):
            file = str(path.relative_to(PACKAGE).with_suffix(""))
        else:
            return
        name = frame.f_code.co_qualname.replace("<locals>.", "")
        begins = name == "BaseEventLoop._run_once"
        if over or not (tick or begins):
            return  # before the first tick, or after the last step
        if event == "call":
            queue = None
            if begins:
                tick += 1
                ready = frame.f_locals["self"]._ready
                queue = tuple(entry.get_coro().__name__ for entry in ready)
            found.append(Visit(file, name, len(inside), tick, queue, ""))
            inside.append(len(found) - 1)
        elif event == "return":
            number = inside.pop()
            if result == "tea":
                found[number] = found[number]._replace(passes="returns 'tea'")
            elif isinstance(result, miniloop.Future):
                does = "returns" if name.endswith("create_task") else "yields"
                found[number] = found[number]._replace(passes=f"{does} the task")
            over = frame.f_code is guest.__code__ and result is None

    with miniloop.Runner() as runner:
        runner.get_loop()
        sys.setprofile(note)
        try:
            runner.run(guest())
        finally:
            sys.setprofile(None)
    return found


def main() -> None:
    """Print both walks."""
    for title, program in PROGRAMS.items():
        found = walk(lambda program=program: miniloop.run(program()))  # type: ignore[misc]
        print(f"{title}\n{found}")
        before = ""
        for file, name in found.steps:
            print(f"  {file if file != before else '':<26}{name}")
            before = file
        print()


if __name__ == "__main__":
    main()
