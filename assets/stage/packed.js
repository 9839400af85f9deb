/** Arrays that travel as base64, and rasters painted on a canvas. See core/figures.py for the other end. */

const TYPES = {
  f8: Float64Array, f4: Float32Array, i4: Int32Array, u4: Uint32Array,
  i2: Int16Array, u2: Uint16Array, i1: Int8Array, u1: Uint8Array, u1c: Uint8ClampedArray,
};

/** Bytes of a base64 text. */
export function bytes(text) {
  const raw = atob(text);
  const result = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) result[i] = raw.charCodeAt(i);
  return result;
}

/** Whether a value is an array of some kind, plain or packed. */
export function isArray(value) {
  return Array.isArray(value) || ArrayBuffer.isView(value) || Boolean(value && value.bdata && value.dtype);
}

/**
 * The flat numbers of a packed array; a plain list as it is.
 * @param {Array|{dtype: string, bdata: string, shape?: string}} value
 */
export function unpacked(value) {
  if (!value || !value.bdata || !value.dtype) return value || [];
  return new TYPES[value.dtype](bytes(value.bdata).buffer);
}

/** Rows of an array of two dimensions, or one row of a flat one. */
export function rows(value) {
  if (Array.isArray(value)) return Array.isArray(value[0]) ? value : [value];
  const flat = unpacked(value);
  const shape = String(value.shape || flat.length).split(",").map(Number);
  if (shape.length < 2) return [Array.from(flat)];
  return Array.from({ length: shape[0] }, (_, i) => Array.from(flat.slice(i * shape[1], (i + 1) * shape[1])));
}

/** Red, green, blue and opacity of #rgb, #rrggbb or #rrggbbaa. */
function hex(colour) {
  const text = colour.length === 4 ? colour.replace(/[0-9a-f]/gi, "$&$&") : colour;
  return [1, 3, 5, 7].map((i) => (i < text.length ? parseInt(text.slice(i, i + 2), 16) : 255));
}

/** 256 colours between the anchors of a ramp, or a colour for each index. */
function palette(colours, ramp) {
  const anchors = colours.map(hex);
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

const palettes = new Map();
const painted = new Map();
const KEPT = 64;

/**
 * A raster as a data URL that a Plotly layout image takes. The same content is painted once.
 * @param {{shape: number[], bdata: string, colours: string[]|"rgb", ramp: boolean}} raster
 */
export function paintedRaster(raster) {
  const key = `${raster.shape}|${raster.colours}|${raster.bdata}`;
  const known = painted.get(key);
  if (known) return known;
  const [height, width, channels = 1] = raster.shape;
  const source = bytes(raster.bdata);
  const pixels = new Uint8ClampedArray(width * height * 4);
  let table = null;
  if (raster.colours !== "rgb") {
    const name = `${raster.colours}|${raster.ramp}`;
    if (!palettes.has(name)) palettes.set(name, palette(raster.colours, raster.ramp));
    table = palettes.get(name);
  }
  for (let i = 0; i < width * height; i += 1) {
    if (table) {
      for (let k = 0; k < 4; k += 1) pixels[i * 4 + k] = table[source[i] * 4 + k];
    } else {
      for (let k = 0; k < 3; k += 1) pixels[i * 4 + k] = source[i * channels + k];
      pixels[i * 4 + 3] = channels === 4 ? source[i * 4 + 3] : 255;
    }
  }
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  const url = canvas.toDataURL("image/png");
  painted.set(key, url);
  if (painted.size > KEPT) painted.delete(painted.keys().next().value);
  return url;
}
