"""Directives for the pages that are made from the code and its data, so that they cannot drift.

Each directive writes reStructuredText and lets Sphinx parse it in place.
"""

import ast
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from follow_links import page_of
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from state_diagram import draw

import miniloop
from miniloop import lab
from miniloop.difftest import register
from miniloop.explore import RULES
from tests import budget, reading_order, task_states
from tests.reading_order import PACKAGE, ROOT, home, modules

STANDINGS = {
    "undefined": "asyncio's documentation does not say what happens",
    "version-dependent": "asyncio itself does not do the same on all Pythons",
    "deliberate": "miniloop differs on purpose",
}


NOT_PROMISED = {
    "undefined": "the documentation, or a docstring, says that it is open, or it follows from what "
    "has no order: a set, threads, descriptors, garbage",
    "implementation detail": "it holds, and nothing is said of it",
    "version-dependent": "asyncio itself does not do the same on all Pythons",
}


class Page(SphinxDirective):
    """A directive that writes reStructuredText."""

    def lines(self) -> Iterator[str]:
        """Yield the lines that stand in for the directive."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Parse the lines where the directive stands."""
        return self.parse_text_to_nodes("\n".join(self.lines()), allow_section_headings=True)

    def watch(self, path: Path) -> str:
        """Return the text of `path`; when it changes, the page is built again."""
        self.env.note_dependency(path)
        return path.read_text(encoding="utf-8")


class ReadingOrder(Page):
    """The core's files in reading order, with what each is for and its code lines."""

    def lines(self) -> Iterator[str]:
        """Yield a table."""
        heads = ("File", "What it is for", "Code lines", "fast", "asyncio")
        up = "../" * self.env.current_document.docname.count("/")
        yield from _table_start("22 48 12 8 10", *heads)
        for module in modules():
            source = self.watch(reading_order.path(module))
            summary = (ast.get_docstring(ast.parse(source)) or "").partition("\n\n")[0]
            summary = " ".join(summary.split())
            count = budget.count(source)
            numbers = [f"{number:,}" for number in (count.code, count.fast, count.asyncio)]
            code = f"`[source] <{up}{page_of(module)}>`__"
            public = any(home(name) == module for name in miniloop.__all__)
            link = f":ref:`{module} <api-{module}>`" if public else f"``{module}``"
            yield from _row(link, f"{summary} {code}", *numbers)
        yield ""
        for name, (count, aim) in budget.sums().items():
            yield (
                f"* {name}: **{count.code:,}** code lines (the plan: about {aim:,}), of which "
                f"{count.unmarked:,} are unmarked."
            )


class TaskStates(Page):
    """The states of a task as a picture, drawn from the table in ``core/tasks.py``."""

    def lines(self) -> Iterator[str]:
        """Yield the picture."""
        self.watch(reading_order.path("core.tasks"))
        title = "The states of a task, and what leads from one to another"
        yield ".. raw:: html"
        yield ""
        for line in draw(task_states.states(), title).splitlines():
            yield f"   {line}"
        yield ""


class Differences(Page):
    """The register of differences: one section each, with the program that shows it."""

    def lines(self) -> Iterator[str]:
        """Yield a table of all differences, then a section for each."""
        self.watch(PACKAGE / "difftest" / "differences.toml")
        known = register.entries().values()
        yield from _table_start("58 17 25", "Difference", "On Python", "Standing")
        for entry in known:
            link = f":ref:`difference-{entry.id}`"
            yield from _row(link, ", ".join(entry.versions), entry.standing)
        yield ""
        for entry in known:
            yield f".. _difference-{entry.id}:"
            yield ""
            yield from _heading(entry.title)
            yield (
                f"``{entry.id}``, on Python {', '.join(entry.versions)}. "
                f"{entry.standing.capitalize()}: {STANDINGS[entry.standing]}. "
                f"It is about {', '.join(f'``miniloop.{name}``' for name in entry.names)}."
            )
            yield ""
            yield entry.reason.strip()
            yield ""
            yield "The program that shows it:"
            yield ""
            yield ".. code-block:: python"
            yield ""
            yield from (f"   {line}".rstrip() for line in entry.program.strip().splitlines())
            yield ""


class BrokenLoops(Page):
    """The loops of miniloop.lab, each with the rule that it breaks."""

    def lines(self) -> Iterator[str]:
        """Yield a table."""
        yield from _table_start("30 70", "Loop", "The rule that it breaks")
        for name, loop in lab.LOOPS.items():
            yield from _row(f"``{name}``", f":ref:`{loop.breaks} <rule-{loop.rule.id}>`")


class Measured(Page):
    """A page fragment that a command writes into docs/generated/, with machine and date in it."""

    required_arguments = 1
    option_spec: ClassVar = {"command": directives.unchanged_required}

    def lines(self) -> Iterator[str]:
        """Yield the fragment; if it has not been made yet, say so and name the command."""
        path = ROOT / "docs" / "generated" / f"{self.arguments[0]}.rst"
        self.env.note_dependency(path)  # also where it is not there yet
        if path.exists():
            yield path.read_text(encoding="utf-8")
        else:
            yield "Nothing has been measured yet. This command measures and fills this page:"
            yield ""
            yield ".. code-block:: console"
            yield ""
            yield f"   $ {self.options['command']}"


class UnpromisedRules(Page):
    """The rules that `explore` breaks, grouped by standing."""

    def lines(self) -> Iterator[str]:
        """Yield a definition list for each standing."""
        self.watch(ROOT / "miniloop" / "explore" / "rules.toml")
        for standing, rules in itertools.groupby(
            sorted(RULES.values(), key=lambda rule: list(NOT_PROMISED).index(rule.standing)),
            key=lambda rule: rule.standing,
        ):
            yield f"**{standing.capitalize()}**: {NOT_PROMISED[standing]}."
            yield ""
            for rule in rules:
                yield f"``{rule.id}``"
                yield f"   {rule.says}."
                yield ""
                yield f"   *{rule.source}*"
                yield ""


class CommandOutput(Page):
    """A command line of miniloop and what it prints, run when the site is built.

    Modules in the folder of the pages, such as ``lifo``, can be imported. The option ``status`` is
    the exit status that the command has to have, if it is not 0.
    """

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {
        "from": directives.unchanged,  # leave out what stands before the line that begins so
        "lines": directives.positive_int,
        "status": directives.nonnegative_int,
    }

    def lines(self) -> Iterator[str]:
        """Yield the command and its output, up to as many lines as the option says."""
        arguments = self.arguments[0].split()
        for path in arguments:
            if path.startswith("examples/"):
                self.watch(ROOT / path)
        done = subprocess.run(
            [sys.executable, "-m", "miniloop", *arguments],
            cwd=ROOT,
            env=os.environ | {"COLUMNS": "80", "PYTHONPATH": str(ROOT / "docs")},
            capture_output=True,
            text=True,
        )
        if done.returncode != self.options.get("status", 0):
            raise self.error(f"exit status {done.returncode}: {done.stdout}{done.stderr}")
        output = done.stdout.splitlines()
        limit = self.options.get("lines", len(output))
        yield ".. code-block:: console"
        yield ""
        yield f"   $ python3 -m miniloop {self.arguments[0]}"
        if begin := self.options.get("from"):
            output = list(itertools.dropwhile(lambda line: not line.startswith(begin), output))
            yield "   ..."
        yield from (f"   {line}".rstrip() for line in output[:limit])
        if output[limit:]:
            yield "   ..."
        yield ""


class Examples(Page):
    """Every program in examples/, with its source."""

    def lines(self) -> Iterator[str]:
        """Yield a section for each program."""
        for path in sorted((ROOT / "examples").glob("*.py")):
            self.watch(path)
            yield from _heading(path.name)
            yield f".. literalinclude:: /../examples/{path.name}"
            yield "   :language: python"
            yield ""


class Unreleased(Page):
    """The changes since the last release, from their fragments in docs/changes/."""

    def lines(self) -> Iterator[str]:
        """Yield what towncrier makes of the fragments, leaving them where they are."""
        for fragment in sorted((ROOT / "docs" / "changes").glob("*.rst")):
            self.env.note_dependency(fragment)
        command = [sys.executable, "-m", "towncrier", "build", "--draft"]
        command += ["--version", "Unreleased", "--date", "so far"]
        draft = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        yield draft.stdout


def _heading(title: str) -> Iterator[str]:
    yield title
    yield "-" * len(title)
    yield ""


def _table_start(widths: str, *columns: str) -> Iterator[str]:
    yield ".. list-table::"
    yield "   :header-rows: 1"
    yield f"   :widths: {widths}"
    yield ""
    yield from _row(*columns)


def _row(*cells: str) -> Iterator[str]:
    for mark, cell in zip(itertools.chain("*", itertools.repeat(" ")), cells, strict=False):
        yield f"   {mark} - " + cell.replace("\n", "\n       ")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    app.add_directive("reading-order", ReadingOrder)
    app.add_directive("task-states", TaskStates)
    app.add_directive("differences", Differences)
    app.add_directive("broken-loops", BrokenLoops)
    app.add_directive("measured", Measured)
    app.add_directive("command-output", CommandOutput)
    app.add_directive("unpromised-rules", UnpromisedRules)
    app.add_directive("examples", Examples)
    app.add_directive("unreleased", Unreleased)
    return {"parallel_read_safe": True}
