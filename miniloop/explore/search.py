"""Search for plans under which a program does something else, and shrink them.

A program *relies* on a rule if what it shows depends on it: the lines that it prints, what the loop
reports, and how it ends. The first run takes miniloop's own option at every choice, and lists the
choices. Then come, for each rule, a run that deviates at all of its choices, and runs that deviate
at one; last come runs that deviate by chance. What differs is shrunk to the fewest deviations.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ..difftest.scripts import Run
from .choices import LONGEST, OWN, Choice, Plan
from .rules import RULES, Rule

PLACES = 3
"""How many places of one rule are looked for."""

SINGLES = 12
"""At how many choices of a rule a run deviates alone."""

BY_CHANCE = (30, 60, 10)
"""How many of 100 choices deviate, in turn, in runs that deviate by chance."""


@dataclass
class Outcome:
    """What a run has shown, and the choices on its way."""

    lines: list[tuple[str, int]]
    """The lines that it has printed, and reports, each with the line of the program or 0."""
    end: str
    """How it has ended, in words that follow "the program"."""
    choices: list[Choice] = field(default_factory=list)
    cut_off: bool = False
    """Whether the clock has ended it, so that it tells nothing."""
    returned: str = ""
    """What its first task has returned, in words, if it came to its end."""

    def shows(self) -> tuple[list[str], str]:
        """Return what two runs have in common if the program does not rely on a rule."""
        return [text for text, _ in self.lines], self.end

    def deviations(self) -> dict[tuple[str, int], int]:
        """Return the plan of this run, with every deviation named."""
        return {(one.rule, one.number): one.taken for one in self.choices if one.taken}


def outcome(run: Run) -> Outcome:
    """Return what a run has shown that was recorded with `permutation.permute()`."""
    lines: list[tuple[str, int]] = []
    printed = {number: values[1] for number, *values in run.explored if values[0] == "line"}
    end, returned = "comes to its end", ""
    for number, (_, _, who, what) in enumerate(run.schedule.rows):
        if who == "print":
            lines.append((what, printed.get(number, 0)))
        elif who in ("handler", "logged"):
            lines.append((f"(report) {what}", 0))
        elif who == "main":
            end = what
        elif who.endswith("#0") and what.startswith("send -> returned"):
            returned = what.removeprefix("send -> ")
    lines += [(line, 0) for line in run.wrote.splitlines()]
    if not run.complete:
        waits = run.stopped is not None and run.stopped[0] == "deadlock"
        # Not who waits where: the order of the list is none of the program's.
        end, returned = "waits for ever" if waits else run.how_it_ended, ""
    elif run.status and end == "comes to its end":
        end = f"ends with status {run.status}"
    choices = [Choice(*values[1]) for _, *values in run.explored if values[0] == "choice"]
    return Outcome(lines, end, choices, run.cut_off, returned if end == "comes to its end" else "")


@dataclass
class Finding:
    """A smallest plan under which the program shows something else."""

    plan: Plan
    own: Outcome
    other: Outcome

    @property
    def made(self) -> list[Choice]:
        """The choices at which it deviates."""
        return [one for one in self.other.choices if one.taken]

    @property
    def rules(self) -> list[Rule]:
        """The rules that the program relies on: mostly one. All of them must be broken at once."""
        return [RULES[one] for one in dict.fromkeys(choice.rule for choice in self.made)]

    @property
    def first(self) -> int:
        """The number of the first line that differs, or of the end."""
        pairs = zip(self.own.lines, self.other.lines, strict=False)
        for number, (one, other) in enumerate(pairs):
            if one[0] != other[0]:
                return number
        return min(len(self.own.lines), len(self.other.lines))

    @property
    def line(self) -> int:
        """The line of the program that shows it, or where the choice was; 0 if none is known."""
        for outcome in (self.own, self.other):
            if self.first < len(outcome.lines) and outcome.lines[self.first][1]:
                return outcome.lines[self.first][1]
        return next((choice.line for choice in self.made if choice.line), 0)

    @property
    def token(self) -> str:
        """The text that replays it, or nothing if it would be too long."""
        token = self.plan.token()
        return token if len(token) <= LONGEST else ""


@dataclass
class Report:
    """What a search has found."""

    own: Outcome
    findings: list[Finding] = field(default_factory=list)
    runs: int = 0
    ended: str = ""
    """Why the search has ended before it was through, or nothing."""


class NotAgain(Exception):
    """Raised if two runs on one plan differ, so that nothing can be said of other plans."""


class _Enough(Exception):
    """Raised where the search has used up its runs or its time."""


class Search:
    """The search for one program. `run` runs it on a plan."""

    def __init__(
        self,
        run: Callable[[Plan], Outcome],
        rules: Sequence[str],
        *,
        runs: int,
        seconds: float,
        seed: int = 0,
    ) -> None:
        self._run_on = run
        self._rules = rules
        self._most_runs = runs
        self._until = time.monotonic() + seconds
        self._seconds = seconds
        self._seed = seed
        self._report: Report

    def report(self) -> Report:
        """Search, and return what was found.

        Raises NotAgain if the program does not do the same twice on miniloop's own plan.
        """
        own = self._run_on(OWN)
        self._report = report = Report(own, runs=1)
        if own.cut_off or not own.choices:
            return report
        again = self._run_on(OWN)
        report.runs += 1
        if again.cut_off:
            return report
        if again.shows() != own.shows():
            raise NotAgain
        try:
            for rule in self._rules:
                self._look_at(rule)
            self._look_by_chance()
        except _Enough as reason:
            report.ended = str(reason)
        return report

    def _run(self, plan: Plan) -> Outcome:
        report = self._report
        if report.runs >= self._most_runs:
            raise _Enough(f"after {report.runs} runs (--runs allows more)")
        if time.monotonic() > self._until:
            raise _Enough(f"after {self._seconds:g} seconds (--seconds allows more)")
        report.runs += 1
        return self._run_on(plan)

    def _differs(self, outcome: Outcome) -> bool:
        return not outcome.cut_off and outcome.shows() != self._report.own.shows()

    def _look_at(self, rule: str) -> None:
        """Look for places in which the program relies on one rule."""
        choices = [one for one in self._report.own.choices if one.rule == rule]
        if not choices:
            return
        outcome = self._run(Plan(always=(rule,)))
        for _ in range(PLACES):
            if not self._differs(outcome):
                single = next((one for one in self._singles(choices) if self._differs(one)), None)
                if single is None:
                    return
                outcome = single
            finding = self._shrunk(outcome)
            if finding.line in {one.line for one in self._report.findings if rule in _ids(one)}:
                return
            self._keep(finding)
            known = {(one.line, one.what) for one in finding.made}
            choices = [one for one in choices if (one.line, one.what) not in known]
            if not choices:
                return
            outcome = self._run(Plan({(one.rule, one.number): one.options - 1 for one in choices}))

    def _singles(self, choices: list[Choice]) -> Iterator[Outcome]:
        """Run on plans that deviate at one choice. Deviations at all may cancel each other out."""
        if len(choices) > 1:
            for one in choices[:SINGLES]:
                yield self._run(Plan({(one.rule, one.number): 1}))
        for one in choices[:SINGLES]:
            for option in range(1 if len(choices) == 1 else 2, min(one.options, 5)):
                yield self._run(Plan({(one.rule, one.number): option}))

    def _look_by_chance(self) -> None:
        """Look for programs that rely on several rules at once, or at a few choices only."""
        found = {rule for finding in self._report.findings for rule in _ids(finding)}
        rules = tuple(rule for rule in self._rules if rule not in found)
        seeds = random.Random(self._seed)
        if sum(one.rule in rules for one in self._report.own.choices) < 2:
            return
        for percent in BY_CHANCE * 2:
            seed = seeds.randrange(10_000)
            outcome = self._run(Plan(chance=(seed, percent, rules)))
            if self._differs(outcome):
                self._keep(self._shrunk(outcome))
                return

    def _keep(self, finding: Finding) -> None:
        """Report a finding, if it comes again. A program with sockets may differ by itself."""
        own, other = self._run_on(OWN), self._run_on(finding.plan)
        self._report.runs += 2
        if own.shows() == finding.own.shows() and other.shows() == finding.other.shows():
            self._report.findings.append(finding)

    def _shrunk(self, outcome: Outcome) -> Finding:
        """Return the finding with the fewest deviations that shows a difference, and simple ones.

        If the search runs out of its time, it is as small as it has become.
        """
        plan, best = outcome.deviations(), outcome

        def try_out(candidate: dict[tuple[str, int], int]) -> bool:
            nonlocal plan, best
            if not candidate:
                return False
            outcome = self._run(Plan(candidate))
            if not self._differs(outcome):
                return False
            plan, best = outcome.deviations(), outcome
            return True

        try:
            size = (len(plan) + 1) // 2
            while len(plan) > 1:
                keys = list(plan)
                for start in range(0, len(keys), size):
                    part = keys[start : start + size]
                    # One part alone first: most often a single deviation is enough.
                    if try_out({key: plan[key] for key in part}):
                        break
                    if size > 1 or len(keys) > 2:
                        rest = {key: plan[key] for key in keys if key not in part}
                        if try_out(rest):
                            break
                else:
                    if size == 1:
                        break
                size = max(1, min(size // 2, (len(plan) + 1) // 2))
            for key in list(plan):
                for option in range(1, min(plan.get(key, 1), 4)):
                    if try_out({**plan, key: option}):
                        break
        except _Enough:
            if best is outcome:
                return Finding(Plan(plan), self._report.own, best)
            self._until = 0.0  # nothing more is looked for
        return Finding(Plan(plan), self._report.own, best)


def _ids(finding: Finding) -> list[str]:
    return [rule.id for rule in finding.rules]
