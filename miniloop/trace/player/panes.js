"use strict";
// Draws the panes. Whatever comes out of a trace (names, values, printed text, source) goes into the
// page as a text node, never as markup: a task may be called "<script>".

const MOST = 40; // so many items of a list are drawn; the rest is counted
const TAGS = 3; // so many tasks are named on one line of the program

// Make an element. Children that are strings become text nodes.
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") node.onclick = value; else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const icon = (name) => svg("svg", { "aria-hidden": "true" }, svg("use", { href: `#icon-${name}` }));

// Neighbouring numbers get tints far apart: each turns the colour circle by the golden angle.
function tint(node, task) {
  node.style.setProperty("--hue", Math.round(task * 137.5 + 210) % 360);
  node.style.setProperty("--much", "70%");
  return node;
}

function tag(run, task, state) {
  const name = run.tasks[task].name;
  const words = state ? `${name}, ${state}` : name;
  return tint(el("span", { class: "tag", title: words }, state && icon(state), el("span", {}, name)), task);
}

const seconds = (time) => `${time.toFixed(3)} s`;
const lineIn = (run, at) =>
  at?.line == null ? "" : (at.file ? `${run.trace.files[at.file].name}, line ` : "line ") + at.line;
const sourceLine = (run, at) =>
  at.line == null ? "" : (run.trace.files[at.file ?? 0].source.split("\n")[at.line - 1] ?? "").trim();

// -- source ---------------------------------------------------------------------------------

const PYTHON = new RegExp([
  "(?<string>[rbfuRBFU]{0,2}(?:\"\"\"[^]*?\"\"\"|'''[^]*?'''|\"(?:\\\\.|[^\"\\\\\n])*\"|'(?:\\\\.|[^'\\\\\n])*'))",
  "(?<comment>#[^\n]*)",
  "(?<word>\\b(?:and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|"
    + "global|if|import|in|is|lambda|match|nonlocal|not|or|pass|raise|return|try|while|with|yield"
    + "|None|True|False)\\b)"].join("|"), "g");

// The lines of a source as elements, by their number. `first` is the number of the first.
function sourceLines(source, first = 1) {
  const rows = [];
  let text;
  const newRow = () => {
    text = el("span");
    const number = String(first + rows.length);
    rows.push(el("div", { class: "line" }, el("span", { class: "number" }, number), text,
      el("span", { class: "tags" })));
  };
  const write = (words, mark) => words.split("\n").forEach((part, n) => {
    if (n > 0) newRow();
    if (part) text.append(mark ? el(mark, {}, part) : part);
  });
  newRow();
  let done = 0;
  for (const found of source.matchAll(PYTHON)) {
    write(source.slice(done, found.index));
    write(found[0], found.groups.string ? "i" : found.groups.comment ? "em" : "b");
    done = found.index + found[0].length;
  }
  write(source.slice(done));
  return rows;
}

// Source of several files in one box that scrolls.
class Code {
  constructor(box, files, together) {
    this.box = box;
    this.rows = files.map(({ source, first }) => sourceLines(source.replace(/\n$/, ""), first));
    this.inner = files.map(({ name, first = 1 }, n) => ({ name, first,
      node: el("div", { class: "inner" }, (together || n) ? el("div", { class: "file" }, name) : null,
        ...this.rows[n]) }));
    box.replaceChildren(...(together ? this.inner : this.inner.slice(0, 1)).map(({ node }) => node));
    this.together = together;
    this.marked = [];
  }

  row(at) {
    const file = this.inner[at.file ?? 0];
    return this.rows[at.file ?? 0]?.[at.line - file.first];
  }

  // Highlight the line in hand, underline where it leads, and tag lines with the tasks that stand there.
  // Where no line is in hand, `seen` is the one that was last.
  mark(hand, path = [], standing = [], run = null, seen = null) {
    for (const row of this.marked) {
      row.classList.remove("hand", "path");
      row.removeAttribute("aria-current");
      row.lastChild.replaceChildren();
    }
    const marked = (this.marked = []);
    const use = (at) => { const row = at?.line && this.row(at); if (row) marked.push(row); return row; };
    const there = hand?.line ? hand : seen;
    if (there?.line && !this.together) this.box.replaceChildren(this.inner[there.file ?? 0].node);
    const counts = new Map();
    for (const { at, task, word } of standing) {
      const row = use(at);
      if (!row) continue;
      const count = (counts.get(row) ?? 0) + 1;
      counts.set(row, count);
      if (count <= TAGS) row.lastChild.append(tag(run, task, word));
    }
    for (const [row, count] of counts) if (count > TAGS) row.lastChild.append(el("span", {}, `+${count - TAGS}`));
    for (const at of path) use(at)?.classList.add("path");
    const row = use(hand);
    row?.classList.add("hand");
    row?.setAttribute("aria-current", "true");
    this.inSight = row ?? (seen?.line && this.row(seen));
  }

  // Put the line in hand into view. This box alone scrolls: scrollIntoView() would move the page, too.
  show() {
    if (!this.inSight) return;
    const top = this.inSight.getBoundingClientRect().top - this.box.getBoundingClientRect().top;
    if (top < 20 || top > this.box.clientHeight - 40) this.box.scrollTop += top - this.box.clientHeight / 3;
  }
}

// -- the panes of one run -------------------------------------------------------------------

class Panes {
  constructor(run, node, why) {
    this.run = run;
    this.why = why; // called when somebody asks: with an entry, or what else has label, why and cause
    this.body = {};
    for (const name of ["running", "ready", "timers", "tasks", "output"]) {
      this.body[name] = node.querySelector(`.${name} .body`);
      this.body[name].setAttribute("aria-label", node.querySelector(`.${name} h3`).textContent);
    }
  }

  draw(n) {
    const step = this.run.steps[n];
    const before = this.run.before(n);
    const state = this.run.after(n);
    this.body.running.replaceChildren(...this.running(step, state));
    this.body.ready.replaceChildren(...this.ready(n, state, new Set(step.do?.push)));
    this.body.timers.replaceChildren(...this.heap(n, state, new Set(before.heap)));
    this.body.tasks.replaceChildren(...this.tasks(n, step, state));
    this.body.output.replaceChildren(...this.output(n));
    return state;
  }

  running(step, state) {
    const run = this.run;
    const what = el("div", { class: "what" });
    const asked = run.entries[step.entry ?? -1] ?? (step.cause && { label: step.say, why: "", cause: step.cause });
    const why = asked && el("button", { onclick: () => this.why(asked) }, "Why?");
    if (step.task != null) {
      what.append(tag(run, step.task, "running"));
      const view = state.tasks.get(step.task);
      const then = view ? `then ${waits(view)} at ${lineIn(run, view) || "its start"}`
        : `then ends: ${ending(run.tasks[step.task])}`;
      what.append(el("span", {}, lineIn(run, step)), el("code", {}, sourceLine(run, step)));
      if (step.throws) what.append(el("span", { class: "throws" }, `${step.throws} is thrown in`));
      if (why) what.append(why);
      return [what, el("div", { class: "then" }, then)];
    }
    const words = {
      outside: "The program, outside the loop",
      wait: "The loop, in select(): " + (step.timeout == null ? "waits until something happens"
        : step.timeout === 0 ? "looks, but does not wait" : `waits ${seconds(step.timeout)} at most`),
      descriptors: "The loop: puts the callbacks of ready descriptors into the queue",
      due: "The loop: moves due timers into the ready queue",
      end: "Nothing: the run has ended",
    }[step.kind];
    what.append(words ?? run.entries[step.entry]?.label ?? step.kind);
    if (step.kind === "end") return [what, ...this.end()];
    what.append(el("span", {}, lineIn(run, step)), el("code", {}, sourceLine(run, step)));
    if (why) what.append(why);
    return [what];
  }

  end() {
    const { waiting = [], ring = [] } = this.run.trace.end;
    const name = (task) => this.run.tasks[task].name;
    return [...waiting.map((task) => `${name(task.task)} still waits for ${task.for}, ${lineIn(this.run, task)}`),
      ...ring.map((tasks) => `A ring: ${[...tasks, tasks[0]].map(name).join(" waits for ")}`)]
      .map((words) => el("div", { class: "then" }, words));
  }

  // An entry as a button: a click tells who put it there.
  entry(number, n, label, { order, fresh } = {}) {
    const { task, cancelled } = this.run.entries[number];
    const gone = cancelled != null && cancelled <= n;
    const node = el("button", { class: "entry", title: label, onclick: () => this.why(this.run.entries[number]) },
      order && el("span", { class: "order" }, order), el("span", {}, label),
      gone ? " (cancelled)" : null, fresh && !gone ? el("span", { class: "order" }, "new") : null);
    node.classList.toggle("gone", gone);
    node.classList.toggle("new", Boolean(fresh));
    return task == null ? node : tint(node, task);
  }

  ready(n, state, fresh) {
    if (!state.ready.length) return [el("p", { class: "empty" }, "empty")];
    const list = el("ol", { class: "queue" });
    state.ready.slice(0, MOST).forEach((number, index) => {
      if (index === state.batch) list.append(el("li", { class: "border" }, "the next tick begins here"));
      const label = this.run.entries[number].label;
      list.append(el("li", {}, this.entry(number, n, label, { order: `${index + 1}`, fresh: fresh.has(number) })));
    });
    if (state.ready.length === state.batch) list.append(el("li", { class: "border" }, "the next tick begins here"));
    return [list, ...more(state.ready.length - MOST)];
  }

  // The heap as the tree it is: each timer is due no later than the two below it.
  heap(n, state, before) {
    if (!state.heap.length) return [el("p", { class: "empty" }, "empty")];
    const list = el("ol", { class: "heap" });
    const shown = Math.min(state.heap.length, 7);
    for (let first = 0; first < shown; first = 2 * first + 1) {
      const level = state.heap.slice(first, Math.min(2 * first + 1, shown));
      list.append(el("li", {}, ...level.map((number) => {
        const { when, label, heap_label } = this.run.entries[number];
        const words = `${seconds(when)} ${heap_label ?? label}`;
        return this.entry(number, n, words, { order: first ? null : "next", fresh: !before.has(number) });
      }), ...Array(first + 1 - level.length).fill().map(() => el("span"))));
    }
    return [list, ...more(state.heap.length - shown)];
  }

  tasks(n, step, state) {
    const run = this.run;
    // Those that had ended before this step come last, and where there are many, they make room.
    const over = (number) => !state.tasks.has(number) && run.tasks[number].ended !== n;
    const all = run.tasks.map((_, number) => number).filter((number) => run.tasks[number].made <= n);
    const made = [...all.filter((number) => !over(number)), ...all.filter(over)];
    if (!made.length) return [el("p", { class: "empty" }, "none")];
    const rows = made.slice(0, MOST).map((number) => {
      const view = state.tasks.get(number);
      const now = number === step.task;
      const word = now && view ? "running" : view?.state ?? run.tasks[number].how ?? "done";
      const then = now && view ? `then ${waits(view)}` : view ? view.for ?? "" : ending(run.tasks[number]);
      const lines = view?.lines ? `line ${view.lines.join(" > ")}` : lineIn(run, view);
      return el("tr", { class: now ? "now" : view ? "" : "over" }, el("td", {}, tag(run, number)),
        el("td", { class: `state ${word}` }, icon(word), ` ${word}`), el("td", {}, lines),
        el("td", {}, then, view?.cancel ? el("span", { class: "failed" }, " cancelling") : null));
    });
    const head = el("tr", {}, ...["Task", "State", "Stands at", "Waits for"].map((word) =>
      el("th", { scope: "col" }, word)));
    return [el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)), ...more(all.length - rows.length)];
  }

  output(n) {
    const run = this.run;
    const lines = run.printed.filter((line) => line.step <= n);
    const rows = lines.slice(-2 * MOST).map(({ step, task, text, kind }) => el("li",
      { class: `${kind} ${step === n ? "new" : ""}` }, task == null ? null : tag(run, task),
      el("span", {}, kind === "report" ? `The loop reports: ${text}` : text)));
    return [rows.length ? el("ol", {}, ...rows) : el("p", { class: "empty" }, "nothing yet")];
  }
}

const waits = (view) => (view.state === "ready" ? "is ready again" : `waits for ${view.for ?? "something"}`);
const ending = ({ how, value }) =>
  (value == null ? how ?? "" : `${{ done: "returned", failed: "raised" }[how] ?? how} ${value}`);
const more = (count) => (count > 0 ? [el("p", { class: "more" }, `and ${count} more`)] : []);
