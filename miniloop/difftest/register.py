"""The register of differences: `differences.toml`, read and checked."""

from __future__ import annotations

import asyncio
import tomllib
from dataclasses import dataclass
from importlib import resources

from .. import running
from .programs import FILE_NAME
from .sides import Side, side
from .surroundings import quiet

STANDINGS = ("undefined", "version-dependent", "deliberate")


@dataclass(frozen=True)
class Known:
    """One entry of the register."""

    id: str
    title: str
    versions: tuple[str, ...]
    standing: str
    reason: str
    program: str

    def outputs(self) -> tuple[list[str], list[str]]:
        """What the program prints on this Python's asyncio and on miniloop."""
        return printed(self.program, side("asyncio-unwatched")), printed(
            self.program, side("miniloop-unwatched")
        )


def entries() -> list[Known]:
    """All entries, in the order of the file."""
    text = resources.files(__package__).joinpath("differences.toml").read_text("utf-8")
    return [
        Known(**{**entry, "versions": tuple(entry["versions"])})
        for entry in tomllib.loads(text)["difference"]
    ]


def printed(source: str, on: Side) -> list[str]:
    """The lines that a program prints on a side, and how it ended if by an exception."""
    # Forget, on both sides, whether a loop was ever set in this thread.
    asyncio.set_event_loop_policy(None)
    running._thread.event_loop = None
    running._thread.event_loop_was_set = False
    with quiet():
        schedule = on.run(compile(source, FILE_NAME, "exec"))
    return [event.what for event in schedule.events if event.who in ("print", "main")]
