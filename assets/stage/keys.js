/** Keys of the whole page: space plays and pauses, the arrows step. Whoever types or moves a slider is left alone. */

/** @param {...string} names */
const roles = (...names) => names.map((name) => `[role=${name}]`).join(", ");
const FIELDS = "input, textarea, select, [contenteditable=''], [contenteditable=true], dialog:not(.tf-dialog)";
const WIDGETS = roles("slider", "textbox", "combobox", "spinbutton", "listbox", "menu", "radiogroup", "tablist");
const BUTTONS = `button, a[href], summary, label, ${roles("button", "menuitem", "option", "tab", "radio", "checkbox")}`;

/**
 * Each returns whether the key meant something; if not, it goes on to the page.
 * @typedef {Object} KeyActions
 * @property {() => boolean} onSpace
 * @property {() => boolean} onLeft
 * @property {() => boolean} onRight
 */

export class Keys {
  /** Whether the keys are listened to. */
  enabled = false;
  /** @type {KeyActions} */
  #actions;
  #listener = (/** @type {KeyboardEvent} */ event) => this.#press(event);

  /** @param {KeyActions} actions */
  constructor(actions) {
    this.#actions = actions;
    document.addEventListener("keydown", this.#listener);
  }

  stop() {
    document.removeEventListener("keydown", this.#listener);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const { ctrlKey, metaKey, altKey, shiftKey, key } = event;
    if (!this.enabled || event.defaultPrevented || ctrlKey || metaKey || altKey || shiftKey) return;
    const at = event.target instanceof Element ? event.target : document.body;
    if (at.closest(`${FIELDS}, ${WIDGETS}`)) return;
    const { onSpace, onLeft, onRight } = this.#actions;
    let used = false;
    if (key === " " && !at.closest(BUTTONS)) {
      if (event.repeat) return;
      used = onSpace();
    } else if (key === "ArrowRight") used = onRight();
    else if (key === "ArrowLeft") used = onLeft();
    if (used) event.preventDefault();
  }
}
