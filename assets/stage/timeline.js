/** The time line: a slider over the run's kept frames, marks where knobs were turned, and the player's buttons. */

import { markText } from "./curves.js";
import { h, icon, named, pressed, put } from "./dom.js";
import { WORDS } from "./words.js";

const SPEEDS = [1, 2, 4];

export class Timeline {
  /** @param {Object} stage @param {import("./replay.js").Replay} replay */
  constructor(stage, replay) {
    this.stage = stage;
    this.replay = replay;
    this.button = h("button", { type: "button", class: "tf-small tf-play" });
    this.button.addEventListener("click", pressed(() => replay.toggle()));
    this.speed = h("button", { type: "button", class: "tf-small tf-rate" });
    this.speed.addEventListener("click", pressed(() => this.faster()));
    this.fill = h("span", { class: "tf-track-fill" });
    this.thumb = h("span", { class: "tf-thumb" });
    this.ticks = h("span", { class: "tf-ticks" });
    this.track = h("div", { class: "tf-track", role: "slider", tabindex: 0, "aria-valuemin": 0 });
    this.track.append(h("span", { class: "tf-rail" }), this.fill, this.thumb);
    this.lane = h("div", { class: "tf-lane" }, this.track, this.ticks);
    this.where = h("span", { class: "tf-at" });
    this.back = h("button", { type: "button", class: "tf-small tf-back" }, icon("end"), (this.backText = h("span")));
    this.back.addEventListener("click", pressed(() => this.toEnd()));
    this.node = h("section", { class: "tf-timeline" }, this.button, this.speed, this.lane, this.where, this.back);
    this.lane.addEventListener("pointerdown", (event) => this.grab(event));
    this.track.addEventListener("keydown", (event) => this.key(event));
  }

  get end() {
    return Math.max(1, this.stage.model.last);
  }

  grab(event) {
    if (event.button || !this.replay.steps.length) return;
    event.preventDefault();
    this.track.focus({ preventScroll: true });
    this.track.setPointerCapture(event.pointerId);
    this.replay.pause();
    const end = this.end;
    const move = (moved) => {
      const box = this.track.getBoundingClientRect();
      const share = Math.max(0, Math.min(1, (moved.clientX - box.left) / box.width));
      this.replay.go(share * end);
    };
    const done = () => {
      this.track.removeEventListener("pointermove", move);
      this.track.classList.remove("tf-held");
    };
    this.track.classList.add("tf-held");
    move(event);
    this.track.addEventListener("pointermove", move);
    this.track.addEventListener("pointerup", done, { once: true });
    this.track.addEventListener("pointercancel", done, { once: true });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { replay } = this;
    const jump = Math.max(1, Math.round(replay.steps.length / 10));
    const moves = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: jump, PageDown: -jump };
    if (event.key in moves) {
      replay.pause();
      replay.move(moves[event.key]);
    } else if (event.key === "Home") {
      replay.pause();
      replay.go(0);
    } else if (event.key === "End") this.toEnd();
    else if (event.key === "Escape" && replay.step !== null) this.toEnd();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  faster() {
    this.replay.speed = SPEEDS[(SPEEDS.indexOf(this.replay.speed) + 1) % SPEEDS.length];
    this.update();
  }

  /** To the moving end, or where nothing moves to the last frame. */
  toEnd() {
    this.replay.live();
  }

  update() {
    const { stage, replay } = this;
    const { model, words, fields } = stage;
    const { steps } = replay;
    const some = steps.length > 1;
    this.node.classList.toggle("tf-off", !some);
    const { end } = this;
    const shown = stage.shownStep === null ? end : stage.shownStep;
    const share = some ? Math.min(1, shown / end) : 0;
    this.fill.style.transform = `scaleX(${share})`;
    this.thumb.style.left = `${share * 100}%`;
    const text = words.say(WORDS.stepAt, { step: some ? shown : 0 });
    this.track.setAttribute("aria-label", words.say(WORDS.timeline));
    this.track.setAttribute("aria-valuemax", end);
    this.track.setAttribute("aria-valuenow", some ? shown : 0);
    this.track.setAttribute("aria-valuetext", text);
    this.track.setAttribute("aria-disabled", String(!some));
    put(this.where, some ? text : "");
    const playing = replay.playing;
    if (this.button.dataset.playing !== String(playing)) {
      this.button.dataset.playing = String(playing);
      this.button.replaceChildren(icon(playing ? "pause" : "play"));
    }
    const does = playing ? WORDS.pauseReplay : stage.shownStep === null ? WORDS.playReplay : WORDS.playOn;
    named(this.button, words.say(does));
    this.button.disabled = !some;
    put(this.speed, `${replay.speed}×`);
    named(this.speed, words.say(WORDS.replaySpeed, { speed: replay.speed }));
    this.speed.disabled = !some;
    const back = words.say(model.ended || model.recorded ? WORDS.toEnd : WORDS.toLive);
    put(this.backText, back);
    named(this.back, back);
    this.back.classList.toggle("tf-hidden", stage.shownStep === null || !some);
    const key = `${model.id}|${words.lang}|${model.marks.map((mark) => mark.step).join("|")}`;
    if (key !== this.key_) {
      this.key_ = key;
      this.ticks.replaceChildren(
        ...model.marks.map((mark) => {
          const tick = h("button", { type: "button", class: "tf-tick" });
          tick.setAttribute("aria-label", markText(mark, fields, words, WORDS.turned));
          tick.addEventListener("click", () => {
            replay.pause();
            replay.go(mark.step);
          });
          return tick;
        }),
      );
    }
    [...this.ticks.children].forEach((tick, i) => {
      const place = Math.min(100, (model.marks[i].step / end) * 100);
      tick.style.left = `${place}%`;
      tick.classList.toggle("tf-left", place < 25);
      tick.classList.toggle("tf-right", place > 75);
    });
  }
}
