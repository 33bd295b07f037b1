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
      const title = `${escapeHtml(leg.name)} (${leg.total.toLocaleString("en")})`;
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
    const places = leg.counts.filter((_, place) => place % 2 === 0);
    const numbers = leg.counts.filter((_, place) => place % 2 === 1);
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
