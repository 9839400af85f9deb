/**
 * A run being viewed: what is known of it, its connection, and the step of it that is shown. Each has a state of its own
 * and touches no element, so that a stage can hold several side by side. To view another run is to make another
 * ViewedRun; it may show the figures of the one before until it has some.
 *
 * Where no WebSocket can be had, its page feeds it: `onFeedRequest` names what the page has to hand over.
 */

import { Connection } from "./connection.js";
import { Replay } from "./replay.js";
import { RunModel } from "./run_model.js";
import { StaticArrays } from "./static_arrays.js";

/**
 * @typedef {import("./messages.js").Figure} Figure
 * @typedef {import("./messages.js").Sentence} Sentence
 * @typedef {import("./messages.js").FeedRequest} FeedRequest
 * @typedef {import("./messages.js").HelloMessage} HelloMessage
 * @typedef {import("./messages.js").UpdateMessage} UpdateMessage
 *
 * @typedef {"hello"|"curves"|"all"} Extent of news, beside the figures they name: a connection's first message, new
 *     points of curves, or so much that every panel has to be drawn again
 *
 * @typedef {Object} ViewedRunEvents every one is called with the run itself first
 * @property {(run: ViewedRun, panels: string[], extents: Set<Extent>) => void} onNews the model has changed, and the
 *     newest figures of these panels
 * @property {(run: ViewedRun) => void} onFigures figures that are shown have come or changed
 * @property {(run: ViewedRun) => void} onStep another step is shown
 * @property {(run: ViewedRun) => void} onPlaying the replay plays, plays no longer, or at another speed
 * @property {(run: ViewedRun) => void} onConnection the connection is in another state
 * @property {(run: ViewedRun, id: string) => void} onMoved the connection is that run's from here on
 * @property {(run: ViewedRun, message: import("./messages.js").AnswerMessage|import("./messages.js").RefusedMessage) =>
 *     void} onProbe a message for the open probe session
 * @property {(run: ViewedRun, sentence: Sentence) => void} onRefused
 * @property {(run: ViewedRun, request: FeedRequest|null) => void} onFeedRequest what the page has to feed; null: nothing
 *
 * @typedef {Object} ViewedRunOptions
 * @property {string|null} id null: no run, only what the predecessor has
 * @property {string} base the app's address
 * @property {string} version of the assets
 * @property {string} stage name of the stage, by which the server can move its connection
 * @property {string[]} snapshotPanels names of all snapshot panels
 * @property {string[]} panelsInSight names of those in sight
 * @property {ViewedRunEvents} events
 * @property {number|null} [step] shown first; null: the newest
 * @property {boolean} [autoplay] whether a recorded run plays by itself
 * @property {ViewedRun|null} [predecessor] the run viewed in its place before, closed by now
 * @property {Connection|null} [connection] taken over from the predecessor; null: it opens its own
 */

/** Milliseconds between two requests to a page that feeds, and where frames are missing. */
const FEED_MS = 1000;
const FEED_FRAME_MS = 150;

export class ViewedRun {
  /** @type {RunModel} */
  model;
  /** @type {Replay} */
  replay;
  /** Steps a second that were chosen last; 0 is full speed. */
  speed = 0;
  /** @type {ViewedRunOptions} */
  #options;
  /** @type {ViewedRunEvents} */
  #events;
  /** @type {StaticArrays} */
  #staticArrays;
  /** @type {Map<string, Figure>} figures of the runs before, shown where this one has none yet */
  #earlierFigures = new Map();
  /** @type {Connection|null} */
  #connection = null;
  /** @type {string[]} */
  #snapshotPanels;
  /** @type {string[]} */
  #panelsInSight;
  /** The panels in sight as the server knows them. */
  #sentInSight = "";
  /** @type {number|null} the newest update that is not acknowledged yet */
  #undrawn = null;
  /** @type {import("./messages.js").RunStatus|null} the status that belongs to what is drawn */
  #drawnStatus = null;
  /** Whether the first hello has come. */
  #begun = false;
  /** @type {FeedRequest|null} what the page was requested to feed; null while it does not */
  #feed = null;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #feedTimer;
  #frameRequests = 0;
  #closed = false;

  /** @param {ViewedRunOptions} options */
  constructor(options) {
    this.#options = { ...options, predecessor: null, connection: null }; // so that no chain of old runs is kept
    this.#events = options.events;
    this.#snapshotPanels = options.snapshotPanels;
    this.#panelsInSight = options.panelsInSight;
    this.model = new RunModel(options.id);
    this.#staticArrays = new StaticArrays({
      url: (panel) => `${this.#url(`fixed/${encodeURIComponent(panel)}`)}?v=${encodeURIComponent(options.version)}`,
      onArrival: () => this.#closed || this.#events.onFigures(this),
    });
    this.replay = new Replay({
      model: this.model,
      snapshotPanels: () => this.#snapshotPanels,
      panelsInSight: () => this.#panelsInSight,
      request: (step) => this.#requestFrame(step),
      onStep: () => this.#events.onStep(this),
      onFrame: () => this.#events.onFigures(this),
      onPlaying: () => this.#events.onPlaying(this),
    });
    const { predecessor } = options;
    if (predecessor) {
      this.speed = predecessor.speed;
      this.replay.speed = predecessor.replay.speed;
      this.#earlierFigures = predecessor.#allFigures();
    }
    if (options.id === null) return;
    const handlers = this.#handlers();
    if (options.connection) {
      this.#connection = options.connection;
      this.#connection.transfer(handlers);
    } else this.#connection = new Connection(handlers);
  }

  get id() {
    return this.model.id;
  }

  /** @returns {import("./connection.js").ConnectionState} */
  get connectionState() {
    return this.#connection ? this.#connection.state : "connecting";
  }

  /** The step that is shown; null while it is the newest. */
  get shownStep() {
    return this.replay.step;
  }

  /** The status that belongs to what is drawn; of a run that has ended or paused the newest at once. */
  get status() {
    const { status } = this.model;
    return this.#drawnStatus && status && this.#drawnStatus.state === status.state ? this.#drawnStatus : status;
  }

  /** Whether the newest state of the run is shown already. */
  get stateDrawn() {
    return this.#drawnStatus?.state === this.model.state;
  }

  /** Whether a person may change a live setting: the run is theirs, and trains or pauses. */
  get takesSettings() {
    const { own, mine, ended, state } = this.model;
    return own && mine && !ended && !["queued", "preparing"].includes(state);
  }

  /**
   * The figure of a panel at the shown step, null where there is none, or not all of it.
   * @param {string} panel
   */
  figure(panel) {
    const replayed = this.replay.step === null ? undefined : this.replay.figure(panel);
    if (replayed !== undefined) return this.fill(replayed);
    const newest = this.model.figures.get(panel);
    return newest ? this.fill(newest) : this.#earlierFigures.get(panel) || null;
  }

  /**
   * Whether a panel still shows a run viewed before.
   * @param {string} panel
   */
  isEarlier(panel) {
    const known = this.model.figures.has(panel) || this.replay.figure(panel) !== undefined;
    return !known && this.#earlierFigures.has(panel);
  }

  /**
   * A figure with its static arrays in their places; null as long as some are on their way.
   * @param {Figure|null|undefined} figure
   */
  fill(figure) {
    return this.#staticArrays.fill(figure) || null;
  }

  /**
   * The page declares other panels.
   * @param {string[]} names of all snapshot panels
   */
  setSnapshotPanels(names) {
    this.#snapshotPanels = names;
  }

  /**
   * Other snapshot panels are in sight: the server sends these, and frames are requested for these.
   * @param {string[]} names
   */
  setPanelsInSight(names) {
    this.#panelsInSight = names;
    this.#sendInSight();
    this.replay.fetch();
  }

  /** All that has come is drawn: the status shown is the newest, and the server may send more. */
  acknowledge() {
    this.showStatus();
    if (this.#undrawn === null) return;
    this.send({ type: "drawn", n: this.#undrawn });
    this.#undrawn = null;
  }

  /** The status shown is the newest: there is nothing to draw, or it must not wait for that. */
  showStatus() {
    this.#drawnStatus = this.model.status;
  }

  /**
   * Send a message; whether there was a connection to send it by.
   * @param {import("./messages.js").ClientMessage} message
   */
  send(message) {
    return this.#connection !== null && this.#connection.send(message);
  }

  /**
   * Control the run; whether there was a connection to do so.
   * @param {import("./messages.js").Command} command
   * @param {import("./messages.js").CommandValue|null} value
   */
  command(command, value = null) {
    if (command === "speed") this.speed = Number(value);
    if (this.replay.step !== null && ["resume", "step", "setting"].includes(command)) this.replay.goLive();
    /** @type {import("./messages.js").CommandMessage} */
    const message = { type: "command", do: command };
    if (value !== null) message.value = value;
    return this.send(message);
  }

  /**
   * Take what the page feeds while there is no connection.
   * @param {HelloMessage|UpdateMessage|null} batch
   * @param {import("./messages.js").FrameMessage|null|undefined} frame
   */
  receiveFeed(batch, frame) {
    if (this.connectionState === "open") return;
    // A stage that was mounted again knows nothing yet: an update alone would not do.
    if (batch && batch.type !== "hello" && !this.model.run) this.#requestFeed(this.#needs());
    else if (batch) this.#receive(batch);
    if (frame) this.#receive({ ...frame, type: "frame", n: undefined });
  }

  /** Give the connection away, to a run that the server has moved it to; null where there is none. */
  releaseConnection() {
    const connection = this.#connection;
    this.#connection = null;
    return connection;
  }

  /** Nothing is viewed, received or played any more. */
  close() {
    this.#closed = true;
    clearTimeout(this.#feedTimer);
    this.replay.close();
    if (this.#connection) this.#connection.close();
    this.#connection = null;
  }

  /** @param {string} path below the run's address */
  #url(path) {
    return `${this.#options.base}lab/runs/${encodeURIComponent(this.id || "")}/${path}`;
  }

  /** @returns {Map<string, Figure>} */
  #allFigures() {
    const all = new Map(this.#earlierFigures);
    for (const [panel, figure] of this.model.figures) {
      const filled = this.fill(figure);
      if (filled) all.set(panel, filled);
    }
    return all;
  }

  /** @returns {import("./connection.js").ConnectionHandlers} */
  #handlers() {
    const query = () => `since=${this.model.seq}&stage=${this.#options.stage}`;
    return {
      url: () => `${this.#url("live").replace(/^http/, "ws")}?${query()}`,
      onMessage: (message) => this.#receive(message),
      onState: (state) => {
        if (state === "missing") this.model.endMissing();
        if (state === "open" && this.#feed) this.#requestFeed(null);
        else if (state === "unavailable") this.#requestFeed(this.#needs());
        this.#events.onConnection(this);
      },
    };
  }

  /** @param {import("./messages.js").ServerMessage} message */
  #receive(message) {
    if (message.type === "answer" || (message.type === "refused" && "over" in message)) {
      this.#events.onProbe(this, message);
    } else if (message.type === "refused") this.#events.onRefused(this, message.sentence);
    else if (message.type === "frame") this.replay.receive(message);
    else if (message.type === "moved") this.#events.onMoved(this, message.run);
    else if (message.type === "hello" || message.type === "update") this.#receiveNews(message);
  }

  /** @param {HelloMessage|UpdateMessage} message */
  #receiveNews(message) {
    const hello = message.type === "hello";
    if (hello) {
      this.model.hello(message);
      this.speed = message.status.speed || 0; // as it was left; from here on this browser's choice counts
      this.#undrawn = null;
      this.#sendInSight(true);
      this.#begin();
    } else {
      this.model.update(message);
      if (message.n !== undefined) this.#undrawn = message.n;
    }
    if (message.rewind !== undefined || ("whole" in message && message.whole)) this.replay.forget();
    /** @type {Set<Extent>} */
    const extents = new Set();
    if (hello) extents.add("hello");
    if (hello || Object.keys(message.curves || {}).length || (message.marks || []).length) extents.add("curves");
    if (this.model.ended && !this.stateDrawn) extents.add("all"); // nothing more is to come
    this.#events.onNews(this, this.replay.step === null ? Object.keys(message.panels || {}) : [], extents);
    if (this.#feed && this.connectionState === "unavailable") this.#renewFeed(FEED_MS);
  }

  /** The first hello: a recorded run plays, or the step of the address is shown. */
  #begin() {
    if (this.#begun) return;
    this.#begun = true;
    if (this.model.recorded) {
      if (this.#options.autoplay && this.connectionState === "open") this.replay.play();
    } else if (this.#options.step !== null && this.#options.step !== undefined) this.replay.goTo(this.#options.step);
  }

  /**
   * Send which panels are in sight, where that has changed.
   * @param {boolean} always to a connection that does not know it
   */
  #sendInSight(always = false) {
    const key = this.#panelsInSight.join("|");
    if (!always && key === this.#sentInSight) return;
    if (this.send({ type: "see", panels: this.#panelsInSight })) this.#sentInSight = key;
    else if (this.#feed) this.#renewFeed(FEED_MS);
  }

  /**
   * Request the frame of a step: the number of the request, null where the page feeds it or it cannot be had.
   * @param {number} step
   */
  #requestFrame(step) {
    if (this.#feed) {
      this.#renewFeed(FEED_FRAME_MS); // a step that is dragged past is not requested
      return null;
    }
    this.#frameRequests += 1;
    return this.send({ type: "frame", step, n: this.#frameRequests }) ? this.#frameRequests : null;
  }

  /** @returns {FeedRequest} */
  #needs() {
    const { id, seq } = this.model;
    return { run: id, since: seq, panels: this.#panelsInSight, step: this.replay.missingStep };
  }

  /** @param {FeedRequest|null} request */
  #requestFeed(request) {
    this.#feed = request;
    this.#events.onFeedRequest(this, request);
  }

  /**
   * Where the page feeds: request what is missing now, once a second at the most, sooner for a frame.
   * @param {number} wait in milliseconds
   */
  #renewFeed(wait) {
    if (this.#feedTimer !== undefined && wait >= FEED_MS) return;
    clearTimeout(this.#feedTimer);
    this.#feedTimer = setTimeout(() => {
      this.#feedTimer = undefined;
      if (!this.#feed || this.#closed) return;
      const request = this.#needs();
      if (JSON.stringify(request) !== JSON.stringify(this.#feed)) this.#requestFeed(request);
    }, wait);
  }
}
