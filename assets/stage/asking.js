/**
 * What is asked of a model while a person plays with it: by which keys, at which beat, and never more than a few
 * questions ahead of the answers, so that a slow browser or model is asked less often instead of ever later.
 */

/** Questions that may be on their way. */
const AHEAD = 3;

/** Who presses nothing for so long has gone: the beat rests until a key is pressed. */
const REST_MS = 60_000;

export class Asking {
  /**
   * @param {{keys: Object<string, Object>, idle: Object|null, beat: number}} probe
   * @param {(fields: Object) => boolean} send asks; whether it could
   */
  constructor(probe, send) {
    this.probe = probe;
    this.send = send;
    this.down = [];
    this.tapped = null; // the newest key that has not been asked yet
    this.said = null; // the newest click or words, likewise
    this.ahead = 0;
    this.pressedAt = performance.now();
    this.timer = probe.beat > 0 ? setInterval(() => this.tick(), 1000 / probe.beat) : 0;
    this.ask(probe.idle || {});
  }

  /** A key goes down: what it asks is asked at the next beat even if it is up again by then. */
  press(key) {
    if (!this.down.includes(key)) this.down.push(key);
    this.tapped = key;
    this.pressedAt = performance.now();
    if (!this.timer) this.flush();
  }

  /** What is written or clicked is asked as soon as there is room; of several the newest. */
  say(fields) {
    this.said = fields;
    this.pressedAt = performance.now();
    this.flush();
  }

  release(key) {
    this.down = this.down.filter((other) => other !== key);
  }

  /** Nothing is held any more: the window has lost the keys. */
  letGo() {
    this.down = [];
    this.tapped = null;
  }

  /** So many of the questions are answered, or overtaken by one that is. */
  answered(count) {
    this.ahead = Math.max(0, this.ahead - count);
    this.flush();
  }

  tick() {
    if (this.ahead >= AHEAD || document.hidden || performance.now() - this.pressedAt > REST_MS) return;
    const key = this.tapped ?? this.down[this.down.length - 1];
    const fields = key === undefined ? this.probe.idle : this.probe.keys[key];
    this.tapped = null;
    if (fields) this.ask(fields);
  }

  /** What was said, and without a beat the newest key that was pressed, as soon as there is room. */
  flush() {
    if (this.ahead >= AHEAD) return;
    if (this.said) {
      const { said } = this;
      this.said = null;
      this.ask(said);
    }
    if (this.timer || this.tapped === null || this.ahead >= AHEAD) return;
    const fields = this.probe.keys[this.tapped];
    this.tapped = null;
    this.ask(fields);
  }

  ask(fields) {
    if (this.send(fields)) this.ahead += 1;
  }

  stop() {
    clearInterval(this.timer);
  }
}
