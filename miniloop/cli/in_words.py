"""Tells two schedules in the words of `explain`.

What both loops do alike is told once. From the first difference on, each loop has a column of its
own. If the terminal is too narrow for two columns, one stands below the other.
"""

from __future__ import annotations

import importlib
import re
import sys
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from miniloop.cli.side_by_side import LONGEST, columns
from miniloop.difftest.scripts import Comparison, Row, Run
from miniloop.trace.explain import NUMBER_WIDTH
from miniloop.trace.places import cut
from miniloop.trace.scripts import LIBRARY

SHOWN = 100
"""The most lines that are shown in full."""
BEGINNING, END = 60, 20
"""Lines that are shown of a longer schedule."""
BEFORE, AFTER = 24, 8
"""Lines that are shown before the first difference, and rows behind it. Those mostly follow from
it."""
NARROWEST = 34
"""Characters that each of two columns needs, if its texts are that long. Less is too narrow."""
MARGIN = 3
"""Characters of a mark and the blank behind it, and between two columns."""
INDENT = "  "
"""Stands before what happens in a tick."""
MOST_BACK = 10
"""Lines that the end of a long schedule may be longer, to begin where a task begins."""
LONGEST_NAME = 16
"""Longer names push what stands behind them to the right."""

STEP = re.compile(r"(?P<how>send|throw .*?) -> (?P<end>(?:line|returned|raised) .*|\S+)", re.DOTALL)
LABEL = re.compile(r"\S+#\d+")

Side = tuple[str, int | None, tuple[int, int] | None]
"""One side of a row: its text, the number of its event, and its tick and time."""


class Line(NamedTuple):
    """A line of output."""

    text: str
    kind: str = ""
    """`tick` if it begins a tick, `fold` for ticks without anything of the program's, or `=>` or
    `~` for its mark."""
    needs: str = ""
    """What of it the legend has to explain: `18 > 10` or `(library)`."""
    names: bool = False
    """Whether it says who is at work."""


class Told(NamedTuple):
    """An event in words."""

    who: str
    does: str
    line: str = ""
    """The number of the line in which a task waits. `18 > 10` if line 18 has called line 10."""
    source: str = ""
    """The text of that line."""
    remarks: tuple[str, ...] = ()
    own: bool = False
    """Whether it is the library's own affair."""

    @property
    def needs(self) -> str:
        """What the legend has to explain."""
        if ">" in self.line:
            return self.line
        return LIBRARY if self.who.startswith(LIBRARY) else ""

    def sentence(self) -> str:
        """Return all of it in one line."""
        at = f" line {self.line}" if self.line else ""
        source = f": {self.source}" if self.source else ""
        return f"{self.who} {self.does}{at}{source}{''.join(f', {one}' for one in self.remarks)}"


class Teller:
    """Puts the events of one run into words. `source` has the lines of the script."""

    def __init__(self, run: Run, source: Sequence[str]) -> None:
        self.run = run
        self.names = names_of(run)
        self._source = source
        self.times: dict[int, int] = {}
        """By tick: the time of its first event, in milliseconds."""
        for event in run.schedule.events:
            self.times.setdefault(event.tick, event.time)

    def event(self, number: int) -> Told:
        """Return an event in words."""
        _, _, who, what = self.run.schedule.events[number]
        step = STEP.fullmatch(what)
        if who in self.names and step is not None:
            return self._step(who, on_one_line(step["how"]), on_one_line(step["end"]))
        what = on_one_line(what)
        if who == "print":
            printer = self.run.printers.get(number, "")
            return Told(self.names.get(printer, printer), f"prints │ {what}")
        if who in ("handler", "logged"):
            return Told("the loop", f"reports │ {what}")
        return Told("the program" if who == "main" else self.names.get(who, who), what)

    def _step(self, label: str, how: str, end: str) -> Told:
        who = self.names[label]
        remarks = () if how == "send" else (f"after {how[6:]} was thrown in",)
        kind, _, value = end.partition(" ")
        if kind == "line":
            numbers = re.findall(r"line (\d+)", end)
            chain, source = " > ".join(numbers), self.text(numbers[-1])
            return Told(who, "waits in", chain, source, remarks)
        if kind == "returned":
            does = "ends" if value == "None" else f"ends, and returns {value}"
        elif kind == "raised":
            does = "is cancelled" if value == "CancelledError()" else f"fails with {value}"
        else:
            does = f"waits inside {end}"
        own = self.run.tasks.get(label, ("", False))[1]
        return Told(who, does, remarks=remarks, own=own)

    def text(self, number: str) -> str:
        """Return the text of a line of the script, without its indentation."""
        index = int(number) - 1
        return self._source[index].strip() if index < len(self._source) else ""

    def tick(self, number: int, *, always: bool = False) -> str:
        """Return what a tick begins with. `always` says so even if the loop does not wait."""
        time = f", {seconds(self.times[number])}" if number in self.times else ""
        waits = self.waits(number) or ("does not wait" if always else "")
        return f"tick {number}{time}{': ' if waits else ''}{waits}"

    def waits(self, number: int) -> str:
        """Return how long a tick waits, in words, or nothing if it does not."""
        timeout = self.run.schedule.timeouts[number - 1]
        if timeout is None:
            return "waits for the outside world"
        return f"waits at most {timeout:g} s" if timeout > 0 else ""

    def in_names(self, text: str) -> str:
        """Return text with the names of tasks in place of their labels."""
        return LABEL.sub(lambda label: self.names.get(label[0], label[0]), text)


def names_of(run: Run) -> dict[str, str]:
    """Return the names of the tasks of a run, by their labels, as `explain` gives them."""
    found = {event.who for event in run.schedule.events} | {*run.printers.values(), *run.tasks}
    labels = [label for label in found if re.search(r"#\d+$", label)]
    taken: Counter[str] = Counter()

    def fresh(name: str) -> str:
        taken[name] += 1
        return name if taken[name] == 1 else f"{name}-{taken[name]}"

    names = {}
    for label in sorted(labels, key=lambda label: int(label.rpartition("#")[2])):
        names[label] = fresh(label.rpartition("#")[0].lstrip("_") or "task")
        given, _ = run.tasks.get(label, ("", False))
        if given and not given.startswith("Task-"):
            names[label] = fresh(given)
    return names


class View:
    """Lays out a comparison for a person, in lines of at most `width` characters."""

    def __init__(
        self,
        comparison: Comparison,
        source: Sequence[str],
        *,
        everything: bool = False,
        width: int | None = None,
    ) -> None:
        self.comparison = comparison
        self._rows = comparison.rows
        self._first = comparison.first
        self._names = comparison.left.name, comparison.right.name
        self.tellers = Teller(comparison.left, source), Teller(comparison.right, source)
        self._everything = everything
        self._width = width or columns()
        self._name_width = 0
        self._has_folded = False

    def lines(self) -> list[Line]:
        """Return all lines, the legend first."""
        rows, first = self._rows, self._first
        alike = rows[:first]
        self._name_width = self._widest(rows if first is None else rows[: first + AFTER])
        cut_off = self.comparison.left.cut_off or self.comparison.right.cut_off
        body = list(self._alike(alike, ends=first is None and not cut_off))
        if first is None:
            body = [*self._shortened(body), *self._at_work()]
        else:
            self._name_width = self._widest(rows[max(0, first - BEFORE) : first + AFTER])
            body = self._last(body)
            if body:
                body.insert(0, Line("alike on both:"))
                body.append(Line(""))
            body += self._apart(first)
        legend = [Line(line) for line in self._legend(body)]
        return [*legend, Line(""), *body] if legend else body

    def difference(self) -> list[str]:
        """Return the first difference: what each side does there, in full."""
        assert self._first is not None
        row = self._rows[self._first]
        width = max(map(len, self._names))
        found = []
        for name, teller, side in zip(self._names, self.tellers, sides(row), strict=True):
            start = f"  {name:<{width}}  "
            text = start + self._sentence(teller, side)
            found += textwrap.wrap(text, self._width, subsequent_indent=" " * min(len(start), 8))
        return found

    def in_names(self, text: str) -> str:
        """Return text with the names of tasks in place of their labels."""
        left, right = self.tellers
        return right.in_names(left.in_names(text))

    def _sentence(self, teller: Teller, side: Side) -> str:
        text, event, at = side
        if event is not None:
            return teller.event(event).sentence()
        if at is not None:
            return teller.tick(at[0], always=True)
        return teller.in_names(text) or "(nothing more)"

    def _widest(self, rows: Sequence[Row]) -> int:
        """Return the width of the longest name in rows, within limits."""
        told = [
            teller.event(event)
            for row in rows
            for teller, (_, event, _) in zip(self.tellers, sides(row), strict=True)
            if event is not None
        ]
        limit = min(LONGEST_NAME, self._width // 4)
        widths = [len(one.who) for one in told if self._everything or not one.own]
        return max((width for width in widths if width <= limit), default=0)

    # -- what both do alike ----------------------------------------------------------------------

    def _alike(self, rows: Sequence[Row], *, ends: bool) -> Iterator[Line]:
        """Yield the lines of rows that are the same on both sides.

        `ends` says that nothing follows; otherwise the last tick is not over.
        """
        teller = self.tellers[0]
        groups = list(grouped(rows))
        empty: list[int] = []  # ticks without anything of the program's
        for position, (tick, events) in enumerate(groups):
            told = [teller.event(event) for event in events]
            open_end = not ends and position == len(groups) - 1
            last_of_all = ends and position == len(groups) - 1
            if tick and last_of_all and not events and self._is_stuck():
                yield from self._folded(empty)
                empty = []
                yield Line(f"tick {tick}: nothing is ready, and no timer is set", "fold")
                continue
            if tick and not open_end and not self._everything and all(one.own for one in told):
                empty.append(tick)
                continue
            yield from self._folded(empty)
            empty = []
            if tick:
                yield Line(teller.tick(tick), "tick")
            elif tick == 0:
                yield Line("outside the loop", "tick")
            yield from self._events(teller, events, self._everything or open_end)
        yield from self._folded(empty)
        run = teller.run
        for row in rows:
            if row.left_event is None and row.left_at is None:
                if row.left == run.how_it_ended and not run.complete:
                    continue  # notes or an error message say it
                yield from self._wrapped(teller.in_names(row.left))

    def _is_stuck(self) -> bool:
        stopped = self.tellers[0].run.stopped
        return stopped is not None and stopped[0] == "deadlock"

    def _at_work(self) -> Iterator[Line]:
        """Yield the line in which a run was at work when its time was up."""
        for teller in self.tellers:
            found = re.search(r"still at work in line (\d+)", teller.run.how_it_ended)
            if found:
                text = (
                    f"{INDENT}still at work in {found[1]:>{NUMBER_WIDTH}}  {teller.text(found[1])}"
                )
                yield from self._wrapped(text)
                return

    def _folded(self, ticks: Sequence[int]) -> Iterator[Line]:
        """Yield a line for ticks without anything of the program's."""
        if not ticks:
            return
        first, last = ticks[0], ticks[-1]
        which = f"tick {first}" if first == last else f"ticks {first} to {last}"
        if last == first + 1:
            which = f"ticks {first} and {last}"
        waits = list(dict.fromkeys(filter(None, map(self.tellers[0].waits, ticks))))
        hint = "" if self._has_folded else " (--all shows it)"
        self._has_folded = True
        what = "; ".join([*waits[:3], f"only the loop's own work{hint}"])
        yield from self._wrapped(f"{which}: {what}", "fold")

    def _wrapped(self, text: str, kind: str = "") -> Iterator[Line]:
        for line in textwrap.wrap(text, self._width, subsequent_indent="  "):
            yield Line(line, kind)

    def _events(self, teller: Teller, events: Sequence[int], everything: bool) -> Iterator[Line]:
        """Yield the lines of events in one tick, without those that are the library's own.

        If there are no ticks, the latter are folded here. `everything` includes them.
        """
        before, time, folded = "", None, 0
        order_only = self.comparison.order_only
        for event in events:
            told = teller.event(event)
            if told.own and not everything:
                folded += order_only
                continue
            yield from self._folded_steps(folded)
            now, folded = teller.run.schedule.events[event].time, 0
            if time not in (None, now) and not order_only:
                told = told._replace(remarks=(*told.remarks, seconds(now)))
            time = now
            for number, line in enumerate(self._laid_out(told, before, self._width)):
                yield Line(line, "", told.needs, number == 0 and told.who != before)
            before = told.who
        yield from self._folded_steps(folded)

    def _folded_steps(self, steps: int) -> Iterator[Line]:
        if steps:
            what = (
                "one step of the loop's own" if steps == 1 else f"{steps} steps of the loop's own"
            )
            yield Line(f"{INDENT}({what})", "fold")

    def _laid_out(self, told: Told, before: str, width: int) -> list[str]:
        """Return the lines of an event. A name that stands in the line `before` is left out."""
        name = "" if told.who == before else told.who
        start = f"{INDENT}{name:<{self._name_width}}  " if self._name_width else INDENT
        number = f" {told.line:>{NUMBER_WIDTH}}" if told.line else ""
        parts = [part for part in (told.source, *told.remarks) if part]
        below = INDENT + " " * (self._name_width + 4)
        if any(len(below) + len(part) > width for part in parts):
            below = INDENT * 2
        found = [f"{start}{told.does}{number}"]
        for part in parts:
            if len(found[-1]) + 2 + len(part) <= width:
                found[-1] += f"  {part}"
            else:
                found.append(below + part)
        wrapper = textwrap.TextWrapper(
            width,
            subsequent_indent=below + INDENT,
            break_on_hyphens=False,
            replace_whitespace=False,
        )
        return [line for one in found for line in wrapper.wrap(one)]

    def _shortened(self, body: list[Line]) -> list[Line]:
        """Return the beginning and the end of a long schedule."""
        if self._everything or len(body) <= SHOWN:
            return body
        return [*body[:BEGINNING], *self._ending(body, BEGINNING, END)]

    def _last(self, body: list[Line]) -> list[Line]:
        """Return the last lines before the first difference."""
        return body if self._everything or len(body) <= BEFORE else self._ending(body, 0, BEFORE)

    def _ending(self, body: Sequence[Line], shown: int, size: int) -> list[Line]:
        """Return the last lines, about `size`. The first `shown` lines are shown already.

        They begin with what says who is at work, in which tick.
        """
        start = len(body) - size
        for earlier in range(start, start - MOST_BACK, -1):
            if body[earlier].kind or body[earlier].names:
                start = earlier
                break
        ticks = [line for line in body[:start] if line.kind == "tick"]
        inside = not body[start].kind
        return [*self._left_out(start - shown), *(ticks[-1:] if inside else []), *body[start:]]

    def _left_out(self, lines: int) -> Iterator[Line]:
        """Yield the line that stands for those that are left out."""
        if lines:
            yield from self._wrapped(f"({lines:,} more lines: --all shows them)", "fold")

    # -- where they differ -----------------------------------------------------------------------

    def _apart(self, first: int) -> list[Line]:
        """Return the lines from the first difference on: in two columns, or one below the other."""
        rows = self._rows[first:] if self._everything else self._rows[first : first + AFTER + 1]
        marks = ["=>" if not number else "" if row.same else "~" for number, row in enumerate(rows)]
        half = (self._width - 2 * MARGIN) // 2
        wide = [self._column(side, rows, 10 * LONGEST) for side in (0, 1)]
        widest = [max(room_for(one.text) for cell in column for one in cell) for column in wide]
        after = list(self._left_out(len(self._rows) - first - len(rows)))
        if max(widest) > half and half < NARROWEST:
            return [*self._below(rows, marks), *after]
        if max(widest) > half:
            wide = [self._column(side, rows, half) for side in (0, 1)]
            widest = [max(room_for(one.text) for cell in column for one in cell) for column in wide]
        room = max(widest[0], len(self._names[0]))
        gap = " " * MARGIN
        found = [Line(f"{gap}{self._names[0]:<{room}}{gap}{self._names[1]}", "names")]
        for mark, left, right in zip(marks, *wide, strict=True):
            for number in range(max(len(left), len(right))):
                one = left[number] if number < len(left) else Line("")
                other = right[number] if number < len(right) else Line("")
                shown = mark if number == 0 else ""
                blank = " " * (room - room_for(one.text))
                text = f"{shown:<{MARGIN}}{one.text}{blank}{gap}{other.text}".rstrip()
                found.append(Line(text, mark, one.needs or other.needs))
        return found + after

    def _below(self, rows: Sequence[Row], marks: Sequence[str]) -> list[Line]:
        """Return one side below the other."""
        found = []
        for side, name in enumerate(self._names):
            found.append(Line(f"on {name}:", "names"))
            column = self._column(side, rows, self._width - MARGIN)
            for mark, cell in zip(marks, column, strict=True):
                for number, line in enumerate(cell):
                    shown = mark if number == 0 else ""
                    if line.text:
                        text = f"{shown:<{MARGIN}}{line.text}"
                        found.append(Line(text, mark, line.needs))
        return found

    def _column(self, side: int, rows: Sequence[Row], width: int) -> list[list[Line]]:
        """Return one side of rows: for each of them, its lines."""
        teller = self.tellers[side]
        run = teller.run
        found: list[list[Line]] = []
        before, ended = "", False
        time = self._time_before()
        for row in rows:
            text, event, at = sides(row)[side]
            if event is not None:
                told = teller.event(event)
                now = run.schedule.events[event].time
                if now != time and not self.comparison.order_only:
                    told = told._replace(remarks=(*told.remarks, seconds(now)))
                time = now
                lines = self._laid_out(told, before, width)
                before = told.who
                found.append([Line(line, "", told.needs) for line in lines])
                continue
            before = ""
            if at is not None:
                both_wait = row.left_event is row.right_event is None
                text = teller.tick(at[0], always=both_wait and row.left != row.right)
                time = teller.times.get(at[0])
            elif not text:
                text, ended = "" if ended else "(nothing more)", True
            elif text == run.how_it_ended:
                text = text.partition(";")[0]
            wrapped = textwrap.wrap(teller.in_names(text), width, subsequent_indent=INDENT)
            found.append([Line(line) for line in wrapped or [""]])
        return found

    def _time_before(self) -> int | None:
        """Return the time that is shown of the tick in which the sides begin to differ."""
        assert self._first is not None
        for row in reversed(self._rows[: self._first]):
            if row.left_at is not None:
                if row.left_event is None:
                    return self.tellers[0].times.get(row.left_at[0])
                return row.left_at[1]
        return None

    # -- the legend ------------------------------------------------------------------------------

    def _legend(self, body: Sequence[Line]) -> Iterator[str]:
        """Yield the lines that explain the marks in the output, if there are any."""
        kinds = {line.kind for line in body}
        texts = {
            "=>": "=>  the first difference",
            "~": "~   differs as well; later differences mostly follow from the first",
        }
        entries = [text for mark, text in texts.items() if mark in kinds]
        needs = list(dict.fromkeys(line.needs for line in body if line.needs))
        chain = next((one for one in needs if ">" in one), None)
        if chain:
            outer, inner = chain.split(" > ")[-2:]
            entries.append(
                f"{outer} > {inner}  line {outer} awaits a coroutine, which waits in line {inner}"
            )
        if LIBRARY in needs:
            entries.append("(library)  a task that the library has made for itself")
        for entry in entries:
            yield from textwrap.wrap(entry, self._width, subsequent_indent="    ")


def room_for(text: str) -> int:
    """Return how many columns text takes in a terminal, where some characters take two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def on_one_line(text: str) -> str:
    """Return text without line breaks and tabs, and not too long."""
    return cut(text.replace("\n", "\\n").replace("\t", "\\t"), LONGEST)


def seconds(milliseconds: int) -> str:
    """Return a time in words."""
    return f"at {milliseconds / 1000:.3f} s"


def sides(row: Row) -> tuple[Side, Side]:
    """Return both sides of a row."""
    return (row.left, row.left_event, row.left_at), (row.right, row.right_event, row.right_at)


def grouped(rows: Sequence[Row]) -> Iterator[tuple[int | None, list[int]]]:
    """Yield the ticks of the left side with the numbers of their events.

    The tick is 0 before the first one, and None if ticks are not compared.
    """
    ticks = any(row.left_event is None and row.left_at for row in rows)
    tick: int | None = 0 if ticks else None
    events: list[int] = []
    for row in rows:
        if row.left_event is not None:
            events.append(row.left_event)
        elif row.left_at is not None:
            if tick or events:
                yield tick, events
            tick, events = row.left_at[0], []
    if tick or events:
        yield tick, events


STYLES = {"=>": "bold red", "~": "yellow", "tick": "bold", "names": "bold", "fold": "dim"}


def write(lines: Sequence[Line]) -> None:
    """Print lines: in colour on a terminal, if rich is installed."""
    if sys.stdout.isatty():
        try:
            console: Any = importlib.import_module("rich.console").Console()
            text: Any = importlib.import_module("rich.text").Text
        except ImportError:
            pass
        else:
            for line in lines:
                console.print(text(line.text, STYLES.get(line.kind, "")), soft_wrap=True)
            return
    for line in lines:
        print(line.text)
