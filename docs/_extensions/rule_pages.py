"""Directives for the pages of the rules, which are made from lab/rules.toml and from real runs.

The runs are made once a build by `python -m tests.rule_runs`, and kept beside the doctrees until
the rules or miniloop change.
"""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from miniloop_pages import Page, _row, _table_start
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

from miniloop import lab
from miniloop.lab.rules import STANDINGS, Rule, groups, rules
from tests import hops
from tests.reading_order import PACKAGE, ROOT

MAKERS = (
    PACKAGE / "lab" / "rules.toml",
    *sorted(PACKAGE.glob("lab/*.py")),
    *sorted(PACKAGE.glob("core/*.py")),
    *sorted(PACKAGE.glob("details/*.py")),
    *sorted(PACKAGE.glob("io/*.py")),
    *sorted(PACKAGE.glob("trace/*.py")),
    ROOT / "tests" / "rule_runs.py",
)
"""What decides how the programs run, and what their pictures show."""

STYLE = """
.schedule { overflow-x: auto; margin: 1em 0; }
.schedule svg { display: block; max-width: none; }
.schedule text { font: 12px system-ui, sans-serif; fill: var(--color-foreground-primary); }
.schedule .small { font-size: 10px; }
.schedule .back { fill: none; }
.schedule .lane, .schedule .tick { stroke: var(--color-foreground-border); }
.schedule .tick { stroke-dasharray: 3 3; }
.schedule .run { fill: #2166ac; }
.schedule .loop { fill: #6b6b6b; }
.schedule .wait { stroke: #2166ac; stroke-width: 2; stroke-dasharray: 1 4; stroke-linecap: round; }
.schedule .cause { fill: none; stroke: #b35806; }
.schedule .head { fill: #b35806; }
.schedule text.in { fill: #fff; }
"""
DARK = """
.schedule .run { fill: #74add1; }
.schedule .loop { fill: #9a9a9a; }
.schedule .wait { stroke: #74add1; }
.schedule .cause { stroke: #f4a261; }
.schedule .head { fill: #f4a261; }
.schedule text.in { fill: #111; }
"""


def style() -> str:
    """Return the style of the pictures, for light and dark pages and for the theme's switch."""
    chosen = DARK.replace("\n.", '\nbody[data-theme="dark"] .')
    by_system = DARK.replace("\n.", '\nbody:not([data-theme="light"]) .')
    # Paper is light, whatever the screen is.
    return (
        f"{STYLE}@media screen {{ {chosen} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ {by_system} }}"
    )


TITLE = 26
"""The height of the title of a picture."""


class Rules(Page):
    """The rules of a group, one section each: `rules:: GROUP`."""

    required_arguments = 1

    def lines(self) -> Iterator[str]:
        """Yield the introduction of the group, and its rules."""
        group = groups()[self.arguments[0]]
        for path in MAKERS:
            self.watch(path)
        runs = reports(self.env)
        yield from raw(["<style>", *style().splitlines(), "</style>"])
        yield group.about.strip()
        yield ""
        for rule in rules().values():
            if rule.group == group.id:
                yield from section(rule, runs[rule.id])


def section(rule: Rule, run: dict[str, Any]) -> Iterator[str]:
    """Yield all about a rule."""
    title = rule.sentence.rstrip(".")
    yield f".. _rule-{rule.id}:"
    yield ""
    yield title
    yield "-" * len(title)
    yield ""
    yield f"*{rule.standing.capitalize()}.* {code(rule.why)}{place(rule)}"
    yield ""
    yield from block("python", rule.program.strip().splitlines(), "   :linenos:")
    yield "It prints, on asyncio and on miniloop:"
    yield ""
    yield from block("text", run["printed"])
    yield from picture(rule, run)
    loops = [loop for loop in lab.LOOPS.values() if loop.rule == rule]
    for loop in loops:
        yield f"**Without it.** The loop ``{loop.name}`` of :doc:`the lab </lab>` breaks the rule:"
        yield ""
        yield from block("text", columns(*run["broken"][loop.name], loop.name))
    if rule.unbreakable:
        yield f"**Without it.** No event loop can break this rule. {rule.unbreakable}"
        yield ""
    core = ", ".join(f"``{name}``" for name in rule.core)
    tests = ", ".join(f"``tests/{name}``" for name in rule.tests)
    cpython = f", and in CPython by ``asyncio.{rule.source}``" if rule.source else ""
    yield f"In miniloop it is kept by {core}{cpython}. It is held by {tests}."
    yield ""


def code(text: str) -> str:
    """Return a text of the data as reStructuredText."""
    return re.sub(r"`([^`]+)`", r"``\1``", text)


def place(rule: Rule) -> str:
    """Return a link to the place in Python's documentation, if there is one."""
    since = ".".join(map(str, rule.since))
    newer = f" (On Python {since} and newer.)" if rule.since > (3, 11) else ""
    if not rule.documentation:
        return newer
    anchor = rule.documentation.partition("#")[2]
    name = anchor if anchor.startswith("asyncio.") else anchor.replace("-", " ")
    return f"{newer} See `{name} <{rule.link}>`__ in Python's documentation."


def block(language: str, lines: list[str], *options: str) -> Iterator[str]:
    """Yield a block of code."""
    yield f".. code-block:: {language}"
    yield from options
    yield ""
    yield from (f"   {line}".rstrip() for line in lines)
    yield ""


def raw(lines: list[str]) -> Iterator[str]:
    """Yield HTML."""
    yield ".. raw:: html"
    yield ""
    yield from (f"   {line}" for line in lines)
    yield ""


def picture(rule: Rule, run: dict[str, Any]) -> Iterator[str]:
    """Yield the picture of the run, and the same in words."""
    svg = re.sub(r"<style>.*?</style>", "", run["picture"], flags=re.DOTALL)
    svg = svg.replace('id="head"', f'id="head-{rule.id}"').replace("#head)", f"#head-{rule.id})")
    svg = without_title(svg)
    label = f"Schedule of the program on miniloop; the list below says the same. {rule.sentence}"
    svg = re.sub(r'aria-label="[^"]*"', f'aria-label="{escape(label)}"', svg, count=1)
    yield from raw(
        [
            f'<div class="schedule" tabindex="0" role="group" aria-label="{escape(rule.id)}">',
            *svg.splitlines(),
            "</div>",
            "<details><summary>The same in words</summary><ul>",
            *[f"<li>Tick {tick}: {escape(say)}</li>" for tick, say in run["words"]],
            "</ul></details>",
        ]
    )


def without_title(svg: str) -> str:
    """Return a picture without the line at its top, which says what the page says."""
    size = re.compile(r'width="(\d+)" height="(\d+)" viewBox="[^"]*"')
    found = size.search(svg)
    assert found is not None
    width, height = int(found[1]), int(found[2]) - TITLE
    box = f'width="{width}" height="{height}" viewBox="0 {TITLE} {width} {height}"'
    return re.sub(r'<text x="10" y="20">.*?</text>', "", size.sub(box, svg, count=1), count=1)


def columns(left: list[str], right: list[str], name: str) -> list[str]:
    """Return two runs side by side."""
    width = max(map(len, ["asyncio", *left]))
    height = max(len(left), len(right))
    rows = zip(
        left + [""] * (height - len(left)), right + [""] * (height - len(right)), strict=True
    )
    lines = [f"{one:<{width}} {' ' if one == other else '|'} {other}" for one, other in rows]
    return [f"{'asyncio':<{width}}   {name}", *lines]


class RuleTable(Page):
    """All rules, with their standings."""

    def lines(self) -> Iterator[str]:
        """Yield how many there are of each standing, and a table for each group."""
        self.watch(PACKAGE / "lab" / "rules.toml")
        for standing, meaning in STANDINGS.items():
            count = sum(rule.standing == standing for rule in rules().values())
            yield f"* *{standing.capitalize()}* ({count}): {meaning}"
        yield ""
        for group in groups().values():
            yield f":doc:`{group.title} <{group.id}>`"
            yield ""
            yield from _table_start("74 26", "Rule", "Standing")
            for rule in rules().values():
                if rule.group == group.id:
                    yield from _row(f":ref:`rule-{rule.id}`", rule.standing)
            yield ""


class Hops(Page):
    """What every construct costs in ticks, measured now on asyncio and on miniloop."""

    def lines(self) -> Iterator[str]:
        """Yield a table."""
        self.watch(ROOT / "tests" / "hops.py")
        yield from _table_start("10 55 35", "Ticks", "The waiter", "Counted from")
        for way, count in sorted(hops.measured(), key=lambda row: row[1]):
            yield from _row(str(count), way.code, way.ends)
        yield ""


def reports(env: BuildEnvironment) -> dict[str, Any]:
    """Return what the runs of all rules have shown, made anew if anything has changed."""
    digest = hashlib.sha256(sys.version.encode())
    for path in MAKERS:
        digest.update(path.read_bytes())
    kept = Path(env.doctreedir) / f"rules-{digest.hexdigest()[:16]}.json"
    if not kept.exists():
        command = [sys.executable, "-m", "tests.rule_runs"]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        for old in kept.parent.glob("rules-*.json"):
            old.unlink()
        kept.write_text(done.stdout, encoding="utf-8")
    found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    app.add_directive("rules", Rules)
    app.add_directive("rule-table", RuleTable)
    app.add_directive("hops", Hops)
    return {"parallel_read_safe": True}
