/** Arrays that travel as base64, and rasters as PNG images. core/figures/arrays.py is the other end. */

import { element } from "./dom.js";

/**
 * @typedef {import("./messages.js").PackedArray} PackedArray
 *
 * @typedef {Object} Raster a picture of a few colours, or of any
 * @property {number[]} shape height, width and for "rgb" 3 or 4 channels
 * @property {string} bdata bytes in base64
 * @property {string[]|"rgb"} colours of the indices, or the anchors of a ramp
 * @property {boolean} ramp
 * @property {boolean} smooth whether it is enlarged smoothly
 */

/** @type {Object<string, new (buffer: ArrayBuffer) => any>} */
const TYPES = {
  f8: Float64Array, f4: Float32Array, i4: Int32Array, u4: Uint32Array,
  i2: Int16Array, u2: Uint16Array, i1: Int8Array, u1: Uint8Array, u1c: Uint8ClampedArray,
};

/**
 * Bytes of a base64 text.
 * @param {string} text
 */
export function bytes(text) {
  const raw = atob(text);
  const result = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) result[i] = raw.charCodeAt(i);
  return result;
}

/**
 * Whether a value is an array of some kind, plain or packed.
 * @param {any} value
 */
export function isArray(value) {
  return Array.isArray(value) || ArrayBuffer.isView(value) || Boolean(value && value.bdata && value.dtype);
}

/**
 * The flat numbers of a packed array; a plain list as it is.
 * @param {any} value an array, a PackedArray, or nothing
 * @returns {any} an array or a typed array
 */
export function unpacked(value) {
  if (!value || !value.bdata || !value.dtype) return value || [];
  return new TYPES[value.dtype](bytes(value.bdata).buffer);
}

/**
 * Rows of an array of two dimensions, or one row of a flat one.
 * @param {any} value an array or a PackedArray
 * @returns {any[][]}
 */
export function rows(value) {
  if (Array.isArray(value)) return Array.isArray(value[0]) ? value : [value];
  const flat = unpacked(value);
  const shape = String(value.shape || flat.length).split(",").map(Number);
  if (shape.length < 2) return [Array.from(flat)];
  return Array.from({ length: shape[0] }, (_, i) => Array.from(flat.slice(i * shape[1], (i + 1) * shape[1])));
}

/**
 * Red, green, blue and opacity, 0 to 255, of #rgb, #rrggbb or #rrggbbaa.
 * @param {string} colour
 */
function rgba(colour) {
  const text = colour.length === 4 ? colour.replace(/[0-9a-f]/gi, "$&$&") : colour;
  return [1, 3, 5, 7].map((i) => (i < text.length ? parseInt(text.slice(i, i + 2), 16) : 255));
}

/**
 * 256 colours of four bytes, between the anchors of a ramp, or one for each index.
 * @param {string[]} colours
 * @param {boolean} ramp
 */
function palette(colours, ramp) {
  const anchors = colours.map(rgba);
  const table = new Uint8Array(256 * 4);
  for (let i = 0; i < 256; i += 1) {
    let colour = anchors[Math.min(i, anchors.length - 1)];
    if (ramp) {
      const place = (i / 255) * (anchors.length - 1);
      const low = Math.min(Math.floor(place), anchors.length - 2);
      colour = anchors[low].map((v, k) => v + (anchors[low + 1][k] - v) * (place - low));
    }
    table.set(colour.map(Math.round), i * 4);
  }
  return table;
}

/** @type {Map<string, Uint8Array>} */
const palettes = new Map();
/** @type {Map<string, string>} data URLs by content, the newest last */
const images = new Map();
const KEPT_IMAGES = 64;
/** Pixels that a smooth raster gets for each of its own, along a side. */
const SMOOTH = 4;

/** @param {number} width @param {number} height */
function canvasOf(width, height) {
  const canvas = element("canvas", { width, height });
  return { canvas, context: /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")) };
}

/**
 * A raster as the data URL of a PNG, which a Plotly layout image takes. The same content is encoded once.
 * @param {Raster} raster
 */
export function rasterImage(raster) {
  const key = `${raster.shape}|${raster.colours}|${raster.ramp}|${raster.smooth}|${raster.bdata}`;
  const known = images.get(key);
  if (known) return known;
  const [height, width, channels = 1] = raster.shape;
  const source = bytes(raster.bdata);
  const pixels = new Uint8ClampedArray(width * height * 4);
  let table = null;
  if (raster.colours !== "rgb") {
    const name = `${raster.colours}|${raster.ramp}`;
    table = palettes.get(name) || palette(raster.colours, raster.ramp);
    palettes.set(name, table);
  }
  for (let i = 0; i < width * height; i += 1) {
    if (table) {
      for (let k = 0; k < 4; k += 1) pixels[i * 4 + k] = table[source[i] * 4 + k];
    } else {
      for (let k = 0; k < 3; k += 1) pixels[i * 4 + k] = source[i * channels + k];
      pixels[i * 4 + 3] = channels === 4 ? source[i * 4 + 3] : 255;
    }
  }
  let { canvas, context } = canvasOf(width, height);
  context.putImageData(new ImageData(pixels, width, height), 0, 0);
  if (raster.smooth) {
    const small = canvas;
    ({ canvas, context } = canvasOf(width * SMOOTH, height * SMOOTH));
    context.imageSmoothingQuality = "high";
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
  }
  const url = canvas.toDataURL("image/png");
  images.set(key, url);
  if (images.size > KEPT_IMAGES) images.delete(images.keys().next().value || "");
  return url;
}
