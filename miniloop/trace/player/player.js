"use strict";
// Puts the page together and lets a reader step: buttons, keys, slider, lanes and links end in go().

const $ = (id) => document.getElementById(id);
const PACE = 900; // milliseconds for a step while it plays

const runs = [...document.querySelectorAll("script[type='application/json']")]
  .map((node) => new Run(JSON.parse(node.textContent)));
const main = runs[0]; // whose program is shown
const { list, starts } = moments(runs);
const last = list.length - 1;
const difference = firstDifference(runs, list);
const listens = runs.some((run) => run.steps.some(({ kind }) => kind === "descriptors"));
let now = 0;
let timer = null; // while it plays

// -- building the page ----------------------------------------------------------------------

const loopOf = ({ loop, miniloop, python }) =>
  (loop === "miniloop" ? `miniloop ${miniloop}` : `${loop} of Python ${python}`);
const lengthOf = ({ steps }) => `${steps.length} steps, ${steps.at(-1).tick} ticks`;
const about = [runs.map((run) => loopOf(run.trace)).join(" and "), `${main.trace.clock} time`];
if (runs.length === 1) about.push(lengthOf(main));
else if (difference < 0) about.push("their schedules are equal");

$("title").textContent = main.trace.script;
$("about").textContent = about.join(", ");
$("program-title").textContent = `Program: ${main.trace.files[0].name}`;
$("stage").classList.toggle("two", runs.length > 1);
$("slider").max = last;
$("difference").hidden = difference < 0;
$("difference").onclick = () => go(difference);
$("full-size").hidden = window.top === window || location.protocol === "about:";

const { machine } = main.trace;
const program = new Source($("program-code"), main.trace.files);
const loopSource = new Source($("loop-code"), machine.files);
$("loop-switch").hidden = !machine.files.length;
$("show-loop").onchange = () => { $("loop-code").hidden = !$("show-loop").checked; go(now); };

const panes = runs.map((run) => {
  const title = runs.length > 1 ? el("h2", {}, `On ${run.trace.loop}: ${lengthOf(run)}`) : null;
  const node = $("stage").appendChild(el("div", { class: "run" }, title));
  return new Panes(run, node, (entry) => showWhy(run, entry));
});
const lanes = new Lanes($("lanes"), runs, list, starts, difference, go);

// -- going to a moment ----------------------------------------------------------------------

function go(moment) {
  now = Math.max(0, Math.min(last, moment));
  const steps = list[now].map((n, side) => runs[side].steps[n]);
  const states = panes.map((pane, side) => pane.draw(list[now][side]));
  drawSentence(steps);
  drawPhases(steps[0], states[0]);
  drawSource(steps[0], states[0]);
  lanes.draw(now);
  $("place").textContent = `Step ${now} of ${last}`;
  $("slider").value = now;
  $("slider").setAttribute("aria-valuetext", `${$("place").textContent}, tick ${steps[0].tick}`);
  // What asks the browser where things lie comes last: so it lays the page out once a step.
  program.show();
  loopSource.show();
  lanes.show(now);
  remember();
}

function drawSentence(steps) {
  const said = steps.map(({ say }, side) => `On ${runs[side].trace.loop}: ${say}`);
  const words = steps.every(({ say }) => say === steps[0].say) ? [steps[0].say] : said;
  if (now === difference) words.push("Here the two loops differ for the first time.");
  $("sentence").setAttribute("aria-live", timer === null ? "polite" : "off");
  $("sentence").replaceChildren(...words.map((text) => el("span", {}, text)));
}

// Which part of the tick this is, and how far the batch has come.
function drawPhases({ kind, tick, time }, { batch }) {
  const phases = { wait: "wait", descriptors: "descriptors", due: "due timers", run: "run the batch" };
  if (!listens) delete phases.descriptors;
  const phase = kind === "eager" || kind === "back" ? "run" : kind; // these two lie within a step
  const soFar = main.steps.slice(main.ticks[tick].first, list[now][0] + 1);
  const ran = soFar.filter((step) => step.kind === "run").length;
  if (phase === "run") phases.run += ` ${ran}/${ran + batch}`;
  $("phases").replaceChildren(el("li", {}, `Tick ${tick}, ${seconds(time)}`),
    ...Object.entries(phases).map(([name, words]) =>
      el("li", name === phase ? { "aria-current": "step" } : {}, words)));
}

function drawSource(step, state) {
  const places = { ...state.tasks };
  if (step.line && step.task != null) places[step.task] = { ...step, state: "running" };
  const tags = Object.keys(places).map(Number)
    .sort((one, other) => (other === step.task) - (one === step.task)) // the one in hand first
    .map((task) => [places[task], tag(main, task, places[task].state)]);
  const seen = main.steps.slice(0, list[now][0] + 1).findLast(({ line }) => line) ?? step;
  program.mark(step, tags, seen);
  // Where tasks are written in C and have no source, the line of the tick is at work.
  const [file, line] = machine.at[step.at] ?? machine.at[step.kind] ?? [];
  if (machine.files.length) loopSource.mark({ file, line });
}

// The address names the step, so that it can be sent to others. Browsers allow few such changes a
// second, and none in some frames.
let remembering = null;
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    try { history.replaceState(null, "", `#step=${now}`); } catch { /* a frame that may not */ }
    $("full-size").href = location.href;
  }, 200);
}

function goToAddress() {
  const named = /^#step=(\d+)$/.exec(location.hash);
  go(named ? Number(named[1]) : now);
}
addEventListener("hashchange", goToAddress);

// -- moving ---------------------------------------------------------------------------------

// A button each: its id and icon, its name, its key, and what it does.
const moves = [
  ["first", "First step", "Home", () => go(0)],
  ["tick-back", "Previous tick", "Shift+ArrowLeft", () => go(starts.findLast((start) => start < now) ?? 0)],
  ["back", "Previous step", "ArrowLeft", () => go(now - 1)],
  ["play", "Play", " ", () => play(timer === null)],
  ["forward", "Next step", "ArrowRight", () => go(now + 1)],
  ["tick-forward", "Next tick", "Shift+ArrowRight", () => go(starts.find((start) => start > now) ?? last)],
  ["last", "Last step", "End", () => go(last)],
];
for (const [id, name, key, move] of moves) {
  const title = `${name} (${key === " " ? "Space" : key.replace("Arrow", "")})`;
  const onclick = () => { if (id !== "play") stop(); move(); };
  $("buttons").append(el("button", { id, title, "aria-label": name, onclick }, icon(id)));
}

function stop() { if (timer !== null) play(false); }

function play(on) {
  clearInterval(timer);
  timer = on ? setInterval(() => (now < last ? go(now + 1) : stop()), PACE) : null;
  $("play").replaceChildren(icon(on ? "pause" : "play"));
  $("play").setAttribute("aria-label", on ? "Pause" : "Play");
  go(on && now === last ? 0 : now); // says the sentence that was silent
}

$("slider").oninput = () => { stop(); go($("slider").valueAsNumber); };
addEventListener("keydown", (event) => {
  if (event.key === "Escape") $("why").close();
  const pressed = (event.shiftKey ? "Shift+" : "") + event.key;
  const [id] = moves.find(([, , key]) => key === pressed) ?? [];
  const typing = "input:not([type=range], [type=checkbox]), textarea, select, [contenteditable]";
  const takesSpace = "button, a, input";
  if (!id || event.target.closest(typing) || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === " " && event.target.closest(takesSpace)) return;
  event.preventDefault(); // the slider must not move as well
  $(id).click();
});

// -- who put it there -----------------------------------------------------------------------

function showWhy(run, { label, why, cause }) {
  const side = runs.indexOf(run);
  const links = run.chain(cause).slice(0, MOST).map(({ step }) => {
    const there = list.findIndex((moment) => moment[side] === step);
    return el("li", {}, el("button", { onclick: () => go(there) }, `Step ${there}`),
      el("span", {}, run.steps[step].say));
  });
  if (why) links.unshift(el("li", {}, el("span", {}, why)));
  $("why-title").textContent = label;
  $("why-chain").replaceChildren(...links);
  $("why").show();
}
$("why-close").onclick = () => $("why").close();

goToAddress();
