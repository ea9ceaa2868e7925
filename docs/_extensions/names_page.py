"""The page that says for each name of asyncio: it is the same here, or different, or absent."""

from collections.abc import Iterator

from api_pages import bases, documented, is_borrowed, names_of
from miniloop_pages import Page, _row, _table_start
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

import miniloop
from miniloop.difftest.register import Known
from tests import absent, asyncio_names, measured
from tests.absent import Absent
from tests.asyncio_names import Standing
from tests.reading_order import PACKAGE, ROOT

# While the site is built, autodoc replaces the defaults of functions by their text. So signatures
# are compared before that.
STANDINGS = {name: asyncio_names.standing(name) for name in asyncio_names.names()}


class Names(Page):
    """Every public name of asyncio, with its standing."""

    def lines(self) -> Iterator[str]:
        """Yield the counts, a table for each file with public names, and one for what is absent."""
        self.watch(asyncio_names.PATH)
        self.watch(PACKAGE / "difftest" / "differences.toml")
        self.watch(ROOT / "tests" / "absent.py")
        yield from _counts()
        for module in documented():
            names = [name for name in names_of(module) if name in asyncio_names.names()]
            if not names:
                continue
            yield from _section(module.replace(".", "/"))
            yield f":ref:`The entries of these names <api-{module}>` say what each does."
            yield ""
            yield from _table_start("34 66", "Name", "Here")
            for name in names:
                yield from _rows(name)
            yield ""
        yield from _private()
        yield from _absent()
        yield from _of_miniloop_only()


def _section(title: str) -> Iterator[str]:
    yield title
    yield "-" * len(title)
    yield ""


def _counts() -> Iterator[str]:
    words = [found.word for found in STANDINGS.values()]
    python = measured.load(asyncio_names.PATH)["python"]
    yield (
        f"asyncio of CPython {python} has {len(words)} public names, with the methods of the "
        f"classes that miniloop has as well: **{words.count('same')}** are the same here, "
        f"**{words.count('different')}** differ on some Python, and **{words.count('absent')}** "
        "are absent."
    )
    yield ""


def _rows(name: str) -> Iterator[str]:
    """Yield a row for a name, one for each method that is not the same, and one for the rest."""
    thing = getattr(miniloop, name)
    if isinstance(thing, type) and thing.__name__ != name:
        yield from _row(_link(name), f"same: another name for {_link(thing.__name__)}")
        return
    yield from _row(_link(name), _says(STANDINGS[name]))
    same: list[str] = []
    absent: dict[Absent, list[str]] = {}
    others: list[str] = []
    for method in asyncio_names.names()[name].get("methods", ()):
        found = STANDINGS[f"{name}.{method}"]
        if found.absent is not None:
            absent.setdefault(found.absent, []).append(method)
        elif found.word == "same":
            same.append(method)
        elif found.signatures and not found.entries:
            others.append(method)
        else:
            yield from _row(_link(f"{name}.{method}"), _says(found))
    for why, methods in absent.items():
        names = ", ".join(f":py:obj:`{m} <asyncio.loop.{m}>`" for m in methods)
        yield from _row(f"of ``{name}``: {names}", f"**absent**. {why.why} {why.instead}")
    if others:
        names = ", ".join(_link(f"{name}.{method}", method) for method in others)
        yield from _row(f"of ``{name}``: {names}", f"**different**. {absent_reason(name, others)}")
    if same:
        names = ", ".join(_link(f"{name}.{method}", method) for method in same)
        yield from _row(f"of ``{name}``: {names}", "same")


def absent_reason(name: str, methods: list[str]) -> str:
    """Return why methods have other signatures than asyncio's."""
    return " ".join(
        dict.fromkeys(asyncio_names.why_other(f"{name}.{method}") or "" for method in methods)
    )


def _says(found: Standing) -> str:
    """Return the standing of a name that is here, in words."""
    if found.word == "same":
        return "same"
    said = [f":ref:`difference-{entry.id}` ({_pythons(entry)})" for entry in found.entries]
    if found.signatures:
        theirs, ours = found.signatures
        why = asyncio_names.why_other(found.name)
        assert why is not None, f"tests/absent.py does not say why {found.name} takes {ours}"
        said.append(f"asyncio's signature is ``{theirs}``, miniloop's ``{ours}``. {why}")
    if len(said) == 1:
        return f"**different**: {said[0]}"
    return "\n".join(["**different**:", "", *(f"* {one}" for one in said)])


def _pythons(entry: Known) -> str:
    """Return the Pythons whose asyncio differs, in few words."""
    if set(entry.versions) == {f"3.{minor}" for minor in range(11, 16)}:
        return "every Python"
    return ", ".join(entry.versions)


def _link(name: str, text: str | None = None) -> str:
    """Return a link to the entry of a name, if the reference has one."""
    first, _, method = name.partition(".")
    text = text or name
    if is_borrowed(first):
        return f":py:obj:`{text} <asyncio.{name}>`"
    thing = getattr(miniloop, first)
    if method and first == "AbstractEventLoop" and method != "call_soon":
        return f"``{text}``"
    if method and isinstance(thing, type) and method not in vars(thing):
        # A class has an entry for its own methods only, if a public class has the others.
        for base in bases(thing):
            if hasattr(getattr(miniloop, base), method):
                return f":py:obj:`{text} <miniloop.{base}.{method}>`"
    return f":py:obj:`{text} <miniloop.{name}>`"


def _private() -> Iterator[str]:
    names = [name for name in asyncio_names.names() if name.startswith("_")]
    yield from _section("Private names that asyncio lists as public")
    yield from _table_start("34 66", "Name", "Here")
    for name in names:
        yield from _row(f"``{name}``", _says(STANDINGS[name]))
    yield ""
    yield "``from miniloop import *`` leaves them out. They are attributes of ``miniloop``."
    yield ""


def _absent() -> Iterator[str]:
    known = asyncio_names.names()
    yield from _section("Absent names")
    yield from _table_start("40 30 30", "Names", "Why", "What to use instead")
    for one in absent.ABSENT:
        names = [name for name in one.names if "." not in name or name.partition(".")[0].islower()]
        if not names:
            continue
        shown = []
        for name in names:
            there = "" if name in known else f" ({_where(name)})"
            shown.append(f"``asyncio.{name}``{there}")
        yield from _row(", ".join(shown), one.why, one.instead)
    yield ""


def _where(name: str) -> str:
    """Return where asyncio has a name that it has not on 3.15 on Linux."""
    on_windows = measured.load(asyncio_names.PATH)["windows"]
    return "on Windows" if name in on_windows else "up to 3.13"


def _of_miniloop_only() -> Iterator[str]:
    names = [name for name in miniloop.__all__ if name not in asyncio_names.names()]
    yield from _section("Names that asyncio has not")
    yield f"miniloop has these names besides: {', '.join(map(_link, names))}."
    yield ""


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("asyncio-names", Names)
    return {"parallel_read_safe": True}
