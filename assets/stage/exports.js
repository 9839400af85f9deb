/** A panel as a file: picture, drawing, or the numbers behind it. */

import { element } from "./dom.js";
import { isArray, rows, unpacked } from "./packed.js";

/**
 * Save a file on the person's machine.
 * @param {string} name
 * @param {string} url
 */
export function download(name, url) {
  const link = element("a", { href: url, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
}

/** @param {any} value */
const cell = (value) => {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** @param {{name: string, values: any[]}[]} columns */
const table = (columns) => {
  const length = Math.max(0, ...columns.map((column) => column.values.length));
  const lines = [columns.map((column) => cell(column.name)).join(",")];
  for (let i = 0; i < length; i += 1) lines.push(columns.map((column) => cell(column.values[i])).join(","));
  return `${lines.join("\n")}\n`;
};

/**
 * Curves as one table: step, then a column a metric.
 * @param {import("./curves.js").DrawnCurve[]} curves
 */
export function curvesCsv(curves) {
  const steps = [...new Set(curves.flatMap((curve) => curve.x))].sort((a, b) => a - b);
  /** @type {{name: string, values: any[]}[]} */
  const columns = [{ name: "step", values: steps }];
  for (const curve of curves) {
    const at = new Map(curve.x.map((x, i) => [x, curve.y[i]]));
    columns.push({ name: curve.metric, values: steps.map((step) => at.get(step)) });
  }
  return table(columns);
}

/**
 * The arrays of a figure's traces: flat ones side by side, each matrix and each raster as a block of its own.
 * @param {Partial<import("./messages.js").Figure>} figure
 */
export function figureCsv(figure) {
  /** @type {string[]} */
  const blocks = [];
  (figure.data || []).forEach((trace, i) => {
    const label = trace.name || `${trace.type || "trace"} ${i + 1}`;
    /** @type {{name: string, values: any[]}[]} */
    const columns = [];
    const collect = (/** @type {any} */ part, /** @type {string} */ prefix) => {
      for (const [key, value] of Object.entries(part || {})) {
        if (isArray(value)) {
          const lines = rows(value);
          const text = () => lines.map((line) => line.map(cell)).join("\n");
          if (lines.length > 1) blocks.push(`# ${label}: ${prefix}${key}\n${text()}\n`);
          else columns.push({ name: prefix + key, values: Array.from(unpacked(value)) });
        }
      }
    };
    collect(trace, "");
    collect(trace.marker, "marker.");
    if (columns.length) blocks.push(`# ${label}\n${table(columns)}`);
  });
  for (const [i, image] of ((figure.layout || {}).images || []).entries()) {
    const { source } = image;
    if (!source || !source.raster) continue;
    const [, width, channels = 1] = source.shape;
    const flat = unpacked({ dtype: "u1", bdata: source.bdata });
    const lines = [];
    const row = width * channels;
    for (let at = 0; at < flat.length; at += row) lines.push(flat.slice(at, at + row).join(","));
    blocks.push(`# raster ${i + 1}\n${lines.join("\n")}\n`);
  }
  return blocks.join("\n");
}

/**
 * Save a panel.
 * @param {"png"|"svg"|"csv"} format
 * @param {Object} panel
 * @param {string} panel.name
 * @param {string} panel.title
 * @param {() => string} panel.csv
 * @param {() => {data: Object<string, any>[], layout: Object<string, any>}|null} panel.figure null: nothing is saved
 * @param {import("./theme.js").Theme} panel.theme
 * @param {import("./load.js").PlotlyLibrary|null} panel.plotly
 * @param {number} panel.width
 * @param {number} panel.height
 */
export async function save(format, panel) {
  if (format === "csv") {
    const url = URL.createObjectURL(new Blob([panel.csv()], { type: "text/csv" }));
    download(`${panel.name}.csv`, url);
    setTimeout(() => URL.revokeObjectURL(url), 10000);
    return;
  }
  const figure = panel.figure();
  if (!figure || !panel.plotly) return;
  const { data, layout } = figure;
  const margin = layout.margin || {};
  const whole = {
    ...layout,
    paper_bgcolor: panel.theme.paper,
    plot_bgcolor: panel.theme.paper,
    title: { text: panel.title, font: { size: 20 }, x: 0.02, xanchor: "left" },
    showlegend: data.filter((trace) => trace.name).length > 1,
    legend: { orientation: "h", x: 1, xanchor: "right", y: 1.02, yanchor: "bottom" },
    margin: { ...margin, l: Math.max(margin.l || 0, 20), r: 20, t: 56, b: 20 },
  };
  const size = { width: Math.max(640, panel.width), height: Math.max(420, panel.height) };
  const url = await panel.plotly.toImage({ data, layout: whole }, { format, ...size, scale: format === "png" ? 2 : 1 });
  download(`${panel.name}.${format}`, url);
}
