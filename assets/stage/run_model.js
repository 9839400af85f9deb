/** What is known of one run: the fold over the messages of its connection. No element and no figure is touched in here. */

import { unpacked } from "./packed.js";

/**
 * @typedef {{x: number[], y: (number|null)[]}} Curve steps, rising, and values
 * @typedef {import("./messages.js").Figure} Figure
 * @typedef {import("./messages.js").Mark} Mark
 * @typedef {import("./messages.js").Note} Note
 */

export const ENDED = new Set(["finished", "stopped", "diverged", "failed", "interrupted"]);

export class RunModel {
  /** @type {string|null} null: no run */
  id;
  /** Sequence number up to which everything is known. */
  seq = 0;
  /** Whether the person may control it. */
  mine = false;
  recorded = false;
  /** @type {Object<string, any>|null} what the run was started with */
  run = null;
  /** @type {import("./messages.js").RunStatus|null} */
  status = null;
  /** @type {Map<string, Curve>} by metric */
  curves = new Map();
  /** @type {Map<string, number[]>} steps of the kept snapshots, rising, by panel */
  frames = new Map();
  /** @type {Mark[]} by step */
  marks = [];
  /** @type {Note[]} by step */
  notes = [];
  /** @type {Map<string, Figure>} the newest figure of each snapshot panel */
  figures = new Map();
  /** How many snapshots were never sent because newer ones overtook them. */
  skipped = 0;
  /** @type {{key: string, steps: number[]}|null} the last result of `steps` */
  #union = null;

  /** @param {string|null} id */
  constructor(id) {
    this.id = id;
  }

  get state() {
    return this.status ? this.status.state : "";
  }

  get ended() {
    return ENDED.has(this.state);
  }

  /** Whether this is a run that a person made, and known. */
  get own() {
    return this.id !== null && !this.recorded && this.status !== null;
  }

  /** The last step that anything is known of. */
  get lastStep() {
    let last = this.status ? this.status.step || 0 : 0;
    for (const steps of this.frames.values()) last = Math.max(last, steps.length ? steps[steps.length - 1] : 0);
    return last;
  }

  /**
   * Steps of the kept snapshots of these panels, rising.
   * @param {string[]} panels
   */
  steps(panels) {
    const key = panels.join("|");
    if (!this.#union || this.#union.key !== key) {
      const all = new Set();
      for (const panel of panels) for (const step of this.frames.get(panel) || []) all.add(step);
      this.#union = { key, steps: [...all].sort((a, b) => a - b) };
    }
    return this.#union.steps;
  }

  /**
   * The first message of a connection. After a reconnect it may hold everything or only what was missed; where it holds
   * everything, what was known before no longer counts, for the log may have been mended.
   * @param {import("./messages.js").HelloMessage} message
   */
  hello(message) {
    this.mine = Boolean(message.mine);
    this.recorded = Boolean(message.recorded);
    this.run = message.run || this.run;
    if (message.whole) this.#clear();
    this.update(message);
  }

  /**
   * Fold the news of a hello or an update.
   * @param {import("./messages.js").HelloMessage|import("./messages.js").UpdateMessage} message
   */
  update(message) {
    if (message.rewind !== undefined && message.rewind !== null) this.#rewind(message.rewind);
    if (message.status) this.status = message.status;
    if (message.seq) this.seq = Math.max(this.seq, message.seq);
    for (const [metric, points] of Object.entries(message.curves || {})) this.#extend(metric, points);
    for (const [panel, steps] of Object.entries(message.frames || {})) this.#addFrames(panel, steps);
    for (const [panel, steps] of Object.entries(message.gone || {})) this.#dropFrames(panel, steps);
    this.marks = joined(this.marks, message.marks, (mark) => `${mark.step}|${mark.field}|${JSON.stringify(mark.new)}`);
    this.notes = joined(this.notes, message.notes, (note) => `${note.step}|${JSON.stringify(note.sentence)}`);
    for (const [panel, figure] of Object.entries(message.panels || {})) this.figures.set(panel, figure);
    if (message.type === "update") this.skipped += message.skipped || 0;
  }

  #clear() {
    this.seq = 0;
    this.curves.clear();
    this.frames.clear();
    this.marks = [];
    this.notes = [];
    this.#union = null;
  }

  /** The run is no longer on the server: nothing more can come, and it cannot go on. */
  endMissing() {
    if (this.status) this.status = { ...this.status, state: "stopped", resumable: false };
  }

  /**
   * Add the points beyond those known.
   * @param {string} metric
   * @param {import("./messages.js").Points} points
   */
  #extend(metric, points) {
    const [xs, ys] = Array.isArray(points) ? points : [points.x, points.y];
    const x = unpacked(xs);
    const y = unpacked(ys);
    let curve = this.curves.get(metric);
    if (!curve) this.curves.set(metric, (curve = { x: [], y: [] }));
    if (curve.x.length && x.length && x[0] < curve.x[0]) Object.assign(curve, { x: [], y: [] });
    let last = curve.x.length ? curve.x[curve.x.length - 1] : -Infinity;
    for (let i = 0; i < x.length; i += 1) {
      if (x[i] <= last) continue;
      last = x[i];
      curve.x.push(last);
      curve.y.push(y[i]);
    }
  }

  /** @param {string} panel @param {number[]} steps */
  #addFrames(panel, steps) {
    const known = new Set(this.frames.get(panel));
    for (const step of unpacked(steps)) known.add(step);
    this.frames.set(panel, [...known].sort((a, b) => a - b));
    this.#union = null;
  }

  /** @param {string} panel @param {number[]} steps */
  #dropFrames(panel, steps) {
    const gone = new Set(steps);
    this.frames.set(panel, (this.frames.get(panel) || []).filter((step) => !gone.has(step)));
    this.#union = null;
  }

  /**
   * Drop all beyond this step: a resumed run logs that stretch again.
   * @param {number} step
   */
  #rewind(step) {
    for (const curve of this.curves.values()) {
      const kept = curve.x.filter((x) => x <= step).length;
      curve.x.length = kept;
      curve.y.length = kept;
    }
    for (const [panel, steps] of this.frames) this.frames.set(panel, steps.filter((one) => one <= step));
    this.marks = this.marks.filter((mark) => mark.step <= step);
    this.notes = this.notes.filter((note) => note.step <= step);
    this.#union = null;
  }
}

/**
 * Both lists by step, without those whose key is known already.
 * @template {{step: number}} Item
 * @param {Item[]} known
 * @param {Item[]|undefined} fresh
 * @param {(item: Item) => string} key
 */
function joined(known, fresh, key) {
  if (!fresh || !fresh.length) return known;
  const keys = new Set(known.map(key));
  return [...known, ...fresh.filter((item) => !keys.has(key(item)))].sort((a, b) => a.step - b.step);
}
