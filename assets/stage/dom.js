/** Elements, icons (drawn here, so that no font has to be fetched) and buttons. */

import { html } from "../vendor/lit-html/lit-html.js";

/** @typedef {import("../vendor/lit-html/lit-html.js").TemplateResult} TemplateResult */

/**
 * An element with these properties set.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Object<string, any>} properties such as `className`
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

const PATHS = {
  play: "M8 5.5v13l10.5-6.5z",
  pause: "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z",
  step: "M5 5.5v13l9-6.5zM15.5 5.5H19v13h-3.5z",
  stop: "M6.5 6.5h11v11h-11z",
  restart: "M12 5a7 7 0 1 1-6.7 9h2.2A5 5 0 1 0 12 7v3.2L7 6l5-4.2z",
  enlarge: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
  save: "M11 4h2v8l3-3 1.4 1.4L12 15.8l-5.4-5.4L8 9l3 3zM5 18h14v2H5z",
  close: "M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4z",
  end: "M5 5.5v13l10-6.5zM16.5 5.5H19v13h-2.5z",
  try: "M6 3l13 9.2-6 1.2 3.4 6.5-2.8 1.4-3.4-6.6L6 18.5z",
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z",
  undo: "M10 5v3.2h3.5a5.4 5.4 0 0 1 0 10.8H8v-2h5.5a3.4 3.4 0 0 0 0-6.8H10v3.2L4.6 9.2z",
  clear: "M9.5 4h5l.8 1.5H19v2H5v-2h3.7zM6.5 9h11l-.8 11H7.3z",
  eraser: "M14.6 4.2 20 9.6 12.2 17.4H20v2H8.4L3.6 14.6zM6.4 14.6l2.8 2.8h.2l3.4-3.4-2.9-2.9z",
  minus: "M5 11h14v2H5z",
};

/**
 * An icon of 24 × 24 in the colour of the text.
 * @param {keyof PATHS} name
 * @returns {TemplateResult}
 */
export function icon(name) {
  return html`<svg class="tf-icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]}></path></svg>`;
}

/**
 * A button.
 * @param {Object} options
 * @param {string} options.kind its classes
 * @param {string} options.name for screen readers, and where there is no hint for all
 * @param {string} [options.hint]
 * @param {string} [options.obstacle] why it cannot be pressed, read in the place of the hint; "" where it can
 * @param {boolean} [options.disabled] whether it cannot be pressed, and needs no word about it
 * @param {() => void} options.onPress
 * @param {unknown} content
 */
export function button({ kind, name, hint = name, obstacle = "", disabled = false, onPress }, content) {
  return html`<button type="button" class=${kind} aria-label=${name} title=${obstacle || hint}
    ?disabled=${disabled || obstacle !== ""} @click=${pressed(onPress)}>${content}</button>`;
}

/**
 * The listener of a button. A click by the mouse leaves no focus behind, so that space and the arrow keys go on meaning
 * play and step; a button reached by the keyboard keeps it.
 * @param {() => void} listener
 * @returns {(event: MouseEvent) => void}
 */
export function pressed(listener) {
  return (event) => {
    if (event.detail > 0 && event.currentTarget instanceof HTMLElement) event.currentTarget.blur();
    listener();
  };
}
