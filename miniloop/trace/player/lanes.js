"use strict";
// Draws the swim lanes: a column for each moment, a lane for each task, and one for the loop itself.
// A thin line: the task waits. A pale bar: it stands in the ready queue. A block: it runs. Arrows go
// from the cause of the step in hand to that step, and (dashed) from there to what it causes.
//
// All lanes are drawn once, in a box that scrolls. A step moves the cursor and draws new arrows.

// In pixels: the height of a lane and of the ticks' numbers (player.css has them, too), the width of
// a column.
const LANE = 17, TOP = 16, NARROWEST = 9, WIDEST = 40;

class Lanes {
  constructor(box, runs, list, starts, difference, go) {
    Object.assign(this, { box, runs, list, bottom: TOP });
    this.names = box.appendChild(el("div", { class: "names" }));
    this.picture = box.appendChild(svg("svg"));
    const fitting = (box.clientWidth - this.names.clientWidth) / list.length;
    this.column = Math.max(NARROWEST, Math.min(WIDEST, fitting));
    this.cursor = svg("rect", { class: "cursor", width: this.column, height: "100%" });
    this.picture.append(this.cursor); // first, so that everything else lies over it
    this.placesOf = runs.map((run, side) => this.drawRun(run, side));
    this.drawTicks(starts, difference);
    this.arrows = this.picture.appendChild(svg("g"));
    this.picture.style.width = `${this.x(list.length)}px`;
    this.picture.style.height = `${this.bottom}px`;

    const pick = (event) => {
      const x = event.clientX - this.picture.getBoundingClientRect().left;
      go(Math.floor(x / this.column));
    };
    this.picture.onpointerdown = (event) => {
      this.picture.setPointerCapture(event.pointerId);
      pick(event);
    };
    this.picture.onpointermove = (event) => { if (event.buttons) pick(event); };
  }

  x(moment) { return moment * this.column; }

  // Draw a run beneath what is there. Return a function that tells where a step of it stands.
  drawRun(run, side) {
    const moments = []; // by step: when it is first shown
    this.list.forEach((steps, moment) => { moments[steps[side]] ??= moment; });
    const x = (n) => this.x(moments[n]);
    const last = run.steps.length - 1;

    const loop = this.runs.length > 1 ? `${run.trace.loop}'s loop` : "the loop";
    const lanes = new Map(); // by task; the loop's lane is the one of no task
    for (const task of [undefined, ...run.tasks.keys()]) {
      const { name, made, ended = last } = run.tasks[task] ?? { name: loop };
      const y = this.bottom + LANE / 2;
      const waits = task === undefined ? "" : `M${x(made)} ${y}H${x(ended) + this.column}`;
      lanes.set(task, { y, waits, queued: "", runs: "" });
      this.names.append(el("div", {}, name));
      this.bottom += LANE;
    }
    run.steps.forEach(({ task, entry }, n) => {
      const lane = lanes.get(task);
      const wide = this.column - 2;
      lane.runs += `M${x(n) + 1} ${lane.y - 5}h${wide}v10h-${wide}z`;
      const since = run.entries[entry]?.at;
      if (since == null) return;
      const from = x(since) + this.column / 2;
      lane.queued += `M${from} ${lane.y - 3}H${x(n)}v6H${from}z`;
    });
    for (const [task, lane] of lanes) {
      const paths = ["waits", "queued", "runs"].map((name) => svg("path", { class: name, d: lane[name] }));
      const drawn = this.picture.appendChild(svg("g", {}, ...paths));
      if (task !== undefined) tint(drawn, task);
    }
    return (n) => [x(n) + this.column / 2, lanes.get(run.steps[n].task).y];
  }

  // A line where a tick begins, with its number where there is room for it.
  drawTicks(starts, difference) {
    const line = (moment) => `M${this.x(moment)} 0V${this.bottom}`;
    const label = (moment, words) =>
      this.picture.append(svg("text", { x: this.x(moment) + 3, y: 11 }, words));
    this.picture.append(svg("path", { class: "tick", d: starts.map(line).join("") }));
    let free = 0;
    starts.forEach((moment, tick) => {
      const x = this.x(moment);
      if (x < free || (difference >= 0 && Math.abs(x - this.x(difference)) < 100)) return;
      label(moment, `tick ${tick}`);
      free = x + 48;
    });
    if (difference < 0) return;
    this.picture.append(svg("path", { class: "differ", d: line(difference) }));
    label(difference, "first difference");
  }

  draw(now) {
    this.cursor.setAttribute("x", this.x(now));
    const arrows = this.runs.flatMap((run, side) => {
      const n = this.list[now][side];
      const placeOf = this.placesOf[side];
      const cause = run.causeOf(n);
      const effects = run.effects[n].slice(0, MOST);
      return [...(cause ? arrow(placeOf(cause.step), placeOf(n), "arrow") : []),
        ...effects.flatMap((effect) => arrow(placeOf(n), placeOf(effect), "arrow effect"))];
    });
    this.arrows.replaceChildren(...arrows);
  }

  // Scroll to the step in hand.
  show(now) {
    const [x, y] = this.placesOf[0](this.list[now][0]);
    const names = this.names.clientWidth;
    reveal(this.box, "Left", names + this.x(now), names);
    reveal(this.box, "Top", y);
  }
}

function arrow([fromX, fromY], [toX, toY], name) {
  const bend = fromY === toY ? -LANE : 0; // within a lane: over it, or it would hide in the bar
  const middle = (fromX + toX) / 2;
  const curve = `${middle} ${fromY + bend} ${middle} ${toY + bend} ${toX - 5} ${toY}`;
  return [svg("path", { class: name, d: `M${fromX} ${fromY}C${curve}` }),
    svg("path", { class: "tip", d: `M${toX - 1} ${toY}l-7 -4v8z` })];
}
