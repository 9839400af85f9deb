/**
 * Clicks on the points of a figure that is drawn anew several times a second. Plotly loses a click where it draws
 * between press and release, and what is pointed at, too, until the mouse moves again. So Plotly is used for the mouse for
 * no more than what is pointed at; a tap points at nothing before, and is Plotly's own.
 */

/** @typedef {{points: {customdata: any}[], event: Event}} PlotEvent what Plotly reports of the points under the pointer */

/** Pixels that the mouse moves at the most in a click. */
const CLICK = 5;

/**
 * Report what is pointed at and clicked, from here on.
 * @param {HTMLElement} plot in which Plotly has drawn already
 * @param {(event: PlotEvent|null) => void} onHover other points are pointed at; null: none
 * @param {(event: PlotEvent) => void} onClick
 */
export function watchClicks(plot, onHover, onClick) {
  /** @type {PlotEvent|null} what the mouse points at */
  let under = null;
  let pressed = false;
  /** Whether Plotly has lost it during a press. */
  let lost = false;
  const hover = (/** @type {PlotEvent|null} */ event) => {
    under = event;
    lost = false;
    onHover(event);
  };
  const { on } = /** @type {any} */ (plot); // Plotly has given it `on`
  on.call(plot, "plotly_hover", hover);
  on.call(plot, "plotly_unhover", () => (pressed ? (lost = true) : hover(null)));
  on.call(plot, "plotly_click", (/** @type {PlotEvent} */ event) => event.event.type.startsWith("touch") && onClick(event));
  plot.addEventListener("pointermove", () => lost && !pressed && hover(null));
  plot.addEventListener("pointerdown", ({ button, pointerType, clientX, clientY }) => {
    const chosen = under;
    if (!chosen || button !== 0 || pointerType === "touch") return;
    pressed = true;
    const release = (/** @type {PointerEvent} */ event) => {
      pressed = false;
      window.removeEventListener("pointerup", release);
      window.removeEventListener("pointercancel", release);
      const distance = Math.hypot(event.clientX - clientX, event.clientY - clientY);
      if (event.type === "pointerup" && distance < CLICK) onClick(chosen);
    };
    window.addEventListener("pointerup", release);
    window.addEventListener("pointercancel", release);
  });
}

/** The whole number that one of these points carries, null where none does. @param {PlotEvent["points"]} points */
export function numberOf(points) {
  return points.find((point) => Number.isInteger(point.customdata))?.customdata ?? null;
}
