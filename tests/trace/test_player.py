"""The player in a browser: each way to step, hostile text, narrow screens, accessibility, speed.

Wants Playwright for Python, axe and an installed chromium; `--with player` demands all three.
"""

import hashlib
import json
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from miniloop.trace import player

from .browser import chromium
from .made import PROGRAM, Made, sleepers

MODULES = ("playwright", "axe_playwright_python")
in_a_browser = pytest.mark.wants("player", *MODULES)

BREAKFAST = [("tea", 2, 2.0), ("toast", 3, 1.0), ("eggs", 2, 1.5)]
LAST = 22  # the last step of BREAKFAST
WIDE = {"width": 1200, "height": 800}
NARROW = {"width": 390, "height": 844}
HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    "<!--<script>",
    "&lt;b&gt;",
    "'\"><svg onload=alert(4)>",
    "line\u2028and\u2029paragraph",
    "half a pair: \ud800",
]


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    # Ended with this file: as long as it runs, its own asyncio loop runs in this thread.
    with chromium(request.config) as browser:
        yield browser


def expect(locator: Any) -> Any:
    """Claims that wait, within reason, until they are true."""
    from playwright.sync_api import expect

    return expect(locator)


class Tab:
    """A page in the browser, and whatever went wrong or left it."""

    def __init__(self, browser: Any, path: Path, **settings: Any) -> None:
        self.page = browser.new_page(**settings)
        self.page.set_default_timeout(10_000)
        self.path = path
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.page.on("dialog", lambda dialog: (self.faults.append("dialog"), dialog.dismiss()))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda message: self.faults.append(message.text))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def load(self, html: str, fragment: str = "") -> Any:
        self.path.write_text(html, encoding="utf-8")
        self.page.goto("about:blank")  # or another fragment alone would not load it again
        self.page.goto(self.path.as_uri() + fragment)
        return self.page

    @property
    def step(self) -> int:
        place = self.page.locator("#place").inner_text()
        shown = int(re.fullmatch(r"Step (\d+) of \d+", place)[1])
        assert self.page.locator("#slider").input_value() == str(shown)
        return shown

    def everything(self) -> list[str]:
        """What every part of the page says, and the picture of the lanes."""
        texts = self.page.locator("#now, #program-code, .run, #place").all_inner_texts()
        return [*texts, self.page.locator("#lanes").inner_html()]

    def sideways(self) -> int:
        """How far the page itself can be scrolled to the right."""
        return self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )


@pytest.fixture
def open_tab(browser: Any, tmp_path: Path) -> Iterator[Any]:
    tabs: list[Tab] = []

    def opened(**settings: Any) -> Tab:
        tabs.append(Tab(browser, tmp_path / "player.html", **({"viewport": WIDE} | settings)))
        return tabs[-1]

    yield opened
    for tab in tabs:
        tab.page.close()
        assert tab.faults == []
        assert {url.partition("#")[0] for url in tab.requests} <= {tab.path.as_uri()}


@pytest.fixture
def tab(open_tab: Any) -> Tab:
    opened = open_tab()
    opened.load(player.page(sleepers(*BREAKFAST)))
    return opened


# -- without a browser ------------------------------------------------------------------------


def test_the_page_is_whole_and_holds_no_markup_of_the_trace() -> None:
    who = [(name, 1, 1.0) for name in HOSTILE]
    trace = sleepers(*who, printed=HOSTILE[1], script=HOSTILE[2], source=HOSTILE[1] + PROGRAM)
    html = player.page(trace)
    data = re.findall(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    assert [json.loads(each) for each in data] == [trace]
    assert not set("<\u2028\u2029") & set(data[0])
    assert html.isascii() or not set("\u2028\u2029") & set(html)
    title = re.search(r"<title>(.*?)</title>", html)[1]
    assert title.startswith("&lt;img src=x onerror=alert(3)&gt;")
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", html)


def test_the_policy_allows_this_code_and_nothing_else() -> None:
    html = player.page(sleepers(*BREAKFAST))
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', html)[1]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"

    def allowed(pattern: str) -> list[str]:
        found = re.findall(pattern, html, re.DOTALL)
        digests = [hashlib.sha256(text.encode()).digest() for text in found]
        return [f"'sha256-{b64encode(digest).decode()}'" for digest in digests]

    assert rules["script-src"].split() == allowed(r"<script>(.*?)</script>")
    assert rules["style-src"].split() == allowed(r"<style>(.*?)</style>")


def test_a_number_that_json_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        player.page(sleepers(("tea", 1, 1.0)) | {"when": float("inf")})


# -- stepping ---------------------------------------------------------------------------------

TICK_4 = 11  # the first step of tick 4 of BREAKFAST
TICK_5 = 15


@in_a_browser
def test_keys(tab: Tab) -> None:
    assert tab.step == 0
    for key, step in [
        ("ArrowLeft", 0),
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", LAST),
        ("ArrowRight", LAST),
        ("Home", 0),
        ("Shift+ArrowRight", 1),
        ("Shift+ArrowRight", 5),
        ("ArrowRight", 6),
        ("Shift+ArrowLeft", 5),
        ("Shift+ArrowLeft", 1),
        ("Shift+ArrowLeft", 0),
    ]:
        tab.page.keyboard.press(key)
        assert tab.step == step, key
    tab.page.locator("#slider").focus()  # which would move by itself as well
    tab.page.keyboard.press("ArrowRight")
    assert tab.step == 1
    tab.page.locator("#program-code").focus()
    tab.page.keyboard.press("Control+ArrowRight")  # the browser's own
    assert tab.step == 1


@in_a_browser
def test_keys_are_left_alone_in_text_fields(tab: Tab) -> None:
    for make in ["input", "textarea"]:
        tab.page.evaluate("name => { document.body.prepend(document.createElement(name)); }", make)
        tab.page.locator(make).first.focus()
        tab.page.keyboard.type("a b")
        for key in ["ArrowLeft", "Home", "End", "Shift+ArrowRight", "Space"]:
            tab.page.keyboard.press(key)
        assert tab.step == 0
        assert tab.page.locator("#play").get_attribute("aria-label") == "Play"


@in_a_browser
def test_buttons(tab: Tab) -> None:
    for name, step in [
        ("Next step", 1),
        ("Next step", 2),
        ("Previous step", 1),
        ("Next tick", 5),
        ("Next step", 6),
        ("Previous tick", 5),
        ("Last step", LAST),
        ("First step", 0),
    ]:
        tab.page.get_by_role("button", name=name).click()
        assert tab.step == step, name


@in_a_browser
def test_play_and_pause(tab: Tab) -> None:
    tab.page.clock.install(time=0)
    tab.page.clock.pause_at(1)  # from here on time goes only where the test tells it to
    status = tab.page.get_by_role("status")
    assert status.get_attribute("aria-live") == "polite"
    tab.page.keyboard.press("Space")
    for _ in range(3):
        tab.page.clock.run_for(1000)
    assert tab.step == 3
    assert status.get_attribute("aria-live") == "off"  # a screen reader is not talked over
    tab.page.get_by_role("button", name="Pause").click()
    assert status.get_attribute("aria-live") == "polite"
    tab.page.clock.run_for(5000)
    assert tab.step == 3
    tab.page.get_by_role("button", name="Play").click()
    tab.page.clock.run_for(60_000)
    assert tab.step == LAST
    assert tab.page.get_by_role("button", name="Play").is_visible()  # it has stopped by itself


@in_a_browser
def test_slider(tab: Tab) -> None:
    tab.page.locator("#slider").fill("9")
    assert tab.step == 9
    box = tab.page.locator("#slider").bounding_box()
    tab.page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert tab.step == LAST
    assert tab.page.locator("#slider").get_attribute("aria-valuetext").endswith("tick 6")


@in_a_browser
def test_lanes_are_a_scrubber(tab: Tab) -> None:
    box = tab.page.locator("#lanes").bounding_box()
    y = box["y"] + 30
    tab.page.mouse.move(box["x"] + box["width"] - 200, y)
    tab.page.mouse.down()
    there = tab.step
    assert 0 < there < LAST
    tab.page.mouse.move(box["x"] + box["width"] - 500, y)
    assert 0 < tab.step < there
    tab.page.mouse.up()
    tab.page.mouse.move(box["x"] + 300, y)
    assert tab.step < there
    before = tab.step
    tab.page.mouse.move(box["x"] + 500, y)  # without the button: nothing
    assert tab.step == before
    # The cursor stands where the step is, and covers no lane: it lies beneath them.
    cursor = tab.page.locator("#lanes .cursor")
    assert cursor.evaluate("node => node === node.parentNode.firstChild")


@in_a_browser
@pytest.mark.parametrize(
    ("fragment", "step"), [("#step=15", 15), ("#step=9999", LAST), ("#step=x", 0), ("", 0)]
)
def test_deep_link(open_tab: Any, fragment: str, step: int) -> None:
    opened = open_tab()
    page = opened.load(player.page(sleepers(*BREAKFAST)), fragment)
    assert opened.step == step
    page.evaluate("location.hash = '#step=3'")
    expect(page.locator("#place")).to_have_text(f"Step 3 of {LAST}")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**#step=4")  # what a reader copies is the step that they see


@in_a_browser
def test_back_shows_what_forward_showed(tab: Tab) -> None:
    seen = [tab.everything()]
    while tab.step < LAST:
        tab.page.keyboard.press("ArrowRight")
        seen.append(tab.everything())
    assert len(seen) == len({str(each) for each in seen}) == LAST + 1
    for step in reversed(range(LAST)):
        tab.page.keyboard.press("ArrowLeft")
        assert tab.everything() == seen[step]


@in_a_browser
def test_the_changes_lead_to_the_keyframes(tab: Tab) -> None:
    """From the keyframe before each one, as if it were not there."""
    states = "step => main.after(step)"
    keyframes = sleepers(*BREAKFAST)["keyframes"]
    assert len(keyframes) > 5
    for keyframe in keyframes[1:]:
        assert tab.page.evaluate(states, keyframe["step"] - 1) == keyframe["state"]


# -- what a step shows ------------------------------------------------------------------------


@in_a_browser
def test_panes(open_tab: Any) -> None:
    opened = open_tab()
    page = opened.load(player.page(sleepers(*BREAKFAST)), f"#step={TICK_4 + 1}")

    def lines(selector: str) -> list[str]:
        return page.locator(selector).all_inner_texts()

    assert lines("#sentence span") == ["2 due timers move to the ready queue."]
    assert lines("#phases [aria-current]") == ["due timers"]
    assert lines(".ready .entry > span:nth-child(2)") == [
        "sleep is over: wakes tea",
        "sleep is over: wakes toast",
    ]
    assert lines(".timers .entry > span:nth-child(2)") == ["3.000 s sleep(1.5) of eggs"]
    page.keyboard.press("ArrowRight")
    assert lines("#phases [aria-current]") == ["run the batch 1/2"]
    assert [line.split() for line in lines(".tasks tbody tr")] == [
        ["tea", "running", "line", "6", "then", "waits", "for", "sleep(2.0)"],
        ["toast", "waiting", "line", "6", "sleep(1.0)"],
        ["eggs", "waiting", "line", "6", "sleep(1.5)"],
    ]
    assert lines(".output li.new") == ["tea\nawake"]
    assert lines("#program-code [aria-current] .number") == ["6"]
    assert lines("#program-code [aria-current] .tag") == ["tea", "toast", "eggs"]
    assert page.locator("#lanes .arrow").count() == 2  # from its cause, and to its effect


@in_a_browser
def test_the_dashed_line_stands_behind_the_batch(tab: Tab) -> None:
    made = Made()
    for name in ["a", "b", "late"]:
        cause = {"kind": "call_soon", "step": 0 if name < "c" else 2}
        made.entry(label=name, why="", cause=cause, kind="callback")
    made.step("outside", "The program calls call_soon() twice.", {"push": [0, 1]})
    made.tick = 1
    made.step("wait", "The loop looks.", {"batch": 2})
    made.step("run", "It runs a, which calls call_soon().", {"pop": 1, "push": [2]}, entry=0)
    made.step("run", "It runs b.", {"pop": 1}, entry=1)
    made.tick = 2
    made.step("wait", "The loop looks.", {"batch": 1})
    made.step("run", "It runs late.", {"pop": 1}, entry=2)
    tab.load(player.page(made.trace))
    border = "the next tick begins here"
    seen = []
    for _ in made.trace["steps"]:
        names = tab.page.locator(".ready .border, .ready .entry > span:nth-child(2)")
        seen.append(names.all_inner_texts())
        tab.page.keyboard.press("ArrowRight")
    assert seen == [
        [border, "a", "b"],
        ["a", "b", border],
        ["b", border, "late"],
        [border, "late"],
        ["late", border],
        [],
    ]


@in_a_browser
def test_an_entry_tells_who_put_it_there(open_tab: Any) -> None:
    opened = open_tab()
    page = opened.load(player.page(sleepers(*BREAKFAST)), f"#step={TICK_5 + 1}")
    page.locator(".ready .entry", has_text="wakes toast").click()
    why = page.get_by_role("dialog")
    assert why.locator("h2").inner_text() == "sleep is over: wakes toast"
    chain = why.locator("li").all_inner_texts()
    assert chain[0] == "its sleep(1.0), line 6, was due"
    assert chain[-1].split("\n") == ["Step 0", "The program starts."]
    steps = [int(link.split("\n")[0].split()[1]) for link in chain[1:]]
    assert steps == sorted(steps, reverse=True)
    assert len(steps) == 4  # two sleeps, the start of toast, the start of the program
    why.get_by_role("button", name=f"Step {steps[0]}", exact=True).click()
    assert opened.step == steps[0]
    assert page.locator(".running .tag").inner_text() == "toast"
    page.keyboard.press("Escape")
    assert not why.is_visible()


@in_a_browser
def test_a_step_tells_why_it_runs(open_tab: Any) -> None:
    trace = sleepers(*BREAKFAST)
    trace["steps"][13] |= {"kind": "eager", "cause": {"kind": "create_task", "step": 7}}
    del trace["steps"][13]["entry"]
    opened = open_tab()
    page = opened.load(player.page(trace), "#step=14")
    title = page.get_by_role("dialog").locator("h2")
    page.get_by_role("button", name="Why?").click()
    assert title.inner_text() == "sleep is over: wakes toast"
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="Why?").click()
    assert title.inner_text() == "tea goes on: its sleep was over."
    assert page.locator("#why-chain button").first.inner_text() == "Step 7"
    page.keyboard.press("ArrowLeft")  # due timers: nobody's doing
    assert page.get_by_role("button", name="Why?").count() == 0


@in_a_browser
def test_the_loops_own_source(tab: Tab) -> None:
    source = tab.page.locator("#loop-code")
    assert not source.is_visible()
    tab.page.get_by_label("The loop's own source").check()
    for line in ["101", "103"]:  # it waits, it runs
        tab.page.keyboard.press("ArrowRight")
        assert source.locator("[aria-current] .number").inner_text() == line


@in_a_browser
def test_two_runs_step_together_and_the_first_difference_is_marked(open_tab: Any) -> None:
    opened = open_tab()
    one = sleepers(*BREAKFAST)
    other = sleepers(*BREAKFAST[:2], ("eggs", 2, 1.25)) | {"loop": "asyncio"}
    page = opened.load(player.page(one, other))
    assert page.locator(".run > h2").all_inner_texts() == [
        "On miniloop: 23 steps, 6 ticks",
        "On asyncio: 25 steps, 7 ticks",
    ]
    page.get_by_role("button", name="First difference").click()
    assert opened.step == 8  # the loop waits for eggs: 0.5 s on one side, 0.25 s on the other
    assert "differ for the first time" in page.get_by_role("status").inner_text()
    page.keyboard.press("End")
    assert page.locator(".run .running .what").all_inner_texts() == [
        "Nothing: the run has ended",
        "Nothing: the run has ended",
    ]
    opened.load(player.page(one, one | {"loop": "asyncio"}))
    assert not page.get_by_role("button", name="First difference").is_visible()
    assert page.locator("#about").inner_text().endswith(", their schedules are equal")


EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


@in_a_browser
@pytest.mark.long
@pytest.mark.parametrize("script", EXAMPLES, ids=lambda script: script.stem)
def test_examples_play_from_end_to_end(open_tab: Any, script: Path, tmp_path: Path) -> None:
    out = tmp_path / "both.html"
    command = [sys.executable, "-m", "miniloop", "trace", str(script), "--compare", "-o", str(out)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    page = open_tab().load(out.read_text(encoding="utf-8"))
    said = page.evaluate("""() => {
        const stride = Math.ceil(list.length / 200);  // a long trace is looked at here and there
        return list.keys().filter(moment => moment % stride === 0).map(moment => {
            go(moment);
            return document.body.innerText;
        }).toArray();
    }""")
    assert len(set(said)) == len(said) > 10
    holes = [re.search(r".*\b(undefined|NaN|null|\[object).*", text) for text in said]
    assert [hole[0] for hole in holes if hole] == []
    assert page.locator("#about").inner_text().endswith("their schedules are equal")


# -- where it is shown ------------------------------------------------------------------------


@in_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(open_tab: Any, scheme: str) -> None:
    page = open_tab(color_scheme=scheme).load(player.page(sleepers(*BREAKFAST)))
    colours = page.evaluate(
        "['backgroundColor', 'color'].map(name => getComputedStyle(document.body)[name])"
    )
    paper, ink = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours)
    assert (paper > 600 and ink < 200) if scheme == "light" else (paper < 200 and ink > 600)


@in_a_browser
def test_narrow_screens_do_not_scroll_sideways(open_tab: Any) -> None:
    opened = open_tab(viewport=NARROW)
    names = ["a_rather_long_name_without_a_single_space_in_it" * 3, *"abcdefgh"]
    trace = sleepers(*[(name, 2, 1.0) for name in names], printed="x" * 500)
    trace["files"][0]["source"] += "# " + "wide " * 100
    page = opened.load(player.page(trace))
    for step in range(0, len(trace["steps"]), 5):
        page.locator("#slider").fill(str(step))
        assert opened.sideways() == 0
        assert page.locator("#program-code").bounding_box()["height"] <= NARROW["height"] / 3
    page.locator(".entry").first.click()
    assert opened.sideways() == 0
    page.evaluate("scrollTo(0, 400)")  # the sentence and the buttons stay
    assert page.locator("#sentence").bounding_box()["y"] >= 0
    transport = page.locator("#transport").bounding_box()
    assert transport["y"] + transport["height"] == NARROW["height"]


@in_a_browser
def test_in_a_frame_of_the_docs(open_tab: Any, tmp_path: Path) -> None:
    inner = tmp_path / "inner.html"
    inner.write_text(player.page(sleepers(*BREAKFAST)), encoding="utf-8")
    opened = open_tab()
    page = opened.load('<iframe src="inner.html" width="736" height="480"></iframe>')
    opened.requests.remove(inner.as_uri())
    frame = page.frames[1]
    assert frame.evaluate("innerWidth") == 736
    for part in ["#sentence", "#transport", "#program-code", ".ready"]:
        box = frame.evaluate(
            "part => { const box = document.querySelector(part).getBoundingClientRect();"
            " return [box.left, box.top, box.right, box.bottom]; }",
            part,
        )
        assert box[0] >= 0
        assert box[1] >= 0
        assert box[2] <= 736
        assert box[3] <= 480
        assert box[3] - box[1] > 20
    frame.get_by_role("button", name="Next tick").click()
    full = frame.get_by_role("link", name="Open full size")
    expect(full).to_have_attribute("href", f"{inner.as_uri()}#step=1")
    with page.expect_popup() as popup:
        full.click()
    assert popup.value.locator("#place").inner_text() == f"Step 1 of {LAST}"
    assert not popup.value.locator("#full-size").is_visible()
    popup.value.close()


@in_a_browser
@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_reduced_motion(open_tab: Any, motion: str) -> None:
    page = open_tab(reduced_motion=motion).load(player.page(sleepers(*BREAKFAST)))
    moving = page.evaluate(
        "[...document.querySelectorAll('*')].filter(node => "
        "parseFloat(getComputedStyle(node).transitionDuration) > 0).length"
    )
    assert (moving == 0) is (motion == "reduce")


@in_a_browser
def test_output_stands_in_the_order_in_which_it_came(open_tab: Any) -> None:
    trace = sleepers(("tea", 1, 1.0), printed="tea is ready")
    step = trace["output"][0]["step"]
    trace["reports"] = [{"step": step, "text": "first"}, {"step": step, "text": "last"}]
    trace["steps"][step]["did"] = ["report", "set", "print", "report"]
    opened = open_tab()
    page = opened.load(player.page(trace))
    printed = page.evaluate("main.printed.map(({ text }) => text)")
    assert printed == ["The loop reports: first", "tea is ready", "The loop reports: last"]


# -- hostile text -----------------------------------------------------------------------------


@in_a_browser
def test_hostile_text_stays_text(open_tab: Any) -> None:
    opened = open_tab()
    source = "\n".join(f"# {text}" for text in HOSTILE[:-2])
    for hostile in HOSTILE[:-1]:  # the browser shows half a pair as a sign of its own
        trace = sleepers((hostile, 1, 1.0), printed=hostile, script=hostile, source=source)
        trace["reports"] = [{"step": 1, "text": hostile}]
        trace["tasks"][0]["value"] = hostile
        trace["machine"]["files"][0]["name"] = hostile
        trace["end"] = {"kind": "deadlock", "say": hostile, "ring": [[0]]}
        trace["end"]["waiting"] = [{"task": 0, "for": hostile}]
        for entry in trace["entries"]:
            entry |= {"label": hostile, "why": hostile, "heap_label": hostile}
        for step in trace["steps"]:
            step |= {"say": hostile, "throws": hostile}
        page = opened.load(player.page(trace, trace | {"loop": hostile}))
        page.get_by_label("The loop's own source").check()
        for _ in trace["steps"]:
            for entry in page.locator(".entry").all():
                entry.click()
            page.keyboard.press("ArrowRight")
        for part in ["h1", "#sentence", ".output", ".tasks", ".running", "#loop-code"]:
            assert hostile in page.locator(part).first.text_content(), part
        assert page.locator("main img, main script, #sentence *:not(span)").count() == 0


@in_a_browser
def test_the_policy_holds(open_tab: Any) -> None:
    opened = open_tab()
    page = opened.load(player.page(sleepers(*BREAKFAST)))
    failed: list[Any] = []
    page.on("requestfailed", lambda request: failed.append(request))
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.stranger = true";
        const picture = document.createElement("img");
        picture.src = "https://example.invalid/picture.png";
        document.body.append(script, picture);
    }""")
    page.wait_for_timeout(100)
    assert page.evaluate("window.stranger") is None
    assert len(opened.faults) == 2
    assert all("Content Security Policy" in fault for fault in opened.faults)
    assert [request.failure for request in failed] == ["csp"]  # it has left for nowhere
    opened.faults.clear()
    opened.requests.remove(failed[0].url)


# -- accessibility ----------------------------------------------------------------------------


@in_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_no_serious_fault(open_tab: Any, viewport: Any, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    opened = open_tab(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    many = sleepers(*[(f"task {n}", 2, 1.0 + n / 4) for n in range(20)])
    many["entries"][25]["cancelled"] = 3
    one = player.page(sleepers(*BREAKFAST))
    two = player.page(sleepers(*BREAKFAST), many)
    axe = Axe()
    for html, step in [(one, 0), (one, TICK_4 + 2), (one, LAST), (two, 40)]:
        page = opened.load(html, f"#step={step}")
        page.get_by_label("The loop's own source").check()
        if page.locator(".entry").count():
            page.locator(".entry").first.click()
        # axe calls text that another element may cover "incomplete", never a violation.
        found = axe.run(page).response["violations"]
        serious = [each for each in found if each["impact"] in {"serious", "critical"}]
        said = [(each["id"], [node["html"] for node in each["nodes"]]) for each in serious]
        assert said == []


# -- speed ------------------------------------------------------------------------------------


@in_a_browser
def test_ten_thousand_steps(open_tab: Any) -> None:
    opened = open_tab()
    trace = sleepers(*[(f"worker {n}", 70, 1 + n / 100) for n in range(60)])
    assert len(trace["steps"]) > 10_000
    opened.load(player.page(trace))  # `python -m tests.trace.loading` measures how long that takes
    page = opened.page
    page.evaluate("() => go(5000)")
    assert opened.step == 5000
    page.keyboard.press("End")
    assert opened.step == len(trace["steps"]) - 1
