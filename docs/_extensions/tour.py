"""Directives for the tour of the source, and for exercises: code, walk, questions, answers."""

import ast
import difflib
import itertools
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from typing import Any, ClassVar

from docutils.parsers.rst import directives
from miniloop_pages import Page
from source_links import page_of
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata
from walk_picture import draw

from miniloop import lab
from miniloop.cli.lab import explained
from miniloop.lab.puzzles import number_of
from tests import budget, reading_order, walk
from tests.reading_order import ROOT

QUESTIONS = ROOT / "docs" / "exercises" / "questions.toml"


class OfFile(Page):
    """Where a file of the tour stands: `tour-file:: core.loop`."""

    required_arguments = 1

    def lines(self) -> Iterator[str]:
        """Yield the number of its lines, what it is for, and a link to all of it."""
        (module,) = self.arguments
        source = self.watch(reading_order.path(module))
        summary = (ast.get_docstring(ast.parse(source)) or "").partition("\n\n")[0]
        count = budget.count(source)
        up = "../" * self.env.current_document.docname.count("/")
        path = f"miniloop/{module.replace('.', '/')}.py"
        yield f"   {' '.join(summary.split())}"
        yield ""
        yield f"``{path}`` has {count.code:,} code lines, {count.unmarked:,} of them unmarked."
        yield ""
        yield ".. raw:: html"
        yield ""
        yield f'   <p><a class="reference internal" href="{up}{page_of(module)}">'
        yield f'   <span class="viewcode-link"><span class="pre">[source]</span></span> {path}'
        yield "   from its first line to its last</a></p>"
        # The core's lines have up to 100 letters, and the column has room for 88 of the usual size.
        yield "   <style>article .highlight pre { font-size: 0.73rem }</style>"
        yield ""


class Code(Page):
    """Code of the core by name: `tour-code:: core.loop BaseEventLoop._run_once`."""

    required_arguments = 1
    final_argument_whitespace = True

    def lines(self) -> Iterator[str]:
        """Yield a block of code for each name."""
        module, *names = self.arguments[0].split()
        for name in names:
            yield f".. literalinclude:: /../miniloop/{module.replace('.', '/')}.py"
            yield "   :language: python"
            yield f"   :pyobject: {name}"
            if "." in name:
                yield "   :dedent:"
                yield f"   :caption: in class {name.rpartition('.')[0]}"
            yield ""


class WayOfAValue(Page):
    """The calls that a value goes through, as a picture."""

    def lines(self) -> Iterator[str]:
        """Yield the picture."""
        for module in reading_order.modules():
            self.watch(reading_order.path(module))
        title = "The way of a value from create_task() to the task that waits for it"
        yield ".. raw:: html"
        yield ""
        yield from (f"   {line}" for line in draw(walk.way_of_a_value(), title).splitlines())
        yield ""


class Questions(Page):
    """The questions of a level, each with a program and a hidden answer, from questions.toml."""

    required_arguments = 1

    def lines(self) -> Iterator[str]:
        """Yield a section for each question."""
        found = tomllib.loads(self.watch(QUESTIONS))[self.arguments[0]]
        for number, one in enumerate(found, 1):
            yield from self.question(number, one)

    def question(self, number: int, one: dict[str, Any]) -> Iterator[str]:
        """Yield a question, with what is hidden."""
        title = f"{number}. {one['title']}"
        yield title
        yield "-" * len(title)
        yield ""
        yield from one["question"].strip().splitlines()
        yield ""
        yield ".. code-block:: python"
        yield ""
        yield from (f"   {line}".rstrip() for line in one["program"].strip().splitlines())
        yield ""
        if "hint" in one:
            yield from hidden("Hint", one["hint"].strip().splitlines())
        output = ["**It prints:**", "", ".. code-block:: text", ""]
        output += [f"   {line}" for line in one["prints"].strip().splitlines()]
        answer = one["answer"].strip().splitlines()
        yield from hidden("Answer", [*output, "", *answer, "", *rests_on(one["rules"])])


class Puzzle(Page):
    """What a broken loop does, under its number: `puzzle:: same-tick`. Below it stands the hint."""

    required_arguments = 1
    has_content = True

    def lines(self) -> Iterator[str]:
        """Yield the command and its output, the hint, and the answer."""
        (name,) = self.arguments
        for path in sorted((ROOT / "miniloop" / "lab").glob("*.py")):
            self.watch(path)
        number = number_of(name)
        yield f"Puzzle {number}"
        yield "-" * len(f"Puzzle {number}")
        yield ""
        yield from console(f"lab --puzzle {number}")
        yield from hidden("Hint", list(self.content))
        answer = [f"Puzzle {number} is {name}.", "", *explained(lab.broken(name)).splitlines()]
        lines = [".. code-block:: text", "", *(f"   {line}" for line in answer), ""]
        yield from hidden("Answer", [*lines, *rests_on([lab.broken(name).rule.id])])


class Mend(Page):
    """A broken loop to mend: `mend:: tick`, with the rule that it breaks and a hint below it."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"rule": directives.unchanged}

    def lines(self) -> Iterator[str]:
        """Yield the code, the command, the hint, and what to change."""
        (name,) = self.arguments
        folder = "/../examples/exercises"
        yield f".. literalinclude:: {folder}/mend/{name}.py"
        yield "   :language: python"
        yield ""
        yield ".. code-block:: console"
        yield ""
        yield f"   $ python3 -m miniloop lab --check examples/exercises/mend/{name}.py"
        yield ""
        yield from hidden("Hint", list(self.content))
        change = [".. code-block:: diff", "", *(f"   {line}" for line in self.change(name)), ""]
        rules = self.options.get("rule", "").split()
        said = "This is the change that makes it agree:"
        yield from hidden("Answer", [said, "", *change, *rests_on(rules)])

    def change(self, name: str) -> Iterator[str]:
        """Yield the lines of the change that mends a loop, without the names of the files."""
        folder = ROOT / "examples" / "exercises"
        old, new = (
            self.watch(folder / one / f"{name}.py").splitlines() for one in ("mend", "mended")
        )
        yield from itertools.islice(difflib.unified_diff(old, new, lineterm=""), 2, None)


def rests_on(rules: list[str]) -> Iterator[str]:
    """Yield a line that links to the rules on which an answer rests, if there are any."""
    if rules:
        title = "The rule" if len(rules) == 1 else "The rules"
        yield f"**{title}.** " + " ".join(f":ref:`rule-{rule}`." for rule in rules)


def hidden(title: str, lines: list[str]) -> Iterator[str]:
    """Yield a box that is closed until the reader opens it."""
    yield f".. admonition:: {title}"
    yield "   :collapsible: closed"
    yield ""
    yield from (f"   {line}".rstrip() for line in lines)
    yield ""


def printed(command: str) -> str:
    """Return what a command of miniloop's prints. Raises CalledProcessError if it fails."""
    return subprocess.run(
        [sys.executable, "-m", "miniloop", *command.split()],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def console(command: str) -> Iterator[str]:
    """Yield a command and what it prints."""
    yield ".. code-block:: console"
    yield ""
    yield f"   $ python3 -m miniloop {command}"
    yield from (f"   {line}".rstrip() for line in printed(command).splitlines())
    yield ""


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    app.add_directive("tour-file", OfFile)
    app.add_directive("tour-code", Code)
    app.add_directive("way-of-a-value", WayOfAValue)
    app.add_directive("questions", Questions)
    app.add_directive("puzzle", Puzzle)
    app.add_directive("mend", Mend)
    return {"parallel_read_safe": True}
