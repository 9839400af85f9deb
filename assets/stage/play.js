/**
 * Playing with a trained model: a button for each probe of the experiment, and the dialog it opens, with the probe's
 * picture, its keys as buttons or a line to write in, and the choice of which saved state to play with. While it is open
 * the keys are its own.
 */

import { Asking } from "./asking.js";
import { h, icon, named, pressed, put } from "./dom.js";
import { CONFIG, dressed } from "./figures.js";
import { WORDS } from "./words.js";

const GLYPHS = { ArrowLeft: "←", ArrowUp: "↑", ArrowRight: "→", ArrowDown: "↓", Enter: "⏎" };

export class Play {
  /** @param {Object} stage */
  constructor(stage) {
    this.stage = stage;
    this.probe = null;
    this.asking = null;
    this.n = 0;
    this.node = h("span", { class: "tf-group tf-probes" });
    this.buttons = [];
    this.title = h("h3", { class: "tf-title" });
    this.sentence = h("p", { class: "tf-sentence" });
    this.choiceText = h("span");
    this.choice = h("select", { class: "tf-choice", on: { change: () => this.choose() } });
    this.label = h("label", { class: "tf-chooser" }, this.choiceText, this.choice);
    this.againText = h("span");
    const act = (does) => ({ click: pressed(does) });
    this.again = h("button", { type: "button", class: "tf-button tf-icon-button", on: act(() => this.begin()) });
    this.again.append(icon("restart"), this.againText);
    this.closer = h("button", { type: "button", class: "tf-button tf-closer", on: act(() => this.dialog.close()) });
    this.closer.append(icon("close"));
    this.plot = h("div", { class: "tf-plot" });
    this.said = h("div", { class: "tf-said", role: "status" });
    this.canvas = h("div", { class: "tf-canvas", tabindex: -1 }, this.plot, this.said);
    this.keys = h("div", { class: "tf-keys", role: "group" });
    this.writer = h("input", { type: "text", class: "tf-written", maxlength: 120, autocomplete: "off", spellcheck: "false" });
    this.asker = h("button", { type: "submit", class: "tf-button tf-icon-button" });
    this.line = h("form", { class: "tf-line", on: { submit: (event) => this.write(event) } }, this.writer, this.asker);
    const head = h("header", { class: "tf-game-head" }, this.title, this.label, this.again, this.closer);
    this.dialog = h("dialog", { class: "tf-game" }, head, this.sentence, this.line, this.canvas, this.keys);
    this.dialog.addEventListener("close", () => this.end());
    this.resizer = new ResizeObserver(() => this.schedule());
    this.resizer.observe(this.canvas);
    this.heard = (event) => this.key(event);
    this.lost = () => this.asking && this.asking.letGo();
    for (const type of ["keydown", "keyup"]) window.addEventListener(type, this.heard, true);
    window.addEventListener("blur", this.lost);
  }

  get checkpoints() {
    const { status } = this.stage.model;
    return (status && status.checkpoints) || [];
  }

  /** Take what the page declares. */
  declare({ probes = [] }) {
    const { words } = this.stage;
    const key = JSON.stringify([probes, words.lang]);
    if (key === this.declared) return;
    this.declared = key;
    this.buttons = probes.map((probe) => {
      const open = pressed(() => this.open(probe));
      const node = h("button", { type: "button", class: "tf-button tf-icon-button tf-probe", on: { click: open } });
      node.append(icon("try"), h("span", { text: words.say(probe.title) }));
      node.dataset.probe = probe.name;
      return { node, probe };
    });
    this.node.replaceChildren(...this.buttons.map(({ node }) => node));
    this.node.hidden = !probes.length;
    const again = this.probe && probes.find((probe) => probe.name === this.probe.name);
    if (again) this.describe(again);
    else if (this.probe) this.dialog.close();
  }

  /** Why one cannot play just now, "" where one can. */
  get reason() {
    const { model, link } = this.stage;
    if (!model.recorded && model.status && !model.mine) return WORDS.watching;
    if (link === "none") return WORDS.playNoSocket;
    if (model.recorded ? !this.checkpoints.length : !this.stage.own) return WORDS.playTrain;
    return this.checkpoints.length && link === "open" ? "" : WORDS.playLater;
  }

  update() {
    const { words, link } = this.stage;
    const reason = words.say(this.reason);
    for (const { node, probe } of this.buttons) {
      named(node, words.say(probe.title), reason || words.say(probe.sentence));
      node.disabled = Boolean(reason);
    }
    if (!this.probe) return;
    if (this.asking && link !== "open") this.over(words.say(WORDS.playLost));
    this.again.disabled = link !== "open";
    this.offer();
  }

  open(probe) {
    const { stage } = this;
    stage.replay.pause();
    // What one looks at is what one plays with, as far as that state was kept.
    const looked = stage.shownStep === null ? [] : this.checkpoints.filter((step) => step <= stage.shownStep);
    this.wish = looked.length ? String(looked[looked.length - 1]) : "";
    this.describe(probe);
    this.dialog.append(stage.notes.toasts);
    this.dialog.showModal();
    this.holding = setInterval(() => stage.panels.hold(), 1000); // the pictures behind it would take its time
    stage.panels.hold();
    this.begin();
  }

  describe(probe) {
    const { words } = this.stage;
    this.probe = probe;
    put(this.title, words.say(probe.title));
    put(this.sentence, words.say(probe.sentence));
    this.dialog.setAttribute("aria-label", words.say(probe.title));
    put(this.choiceText, words.say(WORDS.playState));
    put(this.againText, words.say(WORDS.playAgain));
    named(this.again, words.say(WORDS.playAgain));
    named(this.closer, words.say(WORDS.close));
    this.keys.setAttribute("aria-label", words.say(WORDS.playKeys));
    this.keys.replaceChildren(...Object.keys(probe.keys).map((key) => this.button(key)));
    this.keys.hidden = !this.keys.children.length;
    this.line.hidden = !probe.text;
    put(this.asker, words.say(WORDS.playAsk));
    named(this.writer, words.say(WORDS.playWrite));
    this.offered = "";
    this.offer();
  }

  /** Ask what was written. */
  write(event) {
    event.preventDefault();
    if (this.asking) this.asking.say({ [this.probe.text]: this.writer.value });
    this.writer.select();
  }

  /** A key as a button, held as long as it is touched. */
  button(key) {
    const { words } = this.stage;
    const glyph = key === " " ? words.say(WORDS.playSpace) : GLYPHS[key] || (key.length === 1 ? key.toUpperCase() : key);
    const label = (this.probe.labels || {})[key];
    const node = h("button", { type: "button", class: "tf-button tf-key" }, h("kbd", { text: glyph }));
    if (label) node.append(h("span", { text: words.say(label) }));
    named(node, label ? words.say(label) : glyph);
    node.dataset.key = key;
    node.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      node.setPointerCapture(event.pointerId);
      this.press(key);
    });
    for (const type of ["pointerup", "pointercancel"]) node.addEventListener(type, () => this.release(key));
    node.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch is no question
    node.addEventListener("click", (event) => {
      if (event.detail) return; // the pointer was heard already; this is a keyboard's or a reader's
      this.press(key);
      this.release(key);
    });
    return node;
  }

  /** The states one may choose, the newest first. */
  offer() {
    const { words } = this.stage;
    const steps = [...this.checkpoints].reverse();
    const key = JSON.stringify([steps, words.lang]);
    if (!steps.length || key === this.offered || document.activeElement === this.choice) return;
    this.offered = key;
    const option = (value, text) => h("option", { value, text });
    this.choice.replaceChildren(
      option("", words.say(WORDS.playNewest, { step: steps[0] })),
      ...steps.slice(1).map((step) => option(String(step), words.say(WORDS.stepAt, { step }))),
    );
    this.choice.value = this.wish;
    if (this.choice.value !== this.wish) this.choice.value = this.wish = "";
  }

  choose() {
    this.wish = this.choice.value;
    this.begin();
  }

  /** A session from its beginning, with the state that is chosen. */
  begin() {
    this.leave();
    this.first = this.shown = ++this.n;
    this.figure = null;
    this.dialog.classList.remove("tf-over");
    put(this.said, this.stage.words.say(WORDS.playLoading));
    (this.probe.text ? this.writer : this.canvas).focus();
    const step = this.wish === "" ? null : Number(this.wish);
    if (!this.stage.send({ type: "probe", name: this.probe.name, step, n: this.first })) {
      this.over(this.stage.words.say(WORDS.playLost));
      return;
    }
    this.asking = new Asking(this.probe, (request) => this.stage.send({ type: "ask", n: ++this.n, request }));
  }

  /** Take a message of the server; whether it was meant for this. */
  take(message) {
    if (message.type !== "answer" && !(message.type === "refused" && "over" in message)) return false;
    if (!this.asking || message.n < this.first) return true; // of a session before
    if (message.type === "answer") {
      this.figure = message.panels[this.probe.name];
      this.stage.fixed.expect(this.figure, this.stage.model.id);
      this.at = message.n;
      this.schedule();
    } else if (message.over) this.over(this.stage.words.sentence(message.sentence));
    else {
      this.stage.notes.toast(this.stage.words.sentence(message.sentence));
      this.settle(message.n);
    }
    return true;
  }

  settle(n) {
    if (this.asking && n > this.shown) {
      const count = n - this.shown;
      this.shown = n;
      this.asking.answered(count);
    }
  }

  schedule() {
    if (!this.asked) this.asked = requestAnimationFrame(() => this.draw());
  }

  /** Draw the newest answer: only then is it answered, so that a slow browser is not sent more than it can draw. */
  draw() {
    this.asked = 0;
    const { Plotly, theme, words } = this.stage;
    const { clientWidth: width, clientHeight: height } = this.plot;
    if (!this.figure || !this.probe) return;
    if (!Plotly || !width || !height || !this.stage.fixed.fill(this.figure)) {
      clearTimeout(this.later); // the drawing library, or a part of the picture, is still on its way
      this.later = setTimeout(() => this.schedule(), 100);
      return;
    }
    if (this.figure.error) put(this.said, words.sentence(this.figure.error));
    else {
      const size = width > 900 ? 20 : 16;
      const figure = dressed(this.figure, { theme, words, size, revision: this.probe.name });
      Object.assign(figure.layout, { autosize: false, width, height, dragmode: false });
      Plotly.react(this.plot, figure.data, figure.layout, CONFIG);
      this.plot.dataset.drawn = String(this.at);
      this.listen();
      if (this.asking) put(this.said, "");
    }
    this.settle(this.at);
  }

  /** Take clicks on points that have a number, where the probe wants any. */
  listen() {
    const { click } = this.probe;
    if (!click || this.listening) return;
    this.listening = true;
    this.plot.on("plotly_click", ({ points }) => {
      const hit = points.find((point) => Number.isInteger(point.customdata));
      if (hit && this.asking) this.asking.say({ [click]: hit.customdata });
    });
  }

  /** The session has ended, and why. */
  over(text) {
    if (this.asking) this.asking.stop();
    this.asking = null;
    this.dialog.classList.add("tf-over");
    put(this.said, text);
  }

  key(event) {
    if (!this.dialog.open) return;
    event.stopPropagation(); // neither the training nor the page steps
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey || event.altKey || !(key in this.probe.keys)) return;
    if (event.target === this.choice || event.target === this.writer) return;
    event.preventDefault();
    if (event.type === "keyup") this.release(key);
    else if (!event.repeat) this.press(key);
  }

  press(key) {
    if (this.asking) this.asking.press(key);
    this.light(key, true);
  }

  release(key) {
    if (this.asking) this.asking.release(key);
    this.light(key, false);
  }

  light(key, on) {
    for (const node of this.keys.children) if (node.dataset.key === key) node.classList.toggle("tf-down", on);
  }

  leave() {
    clearTimeout(this.later);
    if (this.asking) this.asking.stop();
    this.asking = null;
  }

  /** The dialog was closed. */
  end() {
    const { stage } = this;
    this.leave();
    stage.send({ type: "close" });
    clearInterval(this.holding);
    stage.panels.waitUntil = 0;
    stage.panels.schedule();
    stage.root.append(stage.notes.toasts);
    if (stage.Plotly) stage.Plotly.purge(this.plot);
    this.listening = false;
    this.probe = this.figure = null;
  }

  /** Another run is watched, or none. */
  close() {
    if (this.dialog.open) this.dialog.close();
  }

  stop() {
    this.leave();
    clearInterval(this.holding);
    this.resizer.disconnect();
    for (const type of ["keydown", "keyup"]) window.removeEventListener(type, this.heard, true);
    window.removeEventListener("blur", this.lost);
  }
}
