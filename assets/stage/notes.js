/** What the run has to say in sentences: its diagnoses, how it ended, and short refusals. */

import { h, icon, named, pressed, put } from "./dom.js";
import { WORDS } from "./words.js";

const TOAST_MS = 7000;
const BAD = new Set(["failed", "diverged", "interrupted"]);

export class Notes {
  /** @param {Object} stage @param {(what: string) => void} act */
  constructor(stage, act) {
    this.stage = stage;
    this.text = h("span", { class: "tf-note-text" });
    this.resume = h("button", { type: "button", class: "tf-button tf-continue" });
    this.resume.addEventListener("click", pressed(() => act("continue")));
    this.node = h("div", { class: "tf-note", role: "status", hidden: true }, this.text, this.resume);
    this.toasts = h("div", { class: "tf-toasts", role: "alert" });
  }

  update() {
    const { model, words, shownStep, watched, link, own } = this.stage;
    const said = [];
    let bad = false;
    if (link === "lost" && watched) said.push(words.say(WORDS.lost));
    else if (link === "none" && watched) said.push(words.say(WORDS.noSocket));
    const state = model.state;
    const why = own && model.ended ? words.sentence(model.status.sentence) : "";
    if (own && (BAD.has(state) || why) && shownStep === null) {
      bad = true;
      said.push(why || words.say(WORDS[state]));
    }
    const notes = model.notes.filter((note) => shownStep === null || note.step <= shownStep);
    const last = notes[notes.length - 1];
    if (last) said.push(words.sentence(last.sentence));
    const resumable = own && model.ended && model.mine && model.status.resumable && shownStep === null;
    this.node.hidden = !said.length;
    // Beside the words where there are some, else in the bar above, so that nothing below moves.
    const home = said.length ? this.node : this.stage.transport.row;
    if (this.resume.parentNode !== home) home.append(this.resume);
    this.node.classList.toggle("tf-bad", bad);
    put(this.text, said.join(" "));
    this.resume.hidden = !resumable;
    put(this.resume, words.say(WORDS.continueRun));
    named(this.resume, words.say(WORDS.continueRun));
  }

  /** Say for a moment why something was refused. */
  toast(text) {
    if (!text) return;
    const { words } = this.stage;
    const close = h("button", { type: "button", class: "tf-small" }, icon("close"));
    named(close, words.say(WORDS.close));
    const node = h("div", { class: "tf-toast" }, h("span", { text }), close);
    const gone = () => node.remove();
    close.addEventListener("click", gone);
    setTimeout(gone, TOAST_MS);
    this.toasts.append(node);
    while (this.toasts.children.length > 3) this.toasts.firstChild.remove();
  }
}
