"""Run a script on asyncio and on miniloop, and show where the schedules differ, if they do.

Any script will do: it needs no preparation. A script that imports an installed library (aiohttp,
anyio, ...), itself or in a module beside it, runs on miniloop.interop instead of miniloop's core,
as with `run`. --core and --interop overrule this choice.

Each loop runs in a process of its own, on virtual time: where the loop would wait, the clock jumps.
A schedule has the calls of select() with their timeouts, each step of each task with the line where
the task then waits, the lines that the script prints, and calls of the exception handler, each with
its tick and time. If both schedules are equal, compare shows one. Otherwise it shows what is alike,
marks the first difference, and shows from there on both. The words are those of `explain`, which
says of one run why each step ran.

Exit status 0: the schedules are equal. 1: they differ. If the asyncio of this Python is known to
differ there, the known difference is named. 2: there is nothing to compare, the script waits for
ever, or the time was up before a difference showed. One line says why, and if there is a schedule
up to there, it is shown.
"""

import argparse
import importlib
import sys
import textwrap
import tokenize
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from miniloop.cli import BadInput, in_words, program
from miniloop.cli.on_record import LOOPS, Progress, declare_limits, last_line, limits
from miniloop.cli.side_by_side import columns
from miniloop.difftest import register
from miniloop.difftest.processes import CAN_FORK, Forks
from miniloop.difftest.scripts import (
    Comparison,
    Run,
    compare_script,
    rows,
    run_side,
    run_sides,
)
from miniloop.trace.watch import MOST_STEPS

LONGEST_DIAGNOSIS = 10.0
"""Seconds after which no further loop of the lab is tried on a script that differs."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options, and the program."""
    parser.add_argument(
        "--real-time",
        action="store_true",
        help="wait in real time, and compare only the order of events, not ticks and times",
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--interop",
        action="store_true",
        default=None,
        help="compare asyncio's loop with miniloop.interop, on which libraries run",
    )
    way.add_argument(
        "--core",
        action="store_false",
        dest="interop",
        help="compare asyncio with miniloop's core",
    )
    way.add_argument(
        "--loop",
        metavar="A",
        help="compare this loop: " + LOOPS,
    )
    parser.add_argument(
        "--against",
        metavar="B",
        default="asyncio",
        help="compare it with this loop, named in the same way (default: %(default)s)",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="show long schedules in full, and what the loop does for itself",
    )
    declare_limits(parser, "each loop")
    program.declare(parser)


def call(args: argparse.Namespace) -> int:
    """Compare, and print the result. Returns the exit status."""
    script, script_args = program.named(args)
    file = program.file_of(script)  # that of a module must be there
    allowed = limits(args)
    how = {
        "real_time": args.real_time,
        "meanwhile": Progress("compare", args.limit, "each loop"),
        **allowed,
    }
    loop = args.loop
    if loop is None:
        loop = "interop" if program.needs_interop(script, args.interop) else "miniloop"
    names = (args.against, loop)
    comparison = compare_script(script, script_args, names=names, **how)
    left, right = comparison.left, comparison.right
    how["real_time"] |= bool(left.no_ticks or right.no_ticks)
    run_again = partial(run_side, script=script, args=script_args, **how)
    refuse(comparison, script, run_again)
    view = in_words.View(comparison, lines_of(file), everything=args.all)
    for reason in dict.fromkeys(filter(None, (right.no_ticks, left.no_ticks))):
        say("note", reason)
    print("\n".join([fill(agreement(comparison))] if comparison.agree else differs(view)))
    print()
    in_words.write(view.lines())
    still_waiting(comparison, run_again)
    remarks = [("note", view.in_names(note)) for note in notes(comparison)]
    if not comparison.agree:
        why = list(reasons(comparison, run_again)) if left.name == "asyncio" else []
        remarks += why or rules(comparison, script, script_args, allowed)
    if remarks:
        print()
    for kind, text in remarks:
        say(kind, text)
    no_end = without_end(comparison)
    if no_end:
        sys.stdout.flush()
        raise BadInput(f"{script}{view.in_names(no_end)}")
    return 0 if comparison.agree else 1


def lines_of(file: str) -> list[str]:
    """Return the lines of a script, or nothing if it is no text."""
    try:
        with tokenize.open(file) as text:
            return text.read().splitlines()
    except (OSError, SyntaxError, UnicodeDecodeError):
        return []


def say(kind: str, text: str) -> None:
    """Print a remark, as wide as the terminal."""
    print(fill(f"{kind}: {text}"))


def fill(text: str) -> str:
    """Return text in lines as wide as the terminal."""
    return textwrap.fill(text, columns(), subsequent_indent="  ")


def agreement(comparison: Comparison) -> str:
    """Say that the sides agree, and how much was compared."""
    left, right = comparison.left, comparison.right
    until = ENDLESS.get((left.stopped or right.stopped or ("", ""))[0], "")
    until = f", {until}" if until else ""
    schedule = left.schedule
    events = count(schedule.events, "event")
    if comparison.order_only:
        return f"{left.name} and {right.name} agree on the order of {events}{until}."
    seconds = schedule.events[-1].time / 1000 if schedule.events else 0.0
    extent = f"{events} in {count(schedule.timeouts, 'tick')}"
    return f"{left.name} and {right.name} agree{until}: {extent}, {seconds:.3f} s of virtual time."


ENDLESS = {
    "deadlock": "until both wait for ever",
    "endless": "until both were stopped",
    "hang": "until the time was up",
}
"""Ends of a run that are none of the program's own, and what they mean for both."""


def differs(view: in_words.View) -> list[str]:
    """Say where the sides differ, and what each does there."""
    comparison = view.comparison
    assert comparison.first is not None
    row = comparison.rows[comparison.first]
    at = row.left_at or row.right_at
    where = ""
    if at and not comparison.order_only:
        where = f", first in tick {at[0]}, at {at[1] / 1000:.3f} s"
    return [
        fill(f"{comparison.left.name} and {comparison.right.name} differ{where}:"),
        *view.difference(),
    ]


def still_waiting(comparison: Comparison, run_again: Callable[..., Run]) -> None:
    """Print what still waits in a deadlock, and the ring if there is one, as `explain` does."""
    stuck = [run for run in (comparison.right, comparison.left) if waits_for_ever(run)]
    if not stuck or comparison.order_only:
        return
    name = stuck[0].name
    run = run_again(name, steps=MOST_STEPS)
    if not (waits_for_ever(run) and run.watched):
        return
    document: Any = importlib.import_module("miniloop.trace.document")
    explain: Any = importlib.import_module("miniloop.trace.explain")
    found = document.assemble(run.watched, run.name, name, "virtual", run.stopped)
    if not found["end"]["waiting"]:
        return  # no task is left; a thread waits for ever
    on = "" if len(stuck) == 2 else f" on {name}"
    print()
    for line in explain.still_waiting(found, on):
        print(line)


def waits_for_ever(run: Run) -> bool:
    """Return whether a run has ended in a deadlock."""
    return run.stopped is not None and run.stopped[0] == "deadlock"


def reasons(comparison: Comparison, run_again: Callable[[str], Run]) -> Iterator[tuple[str, str]]:
    """Yield why the sides may differ without a fault of either: a kind of remark, and its text."""
    watched = run_again("asyncio-known")
    # If only the watches changed the run, the script without them shows the same as before.
    if not repeats(comparison, watched) and not repeats(
        comparison, run_again(comparison.left.name)
    ):
        yield (
            "note",
            "two runs on asyncio disagree with each other, too: the script depends on something "
            "that changes from run to run, such as the date, a port number that the system "
            "chooses, a file that it writes, or a race of threads",
        )
        return
    found = known_difference(comparison, watched)
    if found is not None:
        yield "known difference", f"{found.id}: {found.title}. {' '.join(found.reason.split())}"
    elif sys.version_info < (3, 15) and comparison.right.name in ("miniloop", "interop"):
        version = ".".join(map(str, sys.version_info[:3]))
        yield (
            "note",
            "miniloop does what asyncio does on Python 3.15; miniloop/difftest/differences.toml "
            f"lists how asyncio {version} differs from that",
        )


def rules(
    comparison: Comparison, script: str, args: Sequence[str], how: dict[str, Any]
) -> list[tuple[str, str]]:
    """Return which rules the right side may break: those of the lab's loops that do the same."""
    from miniloop import lab  # only here, because it takes time
    from miniloop.lab import diagnosis

    left, right = comparison.left, comparison.right
    if right.name == "miniloop" or left.cut_off or right.cut_off or not CAN_FORK:
        return []
    how = {**how, "seconds": LONGEST_DIAGNOSIS}
    if not comparison.order_only:
        most = 100 + max(len(run.schedule.timeouts) for run in (left, right))
        how["ticks"] = min(how["ticks"], most)
    loops = {
        diagnosis.place(name): loop
        for name, loop in lab.LOOPS.items()
        if sys.version_info >= loop.since
    }
    try:
        with Forks(["miniloop.lab"]) as forks:
            runs = run_sides(["miniloop", *loops], script, args, forks=forks, **how)
    except OSError:  # this system starts no more processes
        return []

    def alike(one: Run, other: Run) -> bool:
        return all(row.same for row in rows(one, other, comparison.order_only))

    # The loops of the lab are miniloop. They tell nothing if miniloop differs from the left side.
    if not (runs and runs[0].name == "miniloop" and alike(left, runs[0])):
        return []
    same = [loops[run.name] for run in runs[1:] if alike(right, run) and not alike(left, run)]
    return diagnosis.named(same)


def repeats(comparison: Comparison, again: Run) -> bool:
    """Return whether a second run of the left side shows what the first did."""
    return all(row.same for row in rows(comparison.left, again, comparison.order_only))


def known_difference(comparison: Comparison, watched: Run) -> register.Known | None:
    """Return the entry of the register that explains the first difference, or None.

    It is the last one that asyncio met up to the first difference.
    """
    assert comparison.first is not None
    met = [
        name
        for events, selects, name in watched.known
        if events + (0 if comparison.order_only else selects) <= comparison.first
    ]
    return register.entries()[met[-1]] if met else None


def refuse(comparison: Comparison, script: str, run_again: Callable[[str], Run]) -> None:
    """Raise BadInput if there is nothing to compare."""
    left, right = comparison.left, comparison.right
    for run in (left, right):
        if run.stopped and run.stopped[0] == "bad":
            raise BadInput(run.stopped[1])
    if without_end(comparison):
        return
    if not left.schedule.timeouts and not right.schedule.timeouts:
        differ = left.name == "asyncio" and not comparison.agree
        if differ and known_difference(comparison, run_again("asyncio-known")):
            return
        if left.status:
            raise BadInput(f"{script} ends before any event loop runs: {last_line(left)}")
        why = left.notes or ["it does not call asyncio.run(), or only a library does"]
        raise BadInput(f"{script} runs no event loop that could be recorded: {'; '.join(why)}")
    if not right.schedule.timeouts and right.complete and not right.status:
        raise BadInput(
            f"{script} runs asyncio inside a library, which uses the real asyncio, so nothing runs "
            "on miniloop's core; --interop runs it on miniloop.interop"
        )


def without_end(comparison: Comparison) -> str:
    """Return how a script has gone on that never ends, alike on both sides. Empty if it ends."""
    left, right = comparison.left, comparison.right
    if not comparison.agree:
        return ""
    if left.cut_off or right.cut_off:
        sides = [run for run in (left, right) if run.cut_off]
        on = f" on {sides[0].name}" if len(sides) == 1 else ""
        return (
            f"{on} {sides[0].how_it_ended}: no difference shows until it was cut off; "
            "allow more time with --limit, or let the script wait for nothing outside its process"
        )
    if left.stopped and right.stopped:
        more = {"deadlock": "", "endless": "; --ticks allows more"}[left.stopped[0]]
        return f" {left.stopped[1]}{more}"
    return ""


def notes(comparison: Comparison) -> list[str]:
    """Return what a reader has to know about this comparison."""
    left, right = comparison.left, comparison.right
    found = [*left.notes, *right.notes]
    ends = {}
    # If neither side ends, one line on stderr says it.
    for run in () if without_end(comparison) else (left, right):
        if not run.complete:
            ends[run.name] = f"{run.how_it_ended}: compared up to there"
        elif run.status:
            ends[run.name] = f"ends with {last_line(run)}"
    if len(ends) == 2 and len(set(ends.values())) == 1:
        found.append(f"on both the script {ends[left.name]}")
    else:
        found += [f"on {name} the script {end}" for name, end in ends.items()]
    if any("EOFError" in end for end in ends.values()):
        found.append("standard input is empty; --stdin FILE gives the script something to read")
    return list(dict.fromkeys(found))


def count(things: Sequence[object], name: str) -> str:
    """Return a number with its noun."""
    return f"{len(things):,} {name}" + "s" * (len(things) != 1)
