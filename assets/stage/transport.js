/** The bar that controls the training and tells how it goes. It holds no state of its own but the chosen speed. */

import { h, icon, named, pressed, put } from "./dom.js";
import { WORDS } from "./words.js";

const MOVING = new Set(["running", "resumed", "preparing"]);
/** Asked for in the place of a part: the rest of a round. */
const ROUND = "round";

export class Transport {
  /** @param {Object} stage read at each update @param {(what: string, value?: any) => void} act */
  constructor(stage, act) {
    this.stage = stage;
    this.act = act;
    this.speed = 0;
    const button = (kind, name, what) =>
      h("button", { type: "button", class: `tf-button ${kind}`, on: { click: pressed(() => act(what)) } }, icon(name));
    this.label = h("span", { class: "tf-label" });
    this.primary = h("button", { type: "button", class: "tf-button tf-primary" }, icon("play"), this.label);
    this.primary.addEventListener("click", pressed(() => this.act(this.primary.dataset.does)));
    this.steps = h("span", { class: "tf-group" });
    this.stopButton = button("tf-icon-button", "stop", "stop");
    this.restartButton = button("tf-icon-button", "restart", "restart");
    this.speedLabel = h("span", { class: "tf-speed-label", "aria-hidden": "true" });
    this.speeds = h("span", { class: "tf-speeds", role: "radiogroup" });
    this.again = h("button", { type: "button", class: "tf-button tf-again", hidden: true });
    this.again.addEventListener("click", pressed(() => this.act("train")));
    this.badgeText = h("span");
    this.badge = h("span", { class: "tf-badge" }, h("span", { class: "tf-pulse" }), this.badgeText);
    this.state = h("span", { class: "tf-state" });
    this.bar = h("span", { class: "tf-bar-fill" });
    const bounds = { "aria-valuemin": 0, "aria-valuemax": 100 };
    this.progress = h("span", { class: "tf-bar", role: "progressbar", ...bounds }, this.bar);
    const names = ["percent", "step", "epoch", "device", "left", "rate", "updates"];
    this.facts = Object.fromEntries(names.map((name) => [name, h("span", { class: `tf-fact tf-fact-${name}` })]));
    const { percent, ...rest } = this.facts;
    const facts = h("span", { class: "tf-facts" }, ...Object.values(rest));
    const speed = h("span", { class: "tf-group tf-speed" }, this.speedLabel, this.speeds);
    this.buttons = h("span", { class: "tf-group" }, this.steps, this.stopButton, this.restartButton);
    const where = h("span", { class: "tf-group tf-where", role: "status" }, this.badge, this.state);
    this.row = h("div", { class: "tf-row" }, this.primary, this.buttons, speed, where, this.again);
    this.node = h(
      "section",
      { class: "tf-transport" },
      this.row,
      h("div", { class: "tf-row tf-status" }, percent, this.progress, facts),
    );
  }

  /** The buttons that depend on what the page declares. */
  declare({ parts, speeds }) {
    const { words } = this.stage;
    const key = JSON.stringify([parts, speeds, words.lang]);
    if (key === this.declared) return;
    this.declared = key;
    this.node.setAttribute("aria-label", words.say(WORDS.transport));
    this.speeds.setAttribute("aria-label", words.say(WORDS.speed));
    put(this.speedLabel, words.say(WORDS.speed));
    this.stepButtons = (parts && parts.length ? [...parts, ROUND] : [null]).map((part) => {
      const turn = pressed(() => this.act("step", part));
      const about = { type: "button", class: "tf-button tf-icon-button", on: { click: turn } };
      const node = h("button", about, icon("step"));
      if (part) node.append(h("span", { class: "tf-part", text: words.say(part) }));
      node.dataset.part = part || "";
      return node;
    });
    this.steps.replaceChildren(...this.stepButtons);
    this.speedButtons = (speeds || [1, 5, 25, 0]).map((speed) => {
      const choose = pressed(() => this.act("speed", speed));
      const node = h("button", { type: "button", role: "radio", class: "tf-speed-button", on: { click: choose } });
      node.dataset.speed = String(speed);
      node.textContent = speed ? String(speed) : words.say(WORDS.full);
      named(node, speed ? this.pace(speed) : words.say(WORDS.speedFull));
      return node;
    });
    this.speeds.replaceChildren(...this.speedButtons);
    this.speeds.onkeydown = (event) => {
      const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const at = this.speedButtons.indexOf(document.activeElement);
      if (!move || at < 0) return;
      event.preventDefault();
      event.stopPropagation();
      const next = this.speedButtons[(at + move + this.speedButtons.length) % this.speedButtons.length];
      next.focus();
      this.act("speed", Number(next.dataset.speed));
    };
  }

  pace(speed) {
    return this.stage.words.say(speed === 1 ? WORDS.speedOne : WORDS.speedSlow, { speed });
  }

  /** What the primary button does now: train, pause or resume. */
  get does() {
    const { model, watched, link } = this.stage;
    if (!watched || model.recorded || model.ended || link === "gone") return "train";
    return model.state === "paused" ? "resume" : "pause";
  }

  update() {
    const { stage } = this;
    const { model, words, data, watched } = stage;
    const own = watched && !model.recorded;
    const alive = own && !model.ended && Boolean(model.status);
    const foreign = own && Boolean(model.status) && !model.mine;
    const { does } = this;
    const say = (text, values) => words.say(text, values);
    const disabled = (node, reason) => {
      node.disabled = Boolean(reason);
      if (reason) named(node, node.getAttribute("aria-label") || "", reason);
    };

    if (this.primary.dataset.does !== does) {
      this.primary.dataset.does = does;
      this.primary.querySelector("svg").replaceWith(icon(does === "pause" ? "pause" : "play"));
    }
    put(this.label, say(WORDS[does]));
    const marked = Boolean(data.changed) && does === "train" && own;
    this.primary.classList.toggle("tf-marked", marked);
    named(this.primary, say(WORDS[does]), say(marked ? WORDS.changed : WORDS[`${does}Hint`]));
    let reason = "";
    if (does !== "train") {
      if (!model.status) reason = say(WORDS.connecting);
      else if (foreign) reason = say(WORDS.watching);
      else if (model.state === "queued") reason = say(WORDS.waitsInQueue);
    }
    disabled(this.primary, reason);
    const again = does !== "train" && (foreign || (data.changed && model.mine && data.run === model.id));
    this.again.hidden = !again;
    const againText = say(foreign ? WORDS.trainOwn : WORDS.trainChanged);
    put(this.again, againText);
    named(this.again, againText, say(foreign ? WORDS.trainHint : WORDS.changed));

    const idle = foreign ? say(WORDS.watching) : alive ? "" : say(WORDS.nothingRuns);
    for (const node of this.stepButtons) {
      const { part } = node.dataset;
      const name = part === ROUND ? say(WORDS.stepRound) : part ? say(WORDS.stepPart, { part: say(part) }) : say(WORDS.step);
      named(node, name, part ? name : say(WORDS.stepHint));
      // Step by step and in slow motion one sees whose turn it was.
      const seen = model.state === "paused" || (model.state === "running" && this.speed > 0);
      node.classList.toggle("tf-turn", Boolean(part) && alive && seen && stage.status.part === part);
      disabled(node, idle || (model.state === "queued" ? say(WORDS.waitsInQueue) : ""));
    }
    named(this.stopButton, say(WORDS.stop), say(WORDS.stopHint));
    disabled(this.stopButton, idle);
    named(this.restartButton, say(WORDS.restart), say(WORDS.restartHint));
    disabled(this.restartButton, foreign ? say(WORDS.watching) : own && model.status ? "" : say(WORDS.nothingRuns));
    for (const node of this.speedButtons) {
      const speed = Number(node.dataset.speed);
      const on = speed === this.speed;
      node.setAttribute("aria-checked", String(on));
      node.tabIndex = on ? 0 : -1;
      named(node, speed ? this.pace(speed) : say(WORDS.speedFull));
      disabled(node, idle);
    }
    this.tell(alive);
  }

  /** Badge, state and figures. */
  tell(alive) {
    const { stage, facts } = this;
    const { model, words, watched, status } = stage;
    const say = (text, values) => words.say(text, values);
    const now = stage.shownStep === null;
    const alone = !alive ? "ended" : model.state === "queued" ? "waits" : "live";
    const badge = model.recorded ? "recorded" : now ? alone : "replay";
    this.badge.hidden = !watched || !status;
    this.badge.dataset.kind = badge;
    this.badge.classList.toggle("tf-moving", badge === "live" && MOVING.has(model.state));
    put(this.badgeText, say(WORDS[badge === "ended" ? model.state : badge] || ""));
    put(this.state, this.stateText());
    this.progress.setAttribute("aria-label", say(WORDS.progress));
    this.node.classList.toggle("tf-idle", !watched || !status);
    this.node.classList.toggle("tf-alive", alive);
    if (!status) {
      for (const fact of Object.values(facts)) put(fact, "");
      this.bar.style.transform = "scaleX(0)";
      return;
    }
    const preparing = model.state === "preparing" && status.share > 0;
    let share = Math.max(0, Math.min(1, (preparing ? status.share : status.progress) || 0));
    if (model.recorded && !now) share = Math.min(1, stage.shownStep / Math.max(1, model.last));
    this.bar.style.transform = `scaleX(${share})`;
    const percent = Math.floor(share * 100);
    this.progress.setAttribute("aria-valuenow", percent);
    put(facts.percent, `${percent} %`);
    const moving = alive && model.state === "running";
    const trained = status.trained_s > 0 ? this.timeText(status.trained_s, "Trained") : "";
    put(facts.left, moving ? this.timeText(status.left_s, "Left") : trained);
    const step = now ? status.step : stage.shownStep;
    // A training with an end of its own says where it is once it has read its data.
    const known = !["queued", "preparing"].includes(model.state);
    const steps = known && status.stop && status.stop.steps;
    put(facts.step, steps ? say(WORDS.stepOf, { step, steps }) : say(WORDS.stepAt, { step }));
    const passed = status.epoch >= 0 && status.step > 0;
    this.reserve({
      step: say(WORDS.stepOf, { step: Math.max(steps || 0, 88888), steps: Math.max(steps || 0, 88888) }),
      epoch: status.epoch >= 0 ? say(WORDS.epochAt, { epoch: words.fixed(8888, 1) }) : "",
      left: say(WORDS.minutesTrained, { minutes: 88 }),
      rate: alive ? say(WORDS.stepsPerSecond, { rate: 8888 }) : "",
      updates: alive ? say(WORDS.updatesPerSecond, { rate: 8 }) : "",
    });
    const epoch = passed ? (status.epoch * step) / status.step : 0;
    put(facts.epoch, passed ? say(WORDS.epochAt, { epoch: words.fixed(epoch, epoch < 100 ? 1 : 0) }) : "");
    const pace = status.steps_per_s;
    const rate = pace < 10 ? words.fixed(pace, 1) : words.number(Math.round(pace));
    put(facts.rate, moving ? say(WORDS.stepsPerSecond, { rate }) : "");
    const updates = say(WORDS.updatesPerSecond, { rate: words.fixed(stage.updates, 0) });
    put(facts.updates, moving ? updates : "");
    const skipped = model.skipped ? say(WORDS.skipped, { count: model.skipped }) : "";
    if (facts.updates.title !== skipped) facts.updates.title = skipped;
    put(facts.device, status.device ? status.device.toUpperCase() : "");
  }

  stateText() {
    const { model, words, watched, data } = this.stage;
    const { status } = model;
    if (!watched) return "";
    if (!status) return this.stage.link === "gone" ? "" : words.say(WORDS.connecting);
    if (model.recorded) {
      const preset = data.recordedAs ? words.say(data.recordedAs) : "";
      return preset ? words.say(WORDS.recordedRun, { preset }) : words.say(WORDS.recordedAny);
    }
    if (data.changed && this.does === "train") return words.say(WORDS.changed);
    if (model.state === "queued" && status.place) return words.say(WORDS.queuedAt, { place: status.place });
    if (model.ended && this.stage.shownStep === null) return "";
    const state = words.say(WORDS[model.state] || model.state);
    if (model.state === "preparing" && status.task) return `${state}: ${words.say(status.task)}`;
    return state;
  }

  /** Keep the room that the facts of this run take at their longest, so that what stands beside them does not move. */
  reserve(longest) {
    for (const [name, text] of Object.entries(longest)) {
      if (this.facts[name].dataset.longest !== text) this.facts[name].dataset.longest = text;
    }
  }

  /** A stretch of time in the unit that suits it; `what` is "Left" or "Trained". */
  timeText(seconds, what) {
    const { words } = this.stage;
    if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "";
    if (seconds < 90) return words.say(WORDS[`seconds${what}`], { seconds: Math.max(0, Math.round(seconds)) });
    if (seconds < 5400) return words.say(WORDS[`minutes${what}`], { minutes: Math.round(seconds / 60) });
    const hours = seconds / 3600;
    return words.say(WORDS[`hours${what}`], { hours: hours < 100 ? words.fixed(hours, 1) : Math.round(hours) });
  }
}
