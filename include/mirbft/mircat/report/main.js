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
    const {shown} = model;
    if (!shown.length) return;
    const [low, high] = [diagram.axis[shown[0]], diagram.axis[shown[shown.length - 1]]];
    diagram.show((low + high) / 2, (high - low) * 1.1);
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
