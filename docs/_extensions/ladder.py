"""Directives for the pages of the ladder: the code of a rung, what it prints, where it agrees.

The code comes from examples/ladder by the names of its classes and functions. A line is marked if
the rung before it does not have it in the same place. What the tester finds is made once a build,
and kept beside the doctrees until the rungs or the tester change.
"""

import hashlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from miniloop_pages import Page
from rung_text import (
    MAIN,
    added,
    beside,
    main_of,
    new_lines,
    on_asyncio,
    pieces,
    rest,
    told,
)
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

import miniloop
from tests.benchmarks import fast_lines
from tests.budget import code_lines
from tests.ladder import speed
from tests.ladder.rungs import RUNGS, Rung
from tests.reading_order import ROOT

JUDGES = (
    *sorted((ROOT / "examples" / "ladder").glob("*.py")),
    *[ROOT / "tests" / "ladder" / f"{name}.py" for name in ("__main__", "rungs")],
    *sorted((ROOT / "miniloop" / "difftest").glob("*.py")),
    *[ROOT / "miniloop" / "trace" / f"{name}.py" for name in ("clock", "recorder", "schedule")],
)
"""What decides how often a rung agrees."""


class OfRung(Page):
    """A directive whose first argument is the number of a rung."""

    required_arguments = 1
    final_argument_whitespace = True

    @property
    def words(self) -> list[str]:
        """The arguments after the number."""
        return self.arguments[0].split()[1:]

    @property
    def rung(self) -> Rung:
        """The rung."""
        rung = RUNGS[int(self.arguments[0].split()[0]) - 1]
        self.watch(rung.path)
        return rung

    def report(self, rung: Rung) -> dict[str, Any]:
        """Return what the tester found out about a rung."""
        for path in JUDGES:
            self.watch(path)
        return reports(self.env)[rung.number - 1]


class Code(OfRung):
    """Classes and functions of a rung, by name; `main` is the program at its end."""

    def lines(self) -> Iterator[str]:
        """Yield a block of code for each name; without names, one with the whole file."""
        rung = self.rung
        before = RUNGS[rung.number - 2] if rung.number > 1 else None
        for name in self.words or [""]:
            if name == "main":
                yield ".. code-block:: python"
                yield ""
                yield from (f"   {line}".rstrip() for line in main_of(rung).split("\n"))
                yield ""
                continue
            yield f".. literalinclude:: /../examples/ladder/{rung.path.name}"
            yield "   :language: python"
            if name:
                yield f"   :pyobject: {name}"
                if "." in name:
                    yield "   :dedent:"
                    yield f"   :caption: in class {name.partition('.')[0]}"
                if before is not None and (new := new_lines(rung, before, name)):
                    yield f"   :emphasize-lines: {','.join(map(str, new))}"
            yield ""


class Rest(OfRung):
    """What the code on a page uses besides: its text if it is new or changed, or its place."""

    def lines(self) -> Iterator[str]:
        """Yield a closed box, or nothing if there is no such code."""
        rung = self.rung
        pages = ROOT / "docs" / "ladder"
        rungs = RUNGS[: rung.number]
        for one in rungs:
            self.watch(one.path)
        texts = [self.watch(pages / f"rung-{one.number}.rst") for one in rungs]
        new, old = rest(rungs, texts)
        if not new:
            return
        yield ".. dropdown:: What this code calls besides"
        yield ""
        yield "   New or changed on this rung:"
        yield ""
        before = pieces(RUNGS[rung.number - 2])
        for owner, names in itertools.groupby(new, key=lambda name: name.rpartition(".")[0]):
            yield from (f"   {line}" for line in together(owner, list(names), new, before))
        for number in sorted(set(old.values())):
            names = [f"``{name}``" for name in old if old[name] == number]
            yield f"   Unchanged since :doc:`rung {number} <rung-{number}>`: {', '.join(names)}."
            yield ""


def together(
    owner: str, names: list[str], new: dict[str, str], before: dict[str, str]
) -> Iterator[str]:
    """Yield a block with pieces of a class or of the file; their new lines are marked."""
    lines: list[str] = []
    marked: list[int] = []
    for name in names:
        text = new[name].split("\n")
        if lines:
            lines += [""] if owner or "=" in text[0] else ["", ""]
        marked += [len(lines) + n for n in added(before.get(name, "").splitlines(), text)]
        lines += text
    yield ".. code-block:: python"
    if owner:
        yield f"   :caption: in class {owner}"
    if marked:
        yield f"   :emphasize-lines: {','.join(map(str, marked))}"
    yield ""
    yield from (f"   {line}".rstrip() for line in lines)
    yield ""


class Output(OfRung):
    """What the program at the end of a rung prints."""

    def lines(self) -> Iterator[str]:
        """Yield the command and its output."""
        path = str(self.rung.path.relative_to(ROOT))
        done = subprocess.run(
            [sys.executable, path], cwd=ROOT, capture_output=True, text=True, check=True
        )
        yield ".. code-block:: console"
        yield ""
        yield f"   $ python3 {path}"
        yield from (f"   {line}".rstrip() for line in done.stdout.splitlines())
        yield ""


class Player(OfRung):
    """The player with the run of the rung's program on miniloop, which `write_players` makes."""

    def lines(self) -> Iterator[str]:
        """Yield a frame."""
        number = self.rung.number
        page = f"rung-{number}-player.html"
        yield ".. raw:: html"
        yield ""
        yield f'   <iframe src="{page}" title="The program of rung {number}, step by step"'
        yield '     loading="lazy" style="width: 100%; height: 640px; border: 1px solid"></iframe>'
        yield ""


def write_players(app: Sphinx, failed: Exception | None) -> None:
    """Run each rung's program on miniloop, and write the page of the player for it."""
    if failed is not None or app.builder.format != "html":
        return
    with tempfile.TemporaryDirectory() as folder:
        for rung in RUNGS[:-1]:  # the last one's program only measures
            script = f"rung_{rung.number}.py"  # the page shows this name
            (Path(folder) / script).write_text(on_asyncio(rung), encoding="utf-8")
            page = Path(app.outdir) / "ladder" / f"rung-{rung.number}-player.html"
            command = [sys.executable, "-m", "miniloop", "trace", script, "-o", str(page)]
            command += ["--limit", "300"]  # seconds, for a machine that is busy
            env = os.environ | {"PYTHONPATH": str(ROOT)}
            subprocess.run(command, cwd=folder, env=env, check=True)


class Agreement(OfRung):
    """On how many programs a rung agrees with asyncio."""

    def lines(self) -> Iterator[str]:
        """Yield a paragraph."""
        rung = self.rung
        found = self.report(rung)
        count, agree = found["programs"], found["agree"]
        what = "to the tick" if rung.exact else "in the order of all steps"
        yield (
            f"The tester made **{count:,}** random programs that use only what rung {rung.number} "
            f"has, and ran each of them on asyncio and on the rung. The two agree {what} on "
            f"**{agree:,}** of them" + (": on every one." if agree == count else ".")
        )
        yield ""
        yield f"``python -m tests.ladder {rung.number}`` counts again."
        yield ""


class Fails(OfRung):
    """The smallest program found on which a rung does not agree: `rung-fails:: RUNG CLAIMED-BY`."""

    def lines(self) -> Iterator[str]:
        """Yield the program with numbered lines, and both schedules side by side."""
        rung = self.rung
        (of,) = self.words
        found = self.report(rung)["fails"].get(of)
        if found is None:
            raise self.error(f"rung {rung.number} fails on no program of rung {of}")
        yield ".. code-block:: python"
        yield "   :linenos:"
        yield ""
        yield from (f"   {line}" for line in found["program"].splitlines())
        yield ""
        yield ".. code-block:: text"
        yield ""
        left, right = (told(found[side], rung.exact) for side in ("left", "right"))
        yield from (f"   {line}" for line in beside(left, right, f"rung {rung.number}"))
        yield ""


class Speed(OfRung):
    """How long steps take on a rung and on miniloop, as shares of another rung's time."""

    def lines(self) -> Iterator[str]:
        """Yield a table, measured now."""
        (other,) = self.words
        first, rung = RUNGS[int(other) - 1], self.rung
        yield ".. list-table::"
        yield "   :header-rows: 1"
        yield ""
        heads = ("Each step is", f"Rung {first.number}", f"Rung {rung.number}", "miniloop")
        yield from row(*heads)
        for kind in speed.KINDS:
            measured = speed.shares([first.module, rung.module, miniloop], kind)
            yield from row(f"``{kind}``", *[f"{share:.2f}" for share in measured])
        yield ""


def row(*cells: str) -> Iterator[str]:
    """Yield the lines of a row of a list-table."""
    yield from (f"   {'*' if not n else ' '} - {cell}" for n, cell in enumerate(cells))


class FastLines(Page):
    """The lines of the core that are there for speed, and what each of them saves."""

    def lines(self) -> Iterator[str]:
        """Yield a table for all files, and where its numbers were measured."""
        kept = json.loads(self.watch(ROOT / "docs" / "generated" / "fast-lines.json"))
        measured = {(one["file"], one["code"], n): one for n, one in enumerate(kept["lines"])}
        yield ".. list-table::"
        yield "   :header-rows: 1"
        yield "   :widths: 12 44 30 14"
        yield ""
        yield from row("File", "Line", "What it saves", "Without it")
        for n, (name, _, code, saves) in enumerate(fast_lines.marked()):
            self.watch(ROOT / "miniloop" / "core" / f"{name}.py")
            one = measured.get((name, code, n))
            yield from row(f"``{name}``", f"``{code}``", saves.replace("*", "\\*"), without(one))
        yield ""
        yield f"Measured: {kept['circumstances']}."
        yield ""


def without(measured: dict[str, Any] | None) -> str:
    """Say how much more time a program takes without a line."""
    if measured is None:
        return "not measured"
    ratio, noise = measured["ratio"], measured["noise"]
    if abs(ratio - 1) <= noise:
        return "no effect seen"
    return f"{ratio:.2f}"


class Rungs(Page):
    """All rungs, with their sizes and how often they agree."""

    def lines(self) -> Iterator[str]:
        """Yield a table."""
        for path in JUDGES:
            self.watch(path)
        yield ".. list-table::"
        yield "   :header-rows: 1"
        yield "   :widths: 56 14 30"
        yield ""
        yield from row("Rung", "Code lines", "Agrees with asyncio on")
        for rung, found in zip(RUNGS, reports(self.env), strict=True):
            library = rung.path.read_text(encoding="utf-8").partition(MAIN)[0]
            agrees = f"{found['agree']:,} of {found['programs']:,} programs"
            yield from row(f":doc:`rung-{rung.number}`", str(len(code_lines(library))), agrees)
        yield ""


def reports(env: BuildEnvironment) -> list[dict[str, Any]]:
    """Return what the tester finds out about each rung, made anew if anything has changed."""
    digest = hashlib.sha256(sys.version.encode())
    for path in JUDGES:
        digest.update(path.read_bytes())
    kept = Path(env.doctreedir) / f"ladder-{digest.hexdigest()[:16]}.json"
    if not kept.exists():
        command = [sys.executable, "-m", "tests.ladder", "--json"]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        for old in kept.parent.glob("ladder-*.json"):
            old.unlink()
        kept.write_text(done.stdout, encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    app.add_directive("rung-code", Code)
    app.add_directive("rung-rest", Rest)
    app.add_directive("rung-output", Output)
    app.add_directive("rung-player", Player)
    app.add_directive("rung-agreement", Agreement)
    app.add_directive("rung-fails", Fails)
    app.add_directive("rung-speed", Speed)
    app.add_directive("fast-lines", FastLines)
    app.add_directive("rungs", Rungs)
    app.connect("build-finished", write_players)
    return {"parallel_read_safe": True}
