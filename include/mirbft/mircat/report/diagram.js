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
