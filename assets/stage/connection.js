/** The WebSocket of a run: opens it, opens it again when it is lost, and reports when it cannot be had at all. */

/**
 * connecting: not open yet; open: a message has come; lost: it was open and is being opened again;
 * unavailable: not open within three seconds, still trying; missing: the server has no such run.
 * @typedef {"connecting"|"open"|"lost"|"unavailable"|"missing"} ConnectionState
 *
 * @typedef {Object} ConnectionHandlers
 * @property {() => string} url address, read at each attempt
 * @property {(message: import("./messages.js").ServerMessage) => void} onMessage
 * @property {(state: ConnectionState) => void} onState
 */

const PATIENCE_MS = 3000;
/** The server's close code for a run that is not there: trying again would not help. */
const MISSING = 4404;
const BACKOFF_MS = [300, 700, 1500, 3000, 6000, 10000];

export class Connection {
  /** @type {ConnectionState} */
  state = "connecting";
  /** @type {ConnectionHandlers} */
  #handlers;
  /** @type {WebSocket|null} */
  #socket = null;
  #attempts = 0;
  #wasOpen = false;
  #closed = false;
  #patience;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #retry;

  /** @param {ConnectionHandlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
    this.#patience = setTimeout(() => this.#wasOpen || this.#setState("unavailable"), PATIENCE_MS);
    this.#open();
  }

  /**
   * From here on another run's: the server sends its messages by this very socket.
   * @param {ConnectionHandlers} handlers
   */
  transfer(handlers) {
    this.#handlers = handlers;
  }

  /**
   * Send a message; whether there was a socket to send it by. A socket that has not received anything may be a
   * proxy's that passes nothing on.
   * @param {import("./messages.js").ClientMessage} message
   */
  send(message) {
    if (this.state !== "open" || !this.#socket || this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#patience);
    clearTimeout(this.#retry);
    if (this.#socket) this.#socket.close();
    this.#socket = null;
  }

  /** @param {ConnectionState} state */
  #setState(state) {
    if (this.#closed || this.state === state) return;
    this.state = state;
    this.#handlers.onState(state);
  }

  #open() {
    if (this.#closed) return;
    /** @type {WebSocket} */
    let socket;
    try {
      socket = new WebSocket(this.#handlers.url());
    } catch {
      this.#openLater();
      return;
    }
    this.#socket = socket;
    socket.addEventListener("message", (event) => {
      if (socket !== this.#socket) return;
      let message;
      try {
        message = JSON.parse(event.data);
      } catch {
        return;
      }
      if (!this.#wasOpen || this.state !== "open") {
        this.#wasOpen = true;
        this.#attempts = 0;
        clearTimeout(this.#patience);
        this.#setState("open");
      }
      this.#handlers.onMessage(message);
    });
    socket.addEventListener("close", (event) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      if (event.code === MISSING) {
        this.#setState("missing");
        this.close();
        return;
      }
      if (this.#wasOpen) this.#setState("lost");
      this.#openLater();
    });
  }

  #openLater() {
    if (this.#closed) return;
    const wait = BACKOFF_MS[Math.min(this.#attempts, BACKOFF_MS.length - 1)];
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.#open(), wait * (0.8 + 0.4 * Math.random()));
  }
}
