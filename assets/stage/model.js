/**
 * What is known of one run: the fold over the messages of its socket. No element and no figure is touched in here.
 * @typedef {{x: number[], y: (number|null)[]}} Curve
 */

import { unpacked } from "./packed.js";

export const ENDED = new Set(["finished", "stopped", "diverged", "failed", "interrupted"]);

export class Model {
  constructor() {
    this.reset(null);
  }

  /** Forget everything: another run is watched. */
  reset(id) {
    this.id = id;
    this.seq = 0;
    this.mine = false;
    this.recorded = false;
    this.run = null;
    this.status = null;
    /** @type {Map<string, Curve>} */
    this.curves = new Map();
    /** @type {Map<string, number[]>} */
    this.frames = new Map();
    this.marks = [];
    this.notes = [];
    /** @type {Map<string, Object>} the newest figure of each snapshot panel */
    this.figures = new Map();
    this.skipped = 0;
    this.union = null;
  }

  get state() {
    return this.status ? this.status.state : "";
  }

  get ended() {
    return ENDED.has(this.state);
  }

  /** The last step that anything is known of. */
  get last() {
    let last = this.status ? this.status.step || 0 : 0;
    for (const steps of this.frames.values()) last = Math.max(last, steps.length ? steps[steps.length - 1] : 0);
    return last;
  }

  /** Steps of the kept frames of these panels, rising. @param {string[]} names */
  steps(names) {
    const key = names.join("|");
    if (!this.union || this.union.key !== key) {
      const all = new Set();
      for (const name of names) for (const step of this.frames.get(name) || []) all.add(step);
      this.union = { key, steps: [...all].sort((a, b) => a - b) };
    }
    return this.union.steps;
  }

  /** The first message of a connection. After a reconnect it may tell all or only what was missed: both are taken. */
  hello(message) {
    this.mine = Boolean(message.mine);
    this.recorded = Boolean(message.recorded);
    this.run = message.run || this.run;
    if (this.seq === 0) {
      const { mine, recorded, run, id } = this;
      this.reset(id);
      Object.assign(this, { mine, recorded, run });
    }
    this.take(message);
  }

  /** Fold a hello or an update; returns the names of the metrics and panels that it changed. */
  take(message) {
    if (message.rewind !== undefined && message.rewind !== null) this.rewind(message.rewind);
    if (message.status) this.status = message.status;
    if (message.seq) this.seq = Math.max(this.seq, message.seq);
    for (const [metric, points] of Object.entries(message.curves || {})) this.extend(metric, points);
    for (const [panel, steps] of Object.entries(message.frames || {})) this.keep(panel, steps);
    for (const [panel, gone] of Object.entries(message.gone || {})) {
      const lost = new Set(gone);
      this.frames.set(panel, (this.frames.get(panel) || []).filter((step) => !lost.has(step)));
      this.union = null;
    }
    this.join("marks", message.marks, (mark) => `${mark.step}|${mark.field}|${JSON.stringify(mark.new)}`);
    this.join("notes", message.notes, (note) => `${note.step}|${JSON.stringify(note.sentence)}`);
    for (const [panel, figure] of Object.entries(message.panels || {})) this.figures.set(panel, figure);
    this.skipped += message.skipped || 0;
  }

  /** Points beyond those known; points told twice are taken once. */
  extend(metric, points) {
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

  keep(panel, steps) {
    const known = new Set(this.frames.get(panel));
    for (const step of unpacked(steps)) known.add(step);
    this.frames.set(panel, [...known].sort((a, b) => a - b));
    this.union = null;
  }

  join(name, news, key) {
    if (!news || !news.length) return;
    const known = new Set(this[name].map(key));
    this[name] = [...this[name], ...news.filter((one) => !known.has(key(one)))].sort((a, b) => a.step - b.step);
  }

  /** A resumed run tells anew all beyond this step. */
  rewind(step) {
    for (const curve of this.curves.values()) {
      const kept = curve.x.filter((x) => x <= step).length;
      curve.x.length = kept;
      curve.y.length = kept;
    }
    for (const [panel, steps] of this.frames) this.frames.set(panel, steps.filter((one) => one <= step));
    this.marks = this.marks.filter((mark) => mark.step <= step);
    this.notes = this.notes.filter((note) => note.step <= step);
    this.union = null;
  }
}
