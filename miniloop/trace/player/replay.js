"use strict";
// From a trace to the state of the loop at any step. Nothing in this file draws.
//
// A trace holds the whole state at the start of each tick (a keyframe) and, for each step, only what
// the step changes. To see any step, forwards or backwards, start from the keyframe before it and
// apply the changes up to it. So stepping back needs no code of its own: it is a shorter replay.

class Run {
  constructor(trace) {
    this.trace = trace;
    this.steps = trace.steps;
    this.tasks = trace.tasks;
    this.entries = trace.entries;
    this.length = trace.steps.length;
    this.ranAt = []; // by entry: the step that runs it
    this.effects = trace.steps.map(() => []); // by step: the steps that it caused
    this.firstOfTick = []; // by tick: its first step
    this.lastOfTick = []; // by tick: its last step
    this.steps.forEach((step, n) => {
      if (step.entry != null) this.ranAt[step.entry] = n;
      const cause = this.causeOf(n);
      if (cause) this.effects[cause.step].push(n);
      this.firstOfTick[step.tick] ??= n;
      this.lastOfTick[step.tick] = n;
    });
    this.printed = [...trace.output.map((line) => ({ ...line, kind: "output" })),
      ...(trace.reports ?? []).map((line) => ({ ...line, kind: "report" }))]
      .map((line, order) => ({ ...line, order }))
      .sort((a, b) => a.step - b.step || a.order - b.order);
  }

  // What put step `n` into the queue, or null: the wait and the due timers have no cause.
  causeOf(n) {
    const step = this.steps[n];
    return step.cause ?? this.entries[step.entry ?? -1]?.cause ?? null;
  }

  // The steps that led to the cause, the latest first, back to the start of the program.
  chain(cause) {
    const links = [];
    for (; cause; cause = this.causeOf(cause.step)) links.push(cause);
    return links;
  }

  // The state before step `n`: the nearest keyframe, and then the changes of the steps in between.
  before(n) {
    let low = 0, high = this.trace.keyframes.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.trace.keyframes[middle].step <= n) low = middle; else high = middle - 1;
    }
    const { step, state } = this.trace.keyframes[low];
    const copy = {
      ready: [...state.ready], batch: state.batch, heap: [...state.heap],
      tasks: new Map(Object.entries(state.tasks).map(([task, view]) => [Number(task), view])),
      output: state.output,
    };
    for (let at = step; at < n; at++) apply(copy, this.steps[at].do ?? {});
    return copy;
  }

  after(n) {
    const state = this.before(n);
    apply(state, this.steps[n].do ?? {});
    return state;
  }

  // What two runs must share, as pairs [step, text]: the ticks with what they wait for, the steps of
  // the tasks, the output. The library's callbacks are its own affair, and so are names and sentences:
  // a task counts by its number.
  schedule() {
    const said = this.steps.map(() => []);
    for (const { step, text } of this.trace.output) said[step].push(text);
    const list = [];
    this.steps.forEach(({ kind, tick, time, timeout, line, file, task, throws }, n) => {
      const about = task != null ? [task, line, file, throws]
        : kind === "wait" ? [timeout?.toFixed(3)] : [];
      if (about.length || said[n].length) {
        list.push([n, JSON.stringify([tick, Math.round(time * 1000), ...about, ...said[n]])]);
      }
    });
    return list;
  }
}

function apply(state, change) {
  if (change.pop) {
    state.ready.splice(0, change.pop);
    state.batch = Math.max(0, state.batch - change.pop);
  }
  state.ready.push(...(change.push ?? []));
  if (change.batch != null) state.batch = change.batch;
  if (change.heap) {
    state.heap.length = change.heap.size;
    for (const [index, entry] of change.heap.set) state.heap[index] = entry;
  }
  for (const [task, view] of Object.entries(change.tasks ?? {})) {
    if (view === null) state.tasks.delete(Number(task)); else state.tasks.set(Number(task), view);
  }
  state.output += change.out ?? 0;
}

// What the slider goes over: for each moment, the step of each run. One run: its steps. Two runs go
// through each tick together, and the one with fewer steps in it stays at its last.
function moments(runs) {
  if (runs.length === 1) return runs[0].steps.map((_, n) => [n]);
  const list = [];
  const ticks = Math.max(...runs.map((run) => run.lastOfTick.length));
  let held = runs.map(() => 0);
  for (let tick = 0; tick < ticks; tick++) {
    const spans = runs.map((run) => [run.firstOfTick[tick], run.lastOfTick[tick]]);
    const count = Math.max(...spans.map(([first, last]) => (first == null ? 0 : last - first + 1)));
    for (let i = 0; i < count; i++) {
      held = held.map((at, side) => {
        const [first, last] = spans[side];
        return first == null ? at : Math.min(first + i, last);
      });
      list.push(held);
    }
  }
  return list;
}

// The first moment at which the schedules of two runs differ, or -1.
function firstDifference(runs, list) {
  if (runs.length === 1) return -1;
  const [one, other] = runs.map((run) => run.schedule());
  const at = Array.from({ length: Math.max(one.length, other.length) }, (_, n) => n)
    .find((n) => one[n]?.[1] !== other[n]?.[1]);
  if (at === undefined) return -1;
  return list.findIndex(([a, b]) => a === one[at]?.[0] || b === other[at]?.[0]);
}
