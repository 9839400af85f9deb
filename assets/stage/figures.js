/** A figure as the server sends it, made ready for this browser: its theme, its language, its rasters as images. */

import { rasterImage } from "./packed.js";
import { CLASSES, mixed } from "./theme.js";

/**
 * How Plotly draws, all figures alike. WebGL at the screen's own resolution, 2 at the most: Plotly's default is 2, which
 * on most screens is four times the work.
 */
export const CONFIG = {
  displayModeBar: false,
  displaylogo: false,
  responsive: false,
  plotGlPixelRatio: Math.max(1, Math.min(window.devicePixelRatio || 1, 2)),
};

/**
 * @typedef {import("./words.js").Words} Words
 * @typedef {import("./theme.js").Theme} Theme
 */

const AXIS = /^[xyz]axis\d*$/;

/** With more, Plotly writes a small 2 to 9 between the powers of ten, one over the other. */
export const LOG_TICKS = 3;

/** On top, where no axis title stands, with marks large enough to distinguish colours. */
const LEGEND = {
  bgcolor: "rgba(0,0,0,0)", orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "bottom", itemsizing: "constant",
};

/**
 * A text of a figure: plain, or a sentence with values.
 * @param {any} text
 * @param {Words} words
 */
function translated(text, words) {
  if (text && typeof text === "object" && "template" in text) return words.sentence(text);
  return typeof text === "string" ? words.translate(text) : text;
}

/**
 * A title as Plotly takes it: {text}.
 * @param {any} title
 * @param {Words} words
 */
function titled(title, words) {
  if (title === undefined || title === null) return title;
  if (typeof title === "object" && "text" in title) return { ...title, text: translated(title.text, words) };
  return { text: translated(title, words) };
}

/** @param {Object<string, any>} axis @param {Theme} theme @param {Words} words @param {number} size of type in pixels */
function themedAxis(axis, theme, words, size) {
  /** @type {Object<string, any>} */
  const result = {
    gridcolor: theme.grid,
    zerolinecolor: theme.grid,
    linecolor: theme.grid,
    tickcolor: theme.grid,
    automargin: true,
    ticklabeloverflow: "allow",
    ...(axis.type === "log" ? { nticks: LOG_TICKS } : {}),
    ...axis,
    tickfont: { size, color: theme.muted, ...(axis.tickfont || {}) },
  };
  if (axis.title !== undefined) result.title = { standoff: 6, font: { size, color: theme.muted }, ...titled(axis.title, words) };
  if (Array.isArray(axis.ticktext)) result.ticktext = axis.ticktext.map((text) => translated(text, words));
  return result;
}

/** @param {Object<string, any>} trace @param {Theme} theme @param {Words} words @param {number} size of type in pixels */
function themedTrace(trace, theme, words, size) {
  const result = { ...trace };
  if (trace.name !== undefined) result.name = translated(trace.name, words);
  const bar = (/** @type {Object<string, any>} */ colorbar) => ({
    outlinewidth: 0,
    thickness: 12,
    tickfont: { size, color: theme.muted },
    ...colorbar,
    ...(colorbar.title === undefined ? {} : { title: titled(colorbar.title, words) }),
  });
  if (trace.colorbar) result.colorbar = bar(trace.colorbar);
  if (trace.marker && trace.marker.colorbar) result.marker = { ...trace.marker, colorbar: bar(trace.marker.colorbar) };
  if (Array.isArray(trace.text)) result.text = trace.text.map((text) => translated(text, words));
  else if (typeof trace.text === "string") result.text = translated(trace.text, words);
  for (const axis of ["x", "y"]) {
    if (Array.isArray(trace[axis]) && typeof trace[axis][0] === "string") {
      result[axis] = trace[axis].map((text) => translated(text, words));
    }
  }
  return result;
}

/**
 * The figure ready for Plotly; the one given is left as it is.
 * @param {import("./messages.js").Figure} figure
 * @param {Object} how
 * @param {Theme} how.theme
 * @param {Words} how.words
 * @param {number} how.size of type in pixels
 * @param {string} how.revision zoom is kept while this stays the same
 */
export function themed(figure, { theme, words, size, revision }) {
  const given = figure.layout || {};
  /** @type {Object<string, any>} */
  const layout = {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    colorway: CLASSES,
    showlegend: false,
    hovermode: "closest",
    ...given,
    uirevision: `${revision}|${given.uirevision ?? ""}`,
    font: { family: theme.font, size, color: theme.text, ...(given.font || {}) },
    margin: { l: 8, r: 8, t: 8, b: 20, ...(given.margin || {}) },
    hoverlabel: { bgcolor: mixed(theme.text, theme.paper, 0.06), bordercolor: theme.grid, font: { size, color: theme.text } },
    legend: { ...LEGEND, ...(given.legend || {}), font: { size } },
  };
  for (const name of new Set(["xaxis", "yaxis", ...Object.keys(given).filter((key) => AXIS.test(key))])) {
    layout[name] = themedAxis(given[name] || {}, theme, words, size);
  }
  if (given.title !== undefined) layout.title = titled(given.title, words);
  if (given.annotations) {
    layout.annotations = given.annotations.map((/** @type {Object<string, any>} */ note) => ({
      ...note,
      text: translated(note.text, words),
      font: { size, color: theme.text, ...(note.font || {}) },
    }));
  }
  if (given.coloraxis) {
    const bar = given.coloraxis.colorbar || {};
    layout.coloraxis = { ...given.coloraxis, colorbar: { outlinewidth: 0, thickness: 12, ...bar } };
    if (bar.title !== undefined) layout.coloraxis.colorbar.title = titled(bar.title, words);
  }
  if (given.images) {
    layout.images = given.images.map((/** @type {Object<string, any>} */ image) =>
      image.source && image.source.raster ? { ...image, source: rasterImage(image.source) } : image,
    );
  }
  return { data: (figure.data || []).map((trace) => themedTrace(trace, theme, words, size)), layout };
}

/**
 * Lay out scenes that stand side by side one below the other, each with what is written over it: on a phone, half the
 * width shows only half of a scene.
 * @param {Object<string, any>} layout is changed
 */
export function stackScenes(layout) {
  const scenes = Object.keys(layout).filter((key) => /^scene\d*$/.test(key));
  if (scenes.length < 2) return;
  const before = (layout.annotations || []).map((/** @type {Object<string, any>} */ { x, y }) => (y === 1 ? x : NaN));
  for (const key of scenes) {
    const { x } = layout[key].domain;
    const y = [1 - x[1], 1 - x[0]];
    layout[key] = { ...layout[key], domain: { x: [0, 1], y } };
    before.forEach((/** @type {number} */ place, /** @type {number} */ i) => {
      if (!(place > x[0] && place < x[1])) return;
      const note = layout.annotations[i];
      Object.assign(note, { x: 0.5, y: y[1], yanchor: y[1] === 1 ? note.yanchor : "middle" });
    });
  }
}

/**
 * Where a pointer is on the main axes of a figure that is drawn; null beside them, unless it is held within them.
 * @param {HTMLElement} plot in which Plotly has drawn it
 * @param {PointerEvent} event
 * @param {boolean} held whether a place beside the axes counts as the next one on them
 * @returns {[x: number, y: number]|null}
 */
export function placeOnAxes(plot, event, held) {
  const { xaxis, yaxis } = /** @type {any} */ (plot)._fullLayout || {};
  if (!xaxis || !yaxis) return null;
  const { left, top } = plot.getBoundingClientRect();
  const [x, y] = [event.clientX - left - xaxis._offset, event.clientY - top - yaxis._offset];
  if (!held && (x < 0 || y < 0 || x > xaxis._length || y > yaxis._length)) return null;
  return [placeOn(xaxis, x), placeOn(yaxis, y)];
}

/** The value at so many pixels along an axis, within what it shows. @param {any} axis of Plotly @param {number} pixels */
function placeOn(axis, pixels) {
  const [one, other] = axis.range.map(axis.r2d);
  return Math.min(Math.max(one, other), Math.max(Math.min(one, other), axis.p2d(pixels)));
}
