"""The causes are true: small programs whose right answers were worked out by hand."""

import sys
import tomllib
from pathlib import Path

import pytest

from miniloop.difftest.programs import FILE_NAME
from miniloop.difftest.scripts import run_side
from miniloop.trace.document import assemble
from miniloop.trace.explain import chain

from .traced import traced_asyncio, traced_miniloop

CASES = tomllib.loads((Path(__file__).parent / "causes.toml").read_text())["case"]
NOT_ANSWERS = ("name", "program", "since", "process")


def traced(program, loop):
    """Trace a program in this process, which takes a fraction of the time."""
    side = traced_miniloop() if loop == "miniloop" else traced_asyncio(watched=False)
    side.run(compile(program, FILE_NAME, "exec", dont_inherit=True), 1000)
    assert not side.recorder.cut
    return side.document


def traced_as_script(folder, program, loop):
    script = folder / "script.py"
    script.write_text(program)
    run = run_side(loop, str(script), steps=2000)
    assert run.complete, run.said
    return assemble(run.watched, "script.py", loop)


def named(document, name):
    """Return the step that an answer is about."""
    steps, entries = document["steps"], document["entries"]
    if name.startswith("callback "):
        found = [
            index
            for index, step in enumerate(steps)
            if step["kind"] == "run"
            and "task" not in step
            and entries[step["entry"]]["label"].endswith(name.removeprefix("callback "))
        ]
        return found[0]
    task, _, number = name.rpartition(".")
    names = [row["name"] for row in document["tasks"]]
    found = [
        index
        for index, step in enumerate(steps)
        if step["kind"] in ("run", "eager") and step.get("task") == names.index(task)
    ]
    return found[int(number) - 1]


def told(document, index):
    """Return the chain of causes of a step, in the form of the answers."""
    steps, entries = document["steps"], document["entries"]
    links = []
    for one in chain(document, index):
        step = steps[one]
        if step["kind"] not in ("run", "eager"):
            continue
        cause = step["cause"] if "cause" in step else entries[step["entry"]]["cause"]
        at = f", line {cause['line']}" if "line" in cause else ""
        links.append(f"{cause['kind']} by {maker(document, cause)}{at}")
    return " < ".join(links)


def maker(document, cause):
    if "task" in cause:
        return document["tasks"][cause["task"]]["name"]
    if cause["kind"] == "thread":
        return "thread"
    if document["steps"][cause["step"]]["kind"] == "outside":
        return "program"
    return "callback" if "line" in cause else "loop"


def test_there_are_enough_of_them():
    assert len(CASES) >= 40
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("loop", ["miniloop", "asyncio"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_causes_are_true(case, loop, tmp_path):
    since = tuple(map(int, case.get("since", "3.11").split(".")))
    if loop == "asyncio" and sys.version_info < since:
        pytest.skip(f"asyncio does so since {case['since']}")
    program = case["program"]
    # With threads a program needs a process of its own, as `miniloop trace` gives it to all.
    as_script = case.get("process", False)
    document = traced_as_script(tmp_path, program, loop) if as_script else traced(program, loop)
    answers = {name: answer for name, answer in case.items() if name not in NOT_ANSWERS}
    assert answers
    assert {name: told(document, named(document, name)) for name in answers} == answers
