"""Plans: what a run does wherever a rule that is not promised would decide.

At such a place there is a *choice*. Option 0 is what miniloop does, any other is a *deviation*. The
choices of each rule are numbered as they come. A plan says what to take. A run on a plan is
deterministic, so a plan is all that it takes to run a program again in the same way.

A plan has a text, the *token*: `x1-cd0.1-so0.2` deviates at choice 0 of the rule with the code `cd`
and takes option 1, and so on. `x1-all1-cd` takes the last option at every choice of a rule.
`x1-any7.30-cd-so` deviates by chance, with the seed 7, at 30 of 100 choices.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .rules import CODES, RULES

LONGEST = 80
"""The most characters of a token that people are shown."""

VERSION = "x1"
"""How tokens begin. It changes when choices are numbered in another way."""


@dataclass(frozen=True)
class Choice:
    """A choice of a run that is over."""

    rule: str
    number: int
    """How many choices of this rule came before it."""
    options: int
    taken: int
    line: int = 0
    """The line of the program that was at work, or 0."""
    what: str = ""
    """What there was to choose from, in a few words."""


@dataclass(frozen=True)
class Plan:
    """What to take at each choice."""

    fixed: dict[tuple[str, int], int] = field(default_factory=dict)
    """By rule and number."""
    always: tuple[str, ...] = ()
    """The rules at whose choices the last option is taken."""
    chance: tuple[int, int, tuple[str, ...]] | None = None
    """A seed, how many of 100 choices deviate, and the rules."""

    def option(self, rule: str, number: int, options: int) -> int:
        """Return what to take at a choice."""
        if rule in self.always:
            return options - 1
        if self.chance is not None:
            seed, percent, rules = self.chance
            if rule in rules:
                # Of its own, so that a choice does not depend on how many came before it.
                chance = random.Random(f"{seed} {rule} {number}")
                if chance.random() * 100 < percent:
                    return chance.randrange(1, options)
            return 0
        return min(self.fixed.get((rule, number), 0), options - 1)

    def token(self) -> str:
        """Return the plan as text."""
        parts = [VERSION]
        if self.always:
            parts += ["all1", *(RULES[rule].code for rule in self.always)]
        elif self.chance is not None:
            seed, percent, rules = self.chance
            parts += [f"any{seed}.{percent}", *(RULES[rule].code for rule in rules)]
        else:
            for (rule, number), taken in self.fixed.items():
                parts.append(f"{RULES[rule].code}{number}.{taken}")
        return "-".join(parts)


OWN = Plan()
"""The plan that never deviates."""


def plan_of(token: str) -> Plan:
    """Return the plan that a token stands for. Raises ValueError if it is none."""
    version, *parts = token.split("-")
    if version != VERSION:
        raise ValueError(f"{token!r} is no token of this release: they begin with {VERSION}-")
    kind = parts[0] if parts else ""
    if by_chance := re.fullmatch(r"any(\d+)\.(\d+)", kind):
        return Plan(chance=(int(by_chance[1]), int(by_chance[2]), _rules(token, parts[1:])))
    if kind == "all1":
        return Plan(always=_rules(token, parts[1:]))
    fixed = {}
    for part in parts:
        found = re.fullmatch(r"([a-z]{2})(\d+)\.(\d+)", part)
        if found is None or found[1] not in CODES:
            raise ValueError(f"{token!r} is no token: there is no choice {part!r}")
        fixed[CODES[found[1]], int(found[2])] = int(found[3])
    return Plan(fixed)


def _rules(token: str, codes: list[str]) -> tuple[str, ...]:
    for code in codes:
        if code not in CODES:
            raise ValueError(f"{token!r} is no token: there is no rule {code!r}")
    return tuple(CODES[code] for code in codes)


class Choices:
    """Takes the choices of one run, by a plan, and tells each."""

    def __init__(
        self, plan: Plan, rules: Iterable[str], tell: Callable[[Choice], object] = id
    ) -> None:
        self._plan = plan
        self._rules = frozenset(rules)
        self._tell = tell
        self._counts = dict.fromkeys(RULES, 0)

    def take(self, rule: str, options: int, line: int = 0, what: str = "") -> int:
        """Return which of the `options` (two or more) is taken; 0 is miniloop's own."""
        if rule not in self._rules:
            return 0
        number = self._counts[rule]
        self._counts[rule] += 1
        taken = self._plan.option(rule, number, options)
        self._tell(Choice(rule, number, options, taken, line, what))
        return taken

    def order(self, rule: str, count: int, line: int = 0, what: str = "") -> list[int]:
        """Return the order, as indexes, of `count` things whose order the rule decides."""
        own = list(range(count))
        if count < 2:
            return own
        return permuted(own, self.take(rule, orders(count), line, what))


SHUFFLES = 4
"""How many random orders there are to choose from, if there are more than two things."""


def orders(count: int) -> int:
    """Return how many orders of so many things are tried."""
    return 2 if count == 2 else count + 1 + SHUFFLES


def permuted(items: list[int], option: int) -> list[int]:
    """Return items in another order.

    Options below their count swap two neighbours, the next ones shuffle, the last one reverses.
    """
    count = len(items)
    if option == 0:
        return items
    if option < count:
        return [
            *items[: option - 1],
            items[option],
            items[option - 1],
            *items[option + 1 :],
        ]
    if option == orders(count) - 1:
        return items[::-1]
    return random.Random(option).sample(items, count)
