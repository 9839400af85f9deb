/**
 * The stage: the panels, the transport bar and the time line of a run. The page mounts it once and hands it new data at
 * every rerun; the instance is kept on its element, so that zoom, time line and connection survive a moved slider.
 *
 * The stage owns the layout and the runs being viewed. Panels and bars are handed what they draw, and report what a
 * person does; a run reports what has changed.
 */

import { component } from "./component.js";
import { element } from "./dom.js";
import { Keys } from "./keys.js";
import { baseOf, loadPlotly } from "./load.js";
import { Notes, Toasts, noteOf } from "./notes.js";
import { Panels } from "./panels.js";
import { ProbeDialog } from "./probe_dialog.js";
import { themeOf } from "./theme.js";
import { Timeline } from "./timeline.js";
import { Transport, primaryAction, primaryObstacle, stepObstacle } from "./transport.js";
import { ViewedRun } from "./viewed_run.js";
import { WORDS, Words, loadWords } from "./words.js";

export { baseOf };

/**
 * @typedef {import("./messages.js").PageData} PageData
 * @typedef {import("./component.js").StreamlitComponent} StreamlitComponent
 * @typedef {import("./viewed_run.js").Extent} Extent
 */

/** Milliseconds between two checks of what no event reports: the theme, and the rate of drawing. */
const BEAT_MS = 1000;

/** Milliseconds that a step has to be shown before the address names it. */
const ADDRESS_MS = 250;

/** @type {PageData} before the page has handed over any */
const NO_PAGE = {
  page: "", version: "", lang: "en", run: null, recorded: null, mine: false, step: null, keys: false, panels: [],
  metrics: [], fields: {}, speeds: [], parts: [], probes: [], changed: false, batch: null, refusal: null,
};

export class Stage {
  /** Where it is mounted. */
  #parent;
  #root = element("div", { className: "tf-stage" });
  /** @type {HTMLLinkElement|null} */
  #style = null;
  /** Actions that were passed to the page. */
  #actions = 0;
  /** By which the server can move this browser's connection to another run. */
  #name = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  #gone = false;

  /** What the page handed over last. */
  #page = NO_PAGE;
  /** @type {StreamlitComponent|null} by which the page is answered */
  #component = null;
  /** The app's address. */
  #base = "";
  #words = new Words();
  /** @type {string|null} of the words that are loaded, or on their way */
  #lang = null;
  /** The declaration of the panels that are shown, to see when it changes. */
  #declared = "";
  /** The refusal that was shown last, likewise. */
  #refusal = "null";
  /** @type {string|null} the run that the page named last: it may lag behind the one that is viewed */
  #pageRun = null;
  /** Whether the words have been there and all can be shown. */
  #ready = false;

  /** @type {import("./load.js").PlotlyLibrary|null} */
  #plotly = null;
  /** Whether it is on its way. */
  #plotlyExpected = false;
  #theme = themeOf(document.documentElement);
  #touch = matchMedia("(pointer: coarse)").matches;
  #reducedMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;

  /** @type {ViewedRun} the run that the page is about */
  #run;
  #panels;
  #transport;
  #notes;
  #toasts = new Toasts();
  #timeline = new Timeline();
  #probeDialog;
  #keys;
  /** @type {ReturnType<typeof setInterval>} */
  #beat;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #addressTimer;

  /** @type {import("./viewed_run.js").ViewedRunEvents} */
  #runEvents = {
    onNews: (run, panels, extents) => this.#showNews(run, panels, extents),
    onFigures: () => this.#panels.invalidateAll(),
    onStep: () => {
      this.#showStep();
      this.#keepAddress();
    },
    onPlaying: () => {
      this.#updateBars();
      this.#keepAddress();
    },
    onConnection: () => this.#updateBars(),
    onMoved: (run, id) => this.#view(id, run),
    onProbe: (run, message) => this.#probeDialog.receive(message),
    onRefused: (run, sentence) => this.#toasts.show(this.#words.sentence(sentence), this.#words),
    onFeedRequest: (run, request) => this.#component?.setStateValue("fallback", request),
  };

  /** @param {Element} parent */
  constructor(parent) {
    this.#parent = parent;
    this.#run = this.#makeRun(null);
    this.#panels = new Panels(this.#display, {
      onSight: (names) => this.#run.setPanelsInSight(names),
      onDrawn: () => {
        this.#run.acknowledge();
        this.#updateBars();
      },
      onDialog: (dialog) => this.#showToastsIn(dialog),
      onChoice: (chosen) => this.#act("setting", chosen),
    });
    this.#transport = new Transport((action, value) => this.#act(action, value));
    this.#notes = new Notes(() => this.#act("continue"));
    this.#probeDialog = new ProbeDialog({
      onDialog: (dialog) => {
        this.#showToastsIn(dialog);
        // The panels behind the dialog would take its time.
        if (dialog) this.#panels.suspend();
        else this.#panels.resume();
      },
      onRefused: (text) => this.#toasts.show(text, this.#words),
    });
    this.#keys = new Keys({
      onSpace: () => this.#playOrPause(),
      onLeft: () => this.#run.shownStep !== null && this.#moveReplay(-1),
      onRight: () => this.#stepOrMoveReplay(),
    });
    // Sentences come and go over the panels' foot: nothing above them moves.
    const foot = element("div", { className: "tf-foot" });
    foot.append(this.#notes.node, this.#timeline.node);
    this.#root.append(this.#transport.node, this.#panels.node, foot);
    this.#root.append(this.#panels.dialog, this.#probeDialog.dialog, this.#toasts.node);
    this.#beat = setInterval(() => this.#updateUnreported(), BEAT_MS);
  }

  /**
   * Take what the page hands over.
   * @param {StreamlitComponent} given
   */
  async update(given) {
    const page = { ...NO_PAGE, .../** @type {Partial<PageData>} */ (given.data || {}) };
    this.#page = page;
    this.#component = given;
    this.#base = baseOf(page.page);
    this.#mount();
    this.#loadPlotly();
    if (page.lang !== this.#lang) {
      const words = await loadWords(page.lang, this.#url(`lab/words/${page.lang}.json`));
      if (this.#page !== page || this.#gone) return;
      this.#words = words;
      this.#lang = page.lang;
      this.#root.lang = page.lang === "zh" ? "zh-CN" : page.lang || "en";
    }
    this.#ready = true;
    this.#applyTheme();
    this.#panels.show(this.#display);
    const declared = JSON.stringify([page.panels, page.metrics, page.fields, page.lang]);
    if (declared !== this.#declared) {
      this.#panels.declare(page.panels);
      this.#run.setSnapshotPanels(this.#panels.snapshots);
      this.#run.setPanelsInSight(this.#panels.snapshotsInSight);
    }
    this.#declared = declared;
    this.#keys.enabled = page.keys;
    const named = page.run || page.recorded || null;
    if (named !== this.#pageRun && named !== this.#run.id) this.#view(named);
    this.#pageRun = named;
    const refusal = JSON.stringify(page.refusal);
    if (page.refusal && refusal !== this.#refusal) this.#toasts.show(this.#words.sentence(page.refusal), this.#words);
    this.#refusal = refusal;
    this.#run.receiveFeed(page.batch, page.frame);
    this.#updateBars();
  }

  /** The stage has left the page. */
  destroy() {
    this.#gone = true;
    clearInterval(this.#beat);
    clearTimeout(this.#addressTimer);
    this.#run.close();
    this.#keys.stop();
    this.#probeDialog.stop();
    this.#panels.stop();
    this.#root.remove();
    this.#style?.remove();
  }

  /** @returns {import("./panel.js").Display} */
  get #display() {
    return {
      run: this.#run,
      words: this.#words,
      theme: this.#theme,
      plotly: this.#plotly,
      fields: this.#page.fields,
      metrics: this.#page.metrics,
      touch: this.#touch,
    };
  }

  /** @param {string} path */
  #url(path) {
    return `${this.#base}${path}?v=${encodeURIComponent(this.#page.version)}`;
  }

  #mount() {
    if (this.#root.isConnected) return;
    const show = () => this.#root.style.removeProperty("visibility");
    this.#root.style.visibility = "hidden"; // until it has its style
    this.#style = element("link", { rel: "stylesheet", href: this.#url("lab/assets/stage/stage.css") });
    this.#style.addEventListener("load", show);
    this.#style.addEventListener("error", show);
    this.#parent.append(this.#style, this.#root);
  }

  #loadPlotly() {
    if (this.#plotly || this.#plotlyExpected) return;
    this.#plotlyExpected = true;
    loadPlotly(this.#url("lab/plotly.min.js"))
      .then(
        (library) => {
          this.#plotly = library;
          this.#redraw();
        },
        () => this.#toasts.show(this.#words.translate(WORDS.noPlotly), this.#words),
      )
      .finally(() => (this.#plotlyExpected = false));
  }

  /**
   * A run to view in the place of the one that is viewed, which is closed; null for none.
   * @param {string|null} id
   * @param {ViewedRun|null} predecessor
   * @param {import("./connection.js").Connection|null} connection
   */
  #makeRun(id, predecessor = null, connection = null) {
    const { version, run, step } = this.#page;
    const first = predecessor !== null && predecessor.id === null;
    return new ViewedRun({
      id,
      base: this.#base,
      version,
      stage: this.#name,
      snapshotPanels: predecessor ? this.#panels.snapshots : [],
      panelsInSight: predecessor ? this.#panels.snapshotsInSight : [],
      events: this.#runEvents,
      step: first && id === run ? step : null,
      autoplay: !this.#reducedMotion,
      predecessor,
      connection,
    });
  }

  /**
   * View another run, or none.
   * @param {string|null} id
   * @param {ViewedRun|null} moved the run whose connection the server has moved to this one; the page follows
   */
  #view(id, moved = null) {
    const predecessor = this.#run;
    const connection = moved ? moved.releaseConnection() : null;
    predecessor.close();
    this.#run = this.#makeRun(id, predecessor, connection);
    if (predecessor.id !== null) this.#keepAddress();
    this.#probeDialog.close();
    this.#panels.show(this.#display);
    this.#panels.begin();
  }

  /**
   * The run has changed.
   * @param {ViewedRun} run
   * @param {string[]} panels whose newest figures have changed
   * @param {Set<Extent>} extents
   */
  #showNews(run, panels, extents) {
    if (extents.has("all")) this.#panels.invalidateAll();
    if (extents.has("curves")) this.#panels.invalidateCurves();
    this.#panels.invalidate(panels);
    // The bar shows the step that is drawn, not one that the figures have yet to reach.
    if (this.#panels.drawing && run.stateDrawn && !extents.has("hello")) return;
    run.showStatus();
    this.#updateBars();
  }

  /** Another step is shown. */
  #showStep() {
    this.#updateBars();
    this.#panels.invalidateAll();
  }

  /** Draw everything again: its theme or its library has changed. */
  #redraw() {
    this.#panels.show(this.#display);
    this.#panels.invalidateAll();
    this.#updateBars();
  }

  /** Bring all but the panels up to date. */
  #updateBars() {
    if (!this.#ready || this.#gone) return;
    const { fields, probes } = this.#page;
    const run = this.#run;
    const words = this.#words;
    const note = noteOf(run, words);
    const probeView = { run, words, theme: this.#theme, plotly: this.#plotly };
    this.#transport.update({
      run,
      words,
      page: this.#page,
      updatesPerSecond: this.#panels.heroRate,
      canContinue: note.canContinue && !note.text, // else its button is beside the text
      probeButtons: this.#probeDialog.buttons(probes, probeView),
    });
    this.#timeline.update({ run, fields, words });
    this.#notes.update(note, words);
    this.#probeDialog.update(probes, probeView);
    this.#root.dataset.run = run.id || "";
  }

  /** What no event reports. */
  #updateUnreported() {
    if (!this.#ready) return;
    this.#applyTheme();
    this.#updateBars();
  }

  /** Take the theme's colours, and draw again where they have changed. */
  #applyTheme() {
    const theme = themeOf(this.#root);
    this.#root.classList.toggle("tf-dark", theme.dark);
    if (this.#theme.key === theme.key) return;
    this.#theme = theme;
    this.#redraw();
  }

  /** @param {HTMLDialogElement|null} dialog: what lies outside an open one lies under it */
  #showToastsIn(dialog) {
    (dialog || this.#root).append(this.#toasts.node);
  }

  /**
   * A button was pressed, or a point clicked.
   * @param {import("./transport.js").Action} action
   * @param {import("./messages.js").CommandValue|null} value
   */
  #act(action, value = null) {
    // The page carries an action out once, however often a busy server is sent it.
    const id = `${this.#name}.${(this.#actions += 1)}`;
    const trigger = (/** @type {Object} */ what) => this.#component?.setTriggerValue("action", { ...what, id });
    if (action === "train" || action === "restart") {
      this.#run.replay.pause();
      this.#panels.hold();
      trigger({ do: action, stage: this.#name });
    } else if (action === "continue") trigger({ do: "resume" });
    else {
      if (!this.#run.command(action, value)) trigger({ do: "command", command: action, value });
      else if (action === "setting") trigger({ do: "follow", value }); // its control shows it, too
      this.#updateBars();
    }
  }

  /** Whether the run can be controlled by the person. */
  get #controllable() {
    const { model } = this.#run;
    return model.own && !model.ended && model.mine;
  }

  /** Space: pause or resume the training, or the replay of one that has ended. */
  #playOrPause() {
    const { model, replay } = this.#run;
    if (this.#controllable) {
      if (!primaryObstacle(this.#run)) this.#act(primaryAction(this.#run));
    } else if (model.ended || model.recorded) replay.toggle();
    else return false;
    return true;
  }

  /** The right arrow: one step of the training, whichever part is next, or the next frame of the replay. */
  #stepOrMoveReplay() {
    if (!this.#controllable || this.#run.shownStep !== null) return this.#moveReplay(1);
    if (!stepObstacle(this.#run)) this.#act("step");
    return true;
  }

  /** @param {number} by kept frames */
  #moveReplay(by) {
    const { replay } = this.#run;
    if (!replay.steps.length) return false;
    replay.pause();
    replay.move(by);
    return true;
  }

  /** Keep the step that is shown in the address, so that a link leads there. */
  #keepAddress() {
    clearTimeout(this.#addressTimer);
    this.#addressTimer = setTimeout(() => {
      const { model, replay } = this.#run;
      if (this.#gone || model.recorded) return;
      const url = new URL(location.href);
      if (replay.step === null || replay.playing) url.searchParams.delete("step");
      else url.searchParams.set("step", String(replay.step));
      if (url.href !== location.href) history.replaceState(history.state, "", url);
    }, ADDRESS_MS);
  }
}

export default component((parent) => new Stage(parent));
