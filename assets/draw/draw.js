/**
 * A small canvas in the sidebar: a stroke becomes points, sprinkled along it at even distance. What was drawn lives on
 * the element, so that a rerun of the page takes nothing of it; what the page tells anew (a preset, the address, back to
 * what the preset says) replaces it.
 *
 * data: text (core/drawing.py), disabled, label, and words: draw, keys, undo, clear, count, full.
 */

import { h, icon, named, pressed, put } from "../stage/dom.js";
import { mounting } from "../stage/mounted.js";
import { themeOf } from "../stage/theme.js";
import { GAP, MOST, read, sprinkled, thinned, write } from "./points.js";

/** Steps back that are kept. */
const KEPT = 100;

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

class Drawing {
  constructor(host) {
    this.points = []; // as drawn: more than MOST are thinned where they are shown and told
    this.past = [];
    this.told = null; // what the page said last
    this.sent = []; // what was said to the page and has not come back
    this.pen = [0, 0];
    this.stroke = null; // the pointer that draws
    const button = (name, act) =>
      h("button", { type: "button", class: "tf-draw-button", on: { click: pressed(act) } }, icon(name));
    this.undoButton = button("undo", () => this.undo());
    this.clearButton = button("clear", () => this.change([]));
    this.canvas = h("canvas", { class: "tf-draw-canvas", tabindex: 0, role: "application" });
    this.invite = h("span", { class: "tf-draw-invite", "aria-hidden": "true" });
    this.count = h("span", { class: "tf-draw-count", role: "status" });
    this.hint = h("span", { class: "tf-draw-hint", id: `draw-${crypto.getRandomValues(new Uint32Array(1))[0]}` });
    this.canvas.setAttribute("aria-describedby", this.hint.id);
    this.root = h(
      "div",
      { class: "tf-draw" },
      h("div", { class: "tf-draw-paper" }, this.canvas, this.invite),
      this.hint,
      h("div", { class: "tf-draw-row" }, this.count, this.undoButton, this.clearButton),
    );
    const here = new URL(import.meta.url);
    const shown = () => this.root.style.removeProperty("visibility");
    const href = new URL(`draw.css${here.search}`, here);
    this.style = h("link", { rel: "stylesheet", href, on: { load: shown, error: shown } });
    this.root.style.visibility = "hidden";
    host.append(this.style, this.root);
    this.listen();
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.canvas);
    this.pulse = setInterval(() => this.dress(), 1000);
  }

  /** Take what the page tells. */
  take(component) {
    const { data } = component;
    this.tell = component;
    this.data = data;
    if (data.text !== this.told) {
      this.told = data.text;
      // An echo of what was said before something newer was: no news.
      const echo = this.sent.indexOf(data.text);
      this.sent = echo < 0 ? [] : this.sent.slice(echo + 1);
      if (echo < 0) {
        this.points = read(data.text);
        this.past = [];
      }
    }
    this.canvas.setAttribute("aria-label", data.label);
    this.canvas.setAttribute("aria-disabled", data.disabled);
    this.root.classList.toggle("tf-draw-off", data.disabled);
    put(this.invite, data.words.draw);
    put(this.hint, data.words.keys);
    named(this.undoButton, data.words.undo);
    named(this.clearButton, data.words.clear);
    this.show();
  }

  listen() {
    const { canvas } = this;
    const on = (name, listener) => canvas.addEventListener(name, listener);
    on("pointerdown", (event) => {
      if (this.data.disabled || this.stroke !== null || event.button !== 0) return;
      this.stroke = event.pointerId;
      this.box = canvas.getBoundingClientRect(); // if the page moves the canvas meanwhile, the stroke stays one
      canvas.setPointerCapture(event.pointerId);
      this.remember();
      this.pen = this.place(event);
      this.points = [...this.points, this.pen];
      this.show();
    });
    on("pointermove", (event) => {
      if (event.pointerId !== this.stroke) return;
      const passed = event.getCoalescedEvents?.() || [];
      for (const one of passed.length ? passed : [event]) this.follow(this.place(one));
      this.show();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      on(end, (event) => {
        if (event.pointerId !== this.stroke) return;
        this.stroke = null;
        this.say();
      });
    }
    on("keydown", (event) => this.press(event));
    on("focus", () => this.draw());
    on("blur", () => this.draw());
  }

  /** Where a pointer is, held inside the canvas as it stood when the stroke began. */
  place(event) {
    const { box } = this;
    const within = (value) => Math.min(1, Math.max(-1, value));
    const x = (2 * (event.clientX - box.left)) / box.width - 1;
    return [within(x), within(1 - (2 * (event.clientY - box.top)) / box.height)];
  }

  /** The pen goes on to a place and leaves points behind. */
  follow(place) {
    const fresh = sprinkled(this.pen, place);
    if (!fresh.length) return;
    this.points.push(...fresh);
    this.pen = fresh.at(-1);
  }

  press(event) {
    if (event.altKey || this.data.disabled) return;
    const arrow = ARROWS[event.key];
    const held = event.ctrlKey || event.metaKey;
    if (held && event.key.toLowerCase() === "z") this.undo();
    else if (held) return;
    else if (arrow) {
      const pen = this.pen.map((value, i) => Math.min(1, Math.max(-1, value + arrow[i] * GAP)));
      this.pen = pen;
      if (event.shiftKey) this.change([...this.points, pen]);
      else this.draw();
    } else if (event.key === " " || event.key === "Enter") this.change([...this.points, this.pen]);
    else if (event.key === "Backspace") this.undo();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  remember() {
    this.past = [...this.past.slice(1 - KEPT), this.points];
  }

  change(points) {
    this.remember();
    this.points = points;
    this.say();
  }

  undo() {
    if (!this.past.length || this.stroke !== null) return;
    this.points = this.past.pop();
    this.say();
  }

  /** Tell the page; ``at`` makes it news even where the same was drawn before. */
  say() {
    const text = write(this.points);
    if (text !== (this.sent.at(-1) ?? this.told)) {
      this.sent.push(text);
      this.tell.setStateValue("drawn", { text, at: Date.now() });
    }
    this.show();
  }

  show() {
    const { words, disabled } = this.data;
    const n = Math.min(this.points.length, MOST);
    put(this.count, (this.points.length > MOST ? words.full : words.count).replace("{n}", n));
    this.invite.hidden = n > 0;
    this.undoButton.disabled = disabled || !this.past.length;
    this.clearButton.disabled = disabled || !n;
    this.draw();
  }

  /** Take the theme's colours where they changed. */
  dress() {
    const theme = themeOf(this.root);
    if (this.theme?.key === theme.key) return;
    this.theme = theme;
    this.draw();
  }

  draw() {
    const { canvas } = this;
    this.theme ||= themeOf(this.root);
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (!side) return;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const pen = canvas.getContext("2d");
    const at = (value, sign) => ((1 + sign * value) / 2) * side;
    pen.clearRect(0, 0, side, side);
    pen.strokeStyle = this.theme.grid;
    pen.lineWidth = devicePixelRatio;
    pen.beginPath();
    for (const half of [-0.5, 0, 0.5]) {
      pen.moveTo(at(half, 1), 0);
      pen.lineTo(at(half, 1), side);
      pen.moveTo(0, at(half, 1));
      pen.lineTo(side, at(half, 1));
    }
    pen.stroke();
    pen.fillStyle = this.theme.primary;
    for (const [x, y] of thinned(this.points)) {
      pen.beginPath();
      pen.arc(at(x, 1), at(y, -1), 2.2 * devicePixelRatio, 0, 7);
      pen.fill();
    }
    if (!canvas.matches(":focus-visible")) return;
    const [x, y, arm] = [at(this.pen[0], 1), at(this.pen[1], -1), 7 * devicePixelRatio];
    pen.strokeStyle = this.theme.text;
    pen.lineWidth = 1.5 * devicePixelRatio;
    pen.beginPath();
    pen.moveTo(x - arm, y);
    pen.lineTo(x + arm, y);
    pen.moveTo(x, y - arm);
    pen.lineTo(x, y + arm);
    pen.stroke();
  }

  stop() {
    clearInterval(this.pulse);
    this.sizes.disconnect();
    this.style.remove();
    this.root.remove();
  }
}

export default mounting((host) => new Drawing(host));
