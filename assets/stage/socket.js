/**
 * The socket of a run: opens it, opens it again when it is lost, and says when it cannot be had at all.
 */

const PATIENCE = 3000;
/** The server's word for a run that is not there: to ask again would not help. */
const GONE = 4404;
const BACKOFF = [300, 700, 1500, 3000, 6000, 10000];

export class Link {
  /**
   * @param {Object} wiring
   * @param {() => string} wiring.url address, asked anew at each attempt
   * @param {(message: Object) => void} wiring.receive
   * @param {(state: "connecting"|"open"|"lost"|"none"|"gone") => void} wiring.changed "none": not within 3 s
   */
  constructor({ url, receive, changed }) {
    this.url = url;
    this.receive = receive;
    this.changed = changed;
    this.state = "connecting";
    this.tries = 0;
    this.had = false;
    this.closed = false;
    this.patience = setTimeout(() => this.had || this.turn("none"), PATIENCE);
    this.open();
  }

  turn(state) {
    if (this.closed || this.state === state) return;
    this.state = state;
    this.changed(state);
  }

  open() {
    if (this.closed) return;
    let socket;
    try {
      socket = new WebSocket(this.url());
    } catch {
      this.again();
      return;
    }
    this.socket = socket;
    socket.addEventListener("message", (event) => {
      if (socket !== this.socket) return;
      let message;
      try {
        message = JSON.parse(event.data);
      } catch {
        return;
      }
      if (!this.had || this.state !== "open") {
        this.had = true;
        this.tries = 0;
        clearTimeout(this.patience);
        this.turn("open");
      }
      this.receive(message);
    });
    socket.addEventListener("close", (event) => {
      if (socket !== this.socket) return;
      this.socket = null;
      if (event.code === GONE) {
        this.turn("gone");
        this.close();
        return;
      }
      if (this.had) this.turn("lost");
      this.again();
    });
  }

  again() {
    if (this.closed) return;
    const wait = BACKOFF[Math.min(this.tries, BACKOFF.length - 1)];
    this.tries += 1;
    this.retry = setTimeout(() => this.open(), wait * (0.8 + 0.4 * Math.random()));
  }

  /** Send a message; whether there was a socket to send it by. One that never spoke may be a proxy's, and deaf. */
  send(message) {
    if (this.state !== "open" || !this.socket || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  close() {
    this.closed = true;
    clearTimeout(this.patience);
    clearTimeout(this.retry);
    if (this.socket) this.socket.close();
    this.socket = null;
  }
}
