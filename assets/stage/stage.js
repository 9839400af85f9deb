/**
 * The stage: what a person looks at while a network trains. The page mounts it once and hands it new data at every
 * rerun; the instance lives on its element, so that zoom, time line and socket survive a moved slider.
 *
 * @typedef {Object} Data what the page tells, see pages/parts/stage.py
 */

import { h } from "./dom.js";
import { Fixed } from "./fixed.js";
import { Keys } from "./keys.js";
import { baseOf, loadPlotly } from "./load.js";
import { Model } from "./model.js";
import { mounting } from "./mounted.js";
import { Notes } from "./notes.js";
import { Panels } from "./panels.js";
import { Play } from "./play.js";
import { Replay } from "./replay.js";
import { Link } from "./socket.js";
import { themeOf } from "./theme.js";
import { Timeline } from "./timeline.js";
import { Transport } from "./transport.js";
import { WORDS, Words, loadWords } from "./words.js";

export { baseOf };

export class Stage {
  constructor(host) {
    this.host = host;
    this.data = {};
    this.words = new Words();
    this.model = new Model();
    this.Plotly = null;
    this.link = "connecting";
    this.name = [...crypto.getRandomValues(new Uint8Array(12))].map((n) => n.toString(16).padStart(2, "0")).join("");
    this.socket = null;
    this.undrawn = null;
    this.drawn = null;
    this.drawnAt = [];
    this.touch = matchMedia("(pointer: coarse)").matches;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.root = h("div", { class: "tf-stage" });
    const fixedUrl = (run, panel) => this.url(`lab/runs/${encodeURIComponent(run)}/fixed/${encodeURIComponent(panel)}`);
    this.fixed = new Fixed(fixedUrl, () => this.panels.touch("*"));
    this.panels = new Panels(this);
    this.replay = new Replay(this);
    this.transport = new Transport(this, (what, value) => this.act(what, value));
    this.notes = new Notes(this, (what) => this.act(what));
    this.timeline = new Timeline(this, this.replay);
    this.keys = new Keys(this);
    this.play = new Play(this);
    this.transport.buttons.after(this.play.node);
    const { panels, play, transport, notes, timeline } = this;
    // Sentences come and go over the panels' foot: nothing above them moves.
    const foot = h("div", { class: "tf-foot" }, notes.node, timeline.node);
    this.root.append(transport.node, panels.node, foot, panels.dialog, play.dialog, notes.toasts);
    this.pulse = setInterval(() => this.beat(), 1000);
  }

  /** Take what the page tells. */
  async take(component) {
    const data = component.data || {};
    this.data = data;
    this.tell = component;
    this.base = baseOf(data.page);
    if (!this.root.isConnected) {
      const shown = () => this.root.style.removeProperty("visibility");
      const href = this.url("lab/assets/stage/stage.css");
      this.root.style.visibility = "hidden";
      this.style = h("link", { rel: "stylesheet", href, on: { load: shown, error: shown } });
      this.host.append(this.style, this.root);
    }
    if (!this.Plotly) {
      loadPlotly(this.url("lab/plotly.min.js")).then(
        (library) => {
          this.Plotly = library;
          this.panels.touch("*");
        },
        () => this.notes.toast(this.words.say(WORDS.noPlotly)),
      );
    }
    if (data.lang !== this.lang) {
      const words = await loadWords(data.lang, this.url(`lab/words/${data.lang}.json`));
      if (this.data !== data || this.gone) return;
      this.words = words;
      this.lang = data.lang;
      this.root.lang = data.lang === "zh" ? "zh-CN" : data.lang || "en";
    }
    this.dress();
    const declared = JSON.stringify([data.panels, data.metrics, data.fields, data.lang]);
    if (declared !== this.declared) this.panels.set(data.panels || []);
    this.declared = declared;
    this.transport.declare(data);
    this.play.declare(data);
    const watched = data.run || data.recorded || null;
    if (watched !== this.asked && watched !== this.model.id) this.watch(watched);
    this.asked = watched;
    const refused = JSON.stringify(data.refusal || null);
    if (data.refusal && refused !== this.refused) this.notes.toast(this.words.sentence(data.refusal));
    this.refused = refused;
    if (this.link !== "open") {
      // A stage that was mounted anew knows nothing yet: news alone would not do.
      if (data.batch && data.batch.type !== "hello" && !this.model.run) this.fallBack(this.needs());
      else if (data.batch) this.receive({ type: "update", ...data.batch });
      if (data.frame) this.receive({ ...data.frame, type: "frame", n: undefined });
    }
    this.viewChanged(false);
  }

  url(path) {
    return `${this.base}${path}?v=${encodeURIComponent(this.data.version || "")}`;
  }

  get watched() {
    return this.model.id;
  }

  /** Whether a run of the person's making is shown, not a recorded one. */
  get own() {
    return Boolean(this.watched) && !this.model.recorded && Boolean(this.model.status);
  }

  get metrics() {
    return this.data.metrics || [];
  }

  get fields() {
    return this.data.fields || {};
  }

  /** Zoom is kept while this stays the same. */
  get revision() {
    return this.model.id || "";
  }

  /** How the run stands in what is drawn; how it ends, or pauses, is told at once. */
  get status() {
    const { status } = this.model;
    return this.drawn && status && this.drawn.state === status.state ? this.drawn : status;
  }

  /** The step that is looked at; null while it is the moving end. */
  get shownStep() {
    return this.replay.step;
  }

  figureOf(name) {
    const replayed = this.shownStep !== null && this.replay.shown.has(name);
    const figure = replayed ? this.replay.shown.get(name) : this.model.figures.get(name);
    return this.fixed.fill(figure || (!replayed && this.old && this.old.get(name)) || null);
  }

  /** Whether a panel still shows the run before. */
  isOld(name) {
    return !this.model.figures.has(name) && !this.replay.shown.has(name) && Boolean(this.old && this.old.has(name));
  }

  /** Watch another run, or none; ``moved``: the server has sent this very socket there. */
  watch(id, moved = false) {
    const first = this.model.id === null;
    if (this.socket && !moved) {
      this.socket.close();
      this.socket = null;
    }
    this.old = new Map([...(this.old || []), ...this.model.figures]);
    this.model.reset(id);
    this.replay.reset();
    this.undrawn = null;
    this.drawn = null;
    if (!moved) this.link = "connecting";
    this.wish = id === this.data.run && first ? this.data.step : null;
    if (!first) this.address();
    this.play.close();
    if (id && !moved) this.connect();
    this.panels.begin();
  }

  connect() {
    const run = () => `lab/runs/${encodeURIComponent(this.model.id)}/live`;
    this.socket = new Link({
      url: () => `${this.base.replace(/^http/, "ws")}${run()}?since=${this.model.seq}&stage=${this.name}`,
      receive: (message) => this.receive(message),
      changed: (state) => {
        this.link = state;
        if (state === "gone" && this.model.status) {
          this.model.status = { ...this.model.status, state: "stopped", resumable: false };
        }
        if (state === "open" && this.fellBack) this.fallBack(null);
        else if (state === "none") this.fallBack(this.needs());
        this.viewChanged(false);
      },
    });
  }

  /** Ask the page to feed this stage, or (null) to stop doing so. */
  fallBack(wish) {
    this.fellBack = wish;
    this.tell.setStateValue("fallback", wish);
  }

  /** What a stage that is fed by the page asks of it: what is new of which run, the panels in sight, the step it lacks. */
  needs() {
    return { run: this.model.id, since: this.model.seq, panels: this.panels.inSight(), step: this.replay.missing };
  }

  receive(message) {
    if (this.play.take(message)) return;
    if (message.type === "refused") {
      this.notes.toast(this.words.sentence(message.sentence));
      return;
    }
    for (const figure of Object.values(message.panels || {})) this.fixed.expect(figure, this.model.id);
    if (message.type === "frame") {
      this.replay.take(message);
      return;
    }
    if (message.type === "moved") {
      this.watch(message.run, true); // the page follows when it has been drawn anew
      return;
    }
    if (message.type === "hello") {
      this.model.hello(message);
      this.transport.speed = message.status.speed || 0; // as it was left; from here on the buttons know best
      this.undrawn = null;
      if (this.link === "open") this.see(true);
      this.begin();
    } else if (message.type === "update") {
      this.model.take(message);
      if (message.n !== undefined) this.undrawn = message.n;
    } else return;
    if (message.rewind !== undefined) this.replay.cache.clear();
    if (this.model.ended && this.drawn?.state !== this.model.state) this.panels.touch("*"); // nothing more is to come
    const grown = Object.keys(message.curves || {}).length || (message.marks || []).length;
    if (grown || message.type === "hello") this.panels.touch("curves");
    if (this.shownStep === null) for (const name of Object.keys(message.panels || {})) this.panels.touch(name);
    this.panels.schedule();
    // The bar tells the step that is drawn, not one that the pictures have yet to reach.
    const drawing = this.Plotly && this.panels.due;
    if (message.type === "hello" || !drawing || this.drawn?.state !== this.model.state) this.tellDrawn();
    if (this.fellBack && this.link === "none") this.fedBack();
  }

  /** Where the page feeds: tell it how far it was understood, once a second at the most, sooner where one looks back. */
  fedBack(wait = 1000) {
    if (this.feeding && wait >= 1000) return;
    clearTimeout(this.feeding);
    this.feeding = setTimeout(() => {
      this.feeding = 0;
      if (!this.fellBack || this.gone) return;
      const wish = this.needs();
      if (JSON.stringify(wish) !== JSON.stringify(this.fellBack)) this.fallBack(wish);
    }, wait);
  }

  /** The first hello of a run: a recorded one plays, a step in the address is looked up. */
  begin() {
    if (this.begun === this.model.id) return;
    this.begun = this.model.id;
    if (this.model.recorded) {
      if (!this.calm && this.link === "open") this.replay.play();
    } else if (this.wish !== null && this.wish !== undefined) this.replay.go(this.wish);
    this.wish = null;
  }

  send(message) {
    return Boolean(this.socket) && this.socket.send(message);
  }

  /** Tell which panels are in sight, where that changed or a new connection has to be told. */
  see(anew = false) {
    const panels = this.panels.inSight();
    const key = panels.join("|");
    if (!anew && key === this.told) return;
    if (this.send({ type: "see", panels })) this.told = key;
    else if (this.fellBack) this.fedBack();
  }

  sightChanged() {
    clearTimeout(this.sighting);
    this.sighting = setTimeout(() => {
      this.see();
      this.replay.fetch();
    }, 60);
  }

  /** All that was due is drawn: the bar may say so, and the server may send more. */
  allDrawn() {
    if (!this.transport.stepButtons) return;
    this.tellDrawn();
    if (this.undrawn === null) return;
    this.send({ type: "drawn", n: this.undrawn });
    this.undrawn = null;
  }

  /** How often a second the foremost picture in sight was drawn anew, over the last two. */
  get updates() {
    const since = performance.now() - 2000;
    this.drawnAt = this.drawnAt.filter((at) => at > since);
    return this.drawnAt.length / 2;
  }

  /** A button was pressed. */
  act(what, value = null) {
    const trigger = (action) => this.tell.setTriggerValue("action", action);
    if (what === "train" || what === "restart") {
      this.replay.pause();
      this.panels.hold();
      trigger({ do: what, stage: this.name });
    } else if (what === "continue") trigger({ do: "resume" });
    else {
      if (what === "speed") this.transport.speed = value;
      if (this.shownStep !== null && (what === "resume" || what === "step")) this.replay.live();
      this.command(what, value, trigger);
      this.transport.update();
    }
  }

  command(what, value, trigger) {
    const message = { type: "command", do: what };
    if (value !== null) message.value = value;
    if (!this.send(message)) trigger({ do: "command", command: what, value });
  }

  /** Something in the view changed: which step is looked at, or how. */
  viewChanged(drawn = true) {
    if (!this.transport.stepButtons) return;
    this.tellView();
    if (drawn) {
      this.panels.touch("*");
      this.address();
    }
  }

  /** The pictures show what is known. */
  tellDrawn() {
    this.drawn = this.model.status;
    this.tellView();
  }

  /** Bring all but the pictures up to date. */
  tellView() {
    this.transport.update();
    this.timeline.update();
    this.notes.update();
    this.play.update();
  }

  /** Keep the step that is looked at in the address, so that a link leads there. */
  address() {
    clearTimeout(this.writing);
    this.writing = setTimeout(() => {
      if (this.gone || this.model.recorded) return;
      const url = new URL(location.href);
      if (this.shownStep === null || this.replay.playing) url.searchParams.delete("step");
      else url.searchParams.set("step", this.shownStep);
      if (url.href !== location.href) history.replaceState(history.state, "", url);
    }, 250);
  }

  /** Take the theme's colours, and draw anew where they changed. */
  dress() {
    const theme = themeOf(this.root);
    if (this.theme && this.theme.key === theme.key) return;
    this.theme = theme;
    this.root.classList.toggle("tf-dark", theme.dark);
    this.panels.touch("*");
  }

  beat() {
    if (!this.theme || !this.transport.stepButtons) return;
    this.dress();
    this.transport.update();
  }

  stop() {
    this.gone = true;
    clearInterval(this.pulse);
    clearTimeout(this.feeding);
    this.replay.pause();
    if (this.socket) this.socket.close();
    this.keys.stop();
    this.play.stop();
    this.panels.stop();
    this.root.remove();
    if (this.style) this.style.remove();
  }
}

export default mounting((host) => new Stage(host));
