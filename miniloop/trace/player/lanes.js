"use strict";
// Draws the swim lanes: a column for each moment, a lane for each task, and one for the loop itself.
// A thin line: the task waits. A pale bar: it stands in the ready queue. A block: it runs. Arrows go
// from the cause of the step in hand to that step, and (dashed) from there to what it causes.

const LANE = 17, TOP = 16, NARROWEST = 9, MOST_LANES = 12;

class Lanes {
  constructor(box, runs, list, difference, go) {
    Object.assign(this, { box, runs, list, difference, from: 0 });
    const pick = (event) => {
      const x = event.clientX - box.getBoundingClientRect().left - this.left;
      go(this.from + Math.floor(x / this.column));
    };
    box.onpointerdown = (event) => { box.setPointerCapture(event.pointerId); pick(event); };
    box.onpointermove = (event) => { if (event.buttons) pick(event); };
    this.measure();
  }

  // Ask the browser for the width: rarely, for it has to lay out the page to know.
  measure() {
    this.width = this.box.clientWidth;
    this.left = this.width < 600 ? 74 : 120; // where the names end
  }

  // Choose the moments to draw: pages, so that the picture stands still while they are stepped through.
  turn(now) {
    const room = this.width - this.left;
    const count = Math.min(Math.max(10, Math.floor(room / NARROWEST)), this.list.length);
    this.column = Math.min(40, room / count);
    if (now <= this.from || now >= this.from + count - 1) this.from = now - Math.floor(count / 2);
    this.from = Math.max(0, Math.min(this.from, this.list.length - count));
    this.to = this.from + count;
  }

  x(moment) { return this.left + (moment - this.from) * this.column; }

  draw(now) {
    this.turn(now);
    const picture = svg("svg");
    const cursor = { class: "cursor", x: this.x(now), y: 0, width: this.column, height: "100%" };
    picture.append(svg("rect", cursor)); // first, so that everything else lies over it
    let bottom = TOP;
    this.runs.forEach((run, side) => { bottom = this.drawRun(picture, run, side, now, bottom); });
    if (this.difference >= this.from && this.difference < this.to) {
      const x = this.x(this.difference);
      picture.append(svg("path", { class: "differ", d: `M${x} 0V${bottom}` }),
        svg("text", { class: "name", x: x + 3, y: 11 }, "first difference"));
    }
    picture.setAttribute("viewBox", `0 0 ${this.width} ${bottom + 2}`);
    this.box.replaceChildren(picture);
  }

  // Scroll so that the lane in hand is in sight, and no further.
  show() {
    const lowest = this.inHand - this.box.clientHeight + LANE;
    this.box.scrollTop = Math.max(lowest, Math.min(this.inHand - LANE - TOP, this.box.scrollTop));
  }

  drawRun(picture, run, side, now, top) {
    const momentOf = new Map(); // by step in sight
    for (let moment = this.from; moment < this.to; moment++) {
      const n = this.list[moment][side];
      if (!momentOf.has(n)) momentOf.set(n, moment);
    }
    const steps = [...momentOf.keys()];
    const first = steps[0], last = steps.at(-1);
    // Where a step is drawn; one out of sight lies at the edge.
    const xOf = (n) => (n < first ? this.left : n > last ? this.width : this.x(momentOf.get(n)));

    let tasks = [...run.tasks.keys()].filter((task) =>
      run.tasks[task].made <= last && (run.tasks[task].ended ?? last) >= first);
    if (tasks.length > MOST_LANES) {
      const ran = new Set(steps.map((n) => run.steps[n].task));
      tasks = tasks.filter((task) => ran.has(task));
    }
    const lanes = [undefined, ...tasks]; // the loop's is the one of no task
    const height = new Map(lanes.map((task, lane) => [task, top + (lane + 0.5) * LANE]));
    const yOf = (n) => height.get(run.steps[n].task) ?? height.get(undefined);
    const bottom = top + lanes.length * LANE;

    this.drawTicks(picture, run, steps.map((n) => [n, xOf(n)]), side ? top : 4, bottom);
    const loop = this.runs.length > 1 ? `${run.trace.loop}'s loop` : "the loop";
    for (const [task, y] of height) {
      const lane = svg("g", {}, this.name(task == null ? loop : run.tasks[task].name, y));
      picture.append(lane);
      if (task != null) {
        tint(lane, task);
        const { made, ended = Infinity } = run.tasks[task];
        const end = ended > last ? this.width : xOf(ended) + this.column;
        lane.append(svg("path", { class: "waits", d: `M${xOf(made)} ${y}H${end}` }));
      }
      let queued = "", ran = "";
      for (const n of steps.filter((each) => run.steps[each].task == task)) {
        const x = xOf(n), wide = Math.max(2, this.column - 2);
        ran += `M${x + 1} ${y - 5}h${wide}v10h-${wide}z`;
        const since = run.entries[run.steps[n].entry]?.at;
        if (since == null) continue;
        const from = xOf(since) + this.column / 2;
        queued += `M${from} ${y - 3}H${x}v6H${from}z`;
      }
      lane.append(svg("path", { class: "queued", d: queued }), svg("path", { class: "runs", d: ran }));
    }

    const n = this.list[now][side];
    if (side === 0) this.inHand = yOf(n);
    const cause = run.causeOf(n);
    const end = (step) => [xOf(step) + this.column / 2, yOf(step)];
    if (cause) this.arrow(picture, end(cause.step), end(n), "arrow");
    for (const effect of run.effects[n].slice(0, MOST)) {
      this.arrow(picture, end(n), end(effect), "arrow effect");
    }
    return bottom;
  }

  name(words, y) {
    const room = Math.floor((this.left - 8) / 7.2);
    const short = words.length > room ? `${words.slice(0, room - 1)}…` : words;
    return svg("text", { class: "name", x: 0, y: y + 4 }, short);
  }

  // A dashed line where a tick begins, with its number where there is room for it.
  drawTicks(picture, run, steps, top, bottom) {
    let free = top > TOP ? Infinity : 0; // the numbers stand over the first run alone
    for (const [n, x] of steps) {
      const { tick } = run.steps[n];
      if (n === 0 || n !== run.ticks[tick].first) continue;
      picture.append(svg("path", { class: "tick", d: `M${x} ${top}V${bottom}` }));
      const taken = this.difference >= 0 && Math.abs(x - this.x(this.difference)) < 100;
      if (x < free || taken) continue;
      picture.append(svg("text", { x: x + 3, y: 11 }, `tick ${tick}`));
      free = x + 48;
    }
  }

  arrow(picture, [fromX, fromY], [toX, toY], name) {
    const bend = fromY === toY ? -LANE : 0; // within a lane: over it, or it would hide in the bar
    const middle = (fromX + toX) / 2;
    const curve = `${middle} ${fromY + bend} ${middle} ${toY + bend} ${toX - 5} ${toY}`;
    picture.append(svg("path", { class: name, d: `M${fromX} ${fromY}C${curve}` }),
      svg("path", { class: "tip", d: `M${toX - 1} ${toY}l-7 -4v8z` }));
  }
}
