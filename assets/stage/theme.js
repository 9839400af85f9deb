/** The colours of Streamlit's theme as figures need them, and the colours that mean the same everywhere. */

export const CLASSES = [
  "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
];
export const TRAIN = CLASSES[0];
export const TEST = CLASSES[1];
export const VALIDATION = CLASSES[4];

/** @typedef {{text: string, paper: string, second: string, primary: string, font: string, muted: string,
 *             grid: string, card: string, dark: boolean, key: string}} Theme */

/** Red, green, blue and opacity of any CSS colour. */
function channels(colour) {
  const canvas = channels.canvas || (channels.canvas = document.createElement("canvas").getContext("2d"));
  canvas.fillStyle = "#000";
  canvas.fillStyle = colour;
  const text = canvas.fillStyle;
  if (text.startsWith("#")) return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
  return text.match(/[\d.]+/g).slice(0, 3).map(Number);
}

/** `share` of colour `a` on colour `b`. */
export function mixed(a, b, share) {
  const [one, two] = [channels(a), channels(b)];
  return `rgb(${one.map((v, i) => Math.round(v * share + two[i] * (1 - share))).join(",")})`;
}

/** The theme as it stands at this element now. @returns {Theme} */
export function themeOf(element) {
  const style = getComputedStyle(element);
  const read = (name, otherwise) => style.getPropertyValue(`--st-${name}`).trim() || otherwise;
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

/** `count` colours from dark to bright, for curves that have an order, all of them legible on the theme's paper. */
export function ordered(count, dark) {
  const [from, to] = dark ? [0.25, 1] : [0, 0.78];
  return Array.from({ length: count }, (_, i) => {
    const place = (from + (count > 1 ? (i / (count - 1)) * (to - from) : 0)) * (RAMP.length - 1);
    const low = Math.min(Math.floor(place), RAMP.length - 2);
    return mixed(RAMP[low + 1], RAMP[low], place - low);
  });
}
