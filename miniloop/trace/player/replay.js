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
    this.effects = trace.steps.map(() => []); // by step: the steps that it caused
    this.ticks = []; // by tick: its first step and its last
    this.steps.forEach((step, n) => {
      const cause = this.causeOf(n);
      if (cause) this.effects[cause.step].push(n);
      this.ticks[step.tick] ??= { first: n };
      this.ticks[step.tick].last = n;
    });
    const stepOf = ({ step }) => step;
    const output = Map.groupBy(trace.output, stepOf);
    const reports = Map.groupBy(trace.reports.map(({ step, text }) =>
      ({ step, task: null, text: `The loop reports: ${text}`, report: true })), stepOf);
    // What a step printed and reported, in the order in which it did so.
    this.printed = trace.steps.flatMap(({ did = [] }, n) => {
      const rows = { print: [...output.get(n) ?? []], report: [...reports.get(n) ?? []] };
      const inOrder = did.flatMap((what) => rows[what]?.splice(0, 1) ?? []);
      return [...inOrder, ...rows.print, ...rows.report];
    });
  }

  // What put step `n` into the queue. Nothing did so for the wait and the due timers.
  causeOf(n) {
    const { cause, entry } = this.steps[n];
    return cause ?? this.entries[entry]?.cause;
  }

  // The causes that led to this one, the latest first, back to the start of the program.
  chain(cause) {
    const links = [];
    for (; cause; cause = this.causeOf(cause.step)) links.push(cause);
    return links;
  }

  // The state after step `n`.
  after(n) {
    const keyframe = this.trace.keyframes.findLast(({ step }) => step <= n);
    const state = structuredClone(keyframe.state);
    for (let at = keyframe.step; at <= n; at++) apply(state, this.steps[at].do);
    return state;
  }

  // What two runs must share: the ticks with what they wait for, the steps of the tasks, the output.
  // Not the library's own callbacks, nor names and sentences: a task counts by its number.
  schedule() {
    const printed = Map.groupBy(this.trace.output, ({ step }) => step);
    const rows = this.steps.map(({ kind, tick, time, timeout, task, file, line, throws }, step) => {
      const what = (printed.get(step) ?? []).map(({ text }) => text);
      if (task != null) what.unshift(task, file, line, throws);
      if (kind === "wait") what.unshift(timeout?.toFixed(3));
      return { step, what, row: JSON.stringify([tick, Math.round(time * 1000), ...what]) };
    });
    return rows.filter(({ what }) => what.length);
  }
}

function apply(state, change) {
  if (change.pop) {
    state.ready.splice(0, change.pop);
    state.batch = Math.max(0, state.batch - change.pop);
  }
  state.ready.push(...(change.push ?? []));
  state.batch = change.batch ?? state.batch;
  if (change.heap) {
    state.heap.length = change.heap.size;
    for (const [index, entry] of change.heap.set) state.heap[index] = entry;
  }
  for (const [task, view] of Object.entries(change.tasks ?? {})) {
    if (view) state.tasks[task] = view; else delete state.tasks[task];
  }
  state.output += change.out ?? 0;
}

// What the slider goes over: for each moment, the step of each run. Two runs go through each tick
// together, and the one with fewer steps in it stays at its last. `starts` has each tick's first moment.
function moments(runs) {
  const list = [], starts = [];
  let held = runs.map(() => 0);
  for (let tick = 0; runs.some((run) => tick < run.ticks.length); tick++) {
    const spans = runs.map((run) => run.ticks[tick]);
    starts.push(list.length);
    const count = Math.max(...spans.map((span) => (span ? span.last - span.first + 1 : 0)));
    for (let i = 0; i < count; i++) {
      held = spans.map((span, side) => (span ? Math.min(span.first + i, span.last) : held[side]));
      list.push(held);
    }
  }
  return { list, starts };
}

// The first moment at which the schedules of two runs differ, or -1.
function firstDifference(runs, list) {
  if (runs.length === 1) return -1;
  const [one, other] = runs.map((run) => run.schedule());
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    if (one[at]?.row === other[at]?.row) continue;
    return list.findIndex(([a, b]) => a === one[at]?.step || b === other[at]?.step);
  }
  return -1;
}
