/** Sentences about a run (its connection, its diagnoses, how it ended), and short refusals. */

import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { button, element, icon } from "./dom.js";
import { WORDS, wordOf } from "./words.js";

/**
 * @typedef {import("./words.js").Words} Words
 * @typedef {import("./viewed_run.js").ViewedRun} ViewedRun
 *
 * @typedef {Object} NoteText
 * @property {string} text "" where there is nothing to read
 * @property {boolean} bad whether the run ended badly
 * @property {boolean} canContinue whether the run can be taken up again
 */

const TOAST_MS = 7000;
const MOST_TOASTS = 3;
const BAD = new Set(["failed", "diverged", "interrupted"]);

/**
 * What there is to read about a run at the step that is shown.
 * @param {ViewedRun} run
 * @param {Words} words
 * @returns {NoteText}
 */
export function noteOf({ id, model, shownStep, connectionState }, words) {
  const texts = [];
  if (id !== null && connectionState === "lost") texts.push(words.translate(WORDS.lost));
  else if (id !== null && connectionState === "unavailable") texts.push(words.translate(WORDS.noConnection));
  const ended = model.own && model.ended && shownStep === null;
  const reason = ended && model.status ? words.sentence(model.status.sentence) : "";
  const bad = ended && (BAD.has(model.state) || Boolean(reason));
  if (bad) texts.push(reason || words.translate(wordOf(model.state)));
  const notes = model.notes.filter((note) => shownStep === null || note.step <= shownStep);
  if (notes.length) {
    const { step, sentence } = notes[notes.length - 1];
    texts.push(words.translate(WORDS.noteAt, { step, sentence: words.sentence(sentence) }));
  }
  const canContinue = ended && model.mine && Boolean(model.status?.resumable);
  return { text: texts.join(" · "), bad, canContinue };
}

/**
 * The button that takes an ended run up again.
 * @param {Words} words
 * @param {() => void} onContinue
 */
export function continueButton(words, onContinue) {
  const name = words.translate(WORDS.continueRun);
  return button({ kind: "tf-button tf-continue", name, onPress: onContinue }, name);
}

/** The sentences about a run. */
export class Notes {
  node = element("div", { className: "tf-note", role: "status", hidden: true });
  #onContinue;

  /** @param {() => void} onContinue */
  constructor(onContinue) {
    this.#onContinue = onContinue;
  }

  /** @param {NoteText} note @param {Words} words */
  update({ text, bad, canContinue }, words) {
    this.node.hidden = !text;
    this.node.classList.toggle("tf-bad", bad);
    const resume = canContinue ? continueButton(words, this.#onContinue) : nothing;
    render(text ? html`<span class="tf-note-text">${text}</span>${resume}` : nothing, this.node);
  }
}

/** Refusals, each for some seconds. */
export class Toasts {
  node = element("div", { className: "tf-toasts", role: "alert" });
  /** @type {{text: string}[]} */
  #shown = [];

  /** @param {string} text @param {Words} words */
  show(text, words) {
    if (!text) return;
    const toast = { text };
    this.#shown = [...this.#shown.slice(1 - MOST_TOASTS), toast];
    setTimeout(() => this.#remove(toast, words), TOAST_MS);
    this.#render(words);
  }

  /** @param {{text: string}} toast @param {Words} words */
  #remove(toast, words) {
    this.#shown = this.#shown.filter((other) => other !== toast);
    this.#render(words);
  }

  /** @param {Words} words */
  #render(words) {
    const toasts = this.#shown.map((toast) => {
      const close = { kind: "tf-small", name: words.translate(WORDS.close), onPress: () => this.#remove(toast, words) };
      return html`<div class="tf-toast"><span>${toast.text}</span>${button(close, icon("close"))}</div>`;
    });
    render(toasts, this.node);
  }
}
