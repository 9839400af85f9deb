/** One panel: its frame, its buttons, and its figure. */

import { chosen, curveFigure, indexAt } from "./curves.js";
import { h, icon, named, put } from "./dom.js";
import { curvesCsv, figureCsv, save } from "./exports.js";
import { CONFIG, dressed } from "./figures.js";
import { WORDS } from "./words.js";

const LEGEND = 8;

/** Height of a picture, in pixels, below which the x axis goes without its name. */
const LOW = 130;

export class Panel {
  /** @param {import("./panels.js").Panels} panels @param {Object} spec as the page tells it */
  constructor(panels, spec) {
    this.panels = panels;
    this.stage = panels.stage;
    this.spec = spec;
    this.visible = false;
    this.enlarged = false;
    this.width = this.height = 0; // of the plot, as of its last change
    this.heading = h("h3", { class: "tf-title" });
    this.sentence = h("p", { class: "tf-sentence" });
    this.legend = h("div", { class: "tf-legend" });
    this.plot = h("div", { class: "tf-plot" });
    this.plot.tfPanel = this;
    this.empty = h("div", { class: "tf-empty" });
    this.saver = this.menu();
    this.larger = h("button", { type: "button", class: "tf-small", on: { click: () => this.turn() } });
    this.scaler = h("button", { type: "button", class: "tf-small tf-scale", on: { click: () => this.rescale() } });
    this.node = h(
      "article",
      { class: "tf-panel" },
      h("header", { class: "tf-head" }, this.heading, this.legend),
      h("div", { class: "tf-tools" }, spec.curves ? this.scaler : null, this.saver, this.larger),
      this.sentence,
      h("div", { class: "tf-canvas" }, this.plot, this.empty),
    );
    this.place = h("div", { class: "tf-place" }, this.node);
    this.place.tfPanel = this;
  }

  menu() {
    this.items = ["png", "svg", "csv"].map((format) =>
      h("button", { type: "button", role: "menuitem", class: "tf-item", "data-save": format }),
    );
    this.list = h("div", { class: "tf-menu", role: "menu", hidden: true }, ...this.items);
    const open = (yes) => {
      this.list.hidden = !yes;
      this.saveButton.setAttribute("aria-expanded", String(yes));
      if (yes) this.items[0].focus();
    };
    this.saveButton = h(
      "button",
      { type: "button", class: "tf-small", "aria-haspopup": "menu", "aria-expanded": "false" },
      icon("save"),
    );
    this.saveButton.addEventListener("click", () => open(this.list.hidden));
    for (const item of this.items) {
      item.addEventListener("click", () => {
        open(false);
        this.saveButton.focus();
        this.save(item.dataset.save);
      });
    }
    const box = h("div", { class: "tf-saver" }, this.saveButton, this.list);
    box.addEventListener("keydown", (event) => {
      if (this.list.hidden) return;
      const at = this.items.indexOf(document.activeElement);
      if (event.key === "Escape") {
        open(false);
        this.saveButton.focus();
      } else if (event.key === "ArrowDown") this.items[(at + 1) % 3].focus();
      else if (event.key === "ArrowUp") this.items[(at + 2) % 3].focus();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    box.addEventListener("focusout", (event) => box.contains(event.relatedTarget) || open(false));
    return box;
  }

  title() {
    return this.stage.words.say(this.spec.title);
  }

  /** Take what the page says of it, in the language of the page. */
  describe(spec) {
    this.spec = spec;
    const { words } = this.stage;
    const title = this.title();
    put(this.heading, title);
    if (!this.visible && !this.enlarged) {
      this.legendKey = null; // drawn anew, in the language of then, when it comes into sight
      this.legend.replaceChildren();
    }
    put(this.sentence, words.say(spec.sentence));
    this.sentence.title = words.say(spec.sentence);
    this.node.setAttribute("aria-label", title);
    this.node.dataset.panel = spec.name;
    this.place.dataset.size = spec.size;
    this.place.dataset.kind = spec.curves ? "curves" : "figure";
    named(this.saveButton, words.say(WORDS.save, { title }));
    const names = [WORDS.savePng, WORDS.saveSvg, WORDS.saveCsv];
    this.items.forEach((item, i) => put(item, words.say(names[i])));
    named(this.larger, this.enlarged ? words.say(WORDS.shrink) : words.say(WORDS.enlarge, { title }));
    this.larger.replaceChildren(icon(this.enlarged ? "close" : "enlarge"));
    put(this.scaler, words.say(WORDS.log));
    named(this.scaler, `${words.say(WORDS.logAxis)}: ${title}`);
    this.scaler.setAttribute("aria-pressed", String(this.log));
    this.drawEmpty();
  }

  turn() {
    if (this.enlarged) this.panels.shrink();
    else this.panels.enlarge(this);
    this.larger.focus();
  }

  /** The size of type: a hero and an enlarged panel are read from far away, and so is a wall of pictures. */
  get size() {
    if (this.enlarged) return this.width > 900 ? 20 : 16;
    const wide = this.panels.wide ? 2 : 0;
    return (this.spec.size === "hero" ? 16 : 14) + wide;
  }

  /** Whether the value axis is logarithmic: as a person chose it in this tab, else as the page says. */
  get log() {
    return remembered()[this.spec.name] ?? this.spec.scale === "log";
  }

  rescale() {
    remember(this.spec.name, !this.log);
    this.scaler.setAttribute("aria-pressed", String(this.log));
    this.panels.touch(this.spec.name);
  }

  get told() {
    return this.spec.curves ? null : this.stage.figureOf(this.spec.name);
  }

  curves() {
    const { metrics, model, theme, words } = this.stage;
    return chosen(this.spec, metrics, model, theme, words);
  }

  /** What Plotly is given, null where there is nothing yet. */
  figure() {
    const { theme, words, fields, model, revision } = this.stage;
    const how = { theme, words, size: this.size, revision };
    if (!this.spec.curves) return this.told && !this.told.error ? dressed(this.told, how) : null;
    const step = this.stage.shownStep;
    return curveFigure({ log: this.log, curves: this.curves(), model, step, fields, ...how });
  }

  draw() {
    const figure = this.figure();
    this.drawEmpty(figure);
    if (!figure) return;
    if (this.spec.curves) this.drawLegend();
    else this.drawKey(figure);
    const { Plotly } = this.stage;
    if (!this.width || !this.height) return; // to ask the element would have the browser lay out the page here
    broken(figure.layout.yaxis.title, this.height - 2 * this.size, this.size);
    // In a low panel there is room for the numbers of the axis or for its name.
    if (this.height < LOW && figure.layout.xaxis?.title) figure.layout.xaxis.title = { text: "" };
    figure.layout.autosize = false;
    figure.layout.width = this.width;
    figure.layout.height = this.height;
    if (this.stage.touch) figure.layout.dragmode = false;
    Plotly.react(this.plot, figure.data, figure.layout, { ...CONFIG, doubleClick: "reset" });
    this.plot.dataset.drawn = String(Number(this.plot.dataset.drawn || 0) + 1);
  }

  drawEmpty(figure = this.drawable()) {
    const empty = this.spec.curves ? !this.curves().length : !figure;
    this.node.classList.toggle("tf-is-empty", Boolean(empty));
    const old = !empty && !this.spec.curves && this.stage.isOld(this.spec.name);
    this.node.classList.toggle("tf-is-old", Boolean(old));
    if (!empty && !old) return;
    const { words, watched, model } = this.stage;
    const wrong = !this.spec.curves && this.told && this.told.error;
    const hope = watched && !model.ended;
    put(this.empty, wrong ? words.sentence(wrong) : words.say(hope ? WORDS.waiting : WORDS.empty));
  }

  drawable() {
    return this.spec.curves || (this.told && !this.told.error);
  }

  /** Names and present values of the curves, in words beside the title: quicker to read than a legend in the plot. */
  drawLegend() {
    const { words, shownStep } = this.stage;
    const curves = this.curves();
    const family = curves.length > 2 && curves.every((curve) => curve.family);
    const signature = curves.map((curve) => curve.metric + curve.name + curve.colour).join("|");
    if (signature !== this.legendKey) {
      this.legendKey = signature;
      this.entries = curves.slice(0, family ? 0 : LEGEND).map((curve) => {
        const value = h("span", { class: "tf-value" });
        const dot = h("span", { class: curve.split === "test" ? "tf-dot tf-ring" : "tf-dot" });
        dot.style.color = curve.colour;
        const node = h("span", { class: "tf-entry" }, dot, h("span", { class: "tf-name", text: curve.name }), value);
        return { node, value, metric: curve.metric };
      });
      this.legend.replaceChildren(...(family ? ramp(curves) : this.entries.map((entry) => entry.node)));
    }
    for (const entry of this.entries) {
      const curve = curves.find((one) => one.metric === entry.metric);
      const at = shownStep === null ? curve.x.length - 1 : indexAt(curve.x, shownStep);
      put(entry.value, at < 0 ? "–" : counted(curve.y) ? words.number(curve.y[at]) : digits(curve.y[at], words));
    }
  }

  /** The key of a figure stands beside its title too. What has many colours is shown by its shape alone. */
  drawKey(figure) {
    const named = figure.layout.showlegend ? figure.data.filter((trace) => trace.name && trace.showlegend !== false) : [];
    figure.layout.showlegend = false; // in the plot it would take room, and the colour of whatever point comes first
    const entries = named.map(({ name, type, mode, marker = {}, line = {} }) => {
      const shape = type === "bar" ? "tf-square" : mode === "lines" ? "tf-stroke" : "";
      const colour = mode === "lines" ? line.color : marker.color;
      return { name, shape: marker.symbol === "circle-open" ? "tf-ring" : shape, colour };
    });
    const key = JSON.stringify(entries.map((one) => [one.name, one.shape, typeof one.colour === "string" && one.colour]));
    if (key === this.legendKey) return;
    this.legendKey = key;
    this.legend.replaceChildren(
      ...entries.map(({ name, shape, colour }) => {
        const dot = h("span", { class: `tf-dot ${shape}` });
        if (typeof colour === "string") dot.style.color = colour;
        return h("span", { class: "tf-entry" }, dot, h("span", { class: "tf-name", text: name }));
      }),
    );
  }

  resized() {
    if (!this.plot.isConnected) return;
    const { clientWidth, clientHeight } = this.plot;
    if (this.width === clientWidth && this.height === clientHeight) return;
    [this.width, this.height] = [clientWidth, clientHeight];
    this.panels.touch(this.spec.name);
  }

  save(format) {
    const { theme, Plotly } = this.stage;
    const csv = () => (this.spec.curves ? curvesCsv(this.curves()) : figureCsv(this.told || {}));
    if (format !== "csv" && !this.figure()) return Promise.resolve();
    const size = { width: this.width, height: this.height };
    const about = { name: this.spec.name, title: this.title(), figure: () => this.figure(), csv, theme, Plotly };
    return save(format, { ...about, ...size });
  }

  remove() {
    if (this.stage.Plotly && this.plot.data) this.stage.Plotly.purge(this.plot);
    this.place.remove();
    this.node.remove();
  }
}

const SCALES = "tenfold.scales";

/** Which panels a person gave a logarithmic axis in this tab, or took it from. */
function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(SCALES)) || scales;
  } catch {
    return scales;
  }
}

let scales = {};

function remember(name, log) {
  scales = { ...remembered(), [name]: log };
  try {
    sessionStorage.setItem(SCALES, JSON.stringify(scales));
  } catch {
    // A browser may keep nothing: the choice then lasts as long as the page.
  }
}

/** A title that is longer than its axis goes on in a second line where it has a comma. */
function broken(title, room, size) {
  const { text = "" } = title || {};
  if (text.length * size * 0.5 > room) title.text = text.replace(/([,，])\s*/, "$1<br>");
}

/** A family's legend: the first and the last name, and between them a dot of each colour. */
function ramp(curves) {
  const dots = curves.map((curve) => {
    const dot = h("span", { class: "tf-dot", title: curve.name });
    dot.style.color = curve.colour;
    return dot;
  });
  const name = (curve) => h("span", { class: "tf-name", text: curve.name });
  return [h("span", { class: "tf-entry tf-ramp" }, name(curves[0]), ...dots, name(curves[curves.length - 1]))];
}

/** Whether these are counts: whole numbers, and not only 0 and 1, which may be shares. */
function counted(values) {
  return values.every((value) => value === null || Number.isInteger(value)) && values.some((value) => value > 1);
}

/** A running value in three digits that keeps its width. */
function digits(value, words) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 100000) return value.toExponential(1).replace("e+", "e");
  if (size !== 0 && size < 0.001) return words.number(value, 3);
  return words.fixed(value, size < 10 ? 3 : size < 100 ? 2 : size < 1000 ? 1 : 0);
}
