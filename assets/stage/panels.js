/**
 * The grid of panels: hero, side, below, and those folded away until wanted. It knows which are in sight, and draws
 * those that changed, one after another within a frame's time; a panel out of sight is neither requested nor drawn.
 */

import { html, render } from "../vendor/lit-html/lit-html.js";
import { element, icon, pressed } from "./dom.js";
import { Panel } from "./panel.js";
import { readStored, store } from "./storage.js";
import { WORDS } from "./words.js";

/**
 * @typedef {import("./panel.js").Display} Display
 * @typedef {import("./messages.js").PanelSpec} PanelSpec
 *
 * @typedef {Object} PanelsEvents
 * @property {(names: string[]) => void} onSight other snapshot panels are in sight
 * @property {() => void} onDrawn all that waited is drawn
 * @property {(dialog: HTMLDialogElement|null) => void} onDialog a panel is enlarged in this dialog, or no longer
 * @property {(chosen: import("./messages.js").ChosenValue) => void} onChoice a clicked point gives a setting this value
 */

/** So long the old run is not drawn after another was requested. */
const HOLD_MS = 1500;

/** Longest stretch of drawing in one animation frame; what remains comes in the next one. */
const SLICE_MS = 24;

/** Width of the grid, in pixels, beyond which type is larger. */
const WIDE = 1400;

/** Milliseconds that the panels in sight have to stay the same before they are reported. */
const SIGHT_MS = 60;

/** The rate of drawing is taken over so many milliseconds. */
const RATE_MS = 2000;

/** Where it is kept which folded panels are open in this tab. */
const OPEN = "tenfold.open";

export class Panels {
  node = element("section", { className: "tf-panels" });
  /** Where a panel is enlarged. */
  dialog = element("dialog", { className: "tf-dialog" });
  /** @type {PanelsEvents} */
  #events;
  /** @type {Display} */
  #display;
  /** @type {Map<string, Panel>} by name, the hero first */
  #panels = new Map();
  /** @type {WeakMap<Element, Panel>} by place and by plot */
  #panelOf = new WeakMap();
  /** @type {Panel[]} those that a person may fold away */
  #foldable = [];
  /** @type {Set<string>} names of the folded panels that are open */
  #open = new Set(readStored(OPEN, []));
  /** @type {Panel|null} */
  #enlarged = null;
  #wide = false;

  /** @type {Set<string>} names of the panels that have something new to draw */
  #changed = new Set();
  /** @type {Set<string>} names of those drawn since all that waited were drawn */
  #drawnInRound = new Set();
  #scheduled = false;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;
  /** Drawing waits until then, by the browser's clock. */
  #waitUntil = 0;
  /** Milliseconds of drawing since all that waited was drawn. */
  #cost = 0;
  /** Whether drawing waits until it is resumed. */
  #suspended = false;
  #stopped = false;
  /** @type {number[]} when the first panel in sight was drawn, by the browser's clock */
  #heroDrawnAt = [];
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #sightTimer;

  #main = element("div", { className: "tf-main" });
  #side = element("div", { className: "tf-side" });
  #below = element("div", { className: "tf-below" });
  #fold = element("div", { className: "tf-fold" });
  #foldHead = element("div", { className: "tf-fold-head" });
  #folded = element("div", { className: "tf-below" });
  #intersections = new IntersectionObserver((entries) => this.#sightChanged(entries), { rootMargin: "60px" });
  #sizes = new ResizeObserver((entries) => {
    for (const entry of entries) this.#panelOf.get(entry.target)?.measure();
    this.#measure();
  });

  /**
   * @param {Display} display
   * @param {PanelsEvents} events
   */
  constructor(display, events) {
    this.#display = display;
    this.#events = events;
    this.#fold.append(this.#foldHead, this.#folded);
    this.node.append(this.#main, this.#below, this.#fold);
    this.#sizes.observe(this.node);
    this.dialog.addEventListener("close", () => this.#shrink());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  /** How often a second the hero was drawn, or the first panel in sight, over the last two. */
  get heroRate() {
    const since = performance.now() - RATE_MS;
    this.#heroDrawnAt = this.#heroDrawnAt.filter((at) => at > since);
    return (this.#heroDrawnAt.length * 1000) / RATE_MS;
  }

  /** Whether something in sight waits to be drawn. */
  get drawing() {
    return Boolean(this.#display.plotly) && this.#waiting;
  }

  /** Names of the snapshot panels in sight. */
  get snapshotsInSight() {
    return this.#names((panel) => panel.visible && !panel.spec.curves);
  }

  /** Names of all snapshot panels. */
  get snapshots() {
    return this.#names((panel) => !panel.spec.curves);
  }

  /**
   * Draw this from here on; what is drawn already stays until it is invalidated.
   * @param {Display} display
   */
  show(display) {
    this.#display = display;
  }

  /**
   * Take the panels that the page declares; those known already keep their element and their zoom.
   * @param {PanelSpec[]} specs
   */
  declare(specs) {
    const names = new Set(specs.map((spec) => spec.name));
    for (const [name, panel] of this.#panels) if (!names.has(name)) this.#drop(name, panel);
    /** @type {Object<PanelSpec["size"], Panel[]>} */
    const areas = { hero: [], side: [], below: [], folded: [] };
    for (const spec of specs) {
      let panel = this.#panels.get(spec.name);
      if (panel && panel.spec.curves !== spec.curves) {
        this.#drop(spec.name, panel);
        panel = undefined;
      }
      panel ||= this.#make(spec);
      panel.describe(spec, this.#display);
      (areas[spec.size] || areas.below).push(panel);
    }
    this.#panels = new Map(Object.values(areas).flat().map((panel) => [panel.spec.name, panel]));
    const places = (/** @type {Panel[]} */ panels) => panels.map((panel) => panel.place);
    arrange(this.#side, places(areas.side));
    arrange(this.#main, [...places(areas.hero), ...(areas.side.length ? [this.#side] : [])]);
    arrange(this.#below, places(areas.below));
    this.#main.classList.toggle("tf-alone", !areas.side.length || !areas.hero.length);
    this.#main.classList.toggle("tf-crowded", areas.side.length > 2);
    this.#main.style.setProperty("--tf-sides", String(Math.max(2, areas.side.length)));
    this.#below.hidden = !areas.below.length;
    this.#foldable = areas.folded;
    this.#renderFold();
    for (const panel of this.#panels.values()) {
      this.#intersections.observe(panel.place);
      this.#sizes.observe(panel.plot);
    }
    this.invalidate(names);
  }

  /**
   * These panels have something new to draw.
   * @param {Iterable<string>} names
   */
  invalidate(names) {
    for (const name of names) if (this.#panels.has(name)) this.#changed.add(name);
    this.#schedule();
  }

  /** All panels of curves have something new to draw. */
  invalidateCurves() {
    this.invalidate(this.#names((panel) => panel.spec.curves));
  }

  /** All panels have something new to draw. */
  invalidateAll() {
    for (const panel of this.#panels.values()) panel.showEmptiness(this.#display);
    this.invalidate(this.#panels.keys());
  }

  /** Another run is shown: its curves from the first point, and figures of the run before until it has some. */
  begin() {
    for (const panel of this.#panels.values()) panel.showEmptiness(this.#display);
    clearTimeout(this.#timer);
    this.#scheduled = false;
    this.#waitUntil = 0;
    this.invalidateCurves();
  }

  /** Another run was requested: until it comes the browser's time belongs to the page. */
  hold() {
    this.#waitUntil = performance.now() + HOLD_MS;
  }

  /** Draw nothing until `resume`: something lies over the panels, and needs the browser's time. */
  suspend() {
    this.#suspended = true;
  }

  resume() {
    this.#suspended = false;
    this.#waitUntil = 0;
    this.#schedule();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#sightTimer);
    this.#intersections.disconnect();
    this.#sizes.disconnect();
    for (const panel of this.#panels.values()) panel.remove();
  }

  get #waiting() {
    return [...this.#changed].some((name) => this.#panels.get(name)?.visible);
  }

  /** @param {(panel: Panel) => boolean} holds */
  #names(holds) {
    return [...this.#panels.values()].filter(holds).map((panel) => panel.spec.name);
  }

  /** @param {PanelSpec} spec */
  #make(spec) {
    /** @type {Panel} */
    const panel = new Panel({
      spec,
      display: this.#display,
      onChange: () => this.invalidate([panel.spec.name]),
      onEnlarge: () => (this.#enlarged === panel ? this.#shrink() : this.#enlarge(panel)),
      onChoice: (chosen) => this.#events.onChoice(chosen),
    });
    panel.setWide(this.#wide);
    this.#panels.set(spec.name, panel);
    this.#panelOf.set(panel.place, panel).set(panel.plot, panel);
    return panel;
  }

  /** @param {string} name @param {Panel} panel */
  #drop(name, panel) {
    if (this.#enlarged === panel) this.#shrink();
    this.#intersections.unobserve(panel.place);
    this.#sizes.unobserve(panel.plot);
    panel.remove();
    this.#panels.delete(name);
    this.#changed.delete(name);
  }

  #renderFold() {
    const { words } = this.#display;
    this.node.setAttribute("aria-label", words.translate(WORDS.panels));
    this.#fold.hidden = !this.#foldable.length;
    const chips = this.#foldable.map((panel) => {
      const { name, sentence } = panel.spec;
      const open = this.#open.has(name);
      return html`<button type="button" class="tf-chip" aria-expanded=${String(open)} aria-label=${panel.title}
        title=${words.translate(sentence)} @click=${pressed(() => this.#toggleFold(name))}
        >${icon(open ? "minus" : "plus")}${panel.title}</button>`;
    });
    render(
      html`<span class="tf-chips-label">${words.translate(WORDS.more)}</span>
        <div class="tf-chips">${chips}</div>`,
      this.#foldHead,
    );
    arrange(this.#folded, this.#foldable.filter(({ spec }) => this.#open.has(spec.name)).map((panel) => panel.place));
  }

  /** @param {string} name */
  #toggleFold(name) {
    if (!this.#open.delete(name)) this.#open.add(name);
    store(OPEN, [...this.#open]);
    this.#renderFold();
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #sightChanged(entries) {
    let changed = false;
    for (const entry of entries) {
      const panel = this.#panelOf.get(entry.target);
      if (!panel || panel === this.#enlarged || panel.visible === entry.isIntersecting) continue;
      panel.visible = entry.isIntersecting;
      changed = true;
      if (panel.visible) this.invalidate([panel.spec.name]);
    }
    if (!changed) return;
    clearTimeout(this.#sightTimer);
    this.#sightTimer = setTimeout(() => this.#events.onSight(this.snapshotsInSight), SIGHT_MS);
  }

  #schedule() {
    if (this.#scheduled || this.#stopped || this.#suspended) return;
    const wait = this.#waitUntil - performance.now();
    this.#scheduled = true;
    const request = () => requestAnimationFrame(() => this.#frame());
    if (wait > 4) this.#timer = setTimeout(request, wait);
    else request();
  }

  /**
   * Draw what waits: the first panel in sight, which is the hero where that is, at once, and the others each once before
   * any a second time. Two thirds of the time at the most are spent drawing: the rest belongs to the page.
   */
  #frame() {
    this.#scheduled = false;
    if (this.#stopped || this.#suspended || !this.#display.plotly) return;
    const start = performance.now();
    if (this.#waitUntil - start > 4) {
      this.#schedule();
      return;
    }
    const visible = this.#names((panel) => panel.visible);
    const waiting = visible.filter((name) => this.#changed.has(name));
    const [hero] = visible;
    let others = waiting.filter((name) => name !== hero && !this.#drawnInRound.has(name));
    if (!others.length) {
      this.#drawnInRound.clear();
      others = waiting.filter((name) => name !== hero);
    }
    for (const name of [...waiting.filter((name) => name === hero), ...others]) {
      this.#changed.delete(name);
      if (name === hero) this.#heroDrawnAt.push(start);
      else this.#drawnInRound.add(name);
      try {
        this.#panels.get(name)?.draw(this.#display);
      } catch (error) {
        console.error(error); // a figure that fails must not hold up the others, or what comes next
      }
      if (name !== hero && performance.now() - start > SLICE_MS) break;
    }
    this.#cost += performance.now() - start;
    if (this.#waiting) {
      this.#schedule();
      return;
    }
    this.#waitUntil = performance.now() + Math.min(this.#cost / 2, 1000);
    this.#cost = 0;
    this.#drawnInRound.clear();
    this.#events.onDrawn();
  }

  #measure() {
    const wide = this.node.clientWidth > WIDE;
    if (wide === this.#wide) return;
    this.#wide = wide;
    for (const panel of this.#panels.values()) panel.setWide(wide);
    this.invalidateAll();
  }

  /** @param {Panel} panel */
  #enlarge(panel) {
    this.#shrink();
    this.#enlarged = panel;
    panel.place.style.height = `${panel.place.offsetHeight}px`;
    this.dialog.append(panel.node);
    this.dialog.setAttribute("aria-label", panel.title);
    this.dialog.showModal();
    this.#events.onDialog(this.dialog);
    panel.setEnlarged(true);
  }

  #shrink() {
    const panel = this.#enlarged;
    if (!panel) return;
    this.#enlarged = null;
    panel.place.style.height = "";
    panel.setEnlarged(false);
    this.#events.onDialog(null);
    if (this.dialog.open) this.dialog.close();
    this.#intersections.unobserve(panel.place);
    this.#intersections.observe(panel.place);
  }
}

/**
 * Make these the children in this order; one that is in its place already is not moved, for moving loses focus.
 * @param {Element} parent
 * @param {Element[]} nodes
 */
function arrange(parent, nodes) {
  for (const child of [...parent.children]) if (!nodes.includes(child)) child.remove();
  nodes.forEach((node, i) => {
    if (parent.children[i] !== node) parent.insertBefore(node, parent.children[i] || null);
  });
}
