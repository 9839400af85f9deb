/**
 * The requests of a probe session: made from keys, clicks, places pointed at, written lines and drawings, at the probe's
 * beat, and never more than a few ahead of the answers, so that a slow browser or model gets fewer requests instead of
 * ever later answers.
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
  /** @type {Object|null} the newest click, place or written line that was not sent yet */
  #entered = null;
  /** @type {Object|null} the newest drawing that was not sent yet */
  #drawing = null;
  /** @type {(Object|null)[]} the drawings of the requests on their way, null for one without, the oldest first */
  #onTheirWay = [];
  #inputAt = performance.now();
  /** @type {ReturnType<typeof setInterval>|undefined} undefined where the probe has no beat */
  #timer;

  /**
   * Begins with the probe's idle request.
   * @param {import("./messages.js").ProbeSpec} probe
   * @param {(request: Object) => boolean} send sends a request; whether it could
   * @param {Object|null} drawing that is there already
   */
  constructor(probe, send, drawing = null) {
    this.#probe = probe;
    this.#send = send;
    this.#drawing = drawing;
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
   * A click, a place pointed at or a written line is sent as soon as one may; of several the newest.
   * @param {Object} request
   */
  enter(request) {
    this.#entered = request;
    this.#inputAt = performance.now();
    this.#flush();
  }

  /**
   * A drawing is sent as soon as one may; of several the newest. A request may be overtaken on its way, so each carries
   * the drawing until one with it is answered.
   * @param {Object} request
   */
  draw(request) {
    this.#drawing = request;
    this.#inputAt = performance.now();
    this.#flush();
  }

  /**
   * So many requests are answered, or overtaken by one that is.
   * @param {number} count
   */
  answered(count) {
    this.#onTheirWay.splice(0, count);
    this.#flush();
  }

  stop() {
    clearInterval(this.#timer);
  }

  get #full() {
    return this.#onTheirWay.length >= MOST_AHEAD;
  }

  #tick() {
    if (this.#full || document.hidden || performance.now() - this.#inputAt > REST_MS) return;
    const key = this.#pressed ?? this.#held[this.#held.length - 1];
    const request = key === undefined ? this.#probe.idle : this.#probe.keys[key];
    this.#pressed = null;
    if (request) this.#request(request);
  }

  /** Send what was entered or drawn, and without a beat the newest key that was pressed, as far as one may. */
  #flush() {
    if (this.#full) return;
    if (this.#entered || this.#drawing) {
      const request = this.#entered || {};
      this.#entered = null;
      this.#request(request);
    }
    if (this.#timer || this.#pressed === null || this.#full) return;
    const request = this.#probe.keys[this.#pressed];
    this.#pressed = null;
    this.#request(request);
  }

  /** @param {Object} request */
  #request(request) {
    const drawing = this.#drawing || this.#onTheirWay.findLast((one) => one) || null;
    if (!this.#send({ ...drawing, ...request })) return;
    this.#onTheirWay.push(drawing);
    this.#drawing = null;
  }
}
