/** Where the app lies, and the drawing library that it serves. */

import { h } from "./dom.js";

/** The app's address: the page's path without its own name at the end. Some hosts serve an app below a path. */
export function baseOf(page, path = location.pathname) {
  let base = path;
  const tail = `/${page}`;
  if (page && base.replace(/\/$/, "").endsWith(tail)) base = base.replace(/\/$/, "").slice(0, -tail.length);
  return `${location.origin}${base.replace(/\/$/, "")}/`;
}

let plotly = null;

/** Plotly, fetched once for the page. */
export function loadPlotly(url) {
  if (!plotly) {
    plotly = new Promise((resolve, reject) => {
      const script = h("script", { src: url, async: true });
      script.addEventListener("load", () => (window.Plotly ? resolve(window.Plotly) : reject(new Error(url))));
      script.addEventListener("error", () => reject(new Error(url)));
      document.head.append(script);
    });
    plotly.catch(() => (plotly = null));
  }
  return plotly;
}
