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
      const moment = this.from + Math.floor(x / this.column);
      go(Math.max(0, Math.min(list.length - 1, moment)));
    };
    box.onpointerdown = (event) => { box.setPointerCapture(event.pointerId); pick(event); };
    this.measure();
    box.onpointermove = (event) => { if (event.buttons) pick(event); };
  }

  measure() { this.width = this.box.clientWidth; }

  // The moments that fit, around the one in hand: pages, so that the picture stands still in between.
  layout(now) {
    const width = this.width;
    this.left = width < 600 ? 74 : 120;
    const fit = Math.max(10, Math.floor((width - this.left) / NARROWEST));
    const count = Math.min(fit, this.list.length);
    this.column = Math.min(40, (width - this.left) / count);
    if (now <= this.from || now >= this.from + count - 1) this.from = now - Math.floor(count / 2);
    this.from = Math.max(0, Math.min(this.from, this.list.length - count));
    this.to = this.from + count;
  }

  draw(now) {
    this.layout(now);
    const width = this.width;
    const picture = svg("svg");
    let top = TOP;
    picture.append(svg("rect", { class: "cursor", x: this.x(now), y: 0, width: this.column, height: "100%" }));
    this.runs.forEach((run, side) => { top = this.drawRun(picture, run, side, now, top, width); });
    if (this.difference >= this.from && this.difference < this.to) {
      const x = this.x(this.difference);
      picture.append(svg("path", { class: "differ", d: `M${x} 0V${top}` }),
        this.text(x + 3, 11, "first difference", "name"));
    }
    picture.setAttribute("viewBox", `0 0 ${width} ${top + 2}`);
    this.box.replaceChildren(picture);
  }

  // Scroll so that the lane in hand is in sight, and no further.
  show() {
    const room = this.box.clientHeight - LANE;
    this.box.scrollTop = Math.max(this.inHand - room, Math.min(this.inHand - LANE - TOP, this.box.scrollTop));
  }

  x(moment) { return this.left + (moment - this.from) * this.column; }

  text(x, y, words, name = "") {
    const node = svg("text", { x, y, class: name });
    node.textContent = words;
    return node;
  }

  drawRun(picture, run, side, now, top, width) {
    const steps = []; // those in sight, each with the moment at which this run comes to it
    for (let moment = this.from; moment < this.to; moment++) {
      const n = this.list[moment][side];
      if (moment === this.from || n !== this.list[moment - 1][side]) steps.push([moment, n]);
    }
    const momentOf = new Map(steps.map(([moment, n]) => [n, moment]));
    const first = steps[0][1], last = steps.at(-1)[1];
    // Where a step is drawn; one out of sight lies at the edge.
    const xOf = (n) => (n < first ? this.left : n > last ? width : this.x(momentOf.get(n)));
    const ran = new Set(steps.map(([, n]) => run.steps[n].task).filter((task) => task != null));
    let tasks = run.tasks.map((_, task) => task)
      .filter((task) => run.tasks[task].made <= last && (run.tasks[task].ended ?? last) >= first);
    if (tasks.length > MOST_LANES) tasks = tasks.filter((task) => ran.has(task));

    const middle = new Map([[null, top + LANE / 2]]);
    tasks.forEach((task, lane) => middle.set(task, top + (lane + 1.5) * LANE));
    const bottom = top + (tasks.length + 1) * LANE;
    this.drawTicks(picture, run, steps, side, top, bottom);
    const loop = this.runs.length > 1 ? `${run.trace.loop}'s loop` : "the loop";
    this.drawLane(picture, null, loop, middle.get(null));
    for (const task of tasks) {
      const y = middle.get(task);
      const group = this.drawLane(picture, task, run.tasks[task].name, y);
      const { made, ended } = run.tasks[task];
      const end = ended == null || ended > last ? width : xOf(ended) + this.column;
      group.append(svg("path", { class: "life", d: `M${xOf(made)} ${y}H${Math.max(xOf(made), end)}` }));
    }
    const laneOf = (n) => (middle.has(run.steps[n].task ?? null) ? run.steps[n].task ?? null : null);
    const blocks = new Map(), queued = new Map();
    const add = (map, task, words) => map.set(task, (map.get(task) ?? "") + words);
    const wide = Math.max(2, this.column - 2);
    for (const [moment, n] of steps) {
      const y = middle.get(laneOf(n));
      add(blocks, laneOf(n), `M${this.x(moment) + 1} ${y - 5}h${wide}v10h-${wide}z`);
      const at = run.entries[run.steps[n].entry ?? -1]?.at;
      if (at == null) continue;
      const from = xOf(at) + this.column / 2;
      add(queued, laneOf(n), `M${from} ${y - 3}H${this.x(moment)}v6H${from}z`);
    }
    for (const [name, map] of [["queued", queued], ["ran", blocks]]) {
      for (const [task, d] of map) {
        const path = svg("path", { class: name, d });
        picture.append(task === null ? path : tint(path, task));
      }
    }
    const n = this.list[now][side];
    if (side === 0) this.inHand = middle.get(laneOf(n));
    const cause = run.causeOf(n);
    const place = (step) => [xOf(step) + this.column / 2, middle.get(laneOf(step))];
    if (cause) this.arrow(picture, place(cause.step), place(n), "arrow");
    for (const effect of run.effects[n].slice(0, MOST)) this.arrow(picture, place(n), place(effect), "arrow effect");
    return bottom;
  }

  drawLane(picture, task, name, y) {
    const group = svg("g");
    const room = Math.floor((this.left - 8) / 7.2);
    group.append(this.text(0, y + 4, name.length > room ? `${name.slice(0, room - 1)}…` : name, "name"));
    if (task !== null) tint(group, task);
    picture.append(group);
    return group;
  }

  // A dashed line where a tick begins, with its number where there is room for it.
  drawTicks(picture, run, steps, side, top, bottom) {
    let free = 0;
    for (const [moment, n] of steps) {
      if (n !== run.firstOfTick[run.steps[n].tick] || n === 0) continue;
      const x = this.x(moment);
      picture.append(svg("path", { class: "tick", d: `M${x} ${side ? top : 4}V${bottom}` }));
      const mark = this.difference < 0 ? -999 : this.x(this.difference); // other words stand there
      if (side || x < free || (x > mark - 45 && x < mark + 100)) continue;
      picture.append(this.text(x + 3, 11, `tick ${run.steps[n].tick}`));
      free = x + 48;
    }
  }

  arrow(picture, [fromX, fromY], [toX, toY], name) {
    const bend = fromY === toY ? -LANE : 0; // within a lane: over it, or it would hide in the bar
    const middle = (fromX + toX) / 2;
    picture.append(svg("path", { class: name,
      d: `M${fromX} ${fromY}C${middle} ${fromY + bend} ${middle} ${toY + bend} ${toX - 5} ${toY}` }),
    svg("path", { class: "head", d: `M${toX - 1} ${toY}l-7 -4v8z` }));
  }
}
