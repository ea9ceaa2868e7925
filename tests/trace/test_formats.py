"""Every example in every format, and each format held against its own rules."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest

from miniloop.cli import main
from miniloop.difftest.scripts import run_side
from miniloop.trace import explain, mermaid, perfetto, svg
from miniloop.trace.document import assemble, replayed, state_after

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
QUICK = ("echo", "gather", "threads")
each_example = pytest.mark.parametrize(
    "example",
    [
        pytest.param(path, id=path.stem, marks=[] if path.stem in QUICK else [pytest.mark.long])
        for path in EXAMPLES
    ],
)
SCHEMA = json.loads((ROOT / "miniloop/trace/schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
EVENTS_SCHEMA = json.loads(Path(__file__).with_name("trace_event_format.json").read_text())
EVENTS_VALIDATOR = jsonschema.Draft202012Validator(EVENTS_SCHEMA)

HOSTILE = """\
import asyncio
async def child():
    print("</script><script>alert(1)</script> ]]> & \\u2028 \\x1b[31m")
    await asyncio.sleep(0)
async def main():
    names = ["<img src=x onerror=alert(1)>", "end", "a;b#c:d", "participant", "x" * 500, "\\ud800"]
    await asyncio.gather(*(asyncio.create_task(child(), name=name) for name in names))
asyncio.run(main())
"""


def document(script, loop="miniloop", **options):
    run = run_side(loop, str(script), steps=10_000, **options)
    printed = [what for _, _, who, what in run.schedule.rows if who == "print"]
    return assemble(run.watched, script.name, loop, "virtual", run.stopped, printed)


def check(document):
    VALIDATOR.validate(document)
    json.dumps(document, allow_nan=False)
    steps = document["steps"]
    for frame in document["keyframes"]:
        assert state_after(document, frame["step"] - 1) == frame["state"]
    last = state_after(document, len(steps) - 1)
    assert last == replayed(state_after(document, len(steps) - 2), steps[-1])

    text = explain.rendered(document)
    for row in document["output"]:
        assert row["text"] in text

    lines = mermaid.rendered(document).splitlines()
    assert lines[0] == "sequenceDiagram"
    for line in lines[1:]:
        assert re.fullmatch(MERMAID, line), line

    events = json.loads(perfetto.rendered(document))
    EVENTS_VALIDATOR.validate(events)
    check_events(events["traceEvents"])

    picture = svg.rendered(document)
    root = ET.fromstring(picture)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= SVG


WORDS = r"(?:[\w .,()\[\]=+*/'?!-]|#\d+;)+"
MERMAID = (
    rf"    (?:participant \w+ as {WORDS}|Note over \w+: {WORDS}|\w+->>\w+: {WORDS}"
    r"|Note over L,T\d+: tick \d+, at [\d.]+ s)"
)
SVG = {"svg", "style", "defs", "marker", "path", "rect", "text", "line", "g", "title"}


def check_events(events):
    """Hold events against what a schema cannot say, and against what this writer promises."""
    flows = {"s": set(), "f": set()}
    until = {}
    for event in events:
        assert event["tid"] > 0  # Perfetto takes 0 for another thread
        match event["ph"]:
            case "X":
                assert event["ts"] >= until.get(event["tid"], 0) - 1e-6  # none overlap in a thread
                until[event["tid"]] = event["ts"] + event["dur"]
            case "s" | "f":
                assert event["id"] not in flows[event["ph"]]
                flows[event["ph"]].add(event["id"])
            case other:
                assert other == "M"
    assert flows["f"] <= flows["s"]


@each_example
def test_every_example_in_every_format(example):
    check(document(example))


@pytest.mark.parametrize("loop", ["miniloop", "asyncio"])
@each_example
def test_tracing_changes_no_schedule(example, loop):
    plain, traced = (run_side(loop, str(example), steps=steps) for steps in (None, 10_000))
    assert traced.watched
    if plain.order_only:  # sockets: ticks and times are chance
        said = [
            [row[3] for row in run.schedule.rows if row[2] == "print"] for run in (plain, traced)
        ]
        assert said[0] == said[1]
    else:
        assert traced.schedule == plain.schedule


@pytest.mark.long
@pytest.mark.parametrize("loop", ["asyncio", "interop"])
@pytest.mark.parametrize("name", ["gather", "threads", "task_group", "echo"])
def test_examples_on_other_loops(name, loop):
    found = document(ROOT / "examples" / f"{name}.py", loop)
    check(found)
    ours = document(ROOT / "examples" / f"{name}.py")
    assert [row["text"] for row in found["output"]] == [row["text"] for row in ours["output"]]


def test_hostile_names_and_output_stay_text(tmp_path):
    script = tmp_path / "hostile.py"
    script.write_text(HOSTILE)
    found = document(script)
    check(found)
    assert "<script" not in mermaid.rendered(found)
    assert "<script" not in svg.rendered(found)
    assert "<img" not in svg.rendered(found)
    assert max(len(task["name"]) for task in found["tasks"]) <= 50


def test_the_schema_is_a_schema_and_refuses_what_is_no_trace():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    found = document(ROOT / "examples" / "gather.py")
    for change in ({"version": 2}, {"more": 1}, {"steps": []}):
        assert list(VALIDATOR.iter_errors({**found, **change}))


@pytest.mark.parametrize(
    ("phase", "change"),
    [
        ("X", {"dur": None}),  # None: without it
        ("X", {"dur": -1}),
        ("X", {"ts": "0"}),
        ("X", {"ph": "x"}),
        ("X", {"more": 1}),
        ("f", {"id": None}),
        ("f", {"bp": "s"}),
        ("s", {"cat": None}),
        ("M", {"args": {}}),
        ("M", {"name": "colour"}),
    ],
)
def test_the_schema_of_events_refuses_what_is_none(phase, change):
    jsonschema.Draft202012Validator.check_schema(EVENTS_SCHEMA)
    trace = json.loads(perfetto.rendered(document(ROOT / "examples" / "gather.py")))
    event = next(each for each in trace["traceEvents"] if each["ph"] == phase)
    event |= change
    for name in [name for name, value in change.items() if value is None]:
        del event[name]
    assert not EVENTS_VALIDATOR.is_valid(trace)


@pytest.mark.parametrize("form", ["json", "text", "mermaid", "perfetto", "svg"])
def test_the_command_writes_the_file(form, tmp_path, capfd):
    target = tmp_path / "out"
    script = str(ROOT / "examples" / "gather.py")
    assert main(["trace", script, "-o", str(target), "--format", form]) == 0
    assert target.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [target]
    assert capfd.readouterr() == ("", "")


def test_ten_thousand_steps_stay_under_five_megabytes(tmp_path):
    script = tmp_path / "long.py"
    script.write_text(
        """\
import asyncio
async def worker(queue):
    while (item := await queue.get()) is not None:
        await asyncio.sleep(0.001)
async def main():
    queue = asyncio.Queue(10)
    workers = [asyncio.create_task(worker(queue)) for _ in range(10)]
    for number in range(4000):
        await queue.put(number)
    for _ in workers:
        await queue.put(None)
    await asyncio.gather(*workers)
asyncio.run(main())
"""
    )
    found = document(script)
    assert len(found["steps"]) > 10_000
    assert found["end"]["kind"] == "cut"
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    assert len(text.encode()) < 5_000_000


def test_a_diagram_is_never_longer_than_mermaid_takes(tmp_path):
    script = tmp_path / "wordy.py"
    script.write_text(
        """\
import asyncio
async def main():
    for _ in range(250):
        print("\u00e4" * 60)
        await asyncio.sleep(0)
asyncio.run(main())
""",
        encoding="utf-8",
    )
    text = mermaid.rendered(document(script))
    assert 30_000 < len(text) <= mermaid.LONGEST == 50_000
    assert re.search(r"Note over L: \d+ more steps are not drawn", text)


@pytest.mark.long
def test_many_tasks_and_timers_stay_small(tmp_path):
    script = tmp_path / "many.py"
    script.write_text(
        """\
import asyncio
async def one(number):
    await asyncio.sleep(number / 10)
    await asyncio.sleep(1)
async def main():
    await asyncio.gather(*map(one, range(1500)))
asyncio.run(main())
"""
    )
    found = document(script)
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    assert len(text.encode()) < 500 * len(found["steps"]) + 500_000
    for frame in found["keyframes"]:
        assert state_after(found, frame["step"] - 1) == frame["state"]


def test_the_command_prints_to_the_terminal():
    script = str(ROOT / "examples" / "gather.py")
    command = [sys.executable, "-m", "miniloop", "trace", "-o", "-", "--format", "json", script]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    VALIDATOR.validate(json.loads(ended.stdout))
