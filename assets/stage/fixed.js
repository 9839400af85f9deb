/**
 * Parts of figures that never change during a run, such as the places of a graph's nodes: a figure names them, they are
 * fetched once, and from then on stand in every figure that names them. See `fixed` in core/figures.py for the other end.
 */

const names = (value) => Boolean(value) && typeof value === "object" && Array.isArray(value.fixed);

export class Fixed {
  /**
   * @param {(run: string, panel: string) => string} url where the arrays of a panel's first snapshot are
   * @param {() => void} arrived told when figures that could not be drawn can be
   */
  constructor(url, arrived) {
    this.url = url;
    this.arrived = arrived;
    this.known = new Map();
    this.runs = new WeakMap();
    this.whole = new WeakSet();
  }

  /** A figure has come, of this run. */
  expect(figure, run) {
    if (figure && typeof figure === "object" && !this.runs.has(figure)) this.runs.set(figure, run);
  }

  /** The figure with all parts in their places; null as long as some are on their way. */
  fill(figure) {
    if (!figure || figure.error || this.whole.has(figure)) return figure;
    let complete = true;
    for (const image of (figure.layout || {}).images || []) {
      if (!names(image.source)) continue;
      const [panel, array] = image.source.fixed;
      const arrays = this.arrays(this.runs.get(figure), panel);
      if (arrays) image.source = `data:image/png;base64,${arrays[array].bdata}`;
      else complete = false;
    }
    for (const trace of figure.data || []) {
      for (const key of Object.keys(trace)) {
        if (!names(trace[key])) continue;
        const [panel, array] = trace[key].fixed;
        const arrays = this.arrays(this.runs.get(figure), panel);
        if (arrays) trace[key] = arrays[array];
        else complete = false;
      }
    }
    if (complete) this.whole.add(figure);
    return complete ? figure : null;
  }

  /** The arrays of a run's panel by name; null while they are on their way, and after a failure until asked again. */
  arrays(run, panel) {
    const key = `${run}/${panel}`;
    if (!this.known.has(key)) {
      this.known.set(key, null);
      fetch(this.url(run, panel))
        .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
        .then(
          (arrays) => {
            if (this.known.size > KEPT) this.known.delete(this.known.keys().next().value);
            this.known.set(key, arrays);
            this.arrived();
          },
          () => setTimeout(() => this.known.delete(key), RETRY_MS),
        );
    }
    return this.known.get(key);
  }
}

/** Panels whose arrays are kept, and milliseconds after which what could not be fetched is asked for again. */
const KEPT = 8;
const RETRY_MS = 2000;
