"""The score as text, and as the page of the documentation."""

import datetime as dt
import json
import os
import platform
import re
from collections.abc import Iterable, Sequence
from typing import Any

from .register import CAUSES, Register, matches
from .score import ROOT, FileScore, Python

JSON = ROOT / "docs" / "generated" / "conformance.json"
PAGE = JSON.with_suffix(".rst")
TITLES = {"core": "scheduling", "io": "sockets, streams, transports and subprocesses"}


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns wide enough for what they hold; numbers to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def score_text(python: Python, scores: list[FileScore], register: Register) -> str:
    """Both scores, file by file; those about I/O apart."""
    result = summary(python, scores, register)
    texts = []
    for kind, part in result["parts"].items():
        if not part["files"]:
            continue
        rows = [(kind if kind != "io" else "I/O", "public", "all")]
        rows += [
            (name, f"{f['public'][0]}/{f['public'][1]}", f"{f['all'][0]}/{f['all'][1]}")
            for name, f in part["files"].items()
        ]
        core, interop = part["core"], part["interop"]
        both = [core[i] + interop[i] for i in (0, 1)]
        rows.append(("total", f"{both[0]}/{both[1]}", f"{part['all'][0]}/{part['all'][1]}"))
        text = (
            f"{table(rows)}\n\n"
            f"CPython {python.version}, {TITLES[kind]}, public behaviour: {of(both)} "
            f"({of(core)} on the core loop, {of(interop)} on the interop loop)\n"
            f"with asyncio's private names: {of(part['all'])}"
        )
        if part.get("steps"):
            text += (
                f"\n{part['beside']} of those on the interop loop run no loop at all; "
                f"the others had it take {part['steps']:,} steps of tasks"
            )
        texts.append(text)
    return "\n\n".join(texts)


def misses_text(python: Python, scores: list[FileScore], register: Register, public: bool) -> str:
    """The tests that the register knows not to pass, each with its cause."""
    lines = []
    for score in scores:
        names = score.missed if public else score.counted - score.passed() - score.public
        for name in sorted(names):
            entry = register.entry(name, python.version)
            if entry is not None:
                lines += [f"  {name}", f"      {entry.cause}: {' '.join(entry.reason.split())}"]
    return "\n".join(lines)


def summary(python: Python, scores: list[FileScore], register: Register) -> dict[str, Any]:
    """What is kept of a run."""
    public = {i for score in scores for i in score.public}
    passed = {i for score in scores for i in score.passed()}
    return {
        "date": dt.date.today().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "parts": {
            kind: part_summary(kind, [s for s in scores if s.kind == kind], register)
            for kind in TITLES
        },
        "missed": sorted(public - passed),
        "problems": [problem for score in scores for problem in score.problems],
    }


def part_summary(kind: str, scores: list[FileScore], register: Register) -> dict[str, Any]:
    """The scores of the files about scheduling, or of those about I/O."""
    public = {i for score in scores for i in score.public}
    passed = {i for score in scores for i in score.passed()}
    if kind == "io":
        core = {i for i in public if register.runs_on_core(i)}
    else:
        core = {i for i in public if not matches(i, register.interop)}
    interop = public - core
    part: dict[str, Any] = {
        "core": [len(core & passed), len(core)],
        "interop": [len(interop & passed), len(interop)],
        "all": [len(passed), sum(len(score.counted) for score in scores)],
        "files": {
            score.file: {
                "public": [len(score.passed(score.public)), len(score.public)],
                "all": [len(score.passed()), len(score.counted)],
            }
            for score in scores
        },
    }
    if kind == "io":
        outcomes = {i: outcome for score in scores for i, outcome in score.outcomes.items()}
        part["beside"] = sum(outcomes[i].ticks == 0 for i in interop & passed)
        part["steps"] = sum(outcomes[i].steps for i in interop & passed)
    return part


def write_docs(python: Python, scores: list[FileScore], register: Register) -> None:
    """Put this run beside those of other Pythons, and make the page anew."""
    JSON.parent.mkdir(parents=True, exist_ok=True)
    runs = json.loads(JSON.read_text(encoding="utf-8")) if JSON.exists() else {}
    runs[python.version] = summary(python, scores, register)
    runs = dict(sorted(runs.items(), key=lambda item: [int(n) for n in item[0].split(".")]))
    JSON.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(runs, register), encoding="utf-8")


def page(runs: dict[str, Any], register: Register) -> str:
    """The tables of the documentation, in reStructuredText."""
    lines = [".. Made by: python -m tests.conformance --write-docs", ""]
    for kind, title in TITLES.items():
        parts = {version: run["parts"][kind] for version, run in runs.items()}
        lines += [f"{title[0].upper()}{title[1:]}:", ""]
        header = ["Python", "public behaviour", "core loop", "interop loop", "all tests", "made on"]
        rows = []
        for version, part in parts.items():
            core, interop = part["core"], part["interop"]
            both = [core[0] + interop[0], core[1] + interop[1]]
            made_on = f"{runs[version]['date']}, {runs[version]['machine']}"
            rows.append([version, *map(of, (both, core, interop, part["all"])), made_on])
        lines += csv_table(header, rows)
        if kind == "io":
            beside = join(f"{part['beside']} on {version}" for version, part in parts.items())
            lines += [
                f"On the core loop are those that {plain(register.io_on_core_reason)}. The others "
                "run inside asyncio itself, in which every loop is miniloop.interop.EventLoop and "
                f"asyncio's own loops refuse to run. Of those, {beside} "
                f"{plain(register.io_without_loop_reason)}.",
                "",
            ]
        else:
            lines += [f"The tests on the interop loop {plain(register.interop_reason)}.", ""]
        lines += ["By file, public behaviour first, all tests in brackets:", ""]
        rows = []
        for file in sorted({file for part in parts.values() for file in part["files"]}):
            scores = [part["files"].get(file) for part in parts.values()]
            cells = [f"{of(s['public'])} ({of(s['all'])})" if s else "not there" for s in scores]
            rows.append([f"``{file}``", *cells])
        lines += csv_table(["file", *runs], rows)
    lines += [
        '"All tests" are those of the same files, including those that look at asyncio\'s private',
        "names.",
        "",
    ]
    lines += ["What misses of public behaviour:", ""]
    for entry in register.excluded:
        versions: dict[str, list[str]] = {}
        for version, run in runs.items():
            for name in run["missed"]:
                if entry.covers(name, version):
                    versions.setdefault(name, []).append(version)
        if versions:
            lines += [f"* {CAUSES[entry.cause]}: {plain(entry.reason)}.", ""]
            lines += [f"  * ``{name}`` ({', '.join(where)})" for name, where in versions.items()]
            lines += [""]
    for version, run in runs.items():
        lines += [f"* Not explained, {version}: {plain(problem)}" for problem in run["problems"]]
    return "\n".join(lines).rstrip() + "\n"


def plain(text: str) -> str:
    """Text as it is: one line, and nothing in it that reStructuredText would take for a mark."""
    return re.sub(r"([\\*_`|])", r"\\\1", " ".join(text.split()).removesuffix("."))


def join(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def of(numbers: list[int]) -> str:
    return f"{numbers[0]} of {numbers[1]}"


def csv_table(header: list[str], rows: list[list[str]]) -> list[str]:
    def line(cells: list[str]) -> str:
        return "   " + ", ".join('"' + cell.replace('"', '""') + '"' for cell in cells)

    return [".. csv-table::", f"   :header: {line(header).strip()}", "", *map(line, rows), ""]
