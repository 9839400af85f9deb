/** Panels of curves: which metrics, which colours, and the figure that Plotly draws of them. */

import { LOG_TICKS } from "./figures.js";
import { CLASSES, TEST, TRAIN, VALIDATION, mixed, ordered } from "./theme.js";
import { WORDS } from "./words.js";

/** More points than this are thinned for the eye: of each stretch its lowest and its highest stay. */
const DRAWN = 1200;
/** A mark's label needs this share of the axis for itself: where marks stand closer, the newest is named. */
const LABEL_SHARE = 0.45;

/**
 * @typedef {import("./words.js").Words} Words
 * @typedef {import("./theme.js").Theme} Theme
 * @typedef {import("./messages.js").Mark} Mark
 * @typedef {import("./run_model.js").RunModel} RunModel
 *
 * @typedef {Object} DrawnCurve
 * @property {string} metric
 * @property {string} name
 * @property {string} colour
 * @property {boolean} family whether it is one of several that a pattern with * chose
 * @property {string} split the metric's name before the first /
 * @property {number[]} x
 * @property {(number|null)[]} y
 */

/** @param {string} pattern in which * stands for any text */
const matcher = (pattern) =>
  new RegExp(`^${pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&")).join("(.+)")}$`);
const natural = new Intl.Collator("en", { numeric: true }).compare;

/**
 * The curves of a panel in the order and colours they are drawn.
 * @param {import("./messages.js").PanelSpec} panel
 * @param {import("./messages.js").MetricSpec[]} metrics
 * @param {RunModel} model
 * @param {Theme} theme
 * @param {Words} words
 */
export function curvesOf(panel, metrics, model, theme, words) {
  /** @type {DrawnCurve[]} */
  const found = [];
  const known = [...model.curves.keys()].sort(natural);
  for (const pattern of panel.metrics || []) {
    const test = matcher(pattern);
    const names = known.filter((name) => test.test(name) && !found.some((one) => one.metric === name));
    const family = pattern.includes("*");
    const colours = ordered(names.length, theme.dark);
    names.forEach((metric, i) => {
      const [split, rest] = [metric.split("/")[0], metric.split("/").slice(1).join("/")];
      let colour = family ? colours[i] : CLASSES[found.length % CLASSES.length];
      let name = family ? memberName(rest || metric, words) : "";
      if (split === "train") [colour, name] = [TRAIN, name || words.translate(WORDS.trainSplit)];
      else if (split === "test") [colour, name] = [TEST, name || words.translate(WORDS.testSplit)];
      else if (split === "val") [colour, name] = [VALIDATION, name || words.translate(WORDS.validationSplit)];
      if (!name) {
        const declared = metrics.find((one) => matcher(one.name).test(metric));
        name = words.translate(declared ? declared.title : rest || metric);
      }
      const { x, y } = model.curves.get(metric) || { x: [], y: [] };
      found.push({ metric, name, colour, family, split, x, y });
    });
  }
  return found;
}

/**
 * The name of a member of a family: "layer_3" is read as "layer 3".
 * @param {string} rest of the metric's name after the /
 * @param {Words} words
 */
function memberName(rest, words) {
  const layer = /^layer_(\d+)$/.exec(rest);
  return layer ? words.translate(WORDS.layer, { number: Number(layer[1]) }) : words.translate(rest.replaceAll("_", " "));
}

/**
 * The index of the last point at or before a step, -1 where there is none.
 * @param {number[]} xs
 * @param {number} step
 */
export function indexAt(xs, step) {
  let [low, high] = [0, xs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= step) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Few enough points to draw, peaks kept: steps and values.
 * @param {number[]} x
 * @param {(number|null)[]} y
 * @returns {[number[], (number|null)[]]}
 */
export function thinned(x, y, most = DRAWN) {
  if (x.length <= most) return [x.slice(), y.slice()];
  const xs = [x[0]];
  const ys = [y[0]];
  const stretch = (x.length - 2) / (most / 2);
  for (let k = 0; k < most / 2; k += 1) {
    const from = 1 + Math.floor(k * stretch);
    const to = Math.min(1 + Math.floor((k + 1) * stretch), x.length - 1);
    let [low, high] = [from, from];
    for (let i = from; i < to; i += 1) {
      if (Number(y[i]) < Number(y[low])) low = i;
      if (Number(y[i]) > Number(y[high])) high = i;
    }
    for (const i of low < high ? [low, high] : [high, low]) {
      xs.push(x[i]);
      ys.push(y[i]);
    }
  }
  xs.push(x[x.length - 1]);
  ys.push(y[y.length - 1]);
  return [xs, ys];
}

/** @param {(number|null)[]} values @returns {number} */
const highest = (values) => values.reduce((/** @type {number} */ a, b) => (b !== null && b > a ? b : a), -Infinity);

/**
 * A changed setting for reading.
 * @param {Mark} mark
 * @param {Object<string, string>} fields titles of settings by name
 * @param {Words} words
 * @param {string} template
 */
export function markText(mark, fields, words, template = WORDS.mark) {
  return words.translate(template, {
    step: mark.step,
    field: words.translate(fields[mark.field] || mark.field),
    old: words.value(mark.old),
    new: words.value(mark.new),
  });
}

/**
 * Vertical lines of the changed settings, named at their upper end, or at the lower one where the curves are up; and
 * where an earlier step is shown a cursor and a veil over what came later.
 * @param {Object} options
 * @param {Mark[]} options.marks
 * @param {number|null} options.step
 * @param {Object<string, string>} options.fields
 * @param {Theme} options.theme
 * @param {Words} options.words
 * @param {number} options.size of type in pixels
 * @param {number} options.last step of any curve
 * @param {boolean} options.low whether marks are named at their lower end
 */
function shapes({ marks, step, fields, theme, words, size, last, low }) {
  const labelled = new Set();
  let next = Infinity;
  for (const mark of [...marks].reverse()) {
    if (next - mark.step < LABEL_SHARE * last) continue;
    next = mark.step;
    labelled.add(mark);
  }
  /** @type {Object<string, any>[]} */
  const result = marks.map((mark) => ({
    type: "line",
    xref: "x",
    yref: "paper",
    x0: mark.step,
    x1: mark.step,
    y0: 0,
    y1: 1,
    layer: "below",
    line: { color: theme.muted, width: 1.5, dash: "dash" },
    label:
      !labelled.has(mark)
        ? undefined
        : {
            text: markText(mark, fields, words),
            textangle: 0,
            textposition: low ? "start" : "end",
            xanchor: mark.step > last * 0.55 ? "right" : "left",
            yanchor: low ? "bottom" : "top",
            padding: 3,
            font: { size: size - 1, color: theme.muted },
          },
  }));
  if (step !== null) {
    const line = { type: "line", xref: "x", yref: "paper", x0: step, x1: step, y0: 0, y1: 1 };
    const veil = { type: "rect", xref: "x", yref: "paper", x0: step, x1: Math.max(last, step), y0: 0, y1: 1 };
    result.push({ ...veil, layer: "above", line: { width: 0 }, fillcolor: theme.card, opacity: 0.74 });
    result.push({ ...line, layer: "above", line: { color: theme.primary, width: 2 } });
  }
  return result;
}

/**
 * What is measured on training data ends in a dot, on test data in a ring, as the points of the data do: who sees no
 * colours can distinguish them too.
 * @param {DrawnCurve[]} curves
 * @param {{log: boolean, theme: Theme, size: number}} how
 */
function ends(curves, { log, theme, size }) {
  return curves
    .filter((curve) => curve.x.length > 1 && (curve.split === "train" || curve.split === "test"))
    .map((curve) => {
      const at = curve.x.length - 1;
      const y = log && !(Number(curve.y[at]) > 0) ? null : curve.y[at];
      const [fill, width] = curve.split === "test" ? [theme.card, size / 5.5] : [curve.colour, 0];
      const marker = { size: size * 0.62, color: fill, line: { width, color: curve.colour } };
      const quiet = { hoverinfo: "skip", showlegend: false, cliponaxis: false };
      return { type: "scatter", mode: "markers", x: [curve.x[at]], y: [y], marker, ...quiet };
    });
}

/**
 * The figure of a panel of curves.
 * @param {Object} options
 * @param {boolean} options.log whether the value axis is logarithmic
 * @param {DrawnCurve[]} options.curves
 * @param {Mark[]} options.marks
 * @param {number|null} options.step that is shown; null: the newest
 * @param {Object<string, string>} options.fields titles of settings by name
 * @param {Theme} options.theme
 * @param {Words} options.words
 * @param {number} options.size of type in pixels
 * @param {string} options.revision zoom is kept while this stays the same
 */
export function curveFigure({ log, curves, marks, step, fields, theme, words, size, revision }) {
  /** @type {Object<string, any>[]} */
  const data = curves.map((curve) => {
    const [x, y] = thinned(curve.x, curve.y);
    return {
      type: "scatter",
      mode: x.length > 1 ? "lines" : "markers",
      name: curve.name,
      x,
      y: log ? y.map((v) => (Number(v) > 0 ? v : null)) : y,
      line: { color: curve.colour, width: size / 5.5 },
      marker: { color: curve.colour, size: 7 },
      hovertemplate: "%{y:.4~g}",
      connectgaps: false,
    };
  });
  if (step === null) data.push(...ends(curves, { log, theme, size }));
  const last = Math.max(1, ...curves.map((curve) => curve.x[curve.x.length - 1] || 0));
  const values = log ? curves.flatMap((curve) => curve.y.filter((v) => Number(v) > 0)) : [];
  const newest = curves.map((curve) => curve.y[curve.y.length - 1]).filter(Number.isFinite);
  const low = !log && highest(newest) > 0.5 * highest(curves.flatMap((curve) => curve.y));
  const decades = values.length ? Math.log10(highest(values) / -highest(values.map((v) => -Number(v)))) : 0;
  const axis = {
    gridcolor: theme.grid,
    zeroline: false,
    linecolor: theme.grid,
    tickcolor: theme.grid,
    ticks: "",
    automargin: true,
    ticklabeloverflow: "allow",
    tickfont: { size, color: theme.muted },
    fixedrange: false,
  };
  const layout = {
    uirevision: `${revision}|${log}`,
    showlegend: false,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: theme.font, size, color: theme.text },
    margin: { l: 8, r: 10, t: 8, b: 8, pad: 2 },
    hovermode: "x unified",
    hoverlabel: { bgcolor: mixed(theme.text, theme.paper, 0.06), bordercolor: theme.grid, font: { size, color: theme.text } },
    xaxis: {
      ...axis, nticks: 6, showgrid: false, rangemode: "tozero", range: last > 4 ? undefined : [0, 4],
      separatethousands: true, exponentformat: last < 1e6 ? "none" : "SI",
      unifiedhovertitle: { text: words.translate(WORDS.stepAt, { step: "%{x:,d}" }) },
      title: size > 16 ? { text: words.translate(WORDS.stepAxis), font: { size, color: theme.muted } } : undefined,
    },
    yaxis: {
      ...axis,
      nticks: log ? LOG_TICKS : 5,
      type: log ? "log" : "linear",
      rangemode: log ? "normal" : "tozero",
      tickfont: { size: log ? size * 0.85 : size, color: theme.muted }, // Plotly writes a power larger than this
      dtick: decades > 1.2 ? Math.ceil(decades / 5) : undefined,
      exponentformat: log ? "power" : "SI",
      range: data.length ? undefined : log ? [-3, 0] : [0, 1],
    },
    shapes: data.length ? shapes({ marks, step, fields, theme, words, size, last, low }) : [],
  };
  return { data, layout };
}
