/**
 * Looking back: which step is shown, the frames of it, and playing them one after another.
 * Frames are asked for at most about 15 times a second, the newest wish wins, and those seen once are kept.
 */

const ASK_MS = 66;
const KEPT = 300;
/** A whole run is played in about so many seconds. */
const WHOLE_S = 12;
const RESTART_MS = 4000;
/** Where the page feeds the stage, a step that is dragged past is not asked for. */
const SCRUB_MS = 150;

export class Replay {
  /** @param {Object} stage its model, panels and send are used; its `viewChanged` is told of every change. */
  constructor(stage) {
    this.stage = stage;
    this.speed = 1;
    this.playing = false;
    this.reset();
  }

  reset() {
    this.pause();
    /** @type {number|null} the step looked at; null: live */
    this.step = null;
    /** @type {Map<number, Map<string, Object>>} */
    this.cache = new Map();
    this.asked = new Map();
    this.n = 0;
    this.shownN = 0;
    this.shown = new Map();
    clearTimeout(this.timer);
    this.timer = 0;
    this.lastAsk = 0;
  }

  get steps() {
    return this.stage.model.steps(this.stage.panels.snapshots());
  }

  /** The kept step at or before a wish. */
  snap(step) {
    const { steps } = this;
    let found = steps.length ? steps[0] : null;
    for (const one of steps) if (one <= step) found = one;
    return found;
  }

  /** Look at a step. */
  go(step) {
    const kept = this.snap(step);
    this.step = kept === null ? Math.max(0, Math.round(step)) : kept;
    this.fetch();
    this.stage.viewChanged();
  }

  /** Back to the moving end. */
  live() {
    this.pause();
    this.step = null;
    this.shown = new Map();
    this.stage.viewChanged();
  }

  /** A neighbouring frame: `by` frames on or back. */
  move(by) {
    const { steps } = this;
    if (!steps.length) return;
    const at = this.step === null ? steps.length - 1 : steps.indexOf(this.snap(this.step));
    this.go(steps[Math.max(0, Math.min(steps.length - 1, at + by))]);
  }

  /** Show what is known of the step and ask for what is not. */
  fetch() {
    if (this.step === null) return;
    const known = this.cache.get(this.step);
    if (known) this.shown = new Map([...this.shown, ...known]);
    const missing = this.stage.panels.inSight().filter((name) => !known || !known.has(name));
    if (missing.length && !this.timer) {
      const wait = Math.max(0, this.lastAsk + ASK_MS - performance.now());
      this.timer = setTimeout(() => this.ask(), wait);
    }
  }

  ask() {
    this.timer = 0;
    if (this.step === null) return;
    const known = this.cache.get(this.step);
    if (known && this.stage.panels.inSight().every((name) => known.has(name))) return;
    this.request(this.step);
  }

  request(step) {
    this.lastAsk = performance.now();
    if (this.stage.fellBack) {
      this.stage.fedBack(SCRUB_MS);
      return;
    }
    this.n += 1;
    this.asked.set(this.n, step);
    if (this.asked.size > 40) this.asked.delete(this.asked.keys().next().value);
    if (!this.stage.send({ type: "frame", step, n: this.n })) this.asked.delete(this.n);
  }

  /** A frame has come. */
  take(message) {
    const step = this.asked.get(message.n) ?? this.snap(message.step);
    this.asked.delete(message.n);
    const known = this.cache.get(step) || new Map();
    for (const [name, figure] of Object.entries(message.panels || {})) known.set(name, figure);
    for (const name of this.stage.panels.inSight()) if (!known.has(name)) known.set(name, null);
    this.cache.set(step, known);
    if (this.cache.size > KEPT) this.cache.delete(this.cache.keys().next().value);
    if (this.step === null) return;
    const newer = message.n === undefined || message.n > this.shownN;
    if (step === this.step || (newer && !this.playing)) {
      if (message.n !== undefined) this.shownN = message.n;
      this.shown = new Map([...this.shown, ...[...known].filter(([, figure]) => figure)]);
      this.stage.panels.touch("*");
    }
  }

  has(step) {
    const known = this.cache.get(step);
    return Boolean(known) && this.stage.panels.inSight().every((name) => known.has(name));
  }

  /** The step looked at as long as its frame has not come, else null. */
  get missing() {
    return this.step === null || this.has(this.step) ? null : this.step;
  }

  /** Play from where one is, or from the beginning. */
  play() {
    const { steps } = this;
    if (!steps.length) return;
    this.playing = true;
    if (this.step === null || this.step >= steps[steps.length - 1]) this.go(steps[0]);
    this.began = performance.now();
    this.tick();
    this.stage.viewChanged();
  }

  pause() {
    clearTimeout(this.beat);
    if (!this.playing) return;
    this.playing = false;
    this.stage.viewChanged(false);
    this.stage.address();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  /** One beat of playing: on to the next frame if it has come, and ask for the one after. */
  tick() {
    clearTimeout(this.beat);
    if (!this.playing) return;
    const { steps } = this;
    const span = (WHOLE_S * 1000) / this.speed / Math.max(1, steps.length - 1);
    const beat = Math.min(Math.max(span, 80), 600 / this.speed);
    const stride = Math.max(1, Math.round(beat / span));
    const at = steps.indexOf(this.snap(this.step));
    const now = performance.now();
    const slow = now - this.began > 1500;
    if (at >= steps.length - 1) {
      this.finished();
      return;
    }
    const next = steps[Math.min(at + stride, steps.length - 1)];
    const after = steps[Math.min(at + 2 * stride, steps.length - 1)];
    const due = now - this.began >= beat - 5;
    if (!this.has(next)) {
      if (![...this.asked.values()].includes(next)) this.request(next);
    } else if (!this.has(after) && ![...this.asked.values()].includes(after)) this.request(after);
    if (due && (this.has(next) || slow)) {
      this.began = now;
      this.go(next);
      this.beat = setTimeout(() => this.tick(), beat);
    } else this.beat = setTimeout(() => this.tick(), due ? 30 : Math.max(10, beat - (now - this.began)));
  }

  /** At the end: a recorded run begins again after a while, a run of one's own stays there. */
  finished() {
    if (this.stage.model.recorded) {
      this.beat = setTimeout(() => {
        this.go(this.steps[0]);
        this.began = performance.now();
        this.tick();
      }, RESTART_MS);
      return;
    }
    this.playing = false;
    if (this.stage.model.ended) this.stage.viewChanged();
    else this.live();
  }
}
