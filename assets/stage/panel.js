/** One panel: its frame, its buttons, and its figure. */

import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { numberOf, watchClicks } from "./clicks.js";
import { curveFigure, curvesOf, indexAt } from "./curves.js";
import { element, icon } from "./dom.js";
import { curvesCsv, figureCsv, save } from "./exports.js";
import { CONFIG, themed } from "./figures.js";
import { readStored, store } from "./storage.js";
import { WORDS } from "./words.js";

/**
 * @typedef {import("./curves.js").DrawnCurve} DrawnCurve
 * @typedef {import("./clicks.js").PlotEvent} PlotEvent
 * @typedef {import("./messages.js").ChosenValue} ChosenValue
 * @typedef {import("./messages.js").PanelSpec} PanelSpec
 * @typedef {import("./words.js").Words} Words
 *
 * @typedef {Object} Display what panels draw, and how
 * @property {import("./viewed_run.js").ViewedRun} run
 * @property {Words} words
 * @property {import("./theme.js").Theme} theme
 * @property {import("./load.js").PlotlyLibrary|null} plotly null until it is loaded
 * @property {Object<string, string>} fields titles of settings by name
 * @property {import("./messages.js").MetricSpec[]} metrics
 * @property {boolean} touch whether fingers point: they scroll where a mouse would zoom
 *
 * @typedef {Object} LegendEntry
 * @property {string} name
 * @property {string} colour "" where the shape alone is shown
 * @property {""|"tf-ring"|"tf-square"|"tf-stroke"} shape "" for a dot
 * @property {string} [value] at the step that is shown
 *
 * @typedef {Object} PanelOptions
 * @property {PanelSpec} spec
 * @property {Display} display
 * @property {() => void} onChange it has to be drawn again
 * @property {() => void} onEnlarge its button to enlarge it, or to make it small again, was pressed
 * @property {(chosen: ChosenValue) => void} onChoice a clicked point gives a setting this value
 */

/** Curves that are named one by one. */
const MOST_ENTRIES = 8;

/** Height of a figure, in pixels, below which the x axis goes without its title. */
const LOW = 130;

/** Height that the margins leave to the axes, in pixels. Plotly's default is 64: a low panel's ticks would be cut. */
const LEAST = 24;

/** Where it is kept which panels a person gave a logarithmic axis in this tab, or took it from. */
const SCALES = "tenfold.scales";

/** @type {("png"|"svg"|"csv")[]} */
const FORMATS = ["png", "svg", "csv"];

export class Panel {
  /** Its place in the grid, which it leaves while it is enlarged. */
  place = element("div", { className: "tf-place" });
  /** The panel itself. */
  node = element("article", { className: "tf-panel" });
  /** Where Plotly draws. */
  plot = element("div", { className: "tf-plot" });
  /** Whether it is in sight. */
  visible = false;
  /** @type {PanelSpec} */
  #spec;
  /** @type {Display} */
  #display;
  #onChange;
  #onEnlarge;
  #onChoice;
  #empty = element("div", { className: "tf-empty" });
  #canvas = element("div", { className: "tf-canvas" });
  #enlarged = false;
  #menuOpen = false;
  /** Of the plot, as of its last change: to measure the element while drawing would have the browser lay out the page. */
  #width = 0;
  #height = 0;
  /** Whether the page is wide, and type larger. */
  #wide = false;
  #drawn = 0;
  /** Whether Plotly reports on this plot what is pointed at. */
  #clicksBound = false;
  /** @type {LegendEntry[]} */
  #legend = [];
  /** Whether the legend shows a family of curves by its first and last name. */
  #legendOfFamily = false;

  /** @param {PanelOptions} options */
  constructor({ spec, display, onChange, onEnlarge, onChoice }) {
    this.#spec = spec;
    this.#display = display;
    this.#onChange = onChange;
    this.#onEnlarge = onEnlarge;
    this.#onChoice = onChoice;
    this.#canvas.append(this.plot, this.#empty);
    this.place.append(this.node);
  }

  get spec() {
    return this.#spec;
  }

  get title() {
    return this.#display.words.translate(this.#spec.title);
  }

  /**
   * Take what the page declares, and what is drawn from here on.
   * @param {PanelSpec} spec
   * @param {Display} display
   */
  describe(spec, display) {
    this.#spec = spec;
    this.#display = display;
    // Out of sight the legend is dropped: it is drawn, in the language of then, when the panel comes into sight.
    if (!this.visible && !this.#enlarged) this.#legend = [];
    this.node.setAttribute("aria-label", this.title);
    this.node.dataset.panel = spec.name;
    this.place.dataset.size = spec.size;
    this.place.dataset.kind = spec.curves ? "curves" : "figure";
    this.#render();
    this.showEmptiness(display);
  }

  /**
   * Draw the figure as it is now.
   * @param {Display} display
   */
  draw(display) {
    this.#display = display;
    const curves = this.#curves();
    const figure = this.#figure(curves);
    this.showEmptiness(display, curves);
    if (!figure || !display.plotly) return;
    this.#legend = this.#spec.curves ? this.#curveLegend(curves) : figureLegend(figure);
    if (!this.#spec.curves) figure.layout.showlegend = false; // in the plot it would take space
    this.#render();
    if (!this.#width || !this.#height) return;
    const { layout } = figure;
    breakTitle(layout.yaxis.title, this.#height - 2 * this.#typeSize, this.#typeSize);
    // A low panel has space for the numbers of the axis or for its title.
    if (this.#height < LOW && layout.xaxis?.title) layout.xaxis.title = { text: "" };
    Object.assign(layout, { autosize: false, width: this.#width, height: this.#height, minreducedheight: LEAST });
    if (display.touch) layout.dragmode = false;
    display.plotly.react(this.plot, figure.data, layout, { ...CONFIG, doubleClick: "reset" });
    this.#bindClicks();
    this.#drawn += 1;
    this.plot.dataset.drawn = String(this.#drawn);
    this.plot.dataset.run = display.run.id || "";
  }

  /**
   * Show whether there is nothing to draw yet, or only of a run viewed before.
   * @param {Display} display
   * @param {DrawnCurve[]} [curves] those of the run in the display, where they are at hand
   */
  showEmptiness(display, curves) {
    this.#display = display;
    curves ??= this.#curves();
    const { run, words } = display;
    const { curves: ofCurves, name } = this.#spec;
    const figure = ofCurves ? null : run.figure(name);
    const empty = ofCurves ? !curves.length : !figure || Boolean(figure.error);
    const earlier = !empty && !ofCurves && run.isEarlier(name);
    this.node.classList.toggle("tf-is-empty", empty);
    this.node.classList.toggle("tf-is-earlier", earlier);
    if (!empty && !earlier) return;
    const expected = run.id !== null && !run.model.ended;
    const text = figure?.error
      ? words.sentence(figure.error)
      : words.translate(expected ? WORDS.waiting : WORDS.empty);
    if (this.#empty.textContent !== text) this.#empty.textContent = text;
  }

  /**
   * Enlarged it lies in a dialog, not in its place.
   * @param {boolean} enlarged
   */
  setEnlarged(enlarged) {
    this.#enlarged = enlarged;
    if (!enlarged) this.place.append(this.node);
    this.#render();
    this.measure();
  }

  /**
   * On a wide page type is larger.
   * @param {boolean} wide
   */
  setWide(wide) {
    this.#wide = wide;
  }

  /** The plot may have another size. */
  measure() {
    if (!this.plot.isConnected) return;
    const { clientWidth, clientHeight } = this.plot;
    if (this.#width === clientWidth && this.#height === clientHeight) return;
    [this.#width, this.#height] = [clientWidth, clientHeight];
    this.#onChange();
  }

  remove() {
    if (this.#drawn) this.#display.plotly?.purge(this.plot);
    this.place.remove();
    this.node.remove();
  }

  /** The size of type: a hero and an enlarged panel are read from far away, and so is a wide page. */
  get #typeSize() {
    if (this.#enlarged) return this.#width > 900 ? 20 : 16;
    return (this.#spec.size === "hero" ? 16 : 14) + (this.#wide ? 2 : 0);
  }

  /** Whether the value axis is logarithmic: as a person chose in this tab, else as the page declares. */
  get #log() {
    return storedScales()[this.#spec.name] ?? this.#spec.scale === "log";
  }

  /** Let a click on a point that has a number set the panel's setting, where it has one. */
  #bindClicks() {
    if (this.#clicksBound || !this.#spec.click) return;
    this.#clicksBound = true;
    const hover = (/** @type {PlotEvent|null} */ event) => {
      this.plot.classList.toggle("tf-clickable", event !== null && this.#choice(event) !== null);
    };
    watchClicks(this.plot, hover, (event) => {
      const chosen = this.#choice(event);
      if (chosen) this.#onChoice(chosen);
    });
  }

  /** What a click there would set, null for nothing. @param {PlotEvent} event @returns {ChosenValue|null} */
  #choice({ points }) {
    const { click } = this.#spec;
    const number = numberOf(points);
    return click && number !== null && this.#display.run.takesSettings ? { field: click, value: number } : null;
  }

  #curves() {
    const { metrics, run, theme, words } = this.#display;
    return this.#spec.curves ? curvesOf(this.#spec, metrics, run.model, theme, words) : [];
  }

  /**
   * What Plotly is given; null where there is nothing yet.
   * @param {DrawnCurve[]} curves
   * @returns {{data: Object<string, any>[], layout: Object<string, any>}|null}
   */
  #figure(curves) {
    const { run, theme, words, fields } = this.#display;
    const how = { theme, words, size: this.#typeSize, revision: run.id || "" };
    if (this.#spec.curves) {
      const marks = run.model.marks.filter((mark) => mark.field in fields);
      return curveFigure({ log: this.#log, curves, marks, step: run.shownStep, fields, ...how });
    }
    const figure = run.figure(this.#spec.name);
    return figure && !figure.error ? themed(figure, how) : null;
  }

  /**
   * Names and present values of the curves.
   * @param {DrawnCurve[]} curves
   * @returns {LegendEntry[]}
   */
  #curveLegend(curves) {
    const { run, words } = this.#display;
    const step = run.shownStep;
    this.#legendOfFamily = curves.length > 2 && curves.every((curve) => curve.family);
    return curves.slice(0, this.#legendOfFamily ? undefined : MOST_ENTRIES).map(({ name, colour, split, x, y }) => {
      const at = step === null ? x.length - 1 : indexAt(x, step);
      const value = at < 0 ? "–" : areCounts(y) ? words.number(y[at]) : threeDigits(y[at], words);
      return { name, colour, shape: split === "test" ? "tf-ring" : "", value };
    });
  }

  #render() {
    const { words } = this.#display;
    const { sentence, curves } = this.#spec;
    const text = words.translate(sentence);
    const scale = `${words.translate(WORDS.logAxis)}: ${this.title}`;
    const size = words.translate(this.#enlarged ? WORDS.shrink : WORDS.enlarge, { title: this.title });
    const scaleButton = () => html`<button type="button" class="tf-small tf-scale" aria-label=${scale} title=${scale}
      aria-pressed=${String(this.#log)} @click=${() => this.#toggleLog()}>${words.translate(WORDS.log)}</button>`;
    const enlarge = (/** @type {MouseEvent} */ event) => {
      this.#onEnlarge();
      /** @type {HTMLElement} */ (event.currentTarget).focus();
    };
    render(
      html`<header class="tf-head">
          <h3 class="tf-title">${this.title}</h3>
          <div class="tf-legend">${this.#legendOfFamily ? ramp(this.#legend) : this.#legend.map(legendEntry)}</div>
        </header>
        <div class="tf-tools">
          ${curves ? scaleButton() : nothing} ${this.#menu()}
          <button type="button" class="tf-small tf-enlarge" aria-label=${size} title=${size} @click=${enlarge}
            >${icon(this.#enlarged ? "close" : "enlarge")}</button>
        </div>
        <p class="tf-sentence" title=${text}>${text}</p>
        ${this.#canvas}`,
      this.node,
    );
  }

  #menu() {
    const { words } = this.#display;
    const name = words.translate(WORDS.save, { title: this.title });
    const items = { png: WORDS.savePng, svg: WORDS.saveSvg, csv: WORDS.saveCsv };
    const leave = (/** @type {FocusEvent} */ event) => {
      const box = /** @type {HTMLElement} */ (event.currentTarget);
      if (!box.contains(/** @type {Node|null} */ (event.relatedTarget))) this.#openMenu(false);
    };
    const choose = (/** @type {"png"|"svg"|"csv"} */ format) => () => {
      this.#openMenu(false, true);
      this.#save(format);
    };
    const item = (/** @type {"png"|"svg"|"csv"} */ format) =>
      html`<button type="button" role="menuitem" class="tf-item" @click=${choose(format)}
        >${words.translate(items[format])}</button>`;
    return html`<div class="tf-saver" @focusout=${leave}
      @keydown=${(/** @type {KeyboardEvent} */ event) => this.#moveInMenu(event)}>
      <button type="button" class="tf-small" aria-haspopup="menu" aria-expanded=${String(this.#menuOpen)}
        aria-label=${name} title=${name} @click=${() => this.#openMenu(!this.#menuOpen, true)}>${icon("save")}</button>
      <div class="tf-menu" role="menu" ?hidden=${!this.#menuOpen}>${FORMATS.map(item)}</div>
    </div>`;
  }

  /** @param {boolean} open @param {boolean} focus whether the focus goes into the menu, or back to its button */
  #openMenu(open, focus = false) {
    if (this.#menuOpen === open) return;
    this.#menuOpen = open;
    this.#render();
    const target = this.node.querySelector(open ? ".tf-item" : ".tf-saver > button");
    if (focus && target instanceof HTMLElement) target.focus();
  }

  /** @param {KeyboardEvent} event */
  #moveInMenu(event) {
    if (!this.#menuOpen) return;
    /** @type {HTMLElement[]} */
    const items = [...this.node.querySelectorAll(/** @type {"button"} */ (".tf-item"))];
    const at = items.findIndex((item) => item === document.activeElement);
    if (event.key === "Escape") this.#openMenu(false, true);
    else if (event.key === "ArrowDown") items[(at + 1) % items.length].focus();
    else if (event.key === "ArrowUp") items[(at + items.length - 1) % items.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #toggleLog() {
    store(SCALES, { ...storedScales(), [this.#spec.name]: !this.#log });
    this.#render();
    this.#onChange();
  }

  /** @param {"png"|"svg"|"csv"} format */
  #save(format) {
    const { run, theme, plotly } = this.#display;
    const { curves, name } = this.#spec;
    return save(format, {
      name,
      title: this.title,
      theme,
      plotly,
      csv: () => (curves ? curvesCsv(this.#curves()) : figureCsv(run.figure(name) || {})),
      figure: () => this.#figure(this.#curves()),
      width: this.#width,
      height: this.#height,
    });
  }
}

/** @returns {Object<string, boolean>} whether the value axis is logarithmic, by panel */
const storedScales = () => readStored(SCALES, {});

/**
 * The legend of a figure, which stands beside its title too. A trace of many colours is shown by its shape alone.
 * @param {{data: Object<string, any>[], layout: Object<string, any>}} figure
 * @returns {LegendEntry[]}
 */
function figureLegend({ data, layout }) {
  const named = layout.showlegend ? data.filter((trace) => trace.name && trace.showlegend !== false) : [];
  return named.map(({ name, type, mode, marker = {}, line = {} }) => {
    const colour = mode === "lines" ? line.color : marker.color;
    const shape = type === "bar" ? "tf-square" : mode === "lines" ? "tf-stroke" : "";
    return {
      name,
      colour: typeof colour === "string" ? colour : "",
      shape: marker.symbol === "circle-open" ? "tf-ring" : shape,
    };
  });
}

/** @param {LegendEntry} entry */
const dot = ({ shape, colour, name }, title = "") =>
  html`<span class="tf-dot ${shape}" style=${colour ? `color: ${colour}` : nothing} title=${title ? name : nothing}></span>`;

/** @param {LegendEntry} entry */
const legendEntry = (entry) =>
  html`<span class="tf-entry"
    >${dot(entry)}<span class="tf-name">${entry.name}</span
    >${entry.value === undefined ? nothing : html`<span class="tf-value">${entry.value}</span>`}</span
  >`;

/**
 * The legend of a family: the first and the last name, and between them a dot of each colour.
 * @param {LegendEntry[]} entries
 */
const ramp = (entries) =>
  entries.length === 0
    ? nothing
    : html`<span class="tf-entry tf-ramp"
        ><span class="tf-name">${entries[0].name}</span>${entries.map((entry) => dot({ ...entry, shape: "" }, "title"))}<span
          class="tf-name"
          >${entries[entries.length - 1].name}</span
        ></span
      >`;

/**
 * Break a title that is longer than its axis after its first comma.
 * @param {{text?: string}|undefined} title
 * @param {number} length of the axis in pixels
 * @param {number} size of type in pixels
 */
function breakTitle(title, length, size) {
  const { text = "" } = title || {};
  if (title && text.length * size * 0.5 > length) title.text = text.replace(/([,，])\s*/, "$1<br>");
}

/**
 * Whether these are counts: whole numbers, and not only 0 and 1, which may be shares.
 * @param {(number|null)[]} values
 */
function areCounts(values) {
  return (
    values.every((value) => value === null || Number.isInteger(value)) && values.some((value) => value !== null && value > 1)
  );
}

/**
 * A running value in three digits, which keeps its width.
 * @param {number|null} value
 * @param {Words} words
 */
function threeDigits(value, words) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 100000) return value.toExponential(1).replace("e+", "e");
  if (size !== 0 && size < 0.001) return words.number(value, 3);
  return words.decimals(value, size < 10 ? 3 : size < 100 ? 2 : size < 1000 ? 1 : 0);
}
