"""What `explore` starts in a process of its own: runs a script on a plan, and tells its choices.

    python -m miniloop.cli.explored PLAN RULES SIDE RECORD TICKS SECONDS REAL STEPS SCRIPT [ARG ...]

PLAN is a token (see `miniloop.explore.choices`), RULES the ids of the rules that may be broken,
with commas between them. STEPS is the number of steps that are recorded with their causes; 0
records none. The other arguments are those of `miniloop.cli.recorded`.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from miniloop.cli import recorded
from miniloop.explore.choices import Choice, Choices, plan_of
from miniloop.explore.permutation import FILES, Permutation
from miniloop.trace.scripts import ScriptRecorder
from miniloop.trace.tracing import TracingScriptRecorder


def main(
    plan: str,
    rules: str,
    side: str,
    record: str,
    ticks: str,
    seconds: str,
    real: str,
    steps: str,
    *command_line: str,
) -> int:
    """Run the script on a plan; what it raises goes on its way up."""
    base: Any = ScriptRecorder
    if steps != "0":
        base = partial(TracingScriptRecorder, most_steps=int(steps))
    recorder_class = partial(_recorder, base, plan, rules.split(","))
    return recorded.main(
        side, record, ticks, seconds, real, *command_line, recorder_class=recorder_class
    )


def _recorder(base: Callable[..., Any], plan: str, rules: list[str], *args: Any) -> Any:
    """Return a recorder whose runs have choices."""
    recorder = base(*args)
    install, note = recorder.install, recorder.note

    def tell(choice: Choice) -> None:
        recorder.write("explored", "choice", dataclasses.astuple(choice))

    def installing(module: Any, *rest: Any, **options: Any) -> None:
        permutation = Permutation(Choices(plan_of(plan), rules, tell))
        for owner, name, value in permutation.places(recorder.threads.park):
            setattr(owner, name, value)
        install(module, *rest, **options)

    def noting(who: str, what: str) -> None:
        if who == "print" and not recorder.stopped:
            recorder.write("explored", "line", FILES.line(sys._getframe(1)))
        note(who, what)

    recorder.install, recorder.note = installing, noting
    return recorder


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
