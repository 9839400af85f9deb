/**
 * Arrays of a run's figures that never change, such as the places of a graph's nodes: a figure names them, they are
 * fetched once, and from then on are put into every figure that names them. `static_array` in core/figures is the
 * other end.
 */

/** @typedef {import("./messages.js").Figure} Figure */

/** Milliseconds after which what could not be fetched is fetched again. */
const RETRY_MS = 2000;

/** @param {any} value */
const isName = (value) => Boolean(value) && typeof value === "object" && Array.isArray(value.fixed);

export class StaticArrays {
  /** @type {(panel: string) => string} */
  #url;
  /** @type {() => void} */
  #onArrival;
  /** @type {Map<string, Object<string, any>|null>} arrays by name of each panel; null while they are on their way */
  #panels = new Map();
  /** @type {WeakSet<Figure>} figures that have all their arrays */
  #complete = new WeakSet();

  /**
   * @param {Object} options
   * @param {(panel: string) => string} options.url of the arrays of a panel's first snapshot
   * @param {() => void} options.onArrival called when figures that could not be drawn can be, or are to be tried again
   */
  constructor({ url, onArrival }) {
    this.#url = url;
    this.#onArrival = onArrival;
  }

  /**
   * The figure with all arrays in their places; null as long as some are on their way.
   * @template {Figure|null|undefined} T
   * @param {T} figure
   * @returns {T|null}
   */
  fill(figure) {
    if (!figure || figure.error || this.#complete.has(figure)) return figure;
    let complete = true;
    for (const image of (figure.layout || {}).images || []) {
      if (!isName(image.source)) continue;
      const [panel, array] = image.source.fixed;
      const arrays = this.#arrays(panel);
      if (arrays) image.source = `data:image/png;base64,${arrays[array].bdata}`;
      else complete = false;
    }
    for (const trace of figure.data || []) {
      for (const key of Object.keys(trace)) {
        if (!isName(trace[key])) continue;
        const [panel, array] = trace[key].fixed;
        const arrays = this.#arrays(panel);
        if (arrays) trace[key] = arrays[array];
        else complete = false;
      }
    }
    if (complete) this.#complete.add(figure);
    return complete ? figure : null;
  }

  /**
   * The arrays of a panel by name; null while they are on their way, and after a failure until they are fetched again.
   * @param {string} panel
   */
  #arrays(panel) {
    if (!this.#panels.has(panel)) {
      this.#panels.set(panel, null);
      fetch(this.#url(panel))
        .then((response) => (response.ok ? response.json() : Promise.reject(new Error(String(response.status)))))
        .then(
          (arrays) => {
            this.#panels.set(panel, arrays);
            this.#onArrival();
          },
          () =>
            setTimeout(() => {
              this.#panels.delete(panel);
              this.#onArrival(); // what fetches them again: of a run that has ended nothing else is drawn
            }, RETRY_MS),
        );
    }
    return this.#panels.get(panel);
  }
}
