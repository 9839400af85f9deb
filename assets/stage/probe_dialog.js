/**
 * Probing a trained model: a button for each probe of the experiment, and the dialog it opens, with the probe's figure,
 * its keys as buttons, a line to write in or a canvas to draw on, and the choice of which saved state answers. While it
 * is open the keys are its own.
 */

import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { numberOf } from "./clicks.js";
import { button, element, icon } from "./dom.js";
import { DrawingPad } from "./drawing_pad.js";
import { CONFIG, placeOnAxes, stackScenes, themed } from "./figures.js";
import { ProbeInput } from "./probe_input.js";
import { WORDS } from "./words.js";

/**
 * @typedef {import("./messages.js").ProbeSpec} ProbeSpec
 * @typedef {import("./viewed_run.js").ViewedRun} ViewedRun
 * @typedef {import("./words.js").Words} Words
 *
 * @typedef {Object} ProbeView
 * @property {ViewedRun} run whose model is probed
 * @property {Words} words
 * @property {import("./theme.js").Theme} theme
 * @property {import("./load.js").PlotlyLibrary|null} plotly
 *
 * @typedef {Object} ProbeDialogEvents
 * @property {(dialog: HTMLDialogElement|null) => void} onDialog it was opened, or closed
 * @property {(text: string) => void} onRefused
 */

/** @type {Object<string, string>} */
const GLYPHS = { ArrowLeft: "←", ArrowUp: "↑", ArrowRight: "→", ArrowDown: "↓", Enter: "⏎" };

/** Milliseconds until a figure is drawn again that could not be: the library, or a part of it, was on its way. */
const RETRY_MS = 100;

/** What a pointer does after it was pressed. */
const POINTER_EVENTS = /** @type {const} */ (["pointermove", "pointerup", "pointercancel"]);

/** Width in pixels beyond which type is larger. */
const WIDE = 900;

export class ProbeDialog {
  dialog = element("dialog", { className: "tf-probe-dialog" });
  /** @type {ProbeDialogEvents} */
  #events;
  /** @type {ProbeView|null} what was shown last */
  #view = null;
  /** @type {ProbeSpec|null} null while the dialog is closed */
  #probe = null;
  /** @type {ProbeInput|null} null while there is no session */
  #input = null;
  /** What is read in the place of the figure, or over it. */
  #message = "";
  /** Whether the session has ended by itself. */
  #over = false;
  /** @type {number|null} step of the saved state that answers; null: the newest */
  #step = null;
  /** @type {number|null} step of the saved state that answers now; a run saves itself as its newest is probed */
  #restoredStep = null;
  /** @type {number[]} steps of the saved states to choose from, the newest first */
  #choices = [];
  /** @type {Set<string>} keys that are held, to light their buttons */
  #held = new Set();

  /** Number of the last request. */
  #n = 0;
  /** Number of the session's first request: answers before it belong to another. */
  #firstN = 0;
  /** Number of the last request whose answer was drawn, or overtaken by one that was. */
  #answeredN = 0;
  /** @type {import("./messages.js").Figure|null} the newest answer, and its number */
  #figure = null;
  #figureN = 0;
  #scheduled = false;
  /** Whether Plotly reports clicks on this plot already. */
  #clicksBound = false;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #retry;

  #plot = element("div", { className: "tf-plot" });
  #messageNode = element("div", { className: "tf-message", role: "status" });
  #pad = new DrawingPad(() => {
    const drawing = this.#drawing;
    if (drawing) this.#input?.draw(drawing);
  });
  /** @type {number|null} the pointer that is pressed on the figure's axes */
  #pointer = null;
  #canvas = element("div", { className: "tf-canvas", tabIndex: -1 });
  #sizes = new ResizeObserver(() => this.#schedule());
  #onKey = (/** @type {KeyboardEvent} */ event) => this.#key(event);
  #onPoint = (/** @type {PointerEvent} */ event) => this.#point(event);
  #onBlur = () => {
    this.#input?.releaseAll();
    this.#held.clear();
    this.#render();
  };

  /** @param {ProbeDialogEvents} events */
  constructor(events) {
    this.#events = events;
    this.#canvas.append(this.#plot, this.#messageNode);
    this.#sizes.observe(this.#canvas);
    this.dialog.addEventListener("close", () => this.#closed());
    window.addEventListener("keydown", this.#onKey, true);
    window.addEventListener("keyup", this.#onKey, true);
    window.addEventListener("blur", this.#onBlur);
    this.#plot.addEventListener("pointerdown", this.#onPoint);
    // Plotly lays an element over the page while a button is held, so the rest is taken wherever it happens.
    for (const type of POINTER_EVENTS) window.addEventListener(type, this.#onPoint);
  }

  /**
   * The buttons that open the dialog, one for each probe.
   * @param {ProbeSpec[]} probes
   * @param {ProbeView} view
   */
  buttons(probes, view) {
    const obstacle = view.words.translate(probeObstacle(view.run));
    return probes.map((probe) => {
      const options = {
        kind: "tf-button tf-icon-button tf-probe-button",
        name: view.words.translate(probe.title),
        hint: view.words.translate(probe.sentence),
        obstacle,
        onPress: () => this.#open(probe, view),
      };
      return button(options, html`${icon("try")}<span>${options.name}</span>`);
    });
  }

  /**
   * Something of what is shown has changed.
   * @param {ProbeSpec[]} probes that the page declares
   * @param {ProbeView} view
   */
  update(probes, view) {
    if (!this.#probe) return;
    this.#view = view;
    const declared = probes.find((probe) => probe.name === this.#probe?.name);
    if (!declared) {
      this.close();
      return;
    }
    this.#probe = declared;
    if (this.#input && view.run.connectionState !== "open") this.#end(view.words.translate(WORDS.probeLost));
    this.#render();
  }

  /**
   * Take a message of the server for this session.
   * @param {import("./messages.js").AnswerMessage|import("./messages.js").RefusedMessage} message
   */
  receive(message) {
    const { n = 0 } = message;
    if (!this.#input || !this.#probe || !this.#view || n < this.#firstN) return; // of a session before
    const { words } = this.#view;
    if (message.type === "answer") {
      this.#figure = message.panels[this.#probe.name];
      this.#figureN = n;
      this.#restoredStep = message.step;
      this.#schedule();
    } else if (message.over) this.#end(words.sentence(message.sentence));
    else {
      this.#events.onRefused(words.sentence(message.sentence));
      this.#answered(n);
    }
  }

  /** Another run is viewed, or none. */
  close() {
    if (this.dialog.open) this.dialog.close();
  }

  stop() {
    this.#leave();
    this.#sizes.disconnect();
    window.removeEventListener("keydown", this.#onKey, true);
    window.removeEventListener("keyup", this.#onKey, true);
    window.removeEventListener("blur", this.#onBlur);
    for (const type of POINTER_EVENTS) window.removeEventListener(type, this.#onPoint);
    this.#pad.stop();
  }

  /** @param {ProbeSpec} probe @param {ProbeView} view */
  #open(probe, view) {
    const { run } = view;
    run.replay.pause();
    this.#probe = probe;
    this.#view = view;
    // The state that is shown is probed, as far as it was saved.
    const { shownStep } = run;
    const saved = shownStep === null ? [] : checkpointsOf(run).filter((step) => step <= shownStep);
    this.#step = saved.length ? saved[saved.length - 1] : null;
    this.#choices = [];
    this.#held.clear();
    if (probe.canvas) this.#pad.begin(probe.canvasSize || 1, !Object.keys(probe.keys).length);
    this.#render();
    this.dialog.showModal();
    this.#events.onDialog(this.dialog);
    this.#begin();
  }

  #render() {
    if (!this.#probe || !this.#view) return;
    const probe = this.#probe;
    const { words, run } = this.#view;
    const title = words.translate(probe.title);
    const again = {
      kind: "tf-button tf-icon-button",
      name: words.translate(WORDS.probeRestart),
      disabled: run.connectionState !== "open",
      onPress: () => this.#begin(),
    };
    const close = { kind: "tf-button tf-closer", name: words.translate(WORDS.close), onPress: () => this.close() };
    this.dialog.setAttribute("aria-label", title);
    this.dialog.classList.toggle("tf-over", this.#over);
    if (this.#messageNode.textContent !== this.#message) this.#messageNode.textContent = this.#message;
    this.#plot.classList.toggle("tf-pointing", Boolean(probe.point));
    if (probe.canvas) this.#pad.update(words, this.#view.theme);
    const keys = Object.keys(probe.keys);
    render(
      html`<header class="tf-probe-head">
          <h3 class="tf-title">${title}</h3>
          <label class="tf-chooser"><span>${words.translate(WORDS.probeState)}</span>${this.#choice(run, words)}</label>
          ${button(again, html`${icon("restart")}<span>${again.name}</span>`)} ${button(close, icon("close"))}
        </header>
        <p class="tf-sentence">${words.translate(probe.sentence)}</p>
        ${probe.text ? this.#line(probe.text, words) : nothing}
        <div class="tf-probe-body">${probe.canvas ? this.#pad.node : nothing} ${this.#canvas}</div>
        <div class="tf-keys" role="group" aria-label=${words.translate(WORDS.probeKeys)} ?hidden=${!keys.length}>
          ${keys.map((key) => this.#keyButton(probe, key, words))}
        </div>`,
      this.dialog,
    );
  }

  /** The saved states to choose from, the newest first. @param {ViewedRun} run @param {Words} words */
  #choice(run, words) {
    const checkpoints = checkpointsOf(run);
    // An open list is left as it is.
    const choosing = document.activeElement?.classList.contains("tf-choice");
    if (checkpoints.length && !(choosing && this.#choices.length)) this.#choices = [...checkpoints].reverse();
    const [saved, ...others] = this.#choices;
    const newest = this.#step === null && saved !== undefined ? Math.max(saved, this.#restoredStep ?? saved) : saved;
    if (this.#step !== null && !others.includes(this.#step)) this.#step = null;
    const option = (/** @type {number|null} */ step, /** @type {string} */ text) =>
      html`<option value=${step ?? ""} .selected=${this.#step === step}>${text}</option>`;
    const choose = (/** @type {Event} */ event) => {
      const { value } = /** @type {HTMLSelectElement} */ (event.currentTarget);
      this.#step = value === "" ? null : Number(value);
      this.#begin();
    };
    return html`<select class="tf-choice" @change=${choose}>
      ${newest === undefined ? nothing : option(null, words.translate(WORDS.probeNewest, { step: newest }))}
      ${others.map((step) => option(step, words.translate(WORDS.stepAt, { step })))}
    </select>`;
  }

  /** The line to write in. @param {string} field of the request @param {Words} words */
  #line(field, words) {
    const name = words.translate(WORDS.probeText);
    const submit = (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const input = /** @type {HTMLInputElement|null} */ (this.dialog.querySelector(".tf-text"));
      if (!input) return;
      this.#input?.enter({ [field]: input.value });
      input.select();
    };
    return html`<form class="tf-line" @submit=${submit}>
      <input type="text" class="tf-text" maxlength="120" autocomplete="off" spellcheck="false" aria-label=${name}
        title=${name} /><button type="submit" class="tf-button tf-icon-button">${words.translate(WORDS.probeSubmit)}</button>
    </form>`;
  }

  /** A key as a button, held as long as it is touched. @param {ProbeSpec} probe @param {string} key @param {Words} words */
  #keyButton(probe, key, words) {
    const glyph =
      key === " " ? words.translate(WORDS.spaceKey) : GLYPHS[key] || (key.length === 1 ? key.toUpperCase() : key);
    const label = words.translate((probe.labels || {})[key]);
    const press = (/** @type {PointerEvent} */ event) => {
      if (event.button) return;
      event.preventDefault();
      /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
      this.#press(key);
    };
    const release = () => this.#release(key);
    const click = (/** @type {MouseEvent} */ event) => {
      if (event.detail) return; // by a pointer, which has pressed it already; else by the keyboard or a screen reader
      this.#press(key);
      this.#release(key);
    };
    return html`<button type="button" class="tf-button tf-key ${this.#held.has(key) ? "tf-down" : ""}"
      aria-label=${label || glyph} title=${label || glyph} @pointerdown=${press} @pointerup=${release}
      @pointercancel=${release} @click=${click} @contextmenu=${(/** @type {Event} */ event) => event.preventDefault()}
      ><kbd>${glyph}</kbd>${label ? html`<span>${label}</span>` : nothing}</button>`;
  }

  /** Begin a session, with the state that is chosen. */
  #begin() {
    if (!this.#probe || !this.#view) return;
    const probe = this.#probe;
    const { run, words } = this.#view;
    this.#leave();
    this.#n += 1;
    this.#firstN = this.#answeredN = this.#n;
    this.#figure = this.#restoredStep = null;
    this.#over = false;
    this.#message = words.translate(WORDS.probeLoading);
    this.#render();
    const text = /** @type {HTMLElement|null} */ (this.dialog.querySelector(".tf-text"));
    // Where no key means anything else, those of the canvas do.
    (text || (probe.canvas && !Object.keys(probe.keys).length ? this.#pad.canvas : this.#canvas)).focus();
    if (!run.send({ type: "probe", name: probe.name, step: this.#step, n: this.#firstN })) {
      this.#end(words.translate(WORDS.probeLost));
      return;
    }
    const send = (/** @type {Object} */ request) => {
      this.#n += 1;
      return run.send({ type: "ask", n: this.#n, request });
    };
    this.#input = new ProbeInput(probe, send, this.#drawing);
  }

  /** What is drawn on the canvas, as fields of a request; null where nothing was. */
  get #drawing() {
    const field = this.#probe?.canvas;
    const text = field ? this.#pad.text : null;
    return field && text !== null ? { [field]: text } : null;
  }

  /** A pointer is pressed on the figure, dragged or let go: its place, where the probe wants it. @param {PointerEvent} event */
  #point(event) {
    const { type, pointerId, button } = event;
    const point = this.#probe?.point;
    const begins = type === "pointerdown";
    if (!point || (begins ? this.#pointer !== null || button !== 0 : pointerId !== this.#pointer)) return;
    const ends = type === "pointerup" || type === "pointercancel";
    const place = ends ? null : placeOnAxes(this.#plot, event, !begins);
    this.#pointer = place ? pointerId : null;
    if (place) this.#input?.enter({ [point[0]]: place[0], [point[1]]: place[1] });
  }

  /** All requests up to this one are answered. @param {number} n */
  #answered(n) {
    if (!this.#input || n <= this.#answeredN) return;
    const count = n - this.#answeredN;
    this.#answeredN = n;
    this.#input.answered(count);
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => this.#draw());
  }

  /** Draw the newest answer: only then is it answered, so that a slow browser is not sent more than it can draw. */
  #draw() {
    this.#scheduled = false;
    if (!this.#figure || !this.#probe || !this.#view) return;
    const { plotly, theme, words, run } = this.#view;
    const { clientWidth: width, clientHeight: height } = this.#plot;
    const filled = run.fill(this.#figure);
    if (!plotly || !width || !height || !filled) {
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#schedule(), RETRY_MS);
      return;
    }
    if (filled.error) this.#message = words.sentence(filled.error);
    else {
      const size = width > WIDE ? 20 : 16;
      const { data, layout } = themed(filled, { theme, words, size, revision: this.#probe.name });
      if (height > width) stackScenes(layout);
      Object.assign(layout, { autosize: false, width, height, dragmode: false });
      // Two presses in a row are two places, not a double click; and no axis is dragged.
      const config = this.#probe.point ? { ...CONFIG, doubleClick: false, showAxisDragHandles: false } : CONFIG;
      plotly.react(this.#plot, data, layout, config);
      this.#plot.dataset.drawn = String(this.#figureN);
      this.#bindClicks();
      if (this.#input) this.#message = "";
    }
    this.#render();
    this.#answered(this.#figureN);
  }

  /** Take clicks on points that have a number, where the probe wants any. */
  #bindClicks() {
    const click = this.#probe?.click;
    if (!click || this.#clicksBound) return;
    this.#clicksBound = true;
    const plot = /** @type {any} */ (this.#plot); // Plotly has given it `on`
    plot.on("plotly_click", (/** @type {import("./clicks.js").PlotEvent} */ { points }) => {
      const number = numberOf(points);
      if (number !== null) this.#input?.enter({ [click]: number });
    });
  }

  /** The session has ended. @param {string} reason */
  #end(reason) {
    this.#input?.stop();
    this.#input = null;
    this.#over = true;
    this.#message = reason;
    this.#render();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.dialog.open || !this.#probe) return;
    event.stopPropagation(); // neither the training nor the page takes a step
    if (event.target === this.#pad.canvas && event.type === "keydown" && this.#pad.press(event)) {
      event.preventDefault();
      return;
    }
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey || event.altKey || !(key in this.#probe.keys)) return;
    if (event.target instanceof Element && event.target.matches(".tf-choice, .tf-text")) return;
    event.preventDefault();
    if (event.type === "keyup") this.#release(key);
    else if (!event.repeat) this.#press(key);
  }

  /** @param {string} key */
  #press(key) {
    this.#input?.press(key);
    this.#held.add(key);
    this.#render();
  }

  /** @param {string} key */
  #release(key) {
    this.#input?.release(key);
    this.#held.delete(key);
    this.#render();
  }

  #leave() {
    clearTimeout(this.#retry);
    this.#pointer = null;
    this.#input?.stop();
    this.#input = null;
  }

  /** The dialog was closed. */
  #closed() {
    this.#leave();
    this.#view?.run.send({ type: "close" });
    this.#view?.plotly?.purge(this.#plot);
    this.#clicksBound = false;
    this.#probe = this.#figure = this.#view = null;
    this.#events.onDialog(null);
  }
}

/** Why the model cannot be probed just now, "" where it can. @param {ViewedRun} run */
function probeObstacle(run) {
  const { model, connectionState } = run;
  const saved = checkpointsOf(run).length > 0;
  if (model.own && !model.mine) return WORDS.watching;
  if (connectionState === "unavailable") return WORDS.probeNoConnection;
  if (model.recorded ? !saved : !model.own) return WORDS.probeTrain;
  return saved && connectionState === "open" ? "" : WORDS.probeLater;
}

/** Steps of the run's saved states, rising. @param {ViewedRun} run */
function checkpointsOf({ model }) {
  return (model.status && model.status.checkpoints) || [];
}
