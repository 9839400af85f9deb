/**
 * What is drawn on a canvas: a square of fine cells with ink from 0 to 255, of which the server is sent the means over
 * coarser ones, row by row from the top; core/drawn_picture.py reads them. A stroke's ink depends on nothing but where
 * the pen went, so it is the same in every browser.
 */

/** @typedef {[x: number, y: number]} Place both in [0, 1], y downwards */

/** Width of the pen, as a share of the canvas. */
export const PEN = 1 / 11;

/** Share of the pen's radius over which its edge fades, on either side. */
const SOFT = 0.3;

/** Fine cells in a row, about. */
const FINE = 448;

/** @param {number} value */
const clamped = (value) => Math.min(1, Math.max(0, value));

export class Ink {
  /** Fine cells in a row. */
  side;
  /** @type {Uint8Array} the fine cells, row by row */
  cells;
  #size;

  /** @param {number} size coarse cells in a row, as they are sent */
  constructor(size) {
    this.#size = size;
    this.side = size * Math.max(1, Math.round(FINE / size));
    this.cells = new Uint8Array(this.side ** 2);
  }

  clear() {
    this.cells.fill(0);
  }

  /**
   * The pen goes straight from one place to another, and leaves ink or takes it away. Where strokes cross, the darker
   * one counts.
   * @param {Place} from
   * @param {Place} to
   * @param {boolean} erases
   */
  stroke(from, to, erases = false) {
    const { side, cells } = this;
    const [[ax, ay], [bx, by]] = [from, to].map(([x, y]) => [x * side, y * side]);
    const [dx, dy] = [bx - ax, by - ay];
    const squared = dx * dx + dy * dy || 1;
    const radius = (PEN / 2) * side;
    const [reach, fading] = [radius * (1 + SOFT), radius * SOFT * 2];
    const first = (/** @type {number} */ a, /** @type {number} */ b) => Math.max(0, Math.floor(Math.min(a, b) - reach));
    const end = (/** @type {number} */ a, /** @type {number} */ b) => Math.min(side, Math.ceil(Math.max(a, b) + reach));
    const [left, right] = [first(ax, bx), end(ax, bx)];
    for (let row = first(ay, by), bottom = end(ay, by); row < bottom; row += 1) {
      for (let column = left; column < right; column += 1) {
        const [x, y] = [column + 0.5 - ax, row + 0.5 - ay];
        const share = clamped((x * dx + y * dy) / squared);
        const distance = Math.sqrt((x - share * dx) ** 2 + (y - share * dy) ** 2);
        const depth = clamped((reach - distance) / fading);
        const ink = Math.round(255 * depth * depth * (3 - 2 * depth));
        const i = row * side + column;
        cells[i] = erases ? Math.min(cells[i], 255 - ink) : Math.max(cells[i], ink);
      }
    }
  }

  /** The coarse cells in URL-safe base64 without padding. */
  text() {
    const size = this.#size;
    const { side, cells } = this;
    const fine = side / size;
    const sums = new Float64Array(size * size);
    for (let row = 0; row < side; row += 1) {
      const start = Math.floor(row / fine) * size;
      for (let column = 0; column < side; column += 1) {
        sums[start + Math.floor(column / fine)] += cells[row * side + column];
      }
    }
    const letters = Array.from(sums, (sum) => String.fromCharCode(Math.round(sum / (fine * fine))));
    return btoa(letters.join("")).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }
}
