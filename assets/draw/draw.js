/**
 * A small canvas in the sidebar: a stroke becomes points at even distance along it. What was drawn is kept on the
 * element, so that a rerun of the page takes nothing of it; a drawing that the page sets (a preset, the address,
 * back to what the preset has) replaces it.
 */

import { component } from "../stage/component.js";
import { button, element, icon } from "../stage/dom.js";
import { themeOf } from "../stage/theme.js";
import { html, render } from "../vendor/lit-html/lit-html.js";
import { GAP, MOST, interpolated, read, thinned, write } from "./points.js";

/**
 * @typedef {import("./points.js").Point} Point
 * @typedef {import("../stage/dom.js").TemplateResult} TemplateResult
 * @typedef {import("../stage/component.js").StreamlitComponent} StreamlitComponent
 *
 * @typedef {Object} DrawingData what the page hands over
 * @property {string} text of the drawing, see points.js
 * @property {boolean} disabled
 * @property {string} label
 * @property {{draw: string, keys: string, undo: string, clear: string, count: string, full: string}} words
 */

/** Milliseconds that the hint of the keys stays after the canvas has lost the focus: a click that took it goes through. */
const HINT_MS = 300;

/** Changes that can be undone. */
const MOST_UNDONE = 100;

/** @type {Object<string, Point>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** @param {number} value */
const clamped = (value) => Math.min(1, Math.max(-1, value));

class Drawing {
  #root = element("div", { className: "tf-draw" });
  #canvas = element("canvas", { className: "tf-draw-canvas", tabIndex: 0 });
  /** @type {HTMLLinkElement} */
  #style;
  #hintId = `draw-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  #sizes = new ResizeObserver(() => this.#draw());
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #hintTimer;
  #beat = setInterval(() => this.#applyTheme(), 1000);
  #theme = themeOf(document.documentElement);

  /** @type {StreamlitComponent|null} by which the page is answered */
  #component = null;
  /** @type {DrawingData} what the page handed over last */
  #data = { text: "", disabled: true, label: "", words: { draw: "", keys: "", undo: "", clear: "", count: "", full: "" } };
  /** @type {string|null} the text that the page handed over last; null: none yet */
  #pageText = null;
  /** @type {string[]} texts that the page was sent and has not handed back */
  #sent = [];
  /** @type {Point[]} as drawn: more than MOST are thinned where they are shown and sent */
  #points = [];
  /** @type {Point[][]} the points before each change, the newest last */
  #undo = [];
  /** @type {Point} where the pen is */
  #pen = [0, 0];
  /** @type {number|null} the pointer that draws */
  #pointer = null;
  /** The canvas's box as the stroke began: if the page moves the canvas meanwhile, the stroke stays one. */
  #box = new DOMRect();

  /** @param {Element} parent */
  constructor(parent) {
    const here = new URL(import.meta.url);
    const show = () => this.#root.style.removeProperty("visibility");
    this.#style = element("link", { rel: "stylesheet", href: new URL(`draw.css${here.search}`, here).href });
    this.#style.addEventListener("load", show);
    this.#style.addEventListener("error", show);
    this.#root.style.visibility = "hidden"; // until it has its style
    this.#canvas.setAttribute("role", "application");
    this.#canvas.setAttribute("aria-describedby", this.#hintId);
    parent.append(this.#style, this.#root);
    this.#listen();
    this.#sizes.observe(this.#canvas);
  }

  /**
   * Take what the page hands over.
   * @param {StreamlitComponent} given
   */
  update(given) {
    this.#component = given;
    this.#data = given.data;
    const { text } = this.#data;
    if (text !== this.#pageText) {
      this.#pageText = text;
      // What comes back of what was sent, while something newer was drawn, changes nothing.
      const echo = this.#sent.indexOf(text);
      this.#sent = echo < 0 ? [] : this.#sent.slice(echo + 1);
      if (echo < 0) {
        this.#points = read(text);
        this.#undo = [];
        this.#pen = [0, 0];
      }
    }
    this.#render();
  }

  /** The drawing has left the page. */
  destroy() {
    clearInterval(this.#beat);
    clearTimeout(this.#hintTimer);
    this.#sizes.disconnect();
    this.#style.remove();
    this.#root.remove();
  }

  #render() {
    const { words, disabled, label } = this.#data;
    const n = Math.min(this.#points.length, MOST);
    const count = (this.#points.length > MOST ? words.full : words.count).replace("{n}", String(n));
    this.#canvas.setAttribute("aria-label", label);
    this.#canvas.setAttribute("aria-disabled", String(disabled));
    this.#root.classList.toggle("tf-draw-off", disabled);
    const kind = "tf-draw-button";
    const undo = { kind, name: words.undo, disabled: disabled || !this.#undo.length, onPress: () => this.#undoChange() };
    const clear = { kind, name: words.clear, disabled: disabled || !n, onPress: () => this.#change([]) };
    render(
      html`<div class="tf-draw-paper">
          ${this.#canvas}<span class="tf-draw-invite" aria-hidden="true" ?hidden=${n > 0}>${words.draw}</span>
        </div>
        <span class="tf-draw-hint" id=${this.#hintId}>${words.keys}</span>
        <div class="tf-draw-row">
          <span class="tf-draw-count" role="status">${count}</span>
          ${button(undo, icon("undo"))} ${button(clear, icon("clear"))}
        </div>`,
      this.#root,
    );
    this.#draw();
  }

  #listen() {
    const canvas = this.#canvas;
    canvas.addEventListener("pointerdown", (event) => {
      if (this.#data.disabled || this.#pointer !== null || event.button !== 0) return;
      this.#pointer = event.pointerId;
      this.#box = canvas.getBoundingClientRect();
      canvas.setPointerCapture(event.pointerId);
      this.#remember();
      this.#pen = this.#place(event);
      this.#points = [...this.#points, this.#pen];
      this.#render();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId !== this.#pointer) return;
      const passed = event.getCoalescedEvents?.() || [];
      for (const one of passed.length ? passed : [event]) this.#drawTo(this.#place(one));
      this.#render();
    });
    /** @type {(event: PointerEvent) => void} */
    const end = (event) => {
      if (event.pointerId !== this.#pointer) return;
      this.#pointer = null;
      this.#send();
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("keydown", (event) => this.#press(event));
    canvas.addEventListener("focus", () => this.#focusChanged());
    canvas.addEventListener("blur", () => this.#focusChanged());
  }

  #focusChanged() {
    clearTimeout(this.#hintTimer);
    const shown = this.#canvas.matches(":focus-visible");
    if (shown) this.#root.classList.add("tf-draw-keys");
    else this.#hintTimer = setTimeout(() => this.#root.classList.remove("tf-draw-keys"), HINT_MS);
    this.#draw();
  }

  /**
   * Where a pointer is, held inside the canvas.
   * @param {PointerEvent} event
   * @returns {Point}
   */
  #place(event) {
    const { left, top, width, height } = this.#box;
    return [clamped((2 * (event.clientX - left)) / width - 1), clamped(1 - (2 * (event.clientY - top)) / height)];
  }

  /**
   * The pen goes to a place and leaves points on its way.
   * @param {Point} place
   */
  #drawTo(place) {
    const fresh = interpolated(this.#pen, place);
    if (!fresh.length) return;
    this.#points.push(...fresh);
    this.#pen = fresh[fresh.length - 1];
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.altKey || this.#data.disabled) return;
    const arrow = ARROWS[event.key];
    const held = event.ctrlKey || event.metaKey;
    if (held && event.key.toLowerCase() === "z") this.#undoChange();
    else if (held) return;
    else if (arrow) {
      const [x, y] = this.#pen;
      this.#pen = [clamped(x + arrow[0] * GAP), clamped(y + arrow[1] * GAP)];
      if (event.shiftKey) this.#change([...this.#points, this.#pen]);
      else this.#draw();
    } else if (event.key === " " || event.key === "Enter") this.#change([...this.#points, this.#pen]);
    else if (event.key === "Backspace") this.#undoChange();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #remember() {
    this.#undo = [...this.#undo.slice(1 - MOST_UNDONE), this.#points];
  }

  /** @param {Point[]} points */
  #change(points) {
    this.#remember();
    this.#points = points;
    this.#send();
  }

  #undoChange() {
    if (this.#pointer !== null) return;
    const points = this.#undo.pop();
    if (!points) return;
    this.#points = points;
    this.#send();
  }

  /** Send the drawing to the page; `at` makes it a change even where the same was drawn before. */
  #send() {
    const text = write(this.#points);
    if (text !== (this.#sent.at(-1) ?? this.#pageText)) {
      this.#sent.push(text);
      this.#component?.setStateValue("drawn", { text, at: Date.now() });
    }
    this.#render();
  }

  /** Take the theme's colours where they have changed. */
  #applyTheme() {
    const theme = themeOf(this.#root);
    if (this.#theme.key === theme.key) return;
    this.#theme = theme;
    this.#draw();
  }

  #draw() {
    const canvas = this.#canvas;
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    const context = canvas.getContext("2d");
    if (!side || !context) return;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const at = (/** @type {number} */ value, /** @type {1|-1} */ sign) => ((1 + sign * value) / 2) * side;
    context.clearRect(0, 0, side, side);
    context.strokeStyle = this.#theme.grid;
    context.lineWidth = devicePixelRatio;
    context.beginPath();
    for (const half of [-0.5, 0, 0.5]) {
      context.moveTo(at(half, 1), 0);
      context.lineTo(at(half, 1), side);
      context.moveTo(0, at(half, 1));
      context.lineTo(side, at(half, 1));
    }
    context.stroke();
    context.fillStyle = this.#theme.primary;
    for (const [x, y] of thinned(this.#points)) {
      context.beginPath();
      context.arc(at(x, 1), at(y, -1), 2.2 * devicePixelRatio, 0, 7);
      context.fill();
    }
    if (!canvas.matches(":focus-visible")) return;
    const [x, y, arm] = [at(this.#pen[0], 1), at(this.#pen[1], -1), 7 * devicePixelRatio];
    context.strokeStyle = this.#theme.text;
    context.lineWidth = 1.5 * devicePixelRatio;
    context.beginPath();
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
    context.stroke();
  }
}

export default component((parent) => new Drawing(parent));
