"use strict";
// Puts the page together and lets a reader step: buttons, keys, slider, lanes and links all end in go().

const $ = (id) => document.getElementById(id);
const PACE = 900; // milliseconds for a step while it plays

const runs = [...document.querySelectorAll("script[type='application/json']")]
  .map((node) => new Run(JSON.parse(node.textContent)));
const list = moments(runs);
const difference = firstDifference(runs, list);
const main = runs[0]; // whose program is shown
let now = 0;
let timer = null;

// -- building the page ----------------------------------------------------------------------

function describeLoop({ trace }) {
  return `${trace.loop} ${trace.loop === "miniloop" ? trace.miniloop : `of Python ${trace.python}`}`;
}
const length = ({ trace }) => `${trace.steps.length} steps, ${trace.steps.at(-1).tick} ticks`;
const about = [runs.map(describeLoop).join(" and "), `${main.trace.clock} time`];
if (runs.length === 1) about.push(length(main));
else if (difference < 0) about.push("their schedules are equal");

$("title").textContent = main.trace.script;
$("about").textContent = about.join(", ");
$("program-title").textContent = `Program: ${main.trace.files[0].name}`;
$("stage").classList.toggle("two", runs.length > 1);
$("slider").max = list.length - 1;

const program = new Code($("program-code"), main.trace.files, false);
const machine = main.trace.machine;
const loopCode = machine?.files.length ? new Code($("loop-code"), machine.files, true) : null;
$("loop-switch").hidden = !loopCode;
$("show-loop").onchange = () => { $("loop-code").hidden = !$("show-loop").checked; go(now); };

const panes = runs.map((run) => {
  const node = $("run-template").content.cloneNode(true).firstElementChild;
  if (runs.length > 1) {
    node.firstElementChild.hidden = false;
    node.firstElementChild.textContent = `On ${run.trace.loop}: ${length(run)}`;
  }
  $("stage").append(node);
  return new Panes(run, node, (asked) => showWhy(run, asked));
});
const lanes = new Lanes($("lanes"), runs, list, difference, go);
const chips = [["wait", "wait"], ["descriptors", "descriptors"], ["due", "due timers"], ["run", "run the batch"]]
  .filter(([kind]) => kind !== "descriptors" || runs.some((run) => run.steps.some((step) => step.kind === kind)));
$("phases").classList.toggle("many", chips.length > 3);

// -- going to a moment ----------------------------------------------------------------------

function go(moment) {
  now = Math.max(0, Math.min(list.length - 1, moment));
  const steps = list[now].map((n, side) => runs[side].steps[n]);
  const states = panes.map((pane, side) => pane.draw(list[now][side]));
  drawSentence(steps);
  drawPhases(steps[0], states[0]);
  drawProgram(steps[0], states[0]);
  if (loopCode && !$("loop-code").hidden) {
    const { at, kind } = steps[0]; // tasks written in C have no source: then the tick's line is it
    const [file, line] = machine.at[at] ?? machine.at[kind] ?? [];
    loopCode.mark({ file, line });
  }
  lanes.draw(now);
  const place = `Step ${now} of ${list.length - 1}`;
  $("slider").value = now;
  $("slider").setAttribute("aria-valuetext", `${place}, tick ${steps[0].tick}`);
  $("place").textContent = place;
  // What asks the browser where things lie comes last: so it lays the page out once a step.
  program.show();
  loopCode?.show();
  lanes.show();
  remember();
}

function drawSentence(steps) {
  const said = steps.map((step) => step.say);
  const equal = said.every((words) => words === said[0]);
  const words = equal ? [said[0]] : said.map((text, side) => `On ${runs[side].trace.loop}: ${text}`);
  if (now === difference) words.push("Here the two loops differ for the first time.");
  $("sentence").setAttribute("aria-live", timer === null ? "polite" : "off");
  $("sentence").replaceChildren(...words.map((text) => el("span", {}, text)));
}

// Which part of the tick this is, and how far the batch has come.
function drawPhases(step, state) {
  const run = main;
  const inside = { eager: "run", back: "run" }[step.kind] ?? step.kind;
  let first = list[now][0];
  let ran = 0;
  for (; first >= 0 && run.steps[first].tick === step.tick; first--) ran += run.steps[first].kind === "run";
  $("phases").replaceChildren(el("li", {}, `Tick ${step.tick}, ${seconds(step.time)}`),
    ...chips.map(([kind, words]) => {
      const count = kind === "run" && inside === "run" ? ` ${ran}/${ran + state.batch}` : "";
      return el("li", kind === inside ? { "aria-current": "step" } : {}, words + count);
    }));
}

function drawProgram(step, state) {
  const standing = [...state.tasks].map(([task, view]) =>
    (task === step.task && step.line ? [task, step, "running"] : [task, view, view.state]));
  if (step.task != null && !state.tasks.has(step.task)) standing.push([step.task, step, "running"]);
  standing.sort(([one], [other]) => (other === step.task) - (one === step.task)); // the one in hand first
  const view = state.tasks.get(step.task);
  let seen = list[now][0];
  while (seen > 0 && !main.steps[seen].line) seen--;
  program.mark(step, view ? [view] : [], standing.map(([task, at, word]) => ({ at, task, word })), main,
    main.steps[seen]);
}

// The address names the step, so that it can be sent to others. Browsers allow few such changes a
// second, and none in some frames.
let remembering = 0;
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    try { history.replaceState(null, "", `#step=${now}`); } catch { /* a frame that may not */ }
    $("full-size").href = location.href;
  }, 200);
}

function fromAddress() {
  const named = /^#step=(\d+)$/.exec(location.hash);
  if (named) go(Number(named[1]));
  return Boolean(named);
}

// -- moving ---------------------------------------------------------------------------------

function tickOf(moment) { return Math.max(...list[moment].map((n, side) => runs[side].steps[n].tick)); }

function tickForward() {
  let moment = now;
  while (moment < list.length - 1 && tickOf(moment) === tickOf(now)) moment++;
  go(moment);
}

// To the first step of this tick; from there to that of the tick before.
function tickBack() {
  let moment = Math.max(0, now - 1);
  while (moment > 0 && tickOf(moment - 1) === tickOf(moment)) moment--;
  go(moment);
}

function play(on) {
  clearInterval(timer);
  timer = null;
  if (on && now === list.length - 1) go(0);
  if (on) timer = setInterval(() => { if (now < list.length - 1) go(now + 1); else play(false); }, PACE);
  $("play").firstElementChild.firstElementChild.setAttribute("href", on ? "#icon-pause" : "#icon-play");
  $("play").setAttribute("aria-label", on ? "Pause" : "Play");
  if (!on) go(now); // says the sentence that was silent
}

const moves = {
  first: () => go(0), "tick-back": tickBack, back: () => go(now - 1), play: () => play(timer === null),
  forward: () => go(now + 1), "tick-forward": tickForward, last: () => go(list.length - 1),
};
const keys = {
  ArrowLeft: "back", ArrowRight: "forward", "Shift+ArrowLeft": "tick-back", "Shift+ArrowRight": "tick-forward",
  Home: "first", End: "last", " ": "play",
};

function move(name) {
  if (name !== "play" && timer !== null) play(false);
  moves[name]();
}

for (const name of Object.keys(moves)) $(name).onclick = () => move(name);
$("slider").oninput = () => { if (timer !== null) play(false); go($("slider").valueAsNumber); };
addEventListener("keydown", (event) => {
  const name = keys[(event.shiftKey ? "Shift+" : "") + event.key];
  const there = event.target.closest("input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]");
  const presses = event.key === " " && event.target.closest("button, a, input"); // a space is theirs
  if (!name || there || presses || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault(); // the slider must not move as well
  move(name);
});
addEventListener("hashchange", fromAddress);
addEventListener("resize", () => { lanes.measure(); lanes.draw(now); });

// -- who put it there -----------------------------------------------------------------------

function showWhy(run, { label, why, cause }) {
  const side = runs.indexOf(run);
  const link = ({ step }) => {
    const there = list.findIndex((moment) => moment[side] === step);
    const button = el("button", { onclick: () => go(there) }, `Step ${there}`);
    return el("li", {}, button, el("span", {}, run.steps[step].say));
  };
  $("why-title").textContent = label;
  $("why-chain").replaceChildren(...(why ? [el("li", {}, el("span", {}, why))] : []),
    ...run.chain(cause).slice(0, MOST).map(link));
  $("why").show();
}
$("why-close").onclick = () => $("why").close();
addEventListener("keydown", (event) => { if (event.key === "Escape") $("why").close(); });

// -- start ----------------------------------------------------------------------------------

if (window.top !== window) $("full-size").hidden = location.protocol === "about:";
$("difference").hidden = difference < 0;
$("difference").onclick = () => go(difference);
if (!fromAddress()) go(0);
