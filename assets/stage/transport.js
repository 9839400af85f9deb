/** The bar that controls the training and shows how it goes. It has no state of its own: all is drawn from the run. */

import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { button, element, icon, pressed } from "./dom.js";
import { continueButton } from "./notes.js";
import { WORDS, wordOf } from "./words.js";

/**
 * @typedef {import("./dom.js").TemplateResult} TemplateResult
 * @typedef {import("./words.js").Words} Words
 * @typedef {import("./viewed_run.js").ViewedRun} ViewedRun
 * @typedef {import("./run_model.js").RunModel} RunModel
 * @typedef {import("./messages.js").RunStatus} RunStatus
 *
 * @typedef {"train"|"restart"|"continue"|import("./messages.js").Command} Action what a button does
 *
 * @typedef {Object} TransportView
 * @property {ViewedRun} run
 * @property {import("./messages.js").PageData} page
 * @property {Words} words
 * @property {number} updatesPerSecond how often the hero panel is drawn
 * @property {boolean} canContinue whether "Continue this run" is offered here
 * @property {TemplateResult[]} probeButtons
 */

const MOVING = new Set(["running", "resumed", "preparing"]);
/** In the place of a part: the rest of a round. */
const ROUND = "round";
const SPEEDS = [1, 5, 25, 0];

/**
 * What the primary button does now.
 * @param {ViewedRun} run
 * @returns {"train"|"pause"|"resume"}
 */
export function primaryAction({ id, model, connectionState }) {
  if (id === null || model.recorded || model.ended || connectionState === "missing") return "train";
  return model.state === "paused" ? "resume" : "pause";
}

/**
 * Why the primary button cannot be pressed, "" where it can.
 * @param {ViewedRun} run
 */
export function primaryObstacle(run) {
  if (primaryAction(run) === "train") return "";
  if (!run.model.status) return WORDS.connecting;
  if (isForeign(run.model)) return WORDS.watching;
  return run.model.state === "queued" ? WORDS.waitsInQueue : "";
}

/**
 * Why no step can be made, "" where one can.
 * @param {ViewedRun} run
 */
export function stepObstacle({ model }) {
  return controlObstacle(model) || (model.state === "queued" ? WORDS.waitsInQueue : "");
}

/** Whether the run belongs to somebody else. @param {RunModel} model */
const isForeign = (model) => model.own && !model.mine;

/** Whether it is a person's run that has not ended. @param {RunModel} model */
const isAlive = (model) => model.own && !model.ended;

/** Why a run cannot be controlled, "" where it can. @param {RunModel} model */
function controlObstacle(model) {
  if (isForeign(model)) return WORDS.watching;
  return isAlive(model) ? "" : WORDS.nothingRuns;
}

export class Transport {
  node = element("section", { className: "tf-transport" });
  /** Of the radio buttons: two stages must not share one. */
  #group = `tf-speed-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  #onAction;

  /** @param {(action: Action, value?: number|string|null) => void} onAction */
  constructor(onAction) {
    this.#onAction = onAction;
  }

  /** @param {TransportView} view */
  update(view) {
    const { run, words } = view;
    this.node.setAttribute("aria-label", words.translate(WORDS.transport));
    this.node.classList.toggle("tf-idle", !run.status);
    this.node.classList.toggle("tf-alive", isAlive(run.model));
    render([this.#controls(view), run.status ? progress(view, run.status) : progressLine(words, 0, "", [])], this.node);
  }

  /** @param {TransportView} view */
  #controls(view) {
    const { run, page, words } = view;
    const parts = page.parts && page.parts.length ? [...page.parts, ROUND] : [""];
    const speeds = page.speeds || SPEEDS;
    return html`<div class="tf-row">
      ${this.#primary(view)}
      <span class="tf-group">
        <span class="tf-group">${parts.map((part) => this.#stepButton(view, part))}</span>
        ${this.#iconButton("stop", words.translate(controlObstacle(run.model)), words)}
        ${this.#iconButton("restart", words.translate(restartObstacle(run.model)), words)}
      </span>
      <span class="tf-group tf-probes" ?hidden=${!view.probeButtons.length}>${view.probeButtons}</span>
      <span class="tf-group tf-speed">
        <span class="tf-speed-label" aria-hidden="true">${words.translate(WORDS.speed)}</span>
        <span class="tf-speeds" role="radiogroup" aria-label=${words.translate(WORDS.speed)}>
          ${speeds.map((speed) => this.#speedButton(view, speed))}
        </span>
      </span>
      ${place(view)} ${this.#trainAgain(view)}
      ${view.canContinue ? continueButton(words, () => this.#onAction("continue")) : nothing}
    </div>`;
  }

  /** @param {TransportView} view */
  #primary({ run, page, words }) {
    const action = primaryAction(run);
    const marked = page.changed && action === "train" && run.id !== null && !run.model.recorded;
    const options = {
      kind: `tf-button tf-primary ${marked ? "tf-marked" : ""}`,
      name: words.translate(wordOf(action)),
      hint: words.translate(marked ? WORDS.changed : wordOf(`${action}Hint`)),
      obstacle: words.translate(primaryObstacle(run)),
      onPress: () => this.#onAction(action),
    };
    return button(options, html`${icon(action === "pause" ? "pause" : "play")}<span>${options.name}</span>`);
  }

  /** @param {TransportView} view @param {string} part "" where the experiment has none */
  #stepButton({ run, words }, part) {
    const { model, speed } = run;
    const obstacle = words.translate(stepObstacle(run));
    const name =
      part === ROUND
        ? words.translate(WORDS.stepRound)
        : words.translate(part ? WORDS.stepPart : WORDS.step, { part: words.translate(part) });
    // Step by step and in slow motion one sees which part was the last.
    const slow = model.state === "paused" || (model.state === "running" && speed > 0);
    const active = part !== "" && isAlive(model) && slow && run.status?.part === part;
    return html`<button type="button" class="tf-button tf-icon-button ${active ? "tf-active" : ""}" data-part=${part}
      aria-label=${name} title=${obstacle || (part ? name : words.translate(WORDS.stepHint))}
      ?disabled=${obstacle !== ""} @click=${pressed(() => this.#onAction("step", part || null))}
      >${icon("step")}${part ? html`<span class="tf-part">${words.translate(part)}</span>` : nothing}</button>`;
  }

  /** @param {"stop"|"restart"} action @param {string} obstacle @param {Words} words */
  #iconButton(action, obstacle, words) {
    const options = {
      kind: "tf-button tf-icon-button",
      name: words.translate(wordOf(action)),
      hint: words.translate(wordOf(`${action}Hint`)),
      obstacle,
      onPress: () => this.#onAction(action),
    };
    return button(options, icon(action));
  }

  /** @param {TransportView} view @param {number} speed */
  #speedButton({ run, words }, speed) {
    const obstacle = words.translate(controlObstacle(run.model));
    const name = words.translate(
      speed === 0 ? WORDS.speedFull : speed === 1 ? WORDS.speedOne : WORDS.speedSlow,
      { speed },
    );
    return html`<label class="tf-speed-button" title=${obstacle || name}>
      <input type="radio" name=${this.#group} aria-label=${name} .checked=${speed === run.speed}
        ?disabled=${obstacle !== ""} @click=${pressed(() => {})}
        @change=${() => this.#onAction("speed", speed)} />${speed || words.translate(WORDS.full)}
    </label>`;
  }

  /** Train with other settings, or one's own, beside a run that goes on. @param {TransportView} view */
  #trainAgain({ run, page, words }) {
    const { model } = run;
    const foreign = isForeign(model);
    const changed = page.changed && model.mine && page.run === run.id;
    if (primaryAction(run) === "train" || (!foreign && !changed)) return nothing;
    const name = words.translate(foreign ? WORDS.trainOwn : WORDS.trainChanged);
    const hint = words.translate(foreign ? WORDS.trainHint : WORDS.changed);
    return button({ kind: "tf-button tf-again", name, hint, onPress: () => this.#onAction("train") }, name);
  }
}

/** Why the run cannot be made again, "" where it can. @param {RunModel} model */
function restartObstacle(model) {
  if (isForeign(model)) return WORDS.watching;
  return model.own ? "" : WORDS.nothingRuns;
}

/** Badge and state: where the run is. @param {TransportView} view */
function place(view) {
  const { run, words } = view;
  const { model } = run;
  const now = run.shownStep === null;
  const live = !isAlive(model) ? "ended" : model.state === "queued" ? "waits" : "live";
  const kind = model.recorded ? "recorded" : now ? live : "replay";
  const moving = kind === "live" && MOVING.has(model.state);
  const badge = words.translate(wordOf(kind === "ended" ? model.state : kind));
  return html`<span class="tf-group tf-where" role="status">
    <span class="tf-badge ${moving ? "tf-moving" : ""}" data-kind=${kind} ?hidden=${!run.status}
      ><span class="tf-pulse"></span><span>${badge}</span></span
    >
    <span class="tf-state">${stateText(view)}</span>
  </span>`;
}

/** @param {TransportView} view */
function stateText({ run, page, words }) {
  const { model } = run;
  const { status } = model;
  if (run.id === null) return "";
  if (!status) return run.connectionState === "missing" ? "" : words.translate(WORDS.connecting);
  if (model.recorded) {
    const preset = page.recordedAs ? words.translate(page.recordedAs) : "";
    return preset ? words.translate(WORDS.recordedRun, { preset }) : words.translate(WORDS.recordedAny);
  }
  if (page.changed && primaryAction(run) === "train") return words.translate(WORDS.changed);
  if (model.state === "queued" && status.place) return words.translate(WORDS.queuedAt, { place: status.place });
  if (model.ended && run.shownStep === null) return "";
  const state = words.translate(wordOf(model.state) || model.state);
  if (model.state === "preparing" && status.task) return `${state}: ${words.translate(status.task)}`;
  return state;
}

/**
 * A fact of the progress line. `longest` keeps the width that it takes at its longest in this run, so that what is
 * beside it does not move.
 * @typedef {{text: string, longest?: string, title?: string}} Fact
 */

const FACTS = ["step", "epoch", "device", "left", "rate", "updates"];

/** @param {Words} words @param {number} share done @param {string} percent @param {Fact[]} facts in the order of FACTS */
function progressLine(words, share, percent, facts) {
  const cells = FACTS.map((name, i) => {
    const { text = "", longest = "", title = "" } = facts[i] || {};
    return html`<span class="tf-fact tf-fact-${name}" data-longest=${longest} title=${title}>${text}</span>`;
  });
  return html`<div class="tf-row tf-status">
    <span class="tf-fact tf-fact-percent">${percent}</span>
    <span class="tf-bar" role="progressbar" aria-valuemin="0" aria-valuemax="100"
      aria-valuenow=${Math.floor(share * 100)} aria-label=${words.translate(WORDS.progress)}><span class="tf-bar-fill" style="transform: scaleX(${share})"></span
    ></span>
    <span class="tf-facts">${cells}</span>
  </div>`;
}

/** Progress and figures. @param {TransportView} view @param {RunStatus} status */
function progress({ run, words, updatesPerSecond }, status) {
  const { model, shownStep } = run;
  const alive = isAlive(model);
  const now = shownStep === null;
  const preparing = model.state === "preparing" && status.share > 0;
  let share = Math.max(0, Math.min(1, (preparing ? status.share : status.progress) || 0));
  if (model.recorded && !now) share = Math.min(1, shownStep / Math.max(1, model.lastStep));
  const moving = alive && model.state === "running";
  const trained = status.trained_s > 0 ? duration(status.trained_s, "Trained", words) : "";
  const step = now ? status.step : shownStep;
  // A training with an end of its own has it in its status once it has read its data.
  const known = !["queued", "preparing"].includes(model.state);
  const steps = (known && status.stop && status.stop.steps) || 0;
  const inEpochs = status.epoch >= 0 && status.step > 0;
  const epoch = inEpochs ? (status.epoch * step) / status.step : 0;
  const perSecond = status.steps_per_s;
  const rate = perSecond < 10 ? words.decimals(perSecond, 1) : words.number(Math.round(perSecond));
  const updates = words.decimals(updatesPerSecond, 0);
  const most = Math.max(steps, 88888);
  return progressLine(words, share, `${Math.floor(share * 100)} %`, [
    {
      text: words.translate(steps ? WORDS.stepOf : WORDS.stepAt, { step, steps }),
      longest: words.translate(WORDS.stepOf, { step: most, steps: most }),
    },
    {
      text: inEpochs ? words.translate(WORDS.epochAt, { epoch: words.decimals(epoch, epoch < 100 ? 1 : 0) }) : "",
      longest: status.epoch >= 0 ? words.translate(WORDS.epochAt, { epoch: words.decimals(8888, 1) }) : "",
    },
    { text: status.device ? status.device.toUpperCase() : "" },
    {
      text: moving ? duration(status.left_s, "Left", words) : trained,
      longest: words.translate(WORDS.minutesTrained, { minutes: 88 }),
    },
    {
      text: moving ? words.translate(WORDS.stepsPerSecond, { rate }) : "",
      longest: alive ? words.translate(WORDS.stepsPerSecond, { rate: 8888 }) : "",
    },
    {
      text: moving ? words.translate(WORDS.updatesPerSecond, { rate: updates }) : "",
      longest: alive ? words.translate(WORDS.updatesPerSecond, { rate: 8 }) : "",
      title: model.skipped ? words.translate(WORDS.skipped, { count: model.skipped }) : "",
    },
  ]);
}

/**
 * A stretch of time in the unit that suits it.
 * @param {number|null} seconds
 * @param {"Left"|"Trained"} what
 * @param {Words} words
 */
function duration(seconds, what, words) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "";
  if (seconds < 90) return words.translate(wordOf(`seconds${what}`), { seconds: Math.max(0, Math.round(seconds)) });
  if (seconds < 5400) return words.translate(wordOf(`minutes${what}`), { minutes: Math.round(seconds / 60) });
  const hours = seconds / 3600;
  return words.translate(wordOf(`hours${what}`), { hours: hours < 100 ? words.decimals(hours, 1) : Math.round(hours) });
}
