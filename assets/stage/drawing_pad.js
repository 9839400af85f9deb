/** A canvas to draw on by mouse, pen, finger or keys, with an eraser. */

import { html, render } from "../vendor/lit-html/lit-html.js";
import { button, element, icon, pressed } from "./dom.js";
import { Ink, PEN } from "./ink.js";
import { channels } from "./theme.js";
import { WORDS, Words } from "./words.js";

/**
 * @typedef {import("./ink.js").Place} Place
 * @typedef {import("./theme.js").Theme} Theme
 */

/** How far an arrow key moves the pen, as a share of the canvas. */
const STRIDE = 1 / 28;

/** The end of a pen that erases, as a pointer's button. */
const ERASER_END = 5;

/** @type {Object<string, Place>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @param {number} value */
const clamped = (value) => Math.min(1, Math.max(0, value));

export class DrawingPad {
  node = element("div", { className: "tf-pad" });
  /** What has the focus while keys draw. */
  canvas = element("canvas", { className: "tf-pad-canvas", tabIndex: 0 });
  #onDraw;
  /** @type {Ink} */
  #ink = new Ink(1);
  /** Whether anything was done since `begin`. */
  #used = false;
  /** Whether there is no ink, as far as that is known without a look at every cell. */
  #blank = true;
  /** Whether a click gives the keys to the canvas. */
  #takesKeys = true;
  #erases = false;
  /** @type {Place} where the pen is */
  #pen = [0.5, 0.5];
  /** @type {number|null} the pointer that draws */
  #pointer = null;
  /** Whether that pointer erases. */
  #pointerErases = false;
  /** Whether a mouse or a pen is over the canvas. */
  #hovered = false;
  /** The canvas's box as the stroke began: if the page moves the canvas meanwhile, the stroke stays one. */
  #box = new DOMRect();
  /** @type {Theme|null} */
  #theme = null;
  /** @type {Words} */
  #words = new Words();
  /** The ink in the theme's colour, as fine as it is. */
  #tinted = element("canvas");
  #scheduled = false;
  #sizes = new ResizeObserver(() => this.#schedule());
  #hintId = `pad-${crypto.getRandomValues(new Uint32Array(1))[0]}`;

  /** @param {() => void} onDraw the drawing has changed */
  constructor(onDraw) {
    this.#onDraw = onDraw;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-describedby", this.#hintId);
    this.#listen();
    this.#sizes.observe(this.canvas);
  }

  /** The drawing as a request holds it; null where nothing was drawn. */
  get text() {
    return this.#used ? this.#ink.text() : null;
  }

  /**
   * Begin with a blank canvas.
   * @param {number} size of the picture, as it is sent
   * @param {boolean} takesKeys whether a click gives the keys to the canvas; they may be wanted elsewhere
   */
  begin(size, takesKeys) {
    this.#ink = new Ink(size);
    this.#tinted.width = this.#tinted.height = this.#ink.side;
    this.#used = this.#erases = false;
    this.#blank = true;
    this.#takesKeys = takesKeys;
    this.#pen = [0.5, 0.5];
    this.#pointer = null;
    this.#schedule();
  }

  /** @param {Words} words @param {Theme} theme */
  update(words, theme) {
    this.#words = words;
    if (this.#theme?.key !== theme.key) this.#schedule();
    this.#theme = theme;
    this.#render();
  }

  /**
   * A key goes down while the canvas has the focus; whether it meant something.
   * @param {KeyboardEvent} event
   */
  press({ key, shiftKey, ctrlKey, metaKey, altKey }) {
    if (ctrlKey || metaKey || altKey) return false;
    const arrow = ARROWS[key];
    if (arrow) {
      const from = this.#pen;
      this.#pen = [clamped(from[0] + arrow[0] * STRIDE), clamped(from[1] + arrow[1] * STRIDE)];
      if (shiftKey) this.#stroke(from, this.#erases);
      else this.#schedule();
    } else if (key === " " || key === "Enter") this.#stroke(this.#pen, this.#erases);
    else if (key === "Backspace" || key === "Delete") this.#clear();
    else return false;
    return true;
  }

  stop() {
    this.#sizes.disconnect();
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (this.#pointer !== null || (event.button !== 0 && event.button !== ERASER_END)) return;
      this.#pointer = event.pointerId;
      this.#pointerErases = this.#erases || event.button === ERASER_END;
      this.#box = canvas.getBoundingClientRect();
      canvas.setPointerCapture(event.pointerId);
      this.#pen = this.#place(event);
      this.#stroke(this.#pen, this.#pointerErases);
    });
    canvas.addEventListener("pointermove", (event) => {
      this.#hovered = event.pointerType !== "touch";
      if (event.pointerId === this.#pointer) {
        const passed = event.getCoalescedEvents?.() || [];
        for (const one of passed.length ? passed : [event]) {
          const from = this.#pen;
          this.#pen = this.#place(one);
          this.#ink.stroke(from, this.#pen, this.#pointerErases);
        }
        this.#drawn(this.#pointerErases && this.#blank);
      } else if (this.#pointer === null && this.#hovered) {
        this.#box = canvas.getBoundingClientRect();
        this.#pen = this.#place(event);
        this.#schedule();
      }
    });
    const end = (/** @type {PointerEvent} */ event) => {
      if (event.pointerId === this.#pointer) this.#pointer = null;
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("pointerleave", () => {
      this.#hovered = false;
      this.#schedule();
    });
    canvas.addEventListener("mousedown", (event) => this.#takesKeys || event.preventDefault());
    canvas.addEventListener("focus", () => this.#schedule());
    canvas.addEventListener("blur", () => this.#schedule());
  }

  /**
   * Where a pointer is, held inside the canvas.
   * @param {PointerEvent} event
   * @returns {Place}
   */
  #place(event) {
    const { left, top, width, height } = this.#box;
    return [clamped((event.clientX - left) / width), clamped((event.clientY - top) / height)];
  }

  /**
   * The pen has come from a place to where it is.
   * @param {Place} from
   * @param {boolean} erases
   */
  #stroke(from, erases) {
    this.#ink.stroke(from, this.#pen, erases);
    this.#drawn(erases && this.#blank);
  }

  #clear() {
    this.#ink.clear();
    this.#drawn(true);
  }

  /** The drawing has changed. @param {boolean} blank whether there is no ink now */
  #drawn(blank) {
    this.#used = true;
    if (this.#blank !== blank) {
      this.#blank = blank;
      this.#render();
    }
    this.#schedule();
    this.#onDraw();
  }

  #render() {
    const words = this.#words;
    this.canvas.setAttribute("aria-label", words.translate(WORDS.canvas));
    const kind = "tf-button tf-icon-button";
    const eraser = words.translate(WORDS.eraser);
    const clear = {
      kind,
      name: words.translate(WORDS.clearCanvas),
      disabled: this.#blank,
      onPress: () => this.#clear(),
    };
    const toggle = () => {
      this.#erases = !this.#erases;
      this.#render();
    };
    render(
      html`<div class="tf-pad-paper">
          ${this.canvas}<span class="tf-pad-invite" aria-hidden="true" ?hidden=${!this.#blank}
            >${words.translate(WORDS.canvasInvite)}</span
          ><span class="tf-pad-hint" id=${this.#hintId}>${words.translate(WORDS.canvasKeys)}</span>
        </div>
        <div class="tf-pad-tools">
          <button type="button" class="${kind} tf-eraser" aria-label=${eraser} title=${eraser}
            aria-pressed=${String(this.#erases)} @click=${pressed(toggle)}>${icon("eraser")}<span>${eraser}</span></button>
          ${button(clear, html`${icon("clear")}<span>${clear.name}</span>`)}
        </div>`,
      this.node,
    );
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#draw();
    });
  }

  #draw() {
    const { canvas } = this;
    const theme = this.#theme;
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    const context = canvas.getContext("2d");
    if (!side || !context || !theme) return;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    context.fillStyle = theme.paper;
    context.fillRect(0, 0, side, side);
    this.#tint(theme);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.#tinted, 0, 0, side, side);
    if (!this.#hovered && !canvas.matches(":focus-visible")) return;
    // The pen, as wide as it draws.
    const [x, y] = this.#pen;
    context.strokeStyle = this.#erases ? theme.text : theme.primary;
    context.lineWidth = 1.5 * devicePixelRatio;
    context.setLineDash(this.#erases ? [4 * devicePixelRatio, 3 * devicePixelRatio] : []);
    context.beginPath();
    context.arc(x * side, y * side, (PEN / 2) * side, 0, 7);
    context.stroke();
  }

  /** @param {Theme} theme */
  #tint(theme) {
    const { side, cells } = this.#ink;
    const context = this.#tinted.getContext("2d");
    if (!context) return;
    const image = context.createImageData(side, side);
    const pixels = new Uint32Array(image.data.buffer);
    const [red, green, blue] = channels(theme.text);
    const colour = red | (green << 8) | (blue << 16);
    for (let i = 0; i < cells.length; i += 1) pixels[i] = colour | (cells[i] << 24);
    context.putImageData(image, 0, 0);
  }
}
