"use strict";
// Makes the elements of the page, and shows source with the line in hand. Whatever comes out of a
// trace (names, values, printed text, source) goes into the page as a text node, never as markup: a
// task may be called "<script>".

const TAGS = 3; // so many tasks are named on one line

// Return a function that makes elements. Children that are strings become text nodes.
const maker = (namespace) => (tag, attributes = {}, ...children) => {
  const node = document.createElementNS(`http://www.w3.org/${namespace}`, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") node.onclick = value; else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
};
const el = maker("1999/xhtml");
const svg = maker("2000/svg");
const icon = (name) =>
  svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("use", { href: `#icon-${name}` }));

const WORDS = "and as assert async await break class continue def del elif else except finally for from "
  + "global if import in is lambda match nonlocal not or pass raise return try while with yield "
  + "None True False";
const STRING = String.raw`[rbfutRBFUT]{0,2}(?<quote>"""|'''|"|')(?:\\[^]|(?!\k<quote>)[^])*\k<quote>`;
const PYTHON = new RegExp(
  `(?<i>${STRING})|(?<em>#.*)|(?<b>\\b(?:${WORDS.replaceAll(" ", "|")})\\b)|\\w+|[^]`, "g");

// Split source into lines, each a list of texts and of the elements i (string), em (comment), b (word).
function coloured(source) {
  const lines = [[]];
  for (const { 0: words, groups } of source.matchAll(PYTHON)) {
    const mark = ["i", "em", "b"].find((each) => groups[each]);
    words.split("\n").forEach((part, n) => {
      if (n > 0) lines.push([]);
      lines.at(-1).push(mark ? el(mark, {}, part) : part);
    });
  }
  return lines;
}

// The source of several files, or of parts of them, in a box that scrolls.
class Source {
  constructor(box, files) {
    this.box = box;
    this.marked = [];
    this.files = files.map(({ name, source, first = 1 }) => {
      const rows = coloured(source.replace(/\n$/, "")).map((words, n) => el("div", { class: "line" },
        el("span", { class: "number" }, `${first + n}`), el("span", {}, ...words),
        el("span", { class: "tags" })));
      box.append(el("div", { class: "file" }, el("div", { class: "name" }, name), ...rows));
      return { first, rows };
    });
  }

  row({ file = 0, line }) {
    const { first, rows } = this.files[file];
    return rows[line - first];
  }

  // Highlight the line in hand, if it is here, and put each of `tags`, pairs of a place and an
  // element, on its line. `seen` is the place that a reader will want in sight.
  mark(hand, tags = [], seen = hand) {
    for (const row of this.marked) {
      row.removeAttribute("aria-current");
      row.lastChild.replaceChildren();
    }
    const tagged = Map.groupBy(tags, ([place]) => this.row(place));
    const row = this.row(hand);
    this.marked = [row, ...tagged.keys()].filter(Boolean);
    this.inSight = this.row(seen);
    row?.setAttribute("aria-current", "true");
    for (const [there, all] of tagged) {
      there?.lastChild.append(...all.slice(0, TAGS).map(([, node]) => node),
        all.length > TAGS ? `+${all.length - TAGS}` : "");
    }
  }

  show() {
    if (this.inSight) reveal(this.box, "Top", this.inSight.offsetTop);
  }
}

// Scroll a box until the place `at` in it is in sight; `covered` is how much of its edge something
// hides. The box alone scrolls: scrollIntoView() would move the page, too.
function reveal(box, edge, at, covered = 0) {
  const scroll = `scroll${edge}`;
  const room = edge === "Top" ? box.clientHeight : box.clientWidth;
  const seen = at - box[scroll];
  if (seen < covered + 30 || seen > room - 40) box[scroll] = at - room / 3;
}
