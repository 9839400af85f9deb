/**
 * Which step of a run is shown, the figures of that step, and playing the steps one after another. Frames are requested
 * at most about 15 times a second, the newest step first in line, and those seen once are kept.
 */

/** @typedef {import("./messages.js").Figure} Figure */

const REQUEST_MS = 66;
const KEPT_FRAMES = 300;
const KEPT_REQUESTS = 40;
/** A whole run is played in about so many seconds. */
const WHOLE_S = 12;
const RESTART_MS = 4000;
/** A frame that takes longer than this is not waited for while playing. */
const LATE_MS = 1500;

export const REPLAY_SPEEDS = [1, 2, 4];

/**
 * @typedef {Object} ReplayOptions
 * @property {import("./run_model.js").RunModel} model
 * @property {() => string[]} snapshotPanels names of all snapshot panels
 * @property {() => string[]} panelsInSight names of those in sight
 * @property {(step: number) => number|null} request requests a frame: the number of the request, null where the frame
 *     will come without one, or not at all
 * @property {() => void} onStep another step is shown
 * @property {() => void} onFrame figures of the shown step have come
 * @property {() => void} onPlaying playing has begun or ended
 */

export class Replay {
  /** @type {number|null} the step that is shown; null: the newest, which may still move */
  step = null;
  playing = false;
  /** One of `REPLAY_SPEEDS`. */
  speed = REPLAY_SPEEDS[0];
  /** @type {ReplayOptions} */
  #options;
  /** @type {Map<number, Map<string, Figure|null>>} figures by panel of each step that has come; null: there is none */
  #frames = new Map();
  /** @type {Map<number, number>} the step of each request on its way, by its number */
  #requested = new Map();
  /** The number of the newest request whose frame was shown. */
  #newestShown = 0;
  /** @type {Map<string, Figure|null>} what the panels show of the step; of an earlier one while its frame is on the way */
  #shown = new Map();
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #requestTimer;
  #requestWaits = false;
  #requestedAt = 0;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #playTimer;
  #steppedAt = 0;

  /** @param {ReplayOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /** Steps of the kept frames, rising. */
  get steps() {
    return this.#options.model.steps(this.#options.snapshotPanels());
  }

  /** The shown step as long as its frame has not come, else null. */
  get missingStep() {
    return this.step === null || this.#has(this.step) ? null : this.step;
  }

  /**
   * The figure of a panel at the shown step: null where it has none, undefined where its frame has not come yet.
   * @param {string} panel
   */
  figure(panel) {
    return this.#shown.get(panel);
  }

  /**
   * Show the kept frame at or before a step.
   * @param {number} step
   */
  goTo(step) {
    const kept = this.#keptStep(step);
    this.step = kept === null ? Math.max(0, Math.round(step)) : kept;
    this.fetch();
    this.#options.onStep();
  }

  /** Show the newest step again. */
  goLive() {
    this.pause();
    this.step = null;
    this.#shown = new Map();
    this.#options.onStep();
  }

  /**
   * Go `by` kept frames on, or back where negative.
   * @param {number} by
   */
  move(by) {
    const { steps } = this;
    if (!steps.length) return;
    const at = this.step === null ? steps.length - 1 : this.#indexOf(this.step);
    this.goTo(steps[Math.max(0, Math.min(steps.length - 1, at + by))]);
  }

  /** Show what has come of the step, and request the rest where panels in sight lack it. */
  fetch() {
    if (this.step === null) return;
    const known = this.#frames.get(this.step);
    if (known) for (const [name, figure] of known) this.#shown.set(name, figure);
    if (!this.#has(this.step) && !this.#requestWaits) {
      this.#requestWaits = true;
      const wait = Math.max(0, this.#requestedAt + REQUEST_MS - performance.now());
      this.#requestTimer = setTimeout(() => {
        this.#requestWaits = false;
        if (this.missingStep !== null) this.#request(this.missingStep);
      }, wait);
    }
  }

  /**
   * A frame has come.
   * @param {import("./messages.js").FrameMessage} message
   */
  receive({ n, step: frameStep, panels }) {
    const step = (n === undefined ? undefined : this.#requested.get(n)) ?? this.#keptStep(frameStep) ?? frameStep;
    if (n !== undefined) this.#requested.delete(n);
    const known = this.#frames.get(step) || new Map();
    for (const [name, figure] of Object.entries(panels || {})) known.set(name, figure);
    for (const name of this.#options.panelsInSight()) if (!known.has(name)) known.set(name, null);
    this.#frames.set(step, known);
    if (this.#frames.size > KEPT_FRAMES) this.#frames.delete(first(this.#frames));
    if (this.step === null) return;
    const newer = n === undefined || n > this.#newestShown;
    if (step === this.step || (newer && !this.playing)) {
      if (n !== undefined) this.#newestShown = n;
      for (const [name, figure] of known) if (figure) this.#shown.set(name, figure);
      this.#options.onFrame();
    }
  }

  /** Forget the frames that have come: the run has rewound. */
  forget() {
    this.#frames.clear();
  }

  /** Play from the shown step, or from the beginning. */
  play() {
    const { steps } = this;
    if (!steps.length) return;
    this.playing = true;
    if (this.step === null || this.step >= steps[steps.length - 1]) this.goTo(steps[0]);
    this.#steppedAt = performance.now();
    this.#playOn();
    this.#options.onPlaying();
  }

  pause() {
    clearTimeout(this.#playTimer);
    if (!this.playing) return;
    this.playing = false;
    this.#options.onPlaying();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  /** The next of `REPLAY_SPEEDS`. */
  changeSpeed() {
    this.speed = REPLAY_SPEEDS[(REPLAY_SPEEDS.indexOf(this.speed) + 1) % REPLAY_SPEEDS.length];
    this.#options.onPlaying();
  }

  close() {
    this.playing = false;
    clearTimeout(this.#playTimer);
    clearTimeout(this.#requestTimer);
  }

  /** @param {number} step */
  #keptStep(step) {
    const { steps } = this;
    let found = steps.length ? steps[0] : null;
    for (const one of steps) if (one <= step) found = one;
    return found;
  }

  /** @param {number} step */
  #indexOf(step) {
    const kept = this.#keptStep(step);
    return kept === null ? -1 : this.steps.indexOf(kept);
  }

  /** @param {number} step */
  #has(step) {
    const known = this.#frames.get(step);
    return known !== undefined && this.#options.panelsInSight().every((name) => known.has(name));
  }

  /** @param {number} step */
  #request(step) {
    this.#requestedAt = performance.now();
    const n = this.#options.request(step);
    if (n === null) return;
    this.#requested.set(n, step);
    if (this.#requested.size > KEPT_REQUESTS) this.#requested.delete(first(this.#requested));
  }

  /** @param {number} step */
  #requestOnce(step) {
    if (!this.#has(step) && ![...this.#requested.values()].includes(step)) this.#request(step);
  }

  /** While playing: on to the next frame if it has come, and request the one after. */
  #playOn() {
    clearTimeout(this.#playTimer);
    if (!this.playing) return;
    const { steps } = this;
    const span = (WHOLE_S * 1000) / this.speed / Math.max(1, steps.length - 1);
    const interval = Math.min(Math.max(span, 80), 600 / this.speed);
    const stride = Math.max(1, Math.round(interval / span));
    const at = this.step === null ? -1 : this.#indexOf(this.step);
    if (at >= steps.length - 1) {
      this.#playedToEnd();
      return;
    }
    const next = steps[Math.min(at + stride, steps.length - 1)];
    const after = steps[Math.min(at + 2 * stride, steps.length - 1)];
    this.#requestOnce(this.#has(next) ? after : next);
    const elapsed = performance.now() - this.#steppedAt;
    const due = elapsed >= interval - 5;
    let wait = due ? 30 : Math.max(10, interval - elapsed);
    if (due && (this.#has(next) || elapsed > LATE_MS)) {
      this.#steppedAt = performance.now();
      this.goTo(next);
      wait = interval;
    }
    this.#playTimer = setTimeout(() => this.#playOn(), wait);
  }

  /** At the end: a recorded run begins again after a while, another stays there, or goes on live. */
  #playedToEnd() {
    const { model, onPlaying } = this.#options;
    if (model.recorded) {
      this.#playTimer = setTimeout(() => {
        this.goTo(this.steps[0]);
        this.#steppedAt = performance.now();
        this.#playOn();
      }, RESTART_MS);
      return;
    }
    this.playing = false;
    if (model.ended) onPlaying();
    else this.goLive();
  }
}

/**
 * The oldest key.
 * @param {Map<number, any>} map
 */
const first = (map) => map.keys().next().value ?? 0;
