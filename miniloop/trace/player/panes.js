"use strict";
// Draws what stands beside the program: what runs now, the ready queue, the heap, the tasks, the output.

const PANES = {
  running: "Running now",
  ready: "Ready queue, next first",
  timers: "Timer heap, earliest on top",
  tasks: "Tasks",
  output: "Output",
};
const MOST = 40; // so many items of a list are drawn; the rest is counted
const MOST_TIMERS = 7; // three levels of the heap

// Who is at work when no task is.
const DOES = {
  outside: "The program, outside the loop",
  wait: "The loop, in select()",
  descriptors: "The loop puts the callbacks of ready descriptors into the queue",
  due: "The loop moves due timers into the ready queue",
  end: "Nothing: the run has ended",
};

// Give a node the colour of a task. Neighbouring tasks get colours that lie far apart: each turns the
// colour circle by the golden angle.
function tint(node, task) {
  node.style.setProperty("--tint", `hsl(${Math.round(task * 137.5 + 210) % 360} 70% 50%)`);
  return node;
}

function tag(run, task, state) {
  const { name } = run.tasks[task];
  return tint(el("span", { class: "tag", title: state ? `${name}, ${state}` : name },
    state && icon(state), el("span", {}, name)), task);
}

const seconds = (time) => `${time.toFixed(3)} s`;
const quiet = (words) => el("p", { class: "quiet" }, words);
const more = (count) => (count > 0 ? [quiet(`and ${count} more`)] : []);

function place(run, at) {
  if (at?.line == null) return "";
  return at.file ? `${run.trace.files[at.file].name}, line ${at.line}` : `line ${at.line}`;
}

function sourceLine(run, { file = 0, line }) {
  return run.trace.files[file].source.split("\n")[line - 1]?.trim() ?? "";
}

class Panes {
  constructor(run, node, why) {
    this.run = run;
    this.why = why; // called when a reader asks for the cause of an entry
    this.bodies = {};
    for (const [name, title] of Object.entries(PANES)) {
      // It may scroll: so the keyboard must reach it, and a screen reader say what it is.
      const body = el("div", { class: "body", tabindex: 0, role: "region", "aria-label": title });
      node.append(el("section", { class: `pane ${name}` }, el("h3", {}, title), body));
      this.bodies[name] = body;
    }
  }

  // Draw step `n`, and return the state after it.
  draw(n) {
    const state = this.run.after(n);
    for (const name in PANES) this.bodies[name].replaceChildren(...this[name](n, state));
    return state;
  }

  running(n) {
    const { run } = this;
    const step = run.steps[n];
    const entry = run.entries[step.entry];
    const cause = run.causeOf(n);
    const asked = entry ?? { label: step.say, cause }; // an eager step has no entry
    // The deadlocks in which the run has ended.
    const rings = step.kind === "end" ? run.trace.end.ring : [];
    const names = (tasks) => [...tasks, tasks[0]].map((task) => run.tasks[task].name);
    return [el("div", { class: "what" },
      step.task != null ? tag(run, step.task, "running") : DOES[step.kind] ?? entry?.label ?? step.kind,
      el("span", {}, place(run, step)), el("code", {}, sourceLine(run, step)),
      step.throws && el("span", { class: "bad" }, `${step.throws} is thrown in`),
      cause && el("button", { onclick: () => this.why(asked) }, "Why?")),
    ...rings.map((tasks) => quiet(`A ring: ${names(tasks).join(" waits for ")}`))];
  }

  // An entry of the queue or of the heap as a button: a click tells who put it there.
  entry(n, entry, label, order, since) {
    const gone = entry.cancelled <= n;
    const note = gone ? "(cancelled)" : since === n ? "new" : null;
    return el("button",
      { class: `entry ${gone ? "gone" : note ?? ""}`, title: label, onclick: () => this.why(entry) },
      order && el("span", { class: "quiet" }, order), el("span", {}, label),
      note && el("span", { class: "quiet" }, note));
  }

  ready(n, { ready, batch }) {
    if (!ready.length) return [quiet("empty")];
    const items = ready.slice(0, MOST).map((number, index) => {
      const entry = this.run.entries[number];
      return el("li", {}, this.entry(n, entry, entry.label, index + 1, entry.at));
    });
    const border = el("li", { class: "border" }, "the next tick begins here");
    if (batch <= items.length) items.splice(batch, 0, border);
    return [el("ol", { class: "queue" }, ...items), ...more(ready.length - MOST)];
  }

  // The heap as the tree it is: each timer is due no later than the two below it.
  timers(n, { heap }) {
    if (!heap.length) return [quiet("empty")];
    const tree = el("ol", { class: "heap" });
    for (let first = 0; first < Math.min(heap.length, MOST_TIMERS); first = 2 * first + 1) {
      const level = heap.slice(first, 2 * first + 1).map((number) => {
        const entry = this.run.entries[number];
        const label = `${seconds(entry.when)} ${entry.heap_label ?? entry.label}`;
        return this.entry(n, entry, label, first ? null : "next", entry.cause.step);
      });
      tree.append(el("li", {}, ...level));
      tree.lastChild.style.setProperty("--columns", first + 1);
    }
    return [tree, ...more(heap.length - MOST_TIMERS)];
  }

  tasks(n, state) {
    const { tasks } = this.run;
    const made = [...tasks.keys()].filter((task) => tasks[task].made <= n);
    if (!made.length) return [quiet("none")];
    // Where there are many, those that had ended before this step make room for the others.
    const over = (task) => !state.tasks[task] && tasks[task].ended !== n;
    made.sort((one, other) => over(one) - over(other));
    const heads = ["Task", "State", "Stands at", "Waits for"].map((word) => el("th", { scope: "col" }, word));
    return [el("table", {}, el("thead", {}, el("tr", {}, ...heads)),
      el("tbody", {}, ...made.slice(0, MOST).map((task) => this.task(n, task, state.tasks[task])))),
    ...more(made.length - MOST)];
  }

  task(n, task, view) {
    const { how = "done", value } = this.run.tasks[task];
    const inHand = task === this.run.steps[n].task;
    let word = view?.state ?? how;
    let then = view?.for;
    if (!view && value != null) then = `${how === "done" ? "returned" : "raised"} ${value}`;
    if (view && inHand) {
      then = word === "ready" ? "then is ready again" : `then waits for ${then ?? "something"}`;
      word = "running";
    }
    return el("tr", { class: inHand ? "now" : view ? "" : "over" }, el("td", {}, tag(this.run, task)),
      el("td", { class: `state ${word}` }, icon(word), ` ${word}`),
      el("td", {}, view?.lines ? `line ${view.lines.join(" > ")}` : place(this.run, view)),
      el("td", {}, then, view?.cancel && el("span", { class: "bad" }, " cancelling")));
  }

  output(n) {
    const lines = this.run.printed.filter(({ step }) => step <= n).slice(-2 * MOST);
    if (!lines.length) return [quiet("nothing yet")];
    return [el("ol", {}, ...lines.map(({ step, task, text, report }) =>
      el("li", { class: `${step === n ? "new" : ""} ${report ? "bad" : ""}` },
        task == null ? null : tag(this.run, task), el("span", {}, text))))];
  }
}
