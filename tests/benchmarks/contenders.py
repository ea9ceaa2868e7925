"""Who competes, and how each one's programs are run. The workers import this: nothing heavy."""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["BASE", "CONTENDERS", "Contender", "Runner"]

# Runs a program by its name, at a size, with a clock; None stands for no such program.
Runner = Callable[[str, int, Callable[[], float]], tuple[float, int] | None]


@dataclass(frozen=True)
class Contender:
    """One column of the table.

    ``module`` is what is imported, and whose import is timed. With asyncio's API (``api`` names
    the module that has it) the module's ``new_event_loop`` makes the loop; without, ``programs``
    names the file here that has the programs and a ``run`` for them. ``without_c`` hides the C
    half of asyncio, so that its Python tasks and futures are used. ``lacks`` names work that its
    programs have and that it cannot do.
    """

    name: str
    title: str
    module: str
    api: str | None = None
    programs: str = "asyncio_programs"
    without_c: bool = False
    lacks: frozenset[str] = frozenset()
    at_most: dict[str, int] = field(default_factory=dict)  # sizes that it can do, by work

    def open(self) -> Runner:
        """Import what is needed, and return what runs the programs. Raises ImportError."""
        programs = importlib.import_module(f".{self.programs}", __package__)
        run = self.open_api() if self.api else programs.run

        def run_by_name(
            work: str, size: int, clock: Callable[[], float]
        ) -> tuple[float, int] | None:
            program = None if work in self.lacks else getattr(programs, work, None)
            return None if program is None else run(program, size, clock)

        return run_by_name

    def open_api(self) -> Callable[..., Any]:
        """Return what runs a program for asyncio's API on a new loop of this contender."""
        if self.api is None:
            raise ValueError(f"{self.name} does not have asyncio's API")
        if self.without_c:
            sys.modules["_asyncio"] = None  # type: ignore[assignment]  # importing it fails now
        aio = importlib.import_module(self.api)
        new_event_loop = importlib.import_module(self.module).new_event_loop

        def run(program: Callable[..., Any], size: int, measure: Callable[..., Any]) -> Any:
            loop = new_event_loop()
            try:
                return loop.run_until_complete(program(aio, size, measure))
            finally:
                loop.close()

        return run


BASE = "asyncio"  # what the ratios are to

_BARE = "tests.benchmarks.bare_programs"
CONTENDERS = [
    Contender(BASE, "asyncio (C tasks)", "asyncio", api="asyncio"),
    # aiohttp speaks to asyncio's transports; the core has none of that interface, interop has.
    Contender("miniloop", "miniloop", "miniloop", api="miniloop", lacks=frozenset({"aiohttp"})),
    Contender("interop", "miniloop.interop", "miniloop.interop", api="asyncio"),
    Contender("asyncio-py", "asyncio (Python tasks)", "asyncio", api="asyncio", without_c=True),
    Contender("uvloop", "uvloop", "uvloop", api="asyncio"),
    Contender("trio", "trio", "trio", programs="trio_programs"),
    Contender("curio", "curio", "curio", programs="curio_programs"),
    # The time that tinyio needs to join tasks grows with the square of their number.
    Contender("tinyio", "tinyio", "tinyio", programs="tinyio_programs", at_most={"memory": 10_000}),
    Contender("bare", "bare limit", _BARE, programs="bare_programs"),
    Contender("bare-async", "bare limit, async sleep", _BARE, programs="bare_async_programs"),
]
