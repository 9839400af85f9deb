/** The time line: a slider over the run's kept frames, marks where settings were changed, and the player's buttons. */

import { html, render } from "../vendor/lit-html/lit-html.js";
import { markText } from "./curves.js";
import { button, element, icon } from "./dom.js";
import { WORDS } from "./words.js";

/**
 * @typedef {import("./viewed_run.js").ViewedRun} ViewedRun
 *
 * @typedef {Object} TimelineView
 * @property {ViewedRun} run
 * @property {Object<string, string>} fields titles of settings by name
 * @property {import("./words.js").Words} words
 */

/** Marks nearer to an end than this share of the line have their text on the other side. */
const EDGE = 0.25;

export class Timeline {
  node = element("section", { className: "tf-timeline" });

  /** @param {TimelineView} view */
  update({ run, fields, words }) {
    const { model, replay, shownStep } = run;
    const empty = replay.steps.length < 2;
    const end = Math.max(1, model.lastStep);
    const step = empty ? 0 : Math.min(shownStep ?? end, end);
    const text = words.translate(WORDS.stepAt, { step });
    const play = {
      kind: "tf-small tf-play",
      name: words.translate(replay.playing ? WORDS.pauseReplay : shownStep === null ? WORDS.playReplay : WORDS.playOn),
      disabled: empty,
      onPress: () => replay.toggle(),
    };
    const speed = {
      kind: "tf-small tf-rate",
      name: words.translate(WORDS.replaySpeed, { speed: replay.speed }),
      disabled: empty,
      onPress: () => replay.changeSpeed(),
    };
    const back = {
      kind: `tf-small tf-back ${shownStep === null || empty ? "tf-hidden" : ""}`,
      name: words.translate(model.ended || model.recorded ? WORDS.toEnd : WORDS.toLive),
      onPress: () => replay.goLive(),
    };
    this.node.classList.toggle("tf-off", empty);
    render(
      html`${button(play, icon(replay.playing ? "pause" : "play"))} ${button(speed, `${replay.speed}×`)}
        <div class="tf-lane">
          <input type="range" class="tf-track" min="0" max=${end} step="1" .value=${String(step)} ?disabled=${empty}
            style="--tf-share: ${step / end}" aria-label=${words.translate(WORDS.timeline)} aria-valuetext=${text}
            @input=${(/** @type {InputEvent} */ event) => scrub(event, run)}
            @keydown=${(/** @type {KeyboardEvent} */ event) => moveByKey(event, run)} />
          <span class="tf-ticks">${model.marks
            .filter((mark) => mark.field in fields)
            .map((mark) => tick(mark, end, run, fields, words))}</span>
        </div>
        <span class="tf-at">${empty ? "" : text}</span>
        ${button(back, html`${icon("end")}<span>${back.name}</span>`)}`,
      this.node,
    );
  }
}

/**
 * The thumb was dragged, or the line clicked.
 * @param {InputEvent} event
 * @param {ViewedRun} run
 */
function scrub(event, { replay }) {
  const input = /** @type {HTMLInputElement} */ (event.currentTarget);
  replay.pause();
  replay.goTo(Number(input.value));
  input.value = String(replay.step); // the kept frame at or before it
}

/**
 * The keys of a slider, by kept frames.
 * @param {KeyboardEvent} event
 * @param {ViewedRun} run
 */
function moveByKey(event, { replay }) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const jump = Math.max(1, Math.round(replay.steps.length / 10));
  /** @type {Object<string, number>} */
  const moves = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: jump, PageDown: -jump };
  if (event.key in moves) {
    replay.pause();
    replay.move(moves[event.key]);
  } else if (event.key === "Home") {
    replay.pause();
    replay.goTo(0);
  } else if (event.key === "End" || (event.key === "Escape" && replay.step !== null)) replay.goLive();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/**
 * A mark under the line; its text is shown when it is pointed at or reached by keys.
 * @param {import("./messages.js").Mark} mark
 * @param {number} end
 * @param {ViewedRun} run
 * @param {Object<string, string>} fields
 * @param {import("./words.js").Words} words
 */
function tick(mark, end, { replay }, fields, words) {
  const share = Math.min(1, mark.step / end);
  const side = share < EDGE ? "tf-left" : share > 1 - EDGE ? "tf-right" : "";
  const show = () => {
    replay.pause();
    replay.goTo(mark.step);
  };
  return html`<button type="button" class="tf-tick ${side}" style="--tf-share: ${share}"
    aria-label=${markText(mark, fields, words, WORDS.markAt)} @click=${show}></button>`;
}
