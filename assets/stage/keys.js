/** Keys of the whole page: space plays and pauses, the arrows step. Whoever types or moves a slider is left alone. */

const roles = (...names) => names.map((name) => `[role=${name}]`).join(", ");
const FIELDS = "input, textarea, select, [contenteditable=''], [contenteditable=true], dialog:not(.tf-dialog)";
const MOVED = roles("slider", "textbox", "combobox", "spinbutton", "listbox", "menu", "radiogroup", "tablist");
const TYPING = `${FIELDS}, ${MOVED}`;
const PRESSED = roles("button", "menuitem", "option", "tab", "radio", "checkbox");
const PRESSABLE = `button, a[href], summary, label, ${PRESSED}`;

export class Keys {
  constructor(stage) {
    this.stage = stage;
    this.listener = (event) => this.press(event);
    document.addEventListener("keydown", this.listener);
  }

  press(event) {
    const { stage } = this;
    const { ctrlKey, metaKey, altKey, shiftKey } = event;
    if (!stage.data.keys || event.defaultPrevented || ctrlKey || metaKey || altKey || shiftKey) return;
    const at = event.target instanceof Element ? event.target : document.body;
    if (at.closest(TYPING)) return;
    const { model, replay, transport } = stage;
    const mine = stage.own && !model.ended && model.mine;
    if (event.key === " " && !at.closest(PRESSABLE)) {
      if (event.repeat) return;
      if (mine) !transport.primary.disabled && stage.act(transport.does);
      else if (stage.watched && (model.ended || model.recorded)) replay.toggle();
      else return;
    } else if (event.key === "ArrowRight") {
      const [button] = transport.stepButtons;
      if (mine && stage.shownStep === null) button.disabled || stage.act("step"); // whichever part is next
      else if (stage.watched && replay.steps.length) this.scrub(1);
      else return;
    } else if (event.key === "ArrowLeft" && stage.watched && stage.shownStep !== null) this.scrub(-1);
    else return;
    event.preventDefault();
  }

  scrub(by) {
    this.stage.replay.pause();
    this.stage.replay.move(by);
  }

  stop() {
    document.removeEventListener("keydown", this.listener);
  }
}
