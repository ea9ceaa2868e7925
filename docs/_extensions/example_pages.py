"""Directives for programs in examples/ that a page shows with what they print, or in the player.

All programs of a folder run once a build, on asyncio and on virtual time. What they print is kept
beside the doctrees until one of them changes.
"""

import difflib
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from miniloop_pages import Page
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.typing import ExtensionMetadata

from miniloop.cli import COMMANDS
from tests.examples.virtual_run import Ran, run_all, shown
from tests.reading_order import ROOT

EXAMPLES = ROOT / "examples"
BEGIN = "import asyncio"
"""The first line of a program that a page shows; its docstring stands before it."""
MAKERS = [ROOT / "tests" / "examples" / "virtual_run.py"]
for pattern in ("*.py", "player/*"):
    MAKERS += sorted(path for path in (ROOT / "miniloop/trace").glob(pattern) if path.is_file())
"""What decides what a run or a player shows, besides the program."""


class Example(Page):
    """A program, named as in `mistakes/forgotten_await`, and what it prints on asyncio.

    Of a program whose name ends in `_mended`, the lines are marked that are new in it. Below any
    other one stands a link to the player with its run.
    """

    required_arguments = 1

    def lines(self) -> Iterator[str]:
        """Yield both."""
        yield f".. literalinclude:: /../examples/{self.arguments[0]}.py"
        yield "   :language: python"
        yield f"   :start-at: {BEGIN}"
        if marked := self.new_lines():
            yield f"   :emphasize-lines: {','.join(map(str, marked))}"
        yield ""
        yield from self.output()
        name = self.arguments[0]
        if name in step_through(f".. example:: {name}"):
            yield f"`Step through it <{player(self.env.docname, name)}>`__ in the player."
            yield ""

    def new_lines(self) -> list[int]:
        """Return the numbers of the shown lines that the program with the mistake does not have."""
        name: str = self.arguments[0]
        if not name.endswith("_mended"):
            return []
        old, new = (
            self.watch(EXAMPLES / f"{one}.py").partition(f"\n{BEGIN}\n")[2].splitlines()
            for one in (name.removesuffix("_mended"), name)
        )
        moves = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        # The line BEGIN itself is the first that is shown, so the next one has the number 2.
        numbers = [
            n for kind, _, _, low, high in moves if kind != "equal" for n in range(low, high)
        ]
        return [number + 2 for number in numbers if new[number].strip()]

    def output(self) -> Iterator[str]:
        """Yield what the program prints, with the command."""
        path = EXAMPLES / f"{self.arguments[0]}.py"
        self.watch(path)
        ran = runs(self.env, path.parent)[str(path.relative_to(ROOT))]
        yield ".. code-block:: console"
        yield ""
        yield f"   $ python3 {path.name}"
        yield from (f"   {line}" for line in shown(ran["text"]))
        if ran["waits"]:
            yield "   (It waits for ever. Stop it with Ctrl-C.)"
        yield ""


class Output(Example):
    """What a program prints, without the program."""

    def lines(self) -> Iterator[str]:
        """Yield the command and its output."""
        yield from self.output()


class Commands(Page):
    """All commands of miniloop, with their help."""

    def lines(self) -> Iterator[str]:
        """Yield a section for each."""
        for name in COMMANDS:
            yield name
            yield "-" * len(name)
            yield ""
            yield f".. command-output:: {name} --help"
            yield ""


class Notebook(Page):
    """The cells of a notebook, with the outputs that stand in the file."""

    required_arguments = 1

    def lines(self) -> Iterator[str]:
        """Yield a block for the code of each cell, and one for what it prints."""
        book = json.loads(self.watch(ROOT / self.arguments[0]))
        for cell in book["cells"]:
            if cell["cell_type"] == "code":
                yield from _block("python", "".join(cell["source"]))
                texts = ["".join(output.get("text", [])) for output in cell["outputs"]]
                yield from _block("text", "".join(texts))


def _block(language: str, text: str) -> Iterator[str]:
    if text.strip():
        yield f".. code-block:: {language}"
        yield ""
        yield from (f"   {line}".rstrip() for line in text.splitlines())
        yield ""


def runs(env: BuildEnvironment, folder: Path) -> dict[str, Ran]:
    """Return what all programs of a folder print, made anew if one of them has changed."""
    programs = sorted(folder.glob("*.py"))
    digest = hashlib.sha256(sys.version.encode())
    for path in [*programs, *MAKERS]:
        digest.update(path.read_bytes())
    kept = Path(env.doctreedir) / f"runs-{folder.name}-{digest.hexdigest()[:16]}.json"
    if not kept.exists():
        for old in kept.parent.glob(f"runs-{folder.name}-*.json"):
            old.unlink()
        kept.write_text(json.dumps(run_all("asyncio", programs)), encoding="utf-8")
    found: dict[str, Ran] = json.loads(kept.read_text(encoding="utf-8"))
    return found


class Player(Page):
    """The player with a run of a program on miniloop: `example-player:: examples/tasks.py`."""

    required_arguments = 1

    def lines(self) -> Iterator[str]:
        """Yield a frame."""
        path = self.arguments[0]
        self.watch(ROOT / path)
        page = player(self.env.docname, path)
        yield ".. raw:: html"
        yield ""
        yield f'   <iframe src="{page}" title="{path}, step by step"'
        yield '     loading="lazy" style="width: 100%; height: 640px; border: 1px solid"></iframe>'
        yield ""


def player(page: str, program: str) -> str:
    """Return the address of the player with the run of a program, from a page."""
    return "../" * page.count("/") + f"players/{Path(program).stem}.html"


def step_through(text: str) -> Iterator[str]:
    """Yield the programs, as paths in examples/, of which a page with this text has players."""
    for path in re.findall(r"^ *\.\. example-player:: examples/(\S+)\.py$", text, re.MULTILINE):
        yield path
    for path in re.findall(r"^ *\.\. example:: (\S+)$", text, re.MULTILINE):
        if not path.endswith("_mended"):
            yield path


def write_players(app: Sphinx, failed: Exception | None) -> None:
    """Run each program that some page shows in the player, and write the page of the player."""
    if failed is not None or app.builder.format != "html":
        return
    for page in sorted(Path(app.srcdir).rglob("*.rst")):
        text = page.read_text(encoding="utf-8")
        for program in dict.fromkeys(step_through(text)):
            path = EXAMPLES / f"{program}.py"
            out = Path(app.outdir) / "players" / f"{path.stem}.html"
            newest = max(made.stat().st_mtime for made in [path, *MAKERS])
            if out.exists() and out.stat().st_mtime > newest:
                continue
            out.parent.mkdir(exist_ok=True)
            # The page of the player names the program as it was typed: without its folder.
            command = [sys.executable, "-m", "miniloop", "trace", path.name, "-o", str(out)]
            command += ["--limit", "300"]  # seconds, for a machine that is busy
            env = os.environ | {"PYTHONPATH": str(ROOT)}
            done = subprocess.run(command, cwd=path.parent, env=env, stderr=subprocess.PIPE)
            if done.returncode != 0:
                raise ExtensionError(f"{program}: {done.stderr.decode()}")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    app.add_directive("example", Example)
    app.add_directive("example-output", Output)
    app.add_directive("example-player", Player)
    app.add_directive("notebook", Notebook)
    app.add_directive("commands", Commands)
    app.connect("build-finished", write_players)
    return {"parallel_read_safe": True}
