"""How `compare` tells two schedules: one column or two, names, the legend, narrow terminals."""

import contextlib
import io
import textwrap
from typing import Any

import pytest

from miniloop.cli import in_words
from miniloop.difftest.scripts import Comparison, Run, rows
from miniloop.trace import Schedule

SOURCE = """\
import asyncio
async def tea(minutes):
    await asyncio.sleep(minutes)
async def main():
    await asyncio.gather(tea(1), tea(2))
    await tea(3)
""".splitlines()

STEPS = [
    (1, 0, "main#0", "send -> line 5"),
    (2, 0, "print", "on it"),
    (2, 0, "tea#1", "send -> line 3"),
    (2, 0, "tea#2", "send -> line 3"),
    (4, 1000, "tea#1", "send -> returned black"),
    (6, 2000, "tea#2", "throw CancelledError() -> raised CancelledError()"),
    (8, 2000, "main#0", "send -> line 6 > line 3"),
    (10, 5000, "main#0", "send -> returned None"),
    (12, 5000, "(library)#3", "send -> returned None"),
]
TIMEOUTS = [0, 0, 1.0, 0, 1.0, 0, 0, 0, 3.0, 0, 0, 0]


def ran(
    steps: list[Any] = STEPS, timeouts: list[Any] = TIMEOUTS, name: str = "asyncio", **fields: Any
) -> Run:
    """A run that has done this."""
    fields = {
        "printers": {1: "tea#1"},
        "tasks": {"(library)#3": ("", True)},
        "complete": True,
        **fields,
    }
    return Run(name, Schedule(list(steps), list(timeouts)), **fields)


def told(left: Run, right: Run, width: int = 200, **options: Any) -> list[str]:
    """The lines that a person reads."""
    comparison = Comparison(left, right, False, rows(left, right))
    view = in_words.View(comparison, SOURCE, width=width, **options)
    return [line.text for line in view.lines()]


ALIKE = """\
6 > 3  line 6 awaits a coroutine, which waits in line 3

tick 1, at 0.000 s
  main   waits in    5  await asyncio.gather(tea(1), tea(2))
tick 2, at 0.000 s
  tea    prints │ on it
         waits in    3  await asyncio.sleep(minutes)
  tea-2  waits in    3  await asyncio.sleep(minutes)
tick 3: waits at most 1 s; only the loop's own work (--all shows it)
tick 4, at 1.000 s
  tea    ends, and returns black
tick 5: waits at most 1 s; only the loop's own work
tick 6, at 2.000 s
  tea-2  is cancelled  after CancelledError() was thrown in
tick 7: only the loop's own work
tick 8, at 2.000 s
  main   waits in 6 > 3  await asyncio.sleep(minutes)
tick 9: waits at most 3 s; only the loop's own work
tick 10, at 5.000 s
  main   ends
ticks 11 and 12: only the loop's own work
"""


def test_one_column_where_both_agree() -> None:
    assert "\n".join(told(ran(), ran(name="miniloop"))) + "\n" == ALIKE


def test_all_unfolds_what_the_loop_does_for_itself() -> None:
    lines = told(ran(), ran(), everything=True)
    assert lines[:2] == [
        "6 > 3  line 6 awaits a coroutine, which waits in line 3",
        "(library)  a task that the library has made for itself",
    ]
    assert [line for line in lines if line.startswith("tick ")][:3] == [
        "tick 1, at 0.000 s",
        "tick 2, at 0.000 s",
        "tick 3: waits at most 1 s",
    ]
    assert lines[-2:] == ["tick 12, at 5.000 s", "  (library)  ends"]
    assert not any("own work" in line for line in lines)


def test_the_legend_explains_only_what_is_shown() -> None:
    assert told(ran(STEPS[:5]), ran(STEPS[:5]))[0] == "tick 1, at 0.000 s"
    last_line = [*STEPS[:4], (4, 1000, "tea#1", "send -> returned green"), *STEPS[5:]]
    lines = told(ran(), ran(last_line))
    assert "=>  the first difference" in lines
    assert not any(line.startswith("~") for line in lines)
    other_ticks = [*STEPS[:4], *((tick + 1, *rest) for tick, *rest in STEPS[4:])]
    assert any(
        line.startswith("~   differs as well")
        for line in told(ran(), ran(other_ticks, [*TIMEOUTS, 0]))
    )


BACKWARDS = [STEPS[0], STEPS[3], STEPS[1], STEPS[2], *STEPS[4:]]


def test_two_columns_from_the_first_difference_on() -> None:
    lines = told(ran(STEPS[:4], [0, 0]), ran(BACKWARDS[:4], [0, 0], "own", printers={2: "tea#1"}))
    start = lines.index("alike on both:")
    assert (
        lines[start:]
        == textwrap.dedent("""\
        alike on both:
        tick 1, at 0.000 s
          main   waits in    5  await asyncio.gather(tea(1), tea(2))
        tick 2, at 0.000 s

           asyncio                                                own
        =>   tea    prints │ on it                                  tea-2  waits in    3  await \
asyncio.sleep(minutes)
        ~           waits in    3  await asyncio.sleep(minutes)     tea    prints │ on it
        ~    tea-2  waits in    3  await asyncio.sleep(minutes)            waits in    3  await \
asyncio.sleep(minutes)
        """).splitlines()
    )


def test_a_narrow_terminal_has_one_side_below_the_other() -> None:
    right = ran(BACKWARDS, name="own", printers={2: "tea#1"})
    lines = told(ran(), right, 60)
    heads = [lines.index("on asyncio:"), lines.index("on own:")]
    assert [lines[head + 1][:11] for head in heads] == ["=>   tea   ", "=>   tea-2 "]
    assert len([line for line in lines if line.startswith("=> ")]) == 3  # the legend has one


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100])
def test_nothing_is_cut(width: int) -> None:
    def words(lines: list[str]) -> list[str]:
        return " ".join(lines).split()

    def letters(lines: list[str]) -> str:
        return "".join(words(lines))

    steps = [*STEPS[:7], (8, 2000, "print", "tea " * 30), *STEPS[7:]]
    alike = told(ran(steps), ran(steps), width)
    assert max(map(len, alike)) <= width
    assert letters(alike) == letters(told(ran(steps), ran(steps), 10_000))
    right = ran(BACKWARDS, name="own", printers={2: "tea#1"})
    lines = told(ran(), right, width)
    assert max(map(len, lines)) <= width
    if width <= 60:
        assert letters(lines) == letters(told(ran(), right, 60))
    else:
        assert sorted(words(lines)) == sorted(words(told(ran(), right, 10_000)))


def test_a_column_that_has_ended() -> None:
    left, right = ran(STEPS[:4], TIMEOUTS[:2]), ran(STEPS[:3], TIMEOUTS[:2], "own")
    lines = told(left, right)
    assert lines[-1].split()[-2:] == ["(nothing", "more)"]
    comparison = Comparison(left, right, False, rows(left, right))
    assert in_words.View(comparison, SOURCE, width=200).difference() == [
        "  asyncio  tea-2 waits in line 3: await asyncio.sleep(minutes)",
        "  own      (nothing more)",
    ]


def test_wide_characters_keep_the_columns_straight() -> None:
    left = ran([(1, 0, "print", "茶を飲む"), (1, 0, "print", "tea")], [0], printers={})
    right = ran([(1, 0, "print", "12345678"), (1, 0, "print", "tea")], [0], "own", printers={})
    marked, plain = told(left, right)[-2:]
    assert marked.index("12345678") + 4 == plain.rindex("tea")


def test_a_time_that_differs_is_shown() -> None:
    later = [*STEPS[:3], (2, 500, *STEPS[3][2:])]
    lines = told(ran(STEPS[:4], [0, 0]), ran(later, [0, 0], "own"))
    assert lines[-1].count("at 0.500 s") == 1
    assert lines[-1].endswith("at 0.500 s")
    assert told(ran(later, [0, 0]), ran(later, [0, 0]))[-1].endswith("  at 0.500 s")


def test_a_long_schedule_is_shortened() -> None:
    many = [(tick, tick * 1000, "tea#1", "send -> line 3") for tick in range(1, 501)]
    left, right = ran(many, [0] * 500), ran(many, [0] * 500)
    lines = told(left, right)
    assert len(lines) == in_words.BEGINNING + 1 + in_words.END
    assert lines[in_words.BEGINNING] == "(920 more lines: --all shows them)"
    assert len(told(left, right, everything=True)) == 1000
    other = [*many[:400], (401, 401_000, "tea#1", "send -> line 6"), *many[401:]]
    lines = told(left, ran(other, [0] * 500))
    assert len(lines) < 50
    assert "(777 more lines: --all shows them)" in lines


def test_the_end_of_a_long_schedule_says_in_which_tick_it_stands() -> None:
    many = [(1, 0, f"tea#{number}", "send -> line 3") for number in range(200)]
    lines = told(ran(many, [0], printers={}), ran(many, [0], printers={}))
    assert lines[in_words.BEGINNING + 1] == "tick 1, at 0.000 s"


def test_tasks_have_the_names_that_explain_gives_them() -> None:
    steps = [(1, 0, label, "send -> line 3") for label in ("_tea#0", "tea#1", "tea#2", "tea#3")]
    run = ran(steps, [0], tasks={"tea#1": ("green", False), "tea#3": ("green", False)})
    assert list(in_words.names_of(run).values()) == ["tea", "green", "tea-3", "green-2"]
    odd = ran([(1, 0, "<my coroutine>#0", "send -> line 3")], [0], printers={})
    assert told(odd, odd)[1] == "  <my coroutine>  waits in    3  await asyncio.sleep(minutes)"


def test_what_is_no_step() -> None:
    steps = [
        (0, 0, "print", "before"),
        (1, 0, "print", "from a callback"),
        (1, 0, "print", "from a thread"),
        (1, 0, "handler", "Exception in callback ZeroDivisionError(), handle"),
        (1, 0, "main", "ends with ValueError(1 -> 2)"),
        (1, 0, "tea#1", "throw ValueError(1 -> 2) -> to_thread"),
        (1, 0, "tea#1", "send -> raised ValueError(1 -> 2\n)"),
    ]
    printers = {0: "the program", 1: "a callback", 2: "a thread"}
    run = ran(steps, [None], printers=printers, wrote="past")
    assert (
        told(run, run)
        == textwrap.dedent("""\
        outside the loop
          the program  prints │ before
        tick 1, at 0.000 s: waits for the outside world
          a callback   prints │ from a callback
          a thread     prints │ from a thread
          the loop     reports │ Exception in callback ZeroDivisionError(), handle
          the program  ends with ValueError(1 -> 2)
          tea          waits inside to_thread  after ValueError(1 -> 2) was thrown in
                       fails with ValueError(1 -> 2\\n)
        past sys.stdout: past
        """).splitlines()
    )


def test_an_order_without_ticks() -> None:
    run = ran(STEPS, [])
    comparison = Comparison(run, run, True, rows(run, run, True))
    lines = [line.text for line in in_words.View(comparison, SOURCE, width=80).lines()]
    assert lines[2] == "  main   waits in    5  await asyncio.gather(tea(1), tea(2))"
    assert lines[-1] == "  (one step of the loop's own)"
    assert not any("tick" in line or " s" in line[-2:] for line in lines)


def test_colours_are_for_terminals() -> None:
    pytest.importorskip("rich")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for kind, coloured in (io.StringIO, False), (Terminal, True):
        with contextlib.redirect_stdout(kind()) as out, pytest.MonkeyPatch.context() as patch:
            patch.setenv("TERM", "xterm")
            patch.delenv("NO_COLOR", raising=False)
            in_words.write([in_words.Line("=>   tea  [b]", "=>")])
        assert "=>   tea  [b]" in out.getvalue()
        assert ("\x1b[" in out.getvalue()) == coloured
