/** A figure as the server tells it, dressed for this browser: its theme, its language, its rasters painted. */

import { paintedRaster } from "./packed.js";
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

const AXIS = /^[xyz]axis\d*$/;

/** With more, Plotly writes a small 2 to 9 between the powers of ten, one over the other. */
export const LOG_TICKS = 3;

/** On top, where no axis title stands, with marks large enough to tell colours apart. */
const LEGEND = {
  bgcolor: "rgba(0,0,0,0)", orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "bottom", itemsizing: "constant",
};

/** A text of a figure: plain, or {text}, or a sentence with values. */
function said(text, words) {
  if (text && typeof text === "object" && "template" in text) return words.sentence(text);
  return typeof text === "string" ? words.say(text) : text;
}

function titled(title, words) {
  if (title === undefined || title === null) return title;
  if (typeof title === "object" && "text" in title) return { ...title, text: said(title.text, words) };
  return { text: said(title, words) };
}

function axisOf(axis, theme, words, size) {
  const dressed = {
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
  if (axis.title !== undefined) dressed.title = { standoff: 6, font: { size, color: theme.muted }, ...titled(axis.title, words) };
  if (Array.isArray(axis.ticktext)) dressed.ticktext = axis.ticktext.map((text) => said(text, words));
  return dressed;
}

function traceOf(trace, theme, words, size) {
  const dressed = { ...trace };
  if (trace.name !== undefined) dressed.name = said(trace.name, words);
  const bar = (colorbar) => ({
    outlinewidth: 0,
    thickness: 12,
    tickfont: { size, color: theme.muted },
    ...colorbar,
    ...(colorbar.title === undefined ? {} : { title: titled(colorbar.title, words) }),
  });
  if (trace.colorbar) dressed.colorbar = bar(trace.colorbar);
  if (trace.marker && trace.marker.colorbar) dressed.marker = { ...trace.marker, colorbar: bar(trace.marker.colorbar) };
  if (Array.isArray(trace.text)) dressed.text = trace.text.map((text) => said(text, words));
  else if (typeof trace.text === "string") dressed.text = said(trace.text, words);
  for (const axis of ["x", "y"]) {
    if (Array.isArray(trace[axis]) && typeof trace[axis][0] === "string") {
      dressed[axis] = trace[axis].map((text) => said(text, words));
    }
  }
  return dressed;
}

/**
 * The figure ready for Plotly; the one given is left as it is.
 * @param {{data: Object[], layout: Object}} figure
 * @param {{theme: import("./theme.js").Theme, words: Object, size: number, revision: string}} how
 */
export function dressed(figure, { theme, words, size, revision }) {
  const given = figure.layout || {};
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
    layout[name] = axisOf(given[name] || {}, theme, words, size);
  }
  if (given.title !== undefined) layout.title = titled(given.title, words);
  if (given.annotations) {
    layout.annotations = given.annotations.map((note) => ({
      ...note,
      text: said(note.text, words),
      font: { size, color: theme.text, ...(note.font || {}) },
    }));
  }
  if (given.coloraxis) {
    const bar = given.coloraxis.colorbar || {};
    layout.coloraxis = { ...given.coloraxis, colorbar: { outlinewidth: 0, thickness: 12, ...bar } };
    if (bar.title !== undefined) layout.coloraxis.colorbar.title = titled(bar.title, words);
  }
  if (given.images) {
    layout.images = given.images.map((image) =>
      image.source && image.source.raster ? { ...image, source: paintedRaster(image.source) } : image,
    );
  }
  return { data: (figure.data || []).map((trace) => traceOf(trace, theme, words, size)), layout };
}
