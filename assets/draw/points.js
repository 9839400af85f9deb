/** A drawing's points and their text; core/drawing.py reads and writes the same. */

/** @typedef {[x: number, y: number]} Point both in [-1, 1], y upwards */

/** Points that a drawing may have. */
export const MOST = 600;

/** How far apart the points of a stroke are: five cells of the grid. */
export const GAP = 5 / 127;

const CELLS = 127;

/**
 * At most MOST of the points, evenly chosen.
 * @param {Point[]} points
 */
export function thinned(points) {
  if (points.length <= MOST) return points;
  return Array.from({ length: MOST }, (_, i) => points[Math.round((i * (points.length - 1)) / (MOST - 1))]);
}

/**
 * The text of a drawing.
 * @param {Point[]} points
 */
export function write(points) {
  const cell = (/** @type {number} */ value) => Math.round(Math.min(1, Math.max(-1, value)) * CELLS) + CELLS;
  const letters = btoa(String.fromCharCode(...thinned(points).flat().map(cell)));
  return letters.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * The points of a text; none where it cannot be read, which the server has refused by then.
 * @param {string} text
 * @returns {Point[]}
 */
export function read(text) {
  try {
    const cells = [...atob(text.replaceAll("-", "+").replaceAll("_", "/"))].map((letter) => letter.charCodeAt(0));
    const value = (/** @type {number} */ i) => cells[i] / CELLS - 1;
    return Array.from({ length: cells.length >> 1 }, (_, i) => [value(2 * i), value(2 * i + 1)]);
  } catch {
    return [];
  }
}

/**
 * The points on the way from the last one towards another, a GAP apart; none where that is less than a GAP away.
 * @param {Point} from
 * @param {Point} to
 * @returns {Point[]}
 */
export function interpolated([x, y], [toX, toY]) {
  const length = Math.hypot(toX - x, toY - y);
  const count = Math.floor(length / GAP + 1e-9);
  return Array.from({ length: count }, (_, i) => {
    const share = ((i + 1) * GAP) / length;
    return [x + share * (toX - x), y + share * (toY - y)];
  });
}
