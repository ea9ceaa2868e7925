"""The data of the suite: lists of public test ids, and the register of tests that do not pass."""

import fnmatch
import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CAUSES = {
    "nature": "cannot hold for another implementation",
    "baseline": "miniloop keeps the semantics of CPython 3.15",
    "design": "miniloop is built otherwise on purpose",
    "scope": "asks for something that miniloop leaves out on purpose",
    "fault": "a fault of miniloop",
}


class BadRegister(Exception):
    """An entry of register.toml that says too little or something unknown."""


@dataclass(frozen=True)
class Entry:
    """Tests that do not pass, and why.

    `python` names the versions that it holds for, such as "3.12" or "3.13.0-3.13.11", both of these
    included; empty, it is every version.
    """

    tests: tuple[str, ...]
    reason: str
    cause: str
    python: tuple[str, ...] = ()
    run: bool = True

    def covers(self, test_id: str, version: str) -> bool:
        return self.applies_to(version) and matches(test_id, self.tests)

    def applies_to(self, version: str) -> bool:
        return not self.python or any(is_one_of(version, versions) for versions in self.python)


@dataclass(frozen=True)
class Register:
    excluded: tuple[Entry, ...] = ()
    interop: tuple[str, ...] = ()
    interop_reason: str = ""
    io_on_core: tuple[str, ...] = ()
    io_on_core_but: tuple[str, ...] = ()
    io_on_core_reason: str = ""
    io_without_loop: tuple[str, ...] = ()
    io_without_loop_reason: str = ""

    def entry(self, test_id: str, version: str) -> Entry | None:
        return next((entry for entry in self.excluded if entry.covers(test_id, version)), None)

    def runs_on_core(self, test_id: str) -> bool:
        """Whether a test of an I/O file runs on the core loop."""
        return matches(test_id, self.io_on_core) and not matches(test_id, self.io_on_core_but)

    def not_run(self, version: str) -> list[str]:
        """Patterns of the tests whose outcome would mean nothing."""
        entries = [e for e in self.excluded if not e.run and e.applies_to(version)]
        return [pattern for entry in entries for pattern in entry.tests]


def numbers(version: str) -> list[int]:
    """The parts of a version, to compare it by."""
    return [int(part) for part in version.split(".")]


def is_one_of(version: str, versions: str) -> bool:
    """Whether "3.13.2" is one of "3.13", or of "3.13.0-3.13.11"."""
    first, _, last = versions.partition("-")
    low, high = numbers(first), numbers(last or first)
    return low <= numbers(version)[: len(low)] and numbers(version)[: len(high)] <= high


def matches(test_id: str, patterns: tuple[str, ...] | list[str]) -> bool:
    return any(fnmatch.fnmatchcase(test_id, pattern) for pattern in patterns)


def read_register(path: Path = HERE / "register.toml") -> Register:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    places = ("interop", "io_on_core", "io_without_loop")
    unknown = set(data) - {"excluded", *places}
    if unknown:
        raise BadRegister(f"{path.name}: unknown table {sorted(unknown)}")
    entries = []
    for table in data.get("excluded", []):
        if unknown := set(table) - {"tests", "reason", "cause", "python", "run"}:
            raise BadRegister(f"{path.name}: unknown key {sorted(unknown)} beside {table}")
        if not table.get("tests") or not table.get("reason") or table.get("cause") not in CAUSES:
            raise BadRegister(
                f"{path.name}: an entry needs tests, a reason and a cause out of "
                f"{', '.join(CAUSES)}; this one has not: {table}"
            )
        table = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
        entries.append(Entry(**table))
    where: dict[str, Any] = {}
    for place in places:
        table = data.get(place, {"tests": [], "reason": ""})
        keys = {"tests", "reason"}
        if place == "io_on_core" and "but" in table:
            keys |= {"but"}
            where["io_on_core_but"] = tuple(table["but"])
        if set(table) != keys:
            raise BadRegister(f"{path.name}: [{place}] needs {sorted(keys)}, not {sorted(table)}")
        where |= {place: tuple(table["tests"]), f"{place}_reason": table["reason"]}
    return Register(tuple(entries), **where)


@functools.cache
def public_ids(version: str, kind: str = "core") -> tuple[str, frozenset[str]]:
    """Return the CPython version that the list for this one was made on, and the list's ids.

    That is the nearest patch release which is not newer; where all lists of the minor version are
    newer, the oldest of them. Without a list the version is empty. The kind is "core" or "io".
    """
    minor = version.rpartition(".")[0]
    lists = {
        path.name.split("-")[1]: path
        for path in (HERE / "ids").glob(f"cpython-{minor}.*-{kind}.txt")
    }
    if not lists:
        return "", frozenset()
    older = [made_on for made_on in lists if numbers(made_on) <= numbers(version)]
    made_on = max(older, key=numbers) if older else min(lists, key=numbers)
    return made_on, frozenset(lists[made_on].read_text(encoding="utf-8").split())


def files_of(version: str, kind: str = "core") -> list[str]:
    """The test files that the ids come from. None has ids of both kinds."""
    return sorted({test_id.partition(".")[0] for test_id in public_ids(version, kind)[1]})
