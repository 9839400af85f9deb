/** The colours of Streamlit's theme as figures need them, and the colours that mean the same everywhere. */

export const CLASSES = [
  "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
];
export const TRAIN = CLASSES[0];
export const TEST = CLASSES[1];
export const VALIDATION = CLASSES[4];

/**
 * Colours and font of Streamlit's theme, and colours mixed of these.
 * @typedef {Object} Theme
 * @property {string} text
 * @property {string} paper the page's background
 * @property {string} second background of what stands apart
 * @property {string} primary the accent
 * @property {string} font
 * @property {string} muted text of less weight
 * @property {string} grid lines of axes and grids
 * @property {string} card background of a panel
 * @property {boolean} dark
 * @property {string} key differs between any two themes
 */

/** @type {CanvasRenderingContext2D|null} reads any CSS colour */
let reader = null;

/**
 * Red, green and blue of any CSS colour, 0 to 255.
 * @param {string} colour
 * @returns {number[]}
 */
export function channels(colour) {
  reader ||= /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  reader.fillStyle = "#000";
  reader.fillStyle = colour;
  const text = reader.fillStyle;
  if (text.startsWith("#")) return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
  return (text.match(/[\d.]+/g) || []).slice(0, 3).map(Number);
}

/**
 * `share` of colour `a` on colour `b`.
 * @param {string} a
 * @param {string} b
 * @param {number} share 0 to 1
 */
export function mixed(a, b, share) {
  const [one, two] = [channels(a), channels(b)];
  return `rgb(${one.map((v, i) => Math.round(v * share + two[i] * (1 - share))).join(",")})`;
}

/**
 * The theme as it is at this element now.
 * @param {Element} element
 * @returns {Theme}
 */
export function themeOf(element) {
  const style = getComputedStyle(element);
  const read = (/** @type {string} */ name, /** @type {string} */ otherwise) => style.getPropertyValue(`--st-${name}`).trim() || otherwise;
  const text = read("text-color", "#31333f");
  const paper = read("background-color", "#ffffff");
  const second = read("secondary-background-color", "#f0f2f6");
  const primary = read("primary-color", "#3f6fd8");
  const font = read("font", "") || style.fontFamily || "sans-serif";
  const [r, g, b] = channels(paper);
  const dark = 0.299 * r + 0.587 * g + 0.114 * b < 128;
  return {
    text,
    paper,
    second,
    primary,
    font,
    muted: mixed(text, paper, 0.66),
    grid: mixed(text, paper, 0.11),
    card: mixed(text, paper, dark ? 0.045 : 0.022),
    dark,
    key: [text, paper, second, primary, font].join("|"),
  };
}

const RAMP = ["#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];

/**
 * Colours from dark to bright, for curves that have an order, all of them legible on the theme's paper.
 * @param {number} count
 * @param {boolean} dark whether the theme is
 */
export function ordered(count, dark) {
  const [from, to] = dark ? [0.25, 1] : [0, 0.78];
  return Array.from({ length: count }, (_, i) => {
    const place = (from + (count > 1 ? (i / (count - 1)) * (to - from) : 0)) * (RAMP.length - 1);
    const low = Math.min(Math.floor(place), RAMP.length - 2);
    return mixed(RAMP[low + 1], RAMP[low], place - low);
  });
}
