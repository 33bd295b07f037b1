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
    context.font = "11px system-ui, sans-serif";
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
