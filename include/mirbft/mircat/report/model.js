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
