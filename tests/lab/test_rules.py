"""Every rule of scheduling, by name: its program, the loops that break it, and its sources."""

import ast
import asyncio
import functools
import re
import sys
from pathlib import Path

import pytest

import miniloop
from miniloop import lab
from miniloop.difftest import agree, quiet, side
from miniloop.lab.rules import STANDINGS, groups, rules
from tests import python_inventory
from tests.reading_order import ROOT

RULES = [pytest.param(rule, id=rule.id) for rule in rules().values()]


def kept(rule):
    reason = "this Python's asyncio does not keep the rule to the tick"
    return pytest.mark.skipif(sys.version_info < rule.since, reason=reason)


RUN = [pytest.param(rule, id=rule.id, marks=kept(rule)) for rule in rules().values()]
BROKEN = [
    pytest.param(loop, id=f"{loop.rule.id}, broken by {loop.name}", marks=kept(loop.rule))
    for loop in lab.LOOPS.values()
]
ANCHOR = re.compile(
    r"library/asyncio-(eventloop|future|queue|runner|sync|task)\.html#"
    r"(asyncio\.[\w.]+|task-cancellation)"
    r"|library/asyncio-dev\.html#asynchronous-generators-best-practices"
    r"|howto/a-conceptual-overview-of-asyncio\.html#await"
)


@functools.cache
def schedules(rule):
    with quiet():
        return rule.run(side("asyncio-unwatched")), rule.run(side("miniloop-unwatched"))


@pytest.mark.parametrize("rule", RUN)
def test_schedule_is_the_same_on_asyncio_and_miniloop(rule):
    theirs, ours = schedules(rule)
    assert any(who == "print" for _, _, who, _ in theirs.rows)
    assert not theirs.cut
    assert agree(theirs, ours), "\n".join(["asyncio:", *theirs.lines(), "miniloop:", *ours.lines()])


@pytest.mark.parametrize("loop", BROKEN)
def test_schedule_is_another_one_where_the_rule_is_broken(loop, capsys):
    theirs, _ = schedules(loop.rule)
    with quiet():
        broken = loop.rule.run(loop.side())
    assert capsys.readouterr().out == ""  # it prints into its schedule, to the very end
    assert not agree(theirs, broken), "\n".join(broken.lines())


@pytest.mark.parametrize("rule", RULES)
def test_a_loop_breaks_the_rule_or_the_rule_says_why_none_can(rule):
    broken = any(loop.rule == rule for loop in lab.LOOPS.values())
    assert broken != bool(rule.unbreakable)


def test_one_rule_is_out_of_the_reach_of_loops():
    assert [rule.id for rule in rules().values() if rule.unbreakable] == ["coroutine-no-tick"]


@pytest.mark.parametrize("rule", RULES)
def test_rule_says_what_it_stands_on(rule):
    assert rule.sentence.endswith(".")
    assert len(rule.sentence) < 100
    assert rule.why.endswith(".")
    assert rule.standing in STANDINGS
    assert rule.documentation or rule.standing not in ("documented", "undefined")
    assert rule.source or rule.standing == "documented"
    if rule.documentation:
        assert ANCHOR.fullmatch(rule.documentation)
    assert rule.group in groups()


@pytest.mark.parametrize("rule", RULES)
def test_rule_names_what_exists(rule):
    for name in rule.core:
        assert defined(Path(miniloop.__file__).parent, name), name
    if rule.source and sys.version_info >= (3, 15):
        assert defined(Path(asyncio.__file__).parent, rule.source), rule.source
    assert rule.core
    assert rule.tests
    for name in rule.tests:
        assert (ROOT / "tests" / name).is_file(), name


def defined(folder, name):
    """Return whether a dotted name, such as `core.loop.BaseEventLoop._run_once`, is in a package.

    The source is asked, because some of asyncio's classes are replaced by C code when it runs.
    """
    parts = name.split(".")
    while parts and (folder / parts[0]).is_dir():
        folder /= parts.pop(0)
    module, *path = parts
    node = parsed(folder / f"{module}.py")
    for part in path:
        inside = (one for one in node.body if getattr(one, "name", "") == part)
        node = next(inside, None)
        if node is None:
            return False
    return True


@functools.cache
def parsed(path):
    return ast.parse(path.read_text("utf-8"))


def test_what_does_not_exist_is_not_found():
    package = Path(miniloop.__file__).parent
    assert defined(package, "core.loop.BaseEventLoop._run_once")
    assert not defined(package, "core.loop.BaseEventLoop._run_twice")
    assert not defined(package, "core.loop.Loop")


@pytest.mark.parametrize(
    "rule", [one for one in RULES if "#asyncio." in one.values[0].documentation]
)
def test_documentation_has_the_name_at_the_address(rule):
    page, _, name = rule.documentation.partition("#")
    lines = python_inventory.PATH.read_text("utf-8").splitlines()
    assert any(line.startswith(f"{name} ") and line.endswith(f" {page}") for line in lines)


def test_every_test_to_read_holds_a_rule():
    held = {name for rule in rules().values() for name in rule.tests}
    files = {f"core/{path.name}" for path in (ROOT / "tests" / "core").glob("test_*.py")}
    assert files <= held


def test_groups_stand_in_the_order_of_the_file():
    order = list(dict.fromkeys(rule.group for rule in rules().values()))
    assert order == list(groups())
    assert sorted(rules().values(), key=lambda rule: order.index(rule.group)) == list(
        rules().values()
    )


def test_a_loop_of_the_lab_has_to_name_a_rule():
    with pytest.raises(TypeError, match="rule"):

        class Nameless(lab.BrokenLoop):
            pass

    with pytest.raises(ValueError, match="no rule 'nosuch'"):

        class Unknown(lab.BrokenLoop, rule="nosuch"):
            pass

    assert not {"nameless", "unknown"} & lab.LOOPS.keys()
