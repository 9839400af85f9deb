/**
 * The requests of a probe session: made from keys, clicks and written lines, at the probe's beat, and never more than a
 * few ahead of the answers, so that a slow browser or model gets fewer requests instead of ever later answers.
 */

/** Requests that may be on their way. */
const MOST_AHEAD = 3;

/** Without any input for so long the beat rests, until there is some. */
const REST_MS = 60_000;

export class ProbeInput {
  /** @type {import("./messages.js").ProbeSpec} */
  #probe;
  /** @type {(request: Object) => boolean} */
  #send;
  /** @type {string[]} keys that are held, the newest last */
  #held = [];
  /** @type {string|null} the newest key that was pressed and not sent yet */
  #pressed = null;
  /** @type {Object|null} the newest click or written line that was not sent yet */
  #entered = null;
  #ahead = 0;
  #inputAt = performance.now();
  /** @type {ReturnType<typeof setInterval>|undefined} undefined where the probe has no beat */
  #timer;

  /**
   * Begins with the probe's idle request.
   * @param {import("./messages.js").ProbeSpec} probe
   * @param {(request: Object) => boolean} send sends a request; whether it could
   */
  constructor(probe, send) {
    this.#probe = probe;
    this.#send = send;
    if (probe.beat > 0) this.#timer = setInterval(() => this.#tick(), 1000 / probe.beat);
    this.#request(probe.idle || {});
  }

  /**
   * A key goes down: its request is sent at the next beat even if it is up again by then.
   * @param {string} key
   */
  press(key) {
    if (!this.#held.includes(key)) this.#held.push(key);
    this.#pressed = key;
    this.#inputAt = performance.now();
    if (!this.#timer) this.#flush();
  }

  /** @param {string} key */
  release(key) {
    this.#held = this.#held.filter((other) => other !== key);
  }

  /** No key is held any more: the window has lost the keyboard. */
  releaseAll() {
    this.#held = [];
    this.#pressed = null;
  }

  /**
   * A click or a written line is sent as soon as one may; of several the newest.
   * @param {Object} request
   */
  enter(request) {
    this.#entered = request;
    this.#inputAt = performance.now();
    this.#flush();
  }

  /**
   * So many requests are answered, or overtaken by one that is.
   * @param {number} count
   */
  answered(count) {
    this.#ahead = Math.max(0, this.#ahead - count);
    this.#flush();
  }

  stop() {
    clearInterval(this.#timer);
  }

  #tick() {
    if (this.#ahead >= MOST_AHEAD || document.hidden || performance.now() - this.#inputAt > REST_MS) return;
    const key = this.#pressed ?? this.#held[this.#held.length - 1];
    const request = key === undefined ? this.#probe.idle : this.#probe.keys[key];
    this.#pressed = null;
    if (request) this.#request(request);
  }

  /** Send what was entered, and without a beat the newest key that was pressed, as far as one may. */
  #flush() {
    if (this.#ahead >= MOST_AHEAD) return;
    if (this.#entered) {
      const request = this.#entered;
      this.#entered = null;
      this.#request(request);
    }
    if (this.#timer || this.#pressed === null || this.#ahead >= MOST_AHEAD) return;
    const request = this.#probe.keys[this.#pressed];
    this.#pressed = null;
    this.#request(request);
  }

  /** @param {Object} request */
  #request(request) {
    if (this.#send(request)) this.#ahead += 1;
  }
}
