"""Find out what a script relies on that asyncio does not promise.

Some rules of scheduling are documented. Others are undefined, or a detail of the implementation:
the order of timers that are due at once, of sets of tasks, of the waiters of an Event, and so on.
explore runs the script again and again on miniloop, on virtual time, each time with some of the
second kind broken, and with all documented rules kept. If the script then prints something else or
ends in another way, explore says which line shows it and which rule it relies on. The other run
deviates from miniloop's own schedule as little as possible, and has a token: --replay TOKEN runs it
again. --list shows the rules.

-o FILE writes a web page that steps through both runs side by side. Options may stand before and
behind SCRIPT; the script's own arguments follow a "--".

Exit status 0: the script relies on nothing that was tried. 1: it relies on something. 2: there is
nothing to explore, and one line says why.
"""

import argparse
import contextlib
import importlib
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from miniloop.cli import BadInput, program, trace
from miniloop.cli.on_record import UNTOLD, declare_limits, document, limits, positive, refuse
from miniloop.difftest.processes import CAN_FORK, Forks
from miniloop.difftest.scripts import Run, run_side
from miniloop.explore import (
    RULES,
    Finding,
    NotAgain,
    Outcome,
    Plan,
    Report,
    Search,
    outcome,
    plan_of,
    selected,
    words,
)
from miniloop.explore.choices import OWN
from miniloop.trace.document import Document
from miniloop.trace.watch import MOST_STEPS


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options, and the program."""
    parser.add_argument("--list", action=_ListRules, help="show all rules, and leave")
    _declare_options(parser)
    program.declare(parser)


def _declare_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rule",
        metavar="NAME",
        action="append",
        default=[],
        help="break this rule only; may be given several times",
    )
    parser.add_argument(
        "--without",
        metavar="NAME",
        action="append",
        default=[],
        help="keep this rule; may be given several times",
    )
    parser.add_argument(
        "--runs",
        type=positive(int),
        default=100,
        metavar="N",
        help="runs after which the search ends (default: %(default)s)",
    )
    parser.add_argument(
        "--seconds",
        type=positive(float),
        default=60.0,
        metavar="N",
        help="seconds after which the search ends (default: %(default)g)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="decides what is tried by chance (default: %(default)s)",
    )
    parser.add_argument("--replay", metavar="TOKEN", help="make this one run only")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write a page with both runs, of the first finding",
    )
    declare_limits(parser, "each run")


class _ListRules(argparse.Action):
    """Prints the rules, and ends the process."""

    def __init__(self, option_strings: Any, dest: str, help: str | None = None) -> None:  # noqa: A002
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        width = min(shutil.get_terminal_size().columns, 100)
        for rule in RULES.values():
            print(f"{rule.id}  ({rule.standing})")
            for text in (f"{rule.says}.", rule.source):
                print(textwrap.fill(text, width, initial_indent="    ", subsequent_indent="    "))
        parser.exit()


def call(args: argparse.Namespace) -> int:
    """Search, or replay, and tell."""
    program.split(args, _declare_options)
    try:
        args.rules = selected(args.rule, args.without)
        plan = None if args.replay is None else plan_of(args.replay)
    except ValueError as error:
        raise BadInput(str(error)) from None
    target = None if args.output is None else Path(args.output)
    if target is not None:
        trace.refuse_target(target)
    script, _ = program.named(args)
    program.file_of(script)  # that of a module must be there
    library = program.installed_library(script)
    if library is not None:
        raise BadInput(
            f"{script} imports {library}, which needs asyncio itself; explore breaks rules in "
            "miniloop's core, so take out the part of the script that needs no library"
        )
    forks = Forks(["miniloop.explore"]) if CAN_FORK else contextlib.nullcontext()
    with forks as args.forks:
        report = _replayed(args, plan) if plan is not None else _searched(args)
        _tell(args, script, report)
        if target is not None:
            _write(args, target, report, plan)
    return 1 if report.findings else 0


def _searched(args: argparse.Namespace) -> Report:
    progress = _Progress()

    def run(plan: Plan) -> Outcome:
        progress.tell()
        return outcome(_run(args, plan))

    search = Search(run, args.rules, runs=args.runs, seconds=args.seconds, seed=args.seed)
    try:
        return search.report()
    except NotAgain:
        script, _ = program.named(args)
        raise BadInput(
            f"{script} does not do the same in two runs on one schedule, so nothing can be told of "
            "others; it depends on something outside, such as sockets, processes or real time"
        ) from None


def _replayed(args: argparse.Namespace, plan: Plan) -> Report:
    own, other = (outcome(_run(args, one)) for one in (OWN, plan))
    made = {(one.rule, one.number) for one in other.choices}
    for rule, number in plan.fixed:
        if (rule, number) not in made:
            raise BadInput(
                f"{args.replay!r} deviates at choice {number} of {rule}, which does not come up: "
                "the script, or its input, has changed since"
            )
    for one in (own, other):
        if one.cut_off:
            raise BadInput(f"the script {one.end}; --limit allows more")
    findings = [Finding(plan, own, other)] if own.shows() != other.shows() else []
    return Report(own, findings, runs=2)


class _Progress:
    """Says on stderr, now and then, that the search goes on."""

    def __init__(self) -> None:
        self._runs = 0
        self._next = time.monotonic() + UNTOLD

    def tell(self) -> None:
        self._runs += 1
        if time.monotonic() > self._next:
            self._next += 3 * UNTOLD
            print(f"miniloop explore: {self._runs} runs so far", file=sys.stderr, flush=True)


def _run(args: argparse.Namespace, plan: Plan, steps: int | None = None) -> Run:
    script, script_args = program.named(args)
    run = run_side(
        "miniloop",
        script,
        script_args,
        steps=steps,
        explored=(plan.token(), args.rules),
        forks=args.forks,
        **limits(args),
    )
    refuse(run, script, "explored: no asyncio.run()")
    return run


def _tell(args: argparse.Namespace, script: str, report: Report) -> None:
    if report.own.cut_off:
        raise BadInput(f"{script} {report.own.end}; --limit allows more than {args.limit:g} s")
    name = Path(script).name
    if report.own.end == "waits for ever":
        print(f"{name} waits for ever; `explain {script}` says what for.\n")
    runs = f"{report.runs} run{'s' if report.runs != 1 else ''}"
    cut = f"; the search ended {report.ended}" if report.ended else ""
    if not report.findings:
        if args.replay is not None:
            print(f"{name} does the same as on miniloop's own schedule.")
        elif not report.own.choices:
            print(f"{name} relies on nothing: no rule that could be broken comes up (1 run).")
        else:
            print(f"{name} relies on nothing that was tried ({_tried(report)}, {runs}{cut}).")
        return
    width = max(40, min(shutil.get_terminal_size().columns, 100))
    for number, finding in enumerate(report.findings):
        if number:
            print()
        for line in _in_lines(finding, name, width):
            print(line)
        if args.replay is None:
            token = finding.token
            print(
                f"  replay: explore --replay {token} {script}"
                if token
                else f"  no token: it takes {len(finding.made)} deviations"
            )
    if args.replay is None:
        print(f"\n{_tried(report)}, {runs}{cut}; --without NAME keeps a rule")


def _in_lines(finding: Finding, name: str, width: int) -> Iterator[str]:
    for line in words.told(finding, name):
        indent = "  " if line.startswith("  ") else ""
        yield textwrap.fill(
            line.strip(), width, initial_indent=indent, subsequent_indent=indent + "  "
        )


def _tried(report: Report) -> str:
    rules = {one.rule for one in report.own.choices}
    return f"{len(rules)} rule{'s' if len(rules) != 1 else ''} came up"


def _write(args: argparse.Namespace, target: Path, report: Report, plan: Plan | None) -> None:
    """Write the player with both runs, or with one if nothing differs."""
    if plan is None and report.findings:
        plan = report.findings[0].plan
    own = _document(args, OWN, "miniloop")
    other = None if plan is None else _document(args, plan, "miniloop, deviating")
    player: Any = importlib.import_module("miniloop.trace.player")
    trace.write(target, str(player.page(own, other)))


def _document(args: argparse.Namespace, plan: Plan, name: str) -> Document:
    script, _ = program.named(args)
    found = document(_run(args, plan, MOST_STEPS), script)
    found["loop"] = name
    return found
