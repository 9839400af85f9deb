/** Keys of the whole page: space plays and pauses, the arrows step. Whoever types or moves a slider is left alone. */

const TYPING = "input, textarea, select, [contenteditable=''], [contenteditable=true], [role=slider], [role=textbox], [role=combobox], [role=spinbutton], [role=listbox], [role=menu], [role=radiogroup], [role=tablist], dialog:not(.tf-dialog)";
const PRESSABLE = "button, a[href], summary, [role=button], [role=menuitem], [role=option], [role=tab], [role=radio], [role=checkbox], label";

export class Keys {
  constructor(stage) {
    this.stage = stage;
    this.listener = (event) => this.press(event);
    document.addEventListener("keydown", this.listener);
  }

  press(event) {
    const { stage } = this;
    if (!stage.data.keys || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
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
      if (mine && stage.shownStep === null) transport.stepButtons[0].disabled || stage.act("step", transport.stepButtons[0].dataset.part || null);
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
