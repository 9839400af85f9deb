/** The address of the app, and the drawing library that it serves. */

import { element } from "./dom.js";

/** @typedef {{react: Function, purge: Function, toImage: Function}} PlotlyLibrary the part of Plotly that is used */

/**
 * The app's address: the page's path without its own name at the end. Some hosts serve an app below a path.
 * @param {string} page the page's own name, "" for the first page
 * @param {string} path
 */
export function baseOf(page, path = location.pathname) {
  let base = path;
  const tail = `/${page}`;
  if (page && base.replace(/\/$/, "").endsWith(tail)) base = base.replace(/\/$/, "").slice(0, -tail.length);
  return `${location.origin}${base.replace(/\/$/, "")}/`;
}

/** @type {Promise<PlotlyLibrary>|null} */
let plotly = null;

/**
 * Plotly, fetched once for the page; after a failure the next call fetches it again.
 * @param {string} url
 * @returns {Promise<PlotlyLibrary>}
 */
export function loadPlotly(url) {
  if (!plotly) {
    plotly = new Promise((resolve, reject) => {
      const script = element("script", { src: url, async: true });
      const library = () => /** @type {any} */ (window).Plotly;
      script.addEventListener("load", () => (library() ? resolve(library()) : reject(new Error(url))));
      script.addEventListener("error", () => reject(new Error(url)));
      document.head.append(script);
    });
    plotly.catch(() => (plotly = null));
  }
  return plotly;
}
