/**
 * The grid of panels: hero, side, below, and those folded away until wanted. It knows which are in sight, and draws
 * those that changed, one after another within a frame's time; a panel out of sight is neither asked for nor drawn.
 */

import { h, icon, named, pressed } from "./dom.js";
import { Panel } from "./panel.js";
import { WORDS } from "./words.js";

/** So long the page waits for the run it asked for before it draws the old one again. */
const HOLD_MS = 1500;

/** Longest stretch of drawing in one animation frame; what remains comes in the next one. */
const SLICE_MS = 24;

export class Panels {
  /** @param {Object} stage the stage: its model, theme, words, view and Plotly are read at each drawing. */
  constructor(stage) {
    this.stage = stage;
    /** @type {Map<string, Panel>} */
    this.panels = new Map();
    this.open = new Set(remembered());
    this.dirty = new Set();
    this.round = new Set(); // drawn since all that waited were drawn
    this.asked = 0;
    this.cost = 0;
    this.waitUntil = 0;
    this.drawn = [];
    this.main = h("div", { class: "tf-main" });
    this.side = h("div", { class: "tf-side" });
    this.below = h("div", { class: "tf-below" });
    this.chips = h("div", { class: "tf-chips" });
    this.chipsLabel = h("span", { class: "tf-chips-label" });
    this.folded = h("div", { class: "tf-below" });
    const foldHead = h("div", { class: "tf-fold-head" }, this.chipsLabel, this.chips);
    this.fold = h("div", { class: "tf-fold" }, foldHead, this.folded);
    this.node = h("section", { class: "tf-panels" }, this.main, this.below, this.fold);
    this.observer = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: "60px" });
    this.wide = false;
    this.resizer = new ResizeObserver((entries) => {
      for (const entry of entries) entry.target.tfPanel?.resized();
      this.widened();
    });
    this.resizer.observe(this.node);
    this.dialog = h("dialog", { class: "tf-dialog" });
    this.dialog.addEventListener("close", () => this.shrink());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  /** Take the panels that the page names; those known already keep their element and their zoom. */
  set(specs) {
    const names = new Set(specs.map((spec) => spec.name));
    for (const [name, panel] of this.panels) if (!names.has(name)) this.drop(name, panel);
    const places = { hero: [], side: [], below: [], folded: [] };
    for (const spec of specs) {
      let panel = this.panels.get(spec.name);
      if (panel && panel.spec.curves !== spec.curves) {
        this.drop(spec.name, panel);
        panel = null;
      }
      if (!panel) {
        panel = new Panel(this, spec);
        this.panels.set(spec.name, panel);
      }
      panel.describe(spec);
      (places[spec.size] || places.below).push(panel);
    }
    this.panels = new Map(Object.values(places).flat().map((panel) => [panel.spec.name, panel])); // the foremost first
    const nodes = (list) => list.map((panel) => panel.place);
    arrange(this.side, nodes(places.side));
    arrange(this.main, [...nodes(places.hero), ...(places.side.length ? [this.side] : [])]);
    arrange(this.below, nodes(places.below));
    this.main.classList.toggle("tf-alone", !places.side.length || !places.hero.length);
    this.main.classList.toggle("tf-crowded", places.side.length > 2);
    this.main.style.setProperty("--tf-sides", Math.max(2, places.side.length));
    this.below.hidden = !places.below.length;
    this.foldable = places.folded;
    this.drawFold();
    for (const panel of this.panels.values()) {
      this.observer.observe(panel.place);
      this.resizer.observe(panel.plot);
      this.touch(panel.spec.name);
    }
  }

  drop(name, panel) {
    this.observer.unobserve(panel.place);
    this.resizer.unobserve(panel.plot);
    panel.remove();
    this.panels.delete(name);
    this.dirty.delete(name);
  }

  drawFold() {
    const { words } = this.stage;
    this.node.setAttribute("aria-label", words.say(WORDS.panels));
    this.fold.hidden = !this.foldable.length;
    this.chipsLabel.textContent = words.say(WORDS.more);
    const chips = this.foldable.map((panel) => {
      const { name } = panel.spec;
      const open = this.open.has(name);
      const turn = pressed(() => this.turn(name));
      const chip = h("button", { type: "button", class: "tf-chip", on: { click: turn } });
      chip.setAttribute("aria-expanded", String(open));
      chip.append(icon(open ? "minus" : "plus"), panel.title());
      chip.dataset.panel = name;
      named(chip, panel.title(), words.say(panel.spec.sentence));
      return chip;
    });
    const focused = document.activeElement && this.chips.contains(document.activeElement);
    const last = focused ? document.activeElement.dataset.panel : null;
    this.chips.replaceChildren(...chips);
    if (last) chips.find((chip) => chip.dataset.panel === last)?.focus();
    arrange(this.folded, this.foldable.filter((panel) => this.open.has(panel.spec.name)).map((panel) => panel.place));
  }

  turn(name) {
    if (this.open.has(name)) this.open.delete(name);
    else this.open.add(name);
    remember([...this.open]);
    this.drawFold();
  }

  seen(entries) {
    let changed = false;
    for (const entry of entries) {
      const panel = entry.target.tfPanel;
      if (!panel || panel.enlarged) continue;
      if (panel.visible !== entry.isIntersecting) {
        panel.visible = entry.isIntersecting;
        changed = true;
        if (panel.visible) this.touch(panel.spec.name);
      }
    }
    if (changed) this.stage.sightChanged();
  }

  /** Names of the snapshot panels in sight. */
  inSight() {
    return [...this.panels.values()].filter((p) => p.visible && !p.spec.curves).map((p) => p.spec.name);
  }

  /** Names of all snapshot panels. */
  snapshots() {
    return [...this.panels.values()].filter((p) => !p.spec.curves).map((p) => p.spec.name);
  }

  /** Say that a panel has something new to draw; "*" for all, "curves" for those of curves. */
  touch(name) {
    if (name === "*") {
      for (const [key, panel] of this.panels) {
        panel.drawEmpty();
        this.dirty.add(key);
      }
    } else if (name === "curves") for (const [key, p] of this.panels) p.spec.curves && this.dirty.add(key);
    else this.dirty.add(name);
    this.schedule();
  }

  /** Another run begins: the curves are its own from the first point, other pictures stay until it has some. */
  begin() {
    for (const panel of this.panels.values()) panel.drawEmpty();
    clearTimeout(this.timer);
    this.asked = this.waitUntil = 0;
    this.touch("curves");
  }

  /** A run was asked for: until it comes the thread belongs to the page, which has to ask the server. */
  hold() {
    this.waitUntil = performance.now() + HOLD_MS;
  }

  /** Whether something in sight waits to be drawn. */
  get due() {
    return [...this.dirty].some((name) => this.panels.get(name)?.visible);
  }

  schedule() {
    if (this.asked || this.stopped) return;
    const wait = this.waitUntil - performance.now();
    this.asked = 1;
    const go = () => requestAnimationFrame(() => this.frame());
    if (wait > 4) this.timer = setTimeout(go, wait);
    else go();
  }

  /**
   * Draw what is due: the foremost at once, and the others each once before any a second time. Two thirds of the time at
   * the most are spent drawing: the rest belongs to the page.
   */
  frame() {
    this.asked = 0;
    if (this.stopped || !this.stage.Plotly) return;
    const start = performance.now();
    if (this.waitUntil - start > 4) {
      this.schedule();
      return;
    }
    const visible = [...this.panels.keys()].filter((name) => this.panels.get(name).visible);
    const waiting = visible.filter((name) => this.dirty.has(name));
    const [foremost] = visible;
    let others = waiting.filter((name) => name !== foremost && !this.round.has(name));
    if (!others.length) {
      this.round.clear();
      others = waiting.filter((name) => name !== foremost);
    }
    for (const name of [...waiting.filter((name) => name === foremost), ...others]) {
      const panel = this.panels.get(name);
      this.dirty.delete(name);
      if (name === foremost) this.stage.drawnAt.push(start);
      else this.round.add(name);
      try {
        panel.draw();
      } catch (error) {
        console.error(error); // one picture that fails must not hold up the others, or what comes next
      }
      if (name !== foremost && performance.now() - start > SLICE_MS) break;
    }
    this.cost += performance.now() - start;
    if (this.due) {
      this.schedule();
      return;
    }
    this.waitUntil = performance.now() + Math.min(this.cost / 2, 1000);
    this.cost = 0;
    this.round.clear();
    this.stage.allDrawn();
  }

  /** On a wide page type is larger. */
  widened() {
    const wide = this.node.clientWidth > 1400;
    if (wide === this.wide) return;
    this.wide = wide;
    this.touch("*");
  }

  enlarge(panel) {
    this.shrink();
    this.enlarged = panel;
    panel.enlarged = true;
    panel.place.style.height = `${panel.place.offsetHeight}px`;
    this.dialog.append(panel.node, this.stage.notes.toasts); // what lies outside a dialog lies under it
    this.dialog.setAttribute("aria-label", panel.title());
    this.dialog.showModal();
    panel.describe(panel.spec);
    panel.resized();
  }

  shrink() {
    const panel = this.enlarged;
    if (!panel) return;
    this.enlarged = null;
    panel.enlarged = false;
    panel.place.style.height = "";
    panel.place.append(panel.node);
    this.stage.root.append(this.stage.notes.toasts);
    if (this.dialog.open) this.dialog.close();
    panel.describe(panel.spec);
    panel.resized();
    this.observer.unobserve(panel.place);
    this.observer.observe(panel.place);
  }

  stop() {
    this.stopped = true;
    this.observer.disconnect();
    this.resizer.disconnect();
    for (const panel of this.panels.values()) panel.remove();
  }
}

const OPEN = "tenfold.open";

/** The folded panels that this tab has open. A browser may keep nothing: then they start folded. */
function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(OPEN)) || [];
  } catch {
    return [];
  }
}

function remember(names) {
  try {
    sessionStorage.setItem(OPEN, JSON.stringify(names));
  } catch {
    // The choice then lasts as long as the page.
  }
}

/** Make these the children in this order; one that is in its place already is not moved, for moving loses focus. */
function arrange(parent, nodes) {
  for (const child of [...parent.children]) if (!nodes.includes(child)) child.remove();
  nodes.forEach((node, i) => {
    if (parent.children[i] !== node) parent.insertBefore(node, parent.children[i] || null);
  });
}
