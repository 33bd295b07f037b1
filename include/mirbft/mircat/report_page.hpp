// The report's page. Written by report/embed.py from the files beside it: change those.
#ifndef MIRBFT_MIRCAT_REPORT_PAGE_HPP
#define MIRBFT_MIRCAT_REPORT_PAGE_HPP

#include <string_view>

namespace mirbft::mircat::report_page {

/// What stands before the data, and after them, each in pieces.
inline constexpr std::string_view before_data[] = {R"page(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mircat report</title>
<style>
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --panel: #ffffff; --ink: #1b2330; --soft: #5b6676; --line: #d9dee6;
  --lane: #b9c2cf; --accent: #2157d6; --bad: #cf2f3f; --warn: #b46a00; --good: #1f8a55;
  --p0: #e9ecf1; --p1: #f2c14e; --p2: #6ea8f2; --p3: #7a6bd6; --p4: #39a96b;
  --shade: rgba(33, 87, 214, .14);
}
:root[data-theme="dark"] {
  --page: #10141b; --panel: #181e28; --ink: #e4e9f1; --soft: #96a3b5; --line: #2a3342;
  --lane: #46546a; --accent: #7aa7ff; --bad: #ff6b76; --warn: #f0b04c; --good: #58d394;
  --p0: #232c3a; --p1: #d9a730; --p2: #4a86d8; --p3: #8d7cf0; --p4: #2f9e62;
  --shade: rgba(122, 167, 255, .18);
}
* { box-sizing: border-box; }
html, body { height: 100%; margin: 0; }
body {
  display: flex; flex-direction: column; background: var(--page); color: var(--ink);
  font: 13px/1.45 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
}
h1, h2 { margin: 0; font-size: 15px; letter-spacing: .01em; }
h1 span { color: var(--soft); font-weight: 400; }
h2 { font-size: 12px; }
button, input {
  font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line);
  border-radius: 6px; padding: 3px 9px;
}
button { cursor: pointer; }
button:hover { border-color: var(--accent); }
button[aria-pressed="true"] { background: var(--accent); border-color: var(--accent);
  color: var(--panel); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
canvas { display: block; width: 100%; }
[hidden] { display: none !important; }

header { display: flex; align-items: center; gap: 18px; padding: 8px 14px;
  background: var(--panel); border-bottom: 1px solid var(--line); }
#summary { display: flex; flex-wrap: wrap; gap: 2px 18px; flex: 1; margin: 0; padding: 0;
  list-style: none; color: var(--soft); }
#summary b { color: var(--ink); font-variant-numeric: tabular-nums; font-weight: 600; }
#summary .bad b { color: var(--bad); }

#tools { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 10px; padding: 6px 14px;
  border-bottom: 1px solid var(--line); }
.field { display: flex; align-items: center; gap: 6px; color: var(--soft); }
.field input { color: var(--ink); }
.grow { flex: 1; min-width: 220px; }
.grow input { flex: 1; min-width: 0; }
fieldset { display: flex; align-items: center; gap: 4px; border: 0; margin: 0; padding: 0;
  color: var(--soft); }
legend { float: left; padding: 0 4px 0 0; }
fieldset button { padding: 3px 8px; }
.check { display: flex; align-items: center; gap: 4px; }
.check input { margin: 0; accent-color: var(--accent); }
.group { display: inline-flex; }
.group button { border-radius: 0; margin-left: -1px; }
.group button:first-child { border-radius: 6px 0 0 6px; margin: 0; }
.group button:last-child { border-radius: 0 6px 6px 0; }

main { flex: 1; min-height: 0; display: flex; }
#views { flex: 1; min-width: 0; display: flex; flex-direction: column; }
#notice { margin: 0; padding: 5px 14px; background: var(--shade); }
#overview { flex: none; height: 34px; cursor: crosshair; border-bottom: 1px solid var(--line); }
.stage { position: relative; flex: 1; min-height: 120px; }
#diagram { position: absolute; inset: 0; height: 100%; cursor: grab; touch-action: none; }
#diagram.dragging { cursor: grabbing; }
.status { display: flex; justify-content: space-between; gap: 14px; padding: 1px 14px;
  border-top: 1px solid var(--line); color: var(--soft); font-size: 12px; }
#shown { font-variant-numeric: tabular-nums; }
.bar { display: flex; align-items: center; gap: 14px; padding: 4px 14px;
  border-top: 1px solid var(--line); background: var(--panel); }
.spring { flex: 1; }
.keys { display: flex; flex-wrap: wrap; gap: 2px 12px; color: var(--soft); }
.keys i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 5px; }
.keys .behind { outline: 2px solid var(--bad); outline-offset: -2px; }
.matrix { flex: none; background: var(--panel); border-top: 1px solid var(--line); }
#matrix { cursor: pointer; }

aside { width: 352px; flex: none; display: flex; flex-direction: column; min-height: 0;
  background: var(--panel); border-left: 1px solid var(--line); }
[role="tablist"] { display: flex; border-bottom: 1px solid var(--line); padding: 0 6px; }
[role="tab"] { border: 0; border-bottom: 2px solid transparent; border-radius: 0; padding: 7px 8px;
  background: none; color: var(--soft); }
[role="tab"][aria-selected="true"] { color: var(--ink); border-color: var(--accent); }
[role="tabpanel"] { flex: 1; overflow: auto; padding: 10px 12px; }
[role="tabpanel"] h3 { margin: 0 0 6px; font-size: 14px; overflow-wrap: anywhere; }
[role="tabpanel"] h4 { margin: 14px 0 4px; font-size: 12px; color: var(--soft); }
.finding { display: block; width: 100%; margin: 0 0 6px; padding: 7px 9px; text-align: left;
  border-left: 4px solid var(--lane); }
.finding.s0, .finding.s1 { border-left-color: var(--bad); }
.finding.s2 { border-left-color: var(--warn); }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: 600; padding-bottom: 4px; }
th { text-align: left; font-weight: 400; color: var(--soft); white-space: nowrap; }
td, th { padding: 2px 8px 2px 0; vertical-align: top; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
.facts td { overflow-wrap: anywhere; }
kbd { border: 1px solid var(--line); border-radius: 4px; padding: 0 5px; font-size: 12px;
  background: var(--page); }
pre, code { font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
pre .k { color: var(--accent); }
.link { border: 0; background: none; padding: 0; color: var(--accent); text-align: left; }
.link:hover { text-decoration: underline; }
.kind { cursor: pointer; }
.kind:hover, tr.chosen { background: var(--shade); }
.chip { display: inline-block; width: 10px; height: 10px; border-radius: 5px; margin-right: 6px; }
.empty { color: var(--soft); }
svg text { fill: var(--soft); font-size: 10px; text-anchor: middle; }
.shares { display: flex; justify-content: space-between; white-space: nowrap; }
#tip { position: fixed; z-index: 5; max-width: 420px; padding: 4px 9px; border-radius: 6px;
  background: var(--ink); color: var(--page); pointer-events: none; white-space: pre-line; }
@media (min-width: 2200px) {
  body { font-size: 17px; }
  h1 { font-size: 19px; }
  aside { width: 520px; }
}
@media (max-width: 900px) { aside { width: 270px; } }
</style>
</head>
<body>
<header>
  <h1>mircat <span>report</span></h1>
  <ul id="summary" aria-label="Summary"></ul>
  <button id="theme" type="button" title="Light or dark (T)" aria-label="Light or dark">◐</button>
</header>

<form id="tools" aria-label="Filters">
  <label class="field grow">Type
    <input id="types" type="search" list="names" autocomplete="off" spellcheck="false"
           placeholder="Commit *Entry !Tick">
  </label>
  <datalist id="names"></datalist>
  <label class="field">Slots
    <input id="sns" type="search" autocomplete="off" placeholder="17 or 5..9" size="8">
  </label>
  <fieldset id="nodes"><legend>Nodes</legend></fieldset>
  <label class="check"><input id="locals" type="checkbox" checked> local</label>
  <label class="check"><input id="messages" type="checkbox" checked> messages</label>
  <label class="check"><input id="lost" type="checkbox" checked> lost</label>
  <span class="group" role="group" aria-label="Jump among what the filters show">
    <button id="previous" type="button" title="Previous that the filters show (P)">◀ prev</button>
    <button id="next" type="button" title="Next that the filters show (N)">next ▶</button>
  </span>
  <span class="group" role="group" aria-label="Horizontal axis">
    <button id="by-time" type="button" aria-pressed="true"
            title="As far apart as in time (O)">time</button>
    <button id="by-order" type="button" aria-pressed="false"
            title="Evenly, in the order of events (O)">order</button>
  </span>
  <button id="fit" type="button" title="All that the filters show (0)">fit</button>
  <button id="reset" type="button" title="Take all filters away (Esc)">clear</button>
</form>

<main>
  <section id="views">
    <p id="notice" role="status" hidden></p>
    <canvas id="overview" height="34" role="img"
            aria-label="All events over time; drag to choose a part"></canvas>
    <div class="stage">
      <canvas id="diagram" tabindex="0" role="application"
              aria-label="Space-time diagram: a lane a node, time to the right"></canvas>
    </div>
    <div class="status"><span id="legend"></span><output id="shown"></output></div>
    <div class="bar">
      <h2>Slots</h2>
      <span id="phases" class="keys"></span>
      <span class="spring"></span>
      <button id="first-open" type="button"
              title="First slot that some node has not delivered (U)">next open slot</button>
    </div>
    <div class="matrix">
      <canvas id="matrix" tabindex="0" role="application"
              aria-label="Matrix of sequence numbers by nodes; colours are phases"></canvas>
    </div>
  </section>

  <aside>
    <div role="tablist" aria-label="Panels">
      <button role="tab" id="tab-findings" aria-controls="findings">Findings</button>
      <button role="tab" id="tab-event" aria-controls="event">Event</button>
      <button role="tab" id="tab-slot" aria-controls="slot">Slot</button>
      <button role="tab" id="tab-latency" aria-controls="latency">Latency</button>
      <button role="tab" id="tab-kinds" aria-controls="kinds">Types</button>
      <button role="tab" id="tab-help" aria-controls="help" title="Keys (?)">?</button>
    </div>
    <div role="tabpanel" id="findings" aria-labelledby="tab-findings"></div>
    <div role="tabpanel" id="event" aria-labelledby="tab-event" aria-live="polite"></div>
    <div role="tabpanel" id="slot" aria-labelledby="tab-slot"></div>
    <div role="tabpanel" id="latency" aria-labelledby="tab-latency"></div>
    <div role="tabpanel" id="kinds" aria-labelledby="tab-kinds"></div>
    <div role="tabpanel" id="help" aria-labelledby="tab-help">
      <table>
        <caption>Keys</caption>
        <tr><th><kbd>+</kbd> <kbd>−</kbd>, wheel</th><td>zoom, about the pointer</td></tr>
        <tr><th><kbd>←</kbd> <kbd>→</kbd>, drag</th><td>move</td></tr>
        <tr><th><kbd>0</kbd></th><td>all that the filters show</td></tr>
        <tr><th><kbd>N</kbd> <kbd>P</kbd></th><td>next, previous event of those shown</td></tr>
        <tr><th><kbd>J</kbd> <kbd>K</kbd></th><td>next, previous of the same kind</td></tr>
        <tr><th><kbd>M</kbd></th><td>from a sent message to its receipt, and back</td></tr>
        <tr><th><kbd>U</kbd></th><td>next slot that some node has not delivered</td></tr>
        <tr><th><kbd>O</kbd></th><td>axis: by time, or evenly in order</td></tr>
        <tr><th><kbd>/</kbd></th><td>filter by type</td></tr>
        <tr><th><kbd>1</kbd> … <kbd>9</kbd></th><td>hide or show a node</td></tr>
        <tr><th><kbd>T</kbd></th><td>light or dark</td></tr>
        <tr><th><kbd>Esc</kbd></th><td>take the filters away</td></tr>
        <tr><th><kbd>?</kbd></th><td>this list</td></tr>
      </table>
      <p>A lane is a node, and time runs to the right: nodes are few, time is long, and screens are
         wide. An arrow is a message, from where it was sent to where it was received. A red stub
         with a cross is one that no log has a receipt of. Where events stand too close to be told
         apart, the lanes show how many there are: zoom in.</p>
      <p>Types take several words with blanks or commas between; <code>*</code> stands for anything
         and <code>!</code> leaves out.</p>
    </div>
  </aside>
</main>
<div id="tip" role="tooltip" hidden></div>
<noscript>This page is drawn by the script in it: allow scripts to see it.</noscript>
)page"};

inline constexpr std::string_view after_data[] = {R"page(<script>
"use strict";
// What the page knows. ReportData (report_data.hpp) writes it: columns with a place for each event,
// times in nanoseconds since `base`, -1 for none.

const PHASES = ["nothing yet", "proposed", "prepared", "committed", "delivered"];
const SENT = 1, RECEIVED = 2, DELIVERED = 4;

// Messages and events that people look for have a colour; everything else is grey.
const COLOURS = {
  PrePrepare: "p1", PaxosAccept: "p1", WalAppend_VoteEntry: "p1",
  Prepare: "p2", WalAppend_PreparedEntry: "p2", WalAppend_PaxosAcceptedEntry: "p2",
  Commit: "p3", PaxosAccepted: "p3",
  WalAppend_DecidedEntry: "p3", WalAppend_PaxosDecidedEntry: "p3",
  Deliver: "p4", Apply: "p4", Applied: "p4", Replied: "p4",
  ViewChange: "bad", NewView: "bad", PaxosPromise: "bad", PaxosTakeOver: "bad", Halt: "bad",
  NewRequest: "accent", Init: "warn", AppRestored: "warn", AppRestoreState: "warn",
};

/** The first place of an ascending array whose value is not below `value`. */
function lowerBound(array, value) {
  let low = 0, high = array.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (array[middle] < value) low = middle + 1; else high = middle;
  }
  return low;
}

/// All data, and which events the filters let through.
class Model {
  constructor(data, details) {
    Object.assign(this, data);
    this.size = data.node.length;
    this.details = details.split("\n");
    this.times = this.absolute(data.time);
    this.orders = Float64Array.from({length: this.size}, (_, place) => place);
    this.kinds = Int32Array.from(data.message, (name, e) => name < 0 ? data.type[e] : name);
    this.linkMessages();
    this.visible = new Uint8Array(this.size).fill(1);
    this.shown = Uint32Array.from(this.orders);
  }

  // Steps to times. A clock that was set back would make searching impossible.
  absolute(steps) {
    let now = 0, last = 0;
    return Float64Array.from(steps, step => (now += step, last = Math.max(last, now)));
  }

  linkMessages() {
    const none = length => new Int32Array(length).fill(-1);
    this.sending = none(this.size);       // of a receipt
    this.firstArrow = none(this.size);    // of a sent message, and so on by nextArrow
    this.nextArrow = none(this.arrows.length / 2);
    for (let arrow = this.nextArrow.length - 1; arrow >= 0; --arrow) {
      const [from, to] = [this.arrows[2 * arrow], this.arrows[2 * arrow + 1]];
      this.sending[to] = from;
      this.nextArrow[arrow] = this.firstArrow[from];
      this.firstArrow[from] = arrow;
    }
    this.lostTo = new Map();              // of a sent message: nodes that have no receipt of it
    for (let place = 0; place < this.lost.length; place += 2) {
      const [from, to] = [this.lost[place], this.lost[place + 1]];
      if (!this.lostTo.has(from)) this.lostTo.set(from, []);
      this.lostTo.get(from).push(to);
    }
  }

  name(e) { return this.names[this.kinds[e]]; }
  colour(e) { return COLOURS[this.name(e)] || "soft"; }
  span() { return this.size ? this.times[this.size - 1] : 0; }

  receipts(e) {
    const found = [];
    for (let arrow = this.firstArrow[e]; arrow >= 0; arrow = this.nextArrow[arrow])
      found.push(this.arrows[2 * arrow + 1]);
    return found;
  }

  /** An event's fields as an object, with the message that it sends or receives. */
  fieldsOf(e) {
    const fields = JSON.parse(this.details[this.fields[e]]);
    if (this.body[e] >= 0) fields.message = JSON.parse(this.details[this.body[e]]);
    return fields;
  }

  /** How many events each kind has, most first: [place of its name, count]. */
  counts() {
    const counts = new Map();
    for (const kind of this.kinds) counts.set(kind, (counts.get(kind) || 0) + 1);
    return [...counts].sort((left, right) => right[1] - left[1]);
  }

  apply(filter) {
    const kinds = filter.acceptedNames(this.names);
    const [low, high] = filter.range();
    const shown = [];
    for (let e = 0; e < this.size; ++e) {
      const named = kinds[this.kinds[e]] || (this.message[e] >= 0 && kinds[this.type[e]] === 2);
      const local = this.direction[e] === 0;
      const show = named && !filter.hidden.has(this.node[e]) &&
        (low === null || (this.sn[e] >= low && this.sn[e] <= high)) &&
        (local ? filter.locals : filter.messages || (filter.lost && this.lostTo.has(e)));
      this.visible[e] = show ? 1 : 0;
      if (show) shown.push(e);
    }
    this.shown = Uint32Array.from(shown);
  }

  /** The next of the shown events after `e`, or before it for `step` -1; -1 at the end. */
  neighbour(e, step, accept = () => true) {
    let place = lowerBound(this.shown, e + (step > 0 ? 1 : 0));
    if (step < 0) --place;
    for (; place >= 0 && place < this.shown.length; place += step)
      if (accept(this.shown[place])) return this.shown[place];
    return -1;
  }
}

/// What the controls at the top say.
class Filter {
  constructor() {
    this.clear();
  }
  clear() {
    this.types = "";
    this.sns = "";
    this.hidden = new Set();
    this.locals = this.messages = this.lost = true;
  }
  /** For each name: 0 no, 1 yes, 2 yes because it was asked for by this very name. */
  acceptedNames(names) {
    const words = this.types.split(/[\s,]+/).filter(word => word && word !== "!");
    const wanted = words.filter(word => word[0] !== "!");
    const unwanted = words.filter(word => word[0] === "!").map(word => word.slice(1));
    const matcher = word => {
      const lower = word.toLowerCase();
      if (names.some(name => name.toLowerCase() === lower)) return name => name === lower;
      if (!word.includes("*")) return name => name.includes(lower);
      const escaped = lower.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
      const pattern = new RegExp(`^${escaped}$`);
      return name => pattern.test(name);
    };
    const [yes, no] = [wanted.map(matcher), unwanted.map(matcher)];
    return names.map(name => {
      const lower = name.toLowerCase();
      if (no.some(test => test(lower))) return 0;
      return yes.length === 0 ? 1 : yes.some(test => test(lower)) ? 2 : 0;
    });
  }
  /** First and last sequence number, or nulls; what is no range shows nothing. */
  range() {
    const text = this.sns.trim();
    if (!text) return [null, null];
    const found = /^(\d*)\s*(\.\.|-)?\s*(\d*)$/.exec(text);
    if (!found) return [Infinity, -Infinity];
    const low = found[1] ? Number(found[1]) : 0;
    return [low, found[2] ? (found[3] ? Number(found[3]) : Infinity) : low];
  }
}

const UNITS = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];

/** "1.25 ms", with a unit that suits `scale`, or the value itself. */
function duration(nanoseconds, scale = Math.abs(nanoseconds), digits = 3) {
  const [size, unit] = UNITS.find(([size]) => scale >= size) || UNITS[3];
  return `${Number((nanoseconds / size).toFixed(digits)).toLocaleString("en")} ${unit}`;
}

function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function escapeHtml(text) {
  return String(text).replace(/[&<>"]/g,
    found => ({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;"}[found]));
}

// The space-time diagram: a lane a node, in it a row a module; and the overview above it.

const GUTTER = 70, AXIS = 22, MOST_MARKS = 6000, MOST_ARROWS = 4000, MOST_LABELS = 500,
  MOST_TICKS = 200;

/** A font for a canvas, as much larger on large screens as the page's own. */
function fontOf(size, weight = 400) {
  const page = getComputedStyle(document.body);
  return `${weight} ${size * parseFloat(page.fontSize) / 13}px ${page.fontFamily}`;
}

/** A canvas in device pixels, drawn in CSS pixels. */
function sized(canvas, height = canvas.clientHeight) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = fontOf(12);
  context.textBaseline = "middle";
  return {context, width, height};
}

/** The colours of the page's style, by their names there. */
function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["page", "panel", "ink", "soft", "line", "lane", "accent", "bad", "warn", "good",
                 "p0", "p1", "p2", "p3", "p4", "shade"];
  return Object.fromEntries(names.map(name => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/// What the big canvas shows, of the events that the filters let through.
class Diagram {
  constructor(model, filter, canvas, overview) {
    Object.assign(this, {model, filter, canvas, overview});
    this.axis = model.times;
    this.selected = -1;
    this.fit();
  }

  get last() { return this.model.size ? Math.max(this.axis[this.model.size - 1], 1) : 1; }
  get isByTime() { return this.axis === this.model.times; }

  /** Shows all that the filters let through. */
  fit() {
    const {shown} = this.model;
    const [from, to] = shown.length
      ? [this.axis[shown[0]], this.axis[shown[shown.length - 1]]] : [0, this.last];
    this.show((from + to) / 2, (to - from) * 1.04);
  }

  /** Changes the axis, and keeps what is in the middle there. */
  setAxis(byTime) {
    const middle = this.nearest((this.from + this.to) / 2);
    const seen = this.inView();
    this.axis = byTime ? this.model.times : this.model.orders;
    if (seen.last <= seen.first) return this.fit();
    const ends = [seen.first, seen.last - 1].map(place => this.axis[this.model.shown[place]]);
    const half = Math.max(ends[1] - ends[0], this.narrowest) * 0.52;
    this.show(middle < 0 ? half : (ends[0] + ends[1]) / 2, 2 * half);
  }

  // Not so narrow that numbers of this size are no finer than it.
  get narrowest() { return Math.max(this.isByTime ? 20 : 4, this.last * 2 ** -48); }

  show(middle, width) {
    const most = this.last * 1.04;
    width = Math.min(Math.max(width, this.narrowest), most);
    this.from = Math.min(Math.max(middle - width / 2, -0.02 * this.last - width * 0.4),
                         this.last * 1.02 - width * 0.6);
    this.to = this.from + width;
  }

  zoom(factor, x = (GUTTER + this.width) / 2) {
    const at = this.valueAt(x);
    const old = this.to - this.from;
    const width = Math.min(Math.max(old * factor, this.narrowest), this.last * 1.04);
    this.show(at + width * (0.5 - (at - this.from) / old), width);
  }

  pan(pixels) {
    const width = this.to - this.from;
    this.show(this.from + width / 2 + pixels * width / this.plot, width);
  }

  /** Brings an event into view; from afar also nearer. */
  reveal(e) {
    const width = this.to - this.from;
    const around = this.model.shown.length ? 160 * this.last / this.model.size : width;
    const near = this.marksInView() > MOST_MARKS ? Math.min(width, around) : width;
    const at = this.axis[e];
    if (near !== width || at < this.from + width * 0.08 || at > this.to - width * 0.08)
      this.show(at, near);
  }

  get plot() { return this.width - GUTTER - 8; }
  x(e) { return GUTTER + (this.axis[e] - this.from) / (this.to - this.from) * this.plot; }
  valueAt(x) { return this.from + (x - GUTTER) / this.plot * (this.to - this.from); }

  /** Places among the shown events: of those within the view. */
  inView(from = this.from, to = this.to) {
    const {shown} = this.model;
    const above = (e, value) => this.axis[e] < value;
    const bound = value => {
      let low = 0, high = shown.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (above(shown[middle], value)) low = middle + 1; else high = middle;
      }
      return low;
    };
    return {first: bound(from), last: bound(to)};
  }

  marksInView() {
    const {first, last} = this.inView();
    return last - first;
  }

  nearest(value) {
    const {first} = this.inView(value, value);
    return this.model.shown[Math.min(first, this.model.shown.length - 1)] ?? -1;
  }

  // Lanes are as high as there is room; their rows are the modules, the way of a message from the
  // network's row at the bottom up to the protocol's in the middle.
  layOut() {
    const nodes = this.model.nodes.length;
    this.lane = Math.max((this.height - AXIS) / Math.max(nodes, 1), 6);
    this.row = this.lane * 0.66 / Math.max(this.model.modules.length - 1, 1);
  }
  top(node) { return AXIS + node * this.lane; }
  y(e) { return this.top(this.model.node[e]) + this.lane * 0.17 + this.row * this.model.module[e]; }
  middle(node) { return this.top(node) + this.lane / 2; }

  draw(colours) {
    const began = performance.now();
    this.colours = colours;
    Object.assign(this, sized(this.canvas));
    this.layOut();
    this.drawLanes();
    this.drawTimes();
    const view = this.inView();
    const context = this.context;
    context.save();
    context.beginPath();
    context.rect(GUTTER - 6, 0, this.width - GUTTER + 6, this.height);
    context.clip();
    this.isDense = view.last - view.first > MOST_MARKS;
    if (this.isDense) this.drawDensity(view); else this.drawMarks(view);
    if (this.selected >= 0) this.drawSelected();
    context.restore();
    this.drawOverview();
    this.frame = performance.now() - began;
    return view;
  }

  drawLanes() {
    const {context, colours, model} = this;
    model.nodes.forEach((node, place) => {
      const hidden = this.filter.hidden.has(place);
      context.fillStyle = place % 2 ? colours.page : colours.panel;
      context.fillRect(0, this.top(place), this.width, this.lane);
      context.strokeStyle = colours.line;
      if (this.row > 3 && !hidden) {
        context.beginPath();
        for (const module of [0, 4, 7]) {
          const y = this.top(place) + this.lane * 0.17 + this.row * module;
          context.moveTo(GUTTER, y);
          context.lineTo(this.width, y);
        }
        context.stroke();
      }
      context.fillStyle = hidden ? colours.lane : colours.ink;
      context.textAlign = "left";
      context.font = fontOf(Math.min(13, this.lane), 600);
      const roomy = this.row > 9;
      context.fillText(`node ${node.id}`, 12, roomy ? this.top(place) + 11 : this.middle(place));
      if (!roomy) return;
      context.font = fontOf(10);
      context.fillStyle = colours.soft;
      model.modules.forEach((name, module) => context.fillText(
        name, 12, this.top(place) + this.lane * 0.17 + this.row * module));
    });
  }

  drawTimes() {
    const {context, colours} = this;
    context.fillStyle = colours.panel;
    context.fillRect(0, 0, this.width, AXIS);
    context.font = fontOf(11);
    context.textAlign = "center";
    const width = this.to - this.from;
    const rough = width / Math.max(this.plot / 110, 1);
    const power = 10 ** Math.floor(Math.log10(rough));
    const round = [1, 2, 5, 10].map(part => part * power).find(part => part >= rough);
    const step = Math.max(round, this.isByTime ? 0 : 1);
    const [unit] = UNITS.find(([size]) => this.to >= size) || [1];
    const digits = Math.max(0, Math.ceil(Math.log10(unit / step)));
    const first = Math.max(0, Math.ceil(this.from / step));
    for (let tick = 0; tick < MOST_TICKS; ++tick) {
      const value = (first + tick) * step;
      if (value > this.to) break;
      const x = GUTTER + (value - this.from) / width * this.plot;
      context.strokeStyle = colours.line;
      context.beginPath();
      context.moveTo(x, AXIS - 5);
      context.lineTo(x, this.height);
      context.stroke();
      context.fillStyle = colours.soft;
      const text = this.isByTime ? duration(value, this.to, digits)
                                 : `#${Math.round(value).toLocaleString("en")}`;
      context.fillText(text, x, AXIS / 2 - 1);
    }
  }

  // Too many to tell apart: how many there are in each column of pixels, where slots were
  // delivered, and where messages were lost.
  drawDensity({first, last}) {
    const {context, colours, model} = this;
    const columns = Math.ceil(this.plot / 2) + 1;
    const nodes = model.nodes.length;
    const all = new Uint32Array(columns * nodes);
    const delivered = new Uint32Array(columns * nodes);
    const lost = new Uint32Array(columns * nodes);
    let most = 1;
    const scale = this.plot / 2 / (this.to - this.from);
    const cellOf = e => model.node[e] * columns + Math.floor((this.axis[e] - this.from) * scale);
    for (let place = first; place < last; ++place) {
      const e = model.shown[place];
      const cell = cellOf(e);
      most = Math.max(most, ++all[cell]);
      if (model.reached[e] === DELIVERED) ++delivered[cell];
    }
    const isLost = e => model.visible[e] && this.axis[e] >= this.from && this.axis[e] <= this.to;
    for (const e of this.filter.lost ? model.lostTo.keys() : []) if (isLost(e)) ++lost[cellOf(e)];
    const share = number => this.lane * 0.8 * Math.log1p(number) / Math.log1p(most);
    const bars = (counts, colour, height) => {
      context.fillStyle = colour;
      for (let cell = 0; cell < counts.length; ++cell) {
        if (!counts[cell]) continue;
        const node = Math.floor(cell / columns);
        const bar = height(counts[cell]);
        const bottom = this.top(node) + this.lane * 0.92;
        context.fillRect(GUTTER + cell % columns * 2, bottom - bar, 2, bar);
      }
    };
    bars(all, colours.lane, number => Math.max(2, share(number)));
    bars(delivered, colours.p4, number => Math.max(3, share(number)));
    bars(lost, colours.bad, () => 4);
  }

  drawMarks({first, last}) {
    const {model} = this;
    const few = last - first <= MOST_LABELS;
    if (this.filter.messages || this.filter.lost) this.drawArrows(first, last);
    const radius = Math.min(few ? 4 : 2.5, Math.max(this.row * 0.45, 1.5));
    for (let place = first; place < last; ++place) this.drawMark(model.shown[place], radius);
    if (few) this.drawLabels(first, last);
  }

  drawMark(e, radius) {
    const {context, colours, model} = this;
    const [x, y] = [this.x(e), this.y(e)];
    context.fillStyle = colours[model.colour(e)];
    context.beginPath();
    if (model.reached[e] === DELIVERED) {
      const r = radius * 1.7;
      context.moveTo(x, y - r);
      context.lineTo(x + r, y);
      context.lineTo(x, y + r);
      context.lineTo(x - r, y);
    } else {
      context.arc(x, y, radius, 0, 7);
    }
    context.fill();
  }

  drawArrows(first, last) {
    const {context, model} = this;
    let drawn = 0;
    context.lineWidth = 1;
    for (let place = first; place < last && drawn < MOST_ARROWS; ++place) {
      const e = model.shown[place];
      if (this.filter.messages) {
        if (model.sending[e] >= 0) drawn += this.drawArrow(model.sending[e], e, 0.75);
        for (const to of model.receipts(e))
          if (this.axis[to] > this.to) drawn += this.drawArrow(e, to, 0.75);
      }
      if (this.filter.lost && model.lostTo.has(e))
        for (const node of model.lostTo.get(e)) drawn += this.drawLost(e, node);
    }
    context.globalAlpha = 1;
  }

  drawArrow(from, to, alpha) {
    const {context, model} = this;
    if (!model.visible[from] || !model.visible[to]) return 0;
    const [x0, y0, x1, y1] = [this.x(from), this.y(from), this.x(to), this.y(to)];
    context.globalAlpha = alpha;
    context.strokeStyle = context.fillStyle = this.colours[model.colour(from)];
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
    context.stroke();
    const angle = Math.atan2(y1 - y0, x1 - x0);
    context.beginPath();
    context.moveTo(x1, y1);
    for (const turn of [-0.35, 0.35])
      context.lineTo(x1 - 8 * Math.cos(angle + turn), y1 - 8 * Math.sin(angle + turn));
    context.fill();
    return 1;
  }

  // A stub towards the node that has no receipt of it, with a cross at its end.
  drawLost(e, node) {
    const {context, colours} = this;
    if (this.filter.hidden.has(node)) return 0;
    const [x, y] = [this.x(e), this.y(e)];
    const end = y + (this.middle(node) - y) * 0.45;
    const x1 = x + 14;
    context.globalAlpha = 0.6;
    context.strokeStyle = colours.bad;
    context.setLineDash([2, 4]);
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x1, end);
    context.stroke();
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(x1 - 3, end - 3);
    context.lineTo(x1 + 3, end + 3);
    context.moveTo(x1 + 3, end - 3);
    context.lineTo(x1 - 3, end + 3);
    context.stroke();
    return 1;
  }

  // Where no other mark or label of the lane, or of its row where these are high enough, is in
  // the way.
  drawLabels(first, last) {
    const {context, colours, model} = this;
    const rowOf = e => model.node[e] * 16 + (this.row > 9 ? model.module[e] : 0);
    const [next, seen, ends] = [[], new Map(), new Map()];
    for (let place = last - 1; place >= first; --place) {
      const e = model.shown[place];
      next[place - first] = seen.get(rowOf(e)) ?? Infinity;
      seen.set(rowOf(e), this.x(e));
    }
    context.font = fontOf(11);
    context.textAlign = "left";
    for (let place = first; place < last; ++place) {
      const e = model.shown[place];
      const row = rowOf(e);
      const x = this.x(e) + 6;
      const text = model.sn[e] >= 0 ? `${model.name(e)} ${model.sn[e]}` : model.name(e);
      const width = context.measureText(text).width;
      if (x < (ends.get(row) ?? 0) || next[place - first] < x + width) continue;
      ends.set(row, x + width + 6);
      context.fillStyle = colours.ink;
      context.globalAlpha = 0.85;
      context.fillText(text, x, this.y(e) - (this.row > 9 ? 1 : 8));
    }
    context.globalAlpha = 1;
  }

  drawSelected() {
    const {context, colours, model, selected: e} = this;
    const x = this.x(e);
    context.strokeStyle = colours.accent;
    context.globalAlpha = 0.5;
    context.beginPath();
    context.moveTo(x, AXIS);
    context.lineTo(x, this.height);
    context.stroke();
    context.globalAlpha = 1;
    context.lineWidth = 2.5;
    if (model.sending[e] >= 0) this.drawArrow(model.sending[e], e, 1);
    for (const to of model.receipts(e)) this.drawArrow(e, to, 1);
    context.strokeStyle = colours.accent;
    context.globalAlpha = 1;
    context.beginPath();
    context.arc(x, this.y(e), 8, 0, 7);
    context.stroke();
    context.lineWidth = 1;
  }

  drawOverview() {
    const {context, width, height} = sized(this.overview);
    const {colours, model} = this;
    const plot = width - GUTTER - 8;
    const columns = Math.ceil(plot / 2) + 1;
    const counts = new Uint32Array(columns);
    const delivered = new Uint32Array(columns);
    let most = 1;
    for (const e of model.shown) {
      const column = Math.floor(this.axis[e] / this.last * plot / 2);
      most = Math.max(most, ++counts[column]);
      if (model.reached[e] === DELIVERED) ++delivered[column];
    }
    for (let column = 0; column < columns; ++column) {
      const high = (height - 8) * Math.log1p(counts[column]) / Math.log1p(most);
      context.fillStyle = delivered[column] ? colours.p4 : colours.lane;
      context.fillRect(GUTTER + column * 2, height - 3 - high, 2, high);
    }
    const at = value => GUTTER + Math.min(Math.max(value / this.last, 0), 1) * plot;
    context.fillStyle = colours.shade;
    context.fillRect(at(this.from), 0, Math.max(at(this.to) - at(this.from), 2), height);
    context.fillStyle = colours.accent;
    for (const value of [this.from, this.to]) context.fillRect(at(value) - 1, 0, 2, height);
    context.fillStyle = colours.soft;
    context.fillText("all", 12, height / 2);
  }

  /** The shown event nearest to a point, not further than a few pixels. */
  hit(x, y) {
    if (this.isDense) return -1;
    const reach = 9 / this.plot * (this.to - this.from);
    const at = this.valueAt(x);
    const {first, last} = this.inView(at - reach, at + reach);
    let best = -1, nearest = 100;
    for (let place = first; place < last; ++place) {
      const e = this.model.shown[place];
      const distance = (this.x(e) - x) ** 2 + (this.y(e) - y) ** 2;
      if (distance < nearest) [best, nearest] = [e, distance];
    }
    return best;
  }
}

// The matrix of slots by nodes: how far each node is with each sequence number.

/// One column a slot, one row a node.
class Matrix {
  constructor(model, canvas) {
    Object.assign(this, {model, canvas});
    this.slots = model.slots;           // [sn, a cell a node]; see Model's columns for a cell
    this.offset = null;                 // the first column that is seen; null: the last ones
    this.selected = null;               // {place, node}
  }

  static HEAD = 18;

  /** 0 to 4, an index of PHASES. */
  static phase(cell) {
    if (!cell) return 0;
    for (let phase = 4; phase > 0; --phase) if (cell[phase - 1] >= 0) return phase;
    return 0;
  }

  /** Whether another node has delivered what this one has not. */
  isBehind(place, node) {
    const cells = this.slots[place].slice(1);
    return Matrix.phase(cells[node]) < DELIVERED &&
      cells.some(cell => Matrix.phase(cell) === DELIVERED);
  }

  layOut() {
    const nodes = this.model.nodes.length;
    const most = Math.max(window.innerHeight * 0.26, 90);
    this.row = Math.max(5, Math.min(24, (most - Matrix.HEAD) / Math.max(nodes, 1)));
    const height = Math.ceil(Matrix.HEAD + this.row * nodes + 6);
    this.canvas.style.height = `${height}px`;
    const plot = this.canvas.clientWidth - GUTTER - 8;
    this.column = Math.max(7, Math.min(26, plot / Math.max(this.slots.length, 1)));
    this.columns = Math.floor(plot / this.column);
    const last = Math.max(this.slots.length - this.columns, 0);
    this.first = Math.min(Math.max(this.offset ?? last, 0), last);
    return height;
  }

  scroll(columns) {
    this.offset = Math.round(this.first + columns);
  }

  reveal(place) {
    if (place < this.first || place >= this.first + this.columns)
      this.offset = Math.round(place - this.columns / 2);
  }

  draw(colours) {
    const height = this.layOut();
    const {context, width} = sized(this.canvas, height);
    context.font = fontOf(11);
    if (!this.slots.length) {
      context.fillStyle = colours.soft;
      context.fillText("No event here names a sequence number.", 12, height / 2);
      return;
    }
    this.model.nodes.forEach((node, n) => {
      context.fillStyle = colours.ink;
      context.textAlign = "left";
      if (this.row >= 9) context.fillText(`node ${node.id}`, 12, this.y(n) + this.row / 2);
    });
    const every = [1, 2, 5, 10, 20, 50, 100].find(step => step * this.column >= 46);
    const end = Math.min(this.first + this.columns, this.slots.length);
    for (let place = this.first; place < end; ++place)
      this.drawSlot(context, colours, place, every);
  }

  x(place) { return GUTTER + (place - this.first) * this.column; }
  y(node) { return Matrix.HEAD + node * this.row; }

  drawSlot(context, colours, place, every) {
    const [sn, ...cells] = this.slots[place];
    const x = this.x(place);
    if (sn % every === 0) {
      context.fillStyle = colours.soft;
      context.textAlign = "left";
      context.fillText(sn, x, Matrix.HEAD / 2);
    }
    cells.forEach((cell, node) => {
      context.fillStyle = colours[`p${Matrix.phase(cell)}`];
      const box = [x, this.y(node) + 1, this.column - 1.5, this.row - 2];
      context.fillRect(...box);
      if (this.isBehind(place, node)) {
        context.strokeStyle = colours.bad;
        context.lineWidth = 2;
        context.strokeRect(box[0] + 1, box[1] + 1, box[2] - 2, box[3] - 2);
      }
    });
    if (this.selected?.place !== place) return;
    context.strokeStyle = colours.accent;
    context.lineWidth = 2;
    context.strokeRect(x - 1, Matrix.HEAD - 1, this.column + 0.5, this.row * cells.length + 2);
  }

  hit(x, y) {
    const place = this.first + Math.floor((x - GUTTER) / this.column);
    const node = Math.floor((y - Matrix.HEAD) / this.row);
    if (x < GUTTER || place >= this.slots.length || node < 0) return null;
    return node < this.model.nodes.length ? {place, node} : null;
  }

  placeOf(sn) {
    const place = lowerBound(this.slots.map(slot => slot[0]), sn);
    return this.slots[place]?.[0] === sn ? place : -1;
  }

  /** The next slot after `place` that some node has not delivered; -1 if there is none. */
  nextOpen(place) {
    for (let step = 1; step <= this.slots.length; ++step) {
      const next = (place + step) % this.slots.length;
      if (this.slots[next].slice(1).some(cell => Matrix.phase(cell) < DELIVERED)) return next;
    }
    return -1;
  }

  describe({place, node}) {
    const [sn, ...cells] = this.slots[place];
    const cell = cells[node];
    const phase = Matrix.phase(cell);
    const waits = phase < DELIVERED ? `\nwaits for ${cell?.[5] ?? "its proposal"}` : "";
    return `sn ${sn}, node ${this.model.nodes[node].id}: ${PHASES[phase]}${waits}`;
  }
}

// The panels on the right: what was found, the chosen event and slot, latencies, types of events.

/** An object as indented text, names in colour. */
function pretty(value, indent = "") {
  const deeper = indent + "  ";
  if (Array.isArray(value)) {
    if (!value.length) return "[]";
    if (value.every(element => typeof element !== "object"))
      return `[${value.map(element => escapeHtml(element)).join(", ")}]`;
    return value.map(element => `\n${indent}- ${pretty(element, deeper).trimStart()}`).join("");
  }
  if (value !== null && typeof value === "object")
    return Object.entries(value).map(([name, part]) =>
      `\n${indent}<span class="k">${escapeHtml(name)}</span>: ${pretty(part, deeper)}`).join("");
  return escapeHtml(value);
}

/// Fills the panels, and shows one at a time.
class Panels {
  constructor(model, diagram, matrix, go) {
    Object.assign(this, {model, diagram, matrix, go});
    for (const tab of document.querySelectorAll("[role=tab]"))
      tab.addEventListener("click", () => this.open(tab.getAttribute("aria-controls")));
    document.querySelector("[role=tablist]").addEventListener("keydown", event => {
      const tabs = [...document.querySelectorAll("[role=tab]")];
      const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
      if (!step) return;
      const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
      next.focus();
      next.click();
      event.stopPropagation();
    });
    this.fillSummary();
    this.fillFindings();
    this.fillLatency();
    this.fillKinds();
    this.showEvent(-1);
    this.showSlot(null);
    this.open("findings");
  }

  open(id) {
    this.current = id;
    for (const tab of document.querySelectorAll("[role=tab]")) {
      const chosen = tab.getAttribute("aria-controls") === id;
      tab.setAttribute("aria-selected", chosen);
      tab.tabIndex = chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !chosen;
    }
  }

  fillSummary() {
    const {model} = this;
    const span = Math.max(...model.nodes.map(node => node.last), 0);
    const delivered = Math.max(...model.nodes.map(node => node.delivered), -1);
    const serious = model.findings.filter(finding => finding.severity < 2).length;
    const began = Number(BigInt(model.base) / 1000000n);
    const date = began > 3e10 ? new Date(began).toISOString().replace("T", " ").slice(0, 23) : "";
    const parts = [[model.nodes.length, model.nodes.length === 1 ? "node" : "nodes"],
                   [duration(span), date ? `from ${date}Z` : "long"],
                   [model.total.toLocaleString("en"), "events"],
                   [model.matched.toLocaleString("en"), "messages arrived"],
                   [(model.lost.length / 2).toLocaleString("en"), "lost"],
                   [delivered < 0 ? "nothing" : `sn ${delivered}`, "delivered last"],
                   [serious, serious === 1 ? "problem" : "problems", serious ? "bad" : ""]];
    document.getElementById("summary").innerHTML = parts.map(([value, text, style]) =>
      `<li class="${style || ""}"><b>${escapeHtml(value)}</b> ${escapeHtml(text)}</li>`).join("");
  }

  fillFindings() {
    const panel = document.getElementById("findings");
    panel.innerHTML = "<h3>Where to look first</h3>";
    if (!this.model.findings.length)
      panel.innerHTML += "<p class=empty>Nothing stands out: all nodes delivered the same slots, " +
        "and all messages between them arrived.</p>";
    for (const finding of this.model.findings) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = `finding s${finding.severity}`;
      button.textContent = finding.text;
      button.addEventListener("click", () => this.go.finding(finding));
      panel.append(button);
    }
    panel.insertAdjacentHTML("beforeend", "<h4>Nodes</h4><table><tr><th>node<th>events<th>until" +
      "<th>delivered up to</tr>" + this.model.nodes.map(node =>
        `<tr title="${escapeHtml(node.files.join("\n"))}"><td>${node.id}<td class=n>` +
        `${node.events.toLocaleString("en")}<td class=n>${duration(node.last)}<td class=n>` +
        `${node.delivered < 0 ? "–" : `sn ${node.delivered}`}</tr>`).join("") + "</table>");
  }

  link(text, action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.textContent = text;
    button.addEventListener("click", action);
    return button;
  }

  line(table, name, value) {
    const row = table.insertRow();
    row.append(Object.assign(document.createElement("th"), {textContent: name}));
    row.insertCell().append(value);
  }

  showEvent(e) {
    const panel = document.getElementById("event");
    if (e < 0) {
      panel.innerHTML = "<p class=empty>Click an event to see its fields.</p>";
      return;
    }
    const {model} = this;
    const way = {[SENT]: "sent", [RECEIVED]: "received"}[model.direction[e]] || "";
    panel.innerHTML = `<h3><span class=chip style="background:var(--${model.colour(e)})"></span>` +
      `${escapeHtml(model.name(e))} ${way}</h3>`;
    const table = Object.assign(document.createElement("table"), {className: "facts"});
    this.line(table, "node", String(model.nodes[model.node[e]].id));
    this.line(table, "module", model.modules[model.module[e]]);
    this.line(table, "type", model.names[model.type[e]]);
    this.line(table, "time", duration(model.times[e], Math.abs(model.times[e]), 6));
    this.line(table, "index", String(model.index[e]));
    if (model.sn[e] >= 0)
      this.line(table, "slot", this.link(`sn ${model.sn[e]}`, () => this.go.slot(model.sn[e])));
    if (model.reached[e] > 0) this.line(table, "says", `${PHASES[model.reached[e]]} here`);
    const travel = (from, to) => duration(model.times[to] - model.times[from]);
    if (model.sending[e] >= 0) {
      const from = model.sending[e];
      this.line(table, "sent by", this.link(
        `node ${model.nodes[model.node[from]].id}, ${travel(from, e)} before`,
        () => this.go.event(from)));
    }
    for (const to of model.receipts(e))
      this.line(table, "received by", this.link(
        `node ${model.nodes[model.node[to]].id}, after ${travel(e, to)}`, () => this.go.event(to)));
    for (const node of model.lostTo.get(e) || [])
      this.line(table, "lost", `no receipt at node ${model.nodes[node].id}`);
    panel.append(table);
    panel.insertAdjacentHTML("beforeend",
      `<h4>Fields</h4><pre>${pretty(model.fieldsOf(e)).trimStart() || "none"}</pre>`);
  }

  showSlot(place) {
    const panel = document.getElementById("slot");
    if (place === null) {
      panel.innerHTML = "<p class=empty>Click a cell of the matrix to see its slot.</p>";
      return;
    }
    const {model} = this;
    const [sn, ...cells] = this.matrix.slots[place];
    panel.innerHTML = `<h3>sn ${sn}</h3>`;
    panel.append(this.link("show only this slot", () => this.go.only(sn)));
    const times = cells.flatMap(cell => cell ? cell.slice(0, 4).filter(time => time >= 0) : []);
    const began = Math.min(...times);
    cells.forEach((cell, node) => {
      const phase = Matrix.phase(cell);
      const title = `node ${model.nodes[node].id}: ${PHASES[phase]}`;
      panel.insertAdjacentHTML("beforeend",
        `<h4><span class=chip style="background:var(--p${phase})"></span>${title}</h4>`);
      const table = Object.assign(document.createElement("table"), {className: "facts"});
      for (let step = 1; step <= 4; ++step)
        if (cell && cell[step - 1] >= 0)
          this.line(table, PHASES[step], `+${duration(cell[step - 1] - began)}`);
      if (phase < DELIVERED) this.line(table, "waits for", cell?.[5] ?? "its proposal");
      if (cell && cell[4] >= 0)
        this.line(table, "", this.link("show the last step", () => this.go.event(cell[4])));
      panel.append(table);
    });
  }

  fillLatency() {
    const {model} = this;
    const panel = document.getElementById("latency");
    panel.innerHTML = "<h3>How long things took</h3>" + model.latencies.map(leg => {
      const none = leg.counts[0] === 0 ? Math.ceil(100 * leg.counts[1] / leg.total) : 0;
      const title = `${escapeHtml(leg.name)} (${leg.total.toLocaleString("en")}` +
        `${none ? `, ${none} % at once` : ""})`;
      if (!leg.total) return `<h4>${title}</h4><p class=empty>Not in these logs.</p>`;
      const [half, most, nearly] = leg.quantiles;
      return `<h4>${title}</h4>${this.histogram(leg)}<div class=shares>` +
        `<span>half <b>${duration(half, half, 1)}</b></span>` +
        `<span>90 % <b>${duration(most, most, 1)}</b></span>` +
        `<span>99 % <b>${duration(nearly, nearly, 1)}</b></span></div>`;
    }).join("") + (model.open ? `<p>${count(model.open, "request")} came to a node and ` +
      "had not been applied there at the end.</p>" : "");
  }

  // Columns are eighths of a doubling; the axis names powers of ten.
  histogram(leg) {
    const [width, height] = [320, 64];
    // What took no time at all, as in a simulation, would be far off to the left.
    const start = leg.counts[0] === 0 && leg.counts.length > 2 ? 2 : 0;
    const places = leg.counts.slice(start).filter((_, place) => place % 2 === 0);
    const numbers = leg.counts.slice(start).filter((_, place) => place % 2 === 1);
    const low = places[0] - 2, high = places[places.length - 1] + 3;
    const x = place => (place - low) / (high - low) * width;
    const most = Math.max(...numbers);
    const bars = places.map((place, at) => {
      const bar = Math.max(numbers[at] / most * (height - 16), 1);
      const wide = Math.max(x(place + 1) - x(place) - 0.5, 1);
      const value = 2 ** (place / this.model.steps);
      return `<rect x="${x(place).toFixed(1)}" y="${(height - 14 - bar).toFixed(1)}" ` +
        `width="${wide.toFixed(1)}" height="${bar.toFixed(1)}" fill="var(--accent)">` +
        `<title>about ${duration(value, value, 1)}: ${numbers[at]}</title></rect>`;
    });
    const ticks = [];
    const decade = Math.log2(10) * this.model.steps;
    const every = Math.ceil(46 / (x(decade) - x(0)));
    for (let power = 0; power < 13; power += every) {
      const at = x(power * decade);
      if (at >= 16 && at <= width - 16)
        ticks.push(`<text x="${at.toFixed(1)}" y="${height - 3}">${duration(10 ** power)}</text>`);
    }
    return `<svg viewBox="0 0 ${width} ${height}" role="img" ` +
      `aria-label="Distribution of ${escapeHtml(leg.name)}">` +
      `${bars.join("")}${ticks.join("")}</svg>`;
  }

  fillKinds() {
    const panel = document.getElementById("kinds");
    panel.innerHTML = "<h3>Types of events</h3><p class=empty>Click one to see it alone; J and K " +
      "go from one of its kind to the next.</p>";
    const table = panel.appendChild(document.createElement("table"));
    for (const [kind, number] of this.model.counts()) {
      const name = this.model.names[kind];
      const row = table.insertRow();
      row.className = "kind";
      row.insertCell().append(this.link(name, () => this.go.kind(name)));
      row.cells[0].insertAdjacentHTML("afterbegin",
        `<span class=chip style="background:var(--${COLOURS[name] || "soft"})"></span>`);
      const cell = row.insertCell();
      cell.className = "n";
      cell.textContent = number.toLocaleString("en");
    }
  }
}

// Controls, mouse and keyboard; what they change is drawn in the next frame.

const element = id => document.getElementById(id);
const model = new Model(JSON.parse(element("data").textContent), element("details").textContent);
const filter = new Filter();
const diagram = new Diagram(model, filter, element("diagram"), element("overview"));
const matrix = new Matrix(model, element("matrix"));
let colours = readColours();
let isPending = false;

function redraw() {
  if (isPending) return;
  isPending = true;
  requestAnimationFrame(() => {
    isPending = false;
    matrix.draw(colours);
    const view = diagram.draw(colours);
    element("shown").textContent = `${count(view.last - view.first, "event")} in view, ` +
      `${model.shown.length.toLocaleString("en")} of ${model.size.toLocaleString("en")} shown`;
    element("legend").textContent = diagram.isDense
      ? "height: how many events (logarithm); green: slots delivered; red: messages lost"
      : "row: module; line: message; diamond: slot delivered; red cross: no receipt in any log";
    window.report.frames.push(diagram.frame);
    window.report.painted ??= performance.now();
  });
}

const go = {
  event(e) {
    if (!model.visible[e]) clear();
    diagram.selected = e;
    diagram.reveal(e);
    panels.showEvent(e);
    panels.open("event");
    redraw();
  },
  slot(sn) {
    const place = matrix.placeOf(sn);
    if (place < 0) return;
    matrix.selected = {place};
    matrix.reveal(place);
    panels.showSlot(place);
    panels.open("slot");
    redraw();
  },
  only(sn) {
    element("sns").value = filter.sns = String(sn);
    refilter();
    diagram.fit();
    redraw();
  },
  kind(name) {
    element("types").value = filter.types = name;
    refilter();
  },
  finding(finding) {
    if (finding.sn >= 0) this.slot(finding.sn);
    if (finding.event >= 0) {
      if (!model.visible[finding.event]) clear();
      diagram.selected = finding.event;
      diagram.reveal(finding.event);
      panels.showEvent(finding.event);
      if (finding.sn < 0) panels.open("event");
    } else if (finding.time >= 0 && diagram.isByTime) {
      diagram.show(finding.time, diagram.to - diagram.from);
    }
    redraw();
  },
};
const panels = new Panels(model, diagram, matrix, go);

function refilter() {
  filter.types = element("types").value;
  filter.sns = element("sns").value;
  for (const name of ["locals", "messages", "lost"]) filter[name] = element(name).checked;
  for (const button of element("nodes").querySelectorAll("button"))
    button.setAttribute("aria-pressed", !filter.hidden.has(Number(button.value)));
  model.apply(filter);
  redraw();
}

function clear() {
  filter.clear();
  for (const id of ["types", "sns"]) element(id).value = "";
  for (const id of ["locals", "messages", "lost"]) element(id).checked = true;
  refilter();
}

/** To the next or previous shown event; from the edge of the view if none is chosen. */
function jump(step, accept) {
  const edge = diagram.inView();
  const start = diagram.selected >= 0 ? diagram.selected
    : step > 0 ? (model.shown[edge.first] ?? 0) - 1 : (model.shown[edge.last - 1] ?? -1) + 1;
  const next = model.neighbour(start, step, accept);
  if (next >= 0) go.event(next);
}

function sameKind(step) {
  if (diagram.selected < 0) return jump(step);
  const kind = model.kinds[diagram.selected];
  jump(step, e => model.kinds[e] === kind);
}

function follow() {
  const e = diagram.selected;
  if (e < 0) return;
  const other = model.sending[e] >= 0 ? model.sending[e] : model.receipts(e)[0] ?? -1;
  if (other >= 0) go.event(other);
}

function nextOpen() {
  const place = matrix.nextOpen(matrix.selected?.place ?? -1);
  if (place >= 0) go.slot(matrix.slots[place][0]);
}

function setAxis(byTime) {
  diagram.setAxis(byTime);
  element("by-time").setAttribute("aria-pressed", byTime);
  element("by-order").setAttribute("aria-pressed", !byTime);
  redraw();
}

function toggleNode(place) {
  if (place >= model.nodes.length) return;
  if (!filter.hidden.delete(place)) filter.hidden.add(place);
  refilter();
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  colours = readColours();
  redraw();
}

function showTip(text, event) {
  const tip = element("tip");
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  tip.style.left = `${Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8)}px`;
  tip.style.top = `${Math.min(event.clientY + 16, window.innerHeight - tip.offsetHeight - 8)}px`;
}

function describe(e) {
  const slot = model.sn[e] >= 0 ? `, sn ${model.sn[e]}` : "";
  const way = ["", " sent", " received"][model.direction[e]];
  return `${model.name(e)}${way}${slot}\nnode ${model.nodes[model.node[e]].id}, ` +
    `${model.modules[model.module[e]]}, ${duration(model.times[e])}`;
}

function listenToDiagram() {
  const canvas = diagram.canvas;
  let drag = null;
  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (sideways) diagram.pan(event.deltaX || event.deltaY);
    else diagram.zoom(Math.exp(event.deltaY * 0.0016), event.offsetX);
    redraw();
  }, {passive: false});
  canvas.addEventListener("pointerdown", event => {
    drag = {x: event.offsetX, moved: 0};
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", event => {
    if (!drag) {
      const e = diagram.hit(event.offsetX, event.offsetY);
      return showTip(e >= 0 ? describe(e) : "", event);
    }
    drag.moved += Math.abs(event.offsetX - drag.x);
    diagram.pan(drag.x - event.offsetX);
    drag.x = event.offsetX;
    canvas.classList.add("dragging");
    redraw();
  });
  canvas.addEventListener("pointerup", event => {
    const wasClick = drag && drag.moved < 4;
    drag = null;
    canvas.classList.remove("dragging");
    if (!wasClick) return;
    if (diagram.isDense) diagram.zoom(0.2, event.offsetX);
    const e = diagram.isDense ? -1 : diagram.hit(event.offsetX, event.offsetY);
    if (e >= 0) go.event(e);
    redraw();
  });
  canvas.addEventListener("pointerleave", () => showTip(""));
}

function listenToOverview() {
  const canvas = diagram.overview;
  const move = event => {
    if (!(event.buttons & 1)) return;
    const share = (event.offsetX - GUTTER) / (canvas.clientWidth - GUTTER - 8);
    diagram.show(share * diagram.last, diagram.to - diagram.from);
    redraw();
  };
  canvas.addEventListener("pointerdown", event => {
    canvas.setPointerCapture(event.pointerId);
    move(event);
  });
  canvas.addEventListener("pointermove", move);
}

function listenToMatrix() {
  const canvas = matrix.canvas;
  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    matrix.scroll(Math.sign(event.deltaX || event.deltaY) * Math.max(1, matrix.columns / 12));
    redraw();
  }, {passive: false});
  canvas.addEventListener("pointermove", event => {
    const found = matrix.hit(event.offsetX, event.offsetY);
    showTip(found ? matrix.describe(found) : "", event);
  });
  canvas.addEventListener("pointerleave", () => showTip(""));
  canvas.addEventListener("click", event => {
    const found = matrix.hit(event.offsetX, event.offsetY);
    if (!found) return;
    const [sn, ...cells] = matrix.slots[found.place];
    const e = cells[found.node]?.[4] ?? -1;
    if (e >= 0) go.event(e);
    go.slot(sn);
  });
  canvas.addEventListener("keydown", event => {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!step || !matrix.slots.length) return;
    const place = (matrix.selected?.place ?? matrix.first - step) + step;
    if (matrix.slots[place]) go.slot(matrix.slots[place][0]);
    event.stopPropagation();
    event.preventDefault();
  });
}

const KEYS = {
  "+": () => diagram.zoom(0.7), "=": () => diagram.zoom(0.7), "-": () => diagram.zoom(1.4),
  ArrowLeft: () => diagram.pan(-120), ArrowRight: () => diagram.pan(120),
  "0": () => diagram.fit(),
  n: () => jump(1), p: () => jump(-1), j: () => sameKind(1), k: () => sameKind(-1), m: follow,
  u: nextOpen, o: () => setAxis(!diagram.isByTime),
  t: () => element("theme").click(), "?": () => panels.open("help"),
  "/": () => element("types").focus(), Escape: clear,
};

function listenToKeys() {
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input[type=search]")) {
      if (event.key === "Escape" || event.key === "Enter") element("diagram").focus();
      return;
    }
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (/^[1-9]$/.test(key)) toggleNode(Number(key) - 1);
    else if (KEYS[key]) KEYS[key]();
    else return;
    event.preventDefault();
    redraw();
  });
}

function listenToControls() {
  for (const id of ["types", "sns"]) element(id).addEventListener("input", refilter);
  for (const id of ["locals", "messages", "lost"]) element(id).addEventListener("change", refilter);
  element("tools").addEventListener("submit", event => event.preventDefault());
  element("previous").addEventListener("click", () => jump(-1));
  element("next").addEventListener("click", () => jump(1));
  element("by-time").addEventListener("click", () => setAxis(true));
  element("by-order").addEventListener("click", () => setAxis(false));
  element("fit").addEventListener("click", () => (diagram.fit(), redraw()));
  element("reset").addEventListener("click", clear);
  element("first-open").addEventListener("click", nextOpen);
  element("theme").addEventListener("click",
    () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  model.nodes.forEach((node, place) => {
    const button = Object.assign(document.createElement("button"),
                                 {type: "button", value: place, textContent: node.id});
    button.title = `Hide or show node ${node.id}${place < 9 ? ` (${place + 1})` : ""}`;
    button.setAttribute("aria-label", `Node ${node.id}`);
    button.addEventListener("click", () => toggleNode(place));
    element("nodes").append(button);
  });
}

function start() {
  for (const name of [...model.names].sort())
    element("names").append(Object.assign(document.createElement("option"), {value: name}));
  element("phases").innerHTML = PHASES.map((name, phase) =>
    `<span><i style="background:var(--p${phase})"></i>${name}</span>`).join("") +
    "<span><i class=behind></i>others delivered it</span>";
  if (model.size < model.wanted) {
    element("notice").hidden = false;
    element("notice").textContent = `Drawn here: ${model.size.toLocaleString("en")} of ` +
      `${model.wanted.toLocaleString("en")} events. Slots, latencies and findings are of all. ` +
      "mircat report --from, --limit and --filter choose others.";
  }
  listenToControls();
  listenToDiagram();
  listenToOverview();
  listenToMatrix();
  listenToKeys();
  new ResizeObserver(redraw).observe(element("views"));
  // For whoever wants to look closer in the browser's console, and for the tests.
  window.report = {model, filter, diagram, matrix, panels, go, frames: [], painted: null};
  refilter();
  setTheme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

start();
</script>
</body>
</html>
)page"};

}  // namespace mirbft::mircat::report_page

#endif
