/** The time line: a slider over the run's kept frames, marks where settings were changed, and the player's buttons. */

import { html, render } from "../vendor/lit-html/lit-html.js";
import { markText } from "./curves.js";
import { element, icon, pressed } from "./dom.js";
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
    const play = words.translate(
      replay.playing ? WORDS.pauseReplay : shownStep === null ? WORDS.playReplay : WORDS.playOn,
    );
    const speed = words.translate(WORDS.replaySpeed, { speed: replay.speed });
    const back = words.translate(model.ended || model.recorded ? WORDS.toEnd : WORDS.toLive);
    this.node.classList.toggle("tf-off", empty);
    render(
      html`<button
          type="button"
          class="tf-small tf-play"
          aria-label=${play}
          title=${play}
          ?disabled=${empty}
          @click=${pressed(() => replay.toggle())}
        >${icon(replay.playing ? "pause" : "play")}</button>
        <button
          type="button"
          class="tf-small tf-rate"
          aria-label=${speed}
          title=${speed}
          ?disabled=${empty}
          @click=${pressed(() => replay.changeSpeed())}
        >${replay.speed}×</button>
        <div class="tf-lane">
          <input
            type="range"
            class="tf-track"
            min="0"
            max=${end}
            step="1"
            .value=${String(step)}
            style="--tf-share: ${step / end}"
            aria-label=${words.translate(WORDS.timeline)}
            aria-valuetext=${text}
            ?disabled=${empty}
            @input=${(/** @type {InputEvent} */ event) => scrub(event, run)}
            @keydown=${(/** @type {KeyboardEvent} */ event) => moveByKey(event, run)}
          />
          <span class="tf-ticks">${model.marks.map((mark) => tick(mark, end, run, fields, words))}</span>
        </div>
        <span class="tf-at">${empty ? "" : text}</span>
        <button
          type="button"
          class="tf-small tf-back ${shownStep === null || empty ? "tf-hidden" : ""}"
          aria-label=${back}
          title=${back}
          @click=${pressed(() => replay.goLive())}
        >${icon("end")}<span>${back}</span></button>`,
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
  return html`<button
    type="button"
    class="tf-tick ${side}"
    style="--tf-share: ${share}"
    aria-label=${markText(mark, fields, words, WORDS.markAt)}
    @click=${() => {
      replay.pause();
      replay.goTo(mark.step);
    }}
  ></button>`;
}
