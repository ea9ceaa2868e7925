"""The tables, for a terminal, for the docs, and as JSON."""

import importlib.metadata
import json
import os
import platform
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from .contenders import BASE
from .rounds import ROOT, Results
from .work import ASKED, Asked, Work

__all__ = ["as_json", "as_rst", "as_text", "jit_is_on", "machine", "print_tables"]

NONE = "-"  # the contender has no equivalent
MINILOOP = "miniloop"


@dataclass
class Table:
    """A table as text: each cell is a tuple of lines."""

    title: str
    head: list[str]
    rows: list[list[tuple[str, ...]]]


def ratio(ratios: list[float]) -> tuple[str, ...]:
    """Return the median and the spread of ratios."""
    if not ratios:
        return (NONE,)
    return (f"{median(ratios):.2f}", f"{min(ratios):.2f}-{max(ratios):.2f}")


def per_unit(work: Work, figure: float | None) -> tuple[str, ...]:
    """Return a figure with its unit."""
    if figure is None:
        return (NONE,)
    if work.measure == "memory":
        return (f"{figure:,.0f} bytes", f"a {work.unit}")
    factor, name = next(
        (factor, name)
        for factor, name in ((1e9, "ns"), (1e6, "µs"), (1e3, "ms"), (1, "s"))
        if figure * factor < 10_000 or factor == 1
    )
    return (f"{figure * factor:,.0f} {name}", f"a{'n' * (work.unit[0] in 'aei')} {work.unit}")


def title(work: Work, results: Results) -> tuple[str, ...]:
    """Return the name of a row, with the size where the name speaks of it."""
    text = work.title.format(size=results.sizes[work.name])
    return (text, "(memory: less is better)") if work.measure == "memory" else (text,)


def main_table(results: Results) -> Table:
    """Return the table of all work and all contenders."""
    others = [contender for contender in results.contenders if contender.name != BASE]
    rows = []
    for work in results.works:
        asked = [a for a in ASKED if a.work == work.name and a.against == BASE]
        row = [
            title(work, results),
            per_unit(work, results.figure(work)),
            (str(asked[0]),) if asked else (NONE,),
        ]
        for contender in others:
            failed = results.cells[work.name, contender.name].failure
            row.append(("failed",) if failed else ratio(results.ratios(work, contender.name)))
        rows.append(row)
    return Table(
        "Times as fast as asyncio with C tasks: median of the rounds, least and greatest",
        ["work", "asyncio (C tasks)", "asked", *[contender.title for contender in others]],
        rows,
    )


def verdict(asked: Asked, results: Results) -> tuple[str, list[float], bool] | None:
    """Return what was asked in words, the ratios that answer it, and whether they do."""
    work = next((work for work in results.works if work.name == asked.work), None)
    if work is None:
        return None
    ratios = results.ratios(work, asked.of, asked.against)
    if not ratios:
        return None
    met = asked.met(median(ratios), work.measure == "memory")
    if asked.most is not None and work.measure != "memory":
        ratios = [1 / one for one in ratios]  # how many times the time
    return title(work, results)[0], ratios, met


def asked_table(results: Results) -> Table:
    """Return the table of what is asked of miniloop."""
    titles = {contender.name: contender.title for contender in results.contenders}
    rows: list[list[tuple[str, ...]]] = []
    for asked in ASKED:
        found = verdict(asked, results)
        if found is None:
            continue
        name, ratios, met = found
        measure = "times as fast as" if asked.least is not None else "times as much as"
        rows.append(
            [
                (name,),
                (f"{asked} {measure} {titles[asked.against]}",),
                (" ".join((ratio(ratios)[0], f"({ratio(ratios)[1]})")),),
                ("yes" if met else "NO",),
            ]
        )
    return Table("Asked of miniloop", ["work", "asked", "measured", "met"], rows)


def notes(results: Results) -> Iterator[str]:
    """Yield what a reader of the tables has to know, a line each."""
    clocks = [title(work, results)[0] for work in results.works if work.measure == "wall"]
    yield (
        f"{results.rounds} rounds, taken in turns. Times are processor time"
        + (f"; wall clock for {', '.join(clocks)}." if clocks else ".")
    )
    if any(work.measure == "memory" for work in results.works):
        yield (
            "Memory is the growth of the resident set of a fresh process, per task with its "
            "coroutine and its future, as a multiple of asyncio's: less is better. "
            "At most 3 rounds."
        )
    if any(contender.name.startswith("bare") for contender in results.contenders):
        yield (
            "The bare limit is a deque of coroutines and send: no select, no clock, no tasks, no "
            "results, no cancelling, no context variables. With async sleep: its sleep(0) is a "
            "real coroutine function with asyncio's shape, as miniloop's is."
        )
    yield f'"{NONE}": this contender has no equivalent.'
    for contender in results.contenders:
        for work in results.works:
            most = contender.at_most.get(work.name)
            if most is not None and most < results.sizes[work.name]:
                yield f"{contender.name} does {work.name} with {most:,}: more would take minutes."
    for name, why in results.left_out.items():
        yield f"{name} is left out, it does not start here: {why}"
    for (work, contender), cell in results.cells.items():
        if cell.failure:
            yield f"{contender} failed at {work}: {cell.failure}"


# -- the machine ---------------------------------------------------------------------------------


def machine() -> dict[str, str]:
    """Return what the figures depend on. No names of hosts, no paths."""
    return {
        "date": date.today().isoformat(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "build": build(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": f"{processor()}, {os.cpu_count()} cores",
        "commit": commit(),
    }


def build() -> str:
    """Return how this interpreter was built, as far as it can tell, and whether its JIT is on."""
    configuration = sysconfig.get_config_var("CONFIG_ARGS")
    arguments = shlex.split(configuration or "")
    if sysconfig.get_config_var("Py_DEBUG"):
        kind = "debug build"
    elif "--enable-optimizations" in arguments:
        lto = any(argument.startswith("--with-lto") for argument in arguments)
        kind = "release build with PGO and LTO" if lto else "release build with PGO"
    elif configuration is None or "--prefix=/usr" in arguments:
        kind = "release build as it is distributed"  # which optimizations it has is not recorded
    else:
        kind = "built without optimizations"
    return f"{kind}, {platform.python_compiler()}{', JIT on' * jit_is_on()}"


def jit_is_on() -> bool:
    """Return whether this interpreter compiles hot code to machine code (``PYTHON_JIT=1``)."""
    jit = getattr(sys, "_jit", None)
    return jit is not None and jit.is_enabled()


def processor() -> str:
    """Return the model of the processor."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def commit() -> str:
    """Return the commit that was measured, and whether the package differed from it."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "miniloop", "tests/benchmarks")
        return git("rev-parse", "--short", "HEAD") + (" with changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def versions(results: Results) -> dict[str, str]:
    """Return the versions of the contenders that are installed as distributions."""
    found = {}
    for contender in results.contenders:
        if contender.module not in ("asyncio", MINILOOP) and "." not in contender.module:
            try:
                found[contender.name] = importlib.metadata.version(contender.module)
            except importlib.metadata.PackageNotFoundError:  # results of another environment
                pass
    return found


def origin(results: Results) -> str:
    """Return one line on where, when and with what this was measured."""
    facts = machine()
    line = (
        f"{facts['python']} ({facts['build']}) on {facts['system']} ({facts['processor']}), "
        f"{facts['date']}, "
        f"commit {facts['commit']}"
    )
    others = ", ".join(f"{name} {version}" for name, version in versions(results).items())
    return f"{line}; {others}" if others else line


# -- the forms -----------------------------------------------------------------------------------


def print_tables(results: Results) -> None:
    """Print the tables to standard output: by rich if it is installed, else as plain text."""
    try:
        import rich.box
        from rich.console import Console
        from rich.table import Table as RichTable
    except ImportError:
        print(as_text(results))
        return
    console = Console()
    if not console.is_terminal:
        console.width = 160
    for table in tables(results):
        rich_table = RichTable(title=table.title, box=rich.box.SIMPLE_HEAD, title_justify="left")
        for number, name in enumerate(table.head):
            rich_table.add_column(name, justify="right" if number else "left")
        for row in table.rows:
            cells = []
            for name, (first, *rest) in zip(table.head, row, strict=True):
                style = {"NO": "bold red", "yes": "green", "failed": "red"}.get(first)
                style = style or ("bold" if name == MINILOOP else "default")
                lines = [f"[{style}]{first}[/]", *[f"[dim]{line}[/]" for line in rest]]
                cells.append("\n".join(lines))
            rich_table.add_row(*cells)
        console.print(rich_table)
    for note in [*notes(results), origin(results)]:
        console.print(note, highlight=False, markup=False, soft_wrap=True)


def tables(results: Results) -> list[Table]:
    """Return the tables that have rows."""
    return [table for table in (main_table(results), asked_table(results)) if table.rows]


def as_text(results: Results) -> str:
    """Return the tables as plain text."""
    lines: list[str] = []
    for table in tables(results):
        rows = [table.head, *[[" ".join(cell) for cell in row] for row in table.rows]]
        widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
        lines += [table.title, ""]
        for number, row in enumerate(rows):
            first, *rest = [
                text.rjust(width) if column else text.ljust(width)
                for column, (text, width) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append("  ".join([first, *rest]).rstrip())
            if number == 0:
                lines.append("  ".join("-" * width for width in widths))
        lines.append("")
    return "\n".join([*lines, *notes(results), origin(results)])


def as_rst(results: Results) -> str:
    """Return the page for the docs."""
    lines = [f"Measured with {origin(results)}.", ""]
    for table in tables(results):
        lines += [f".. list-table:: {table.title}", "   :header-rows: 1", ""]
        head: list[tuple[str, ...]] = [(name,) for name in table.head]
        for row in [head, *table.rows]:
            for number, cell in enumerate(row):
                text = " ".join([cell[0], *[f"*{rest}*" for rest in cell[1:]]])
                text = text.replace("*(", "(").replace(")*", ")")
                text = "\\-" if text == NONE else text  # else it would be a list in the cell
                lines.append(f"   {'*' if number == 0 else ' '} - {text}")
        lines.append("")
    for note in notes(results):
        lines += [f"* {note}"]
    return "\n".join([*lines, ""])


def as_json(results: Results) -> str:
    """Return every figure of every round."""
    report: dict[str, Any] = {
        "machine": machine(),
        "versions": versions(results),
        "rounds": results.rounds,
        "left_out": results.left_out,
        "work": {
            work.name: {
                "title": title(work, results)[0],
                "size": results.sizes[work.name],
                "measure": work.measure,
                "contenders": {
                    contender.name: {
                        "figures": results.cells[work.name, contender.name].figures,
                        "ratios": results.ratios(work, contender.name),
                        "failure": results.cells[work.name, contender.name].failure,
                    }
                    for contender in results.contenders
                },
            }
            for work in results.works
        },
        "asked": [
            {"work": asked.work, "against": asked.against, "asked": str(asked), "met": found[2]}
            | {"median": median(found[1])}
            for asked in ASKED
            if (found := verdict(asked, results)) is not None
        ],
    }
    return json.dumps(report, indent=2)
