"""Finds out what a program relies on that asyncio does not promise.

The rules of scheduling that asyncio keeps are not all promised: some are undefined, some are
details of the implementation (`rules`). This package runs a program again and again on miniloop,
each time with some of those rules broken, and all documented ones kept. If the program then prints
something else or ends in another way, it relies on what is broken.

Reading order: `rules`, `choices` (what a run has to choose, and how a plan is written down),
`permutation` (where in miniloop the choices are), `search` (which plans are tried, and how one is
shrunk), `here` (runs a function in forks of this process, for tests; `miniloop.cli.explore`
runs a script in forks of another), `words`, and `plugin`, the fixture for pytest.
"""

from .choices import Plan, plan_of
from .here import assert_relies_on_nothing, explored
from .rules import RULES, Rule, selected
from .search import Finding, NotAgain, Outcome, Report, Search, outcome

__all__ = [
    "RULES",
    "Finding",
    "NotAgain",
    "Outcome",
    "Plan",
    "Report",
    "Rule",
    "Search",
    "assert_relies_on_nothing",
    "explored",
    "outcome",
    "plan_of",
    "selected",
]
