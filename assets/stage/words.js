/**
 * All words of the stage, in English, marked with N_ so that the catalogues find them, and their translation. A word
 * that no catalogue holds stays English.
 */

/** @param {string} text */
export const N_ = (text) => text;

export const WORDS = {
  // transport
  train: N_("Train"),
  pause: N_("Pause"),
  resume: N_("Resume"),
  continueRun: N_("Continue this run"),
  step: N_("One step"),
  stepPart: N_("One step of {part}"),
  round: N_("round"),
  stepRound: N_("One round: every part in its turn"),
  stop: N_("Stop"),
  restart: N_("Same seed again"),
  speed: N_("Speed"),
  speedOne: N_("One step per second"),
  speedSlow: N_("{speed} steps per second"),
  speedFull: N_("Full speed"),
  full: N_("full"),
  transport: N_("Control of the training"),
  trainHint: N_("Train a new network with these settings"),
  pauseHint: N_("Pause the training (space)"),
  resumeHint: N_("Go on with the training (space)"),
  stepHint: N_("Make one update and pause (→)"),
  stopHint: N_("End the run; its state is kept"),
  restartHint: N_("Train anew from the same start: same settings, same seed"),
  changed: N_("Settings changed: press Train"),
  trainChanged: N_("Train with changes"),
  trainOwn: N_("Train my own"),
  watching: N_("You are watching: this run belongs to somebody else"),
  nothingRuns: N_("Nothing is training: press Train first"),
  waitsInQueue: N_("The run still waits for its turn"),
  // badges and states: of a run those of its status
  live: N_("LIVE"),
  replay: N_("REPLAY"),
  recorded: N_("RECORDED"),
  waits: N_("WAITING"),
  queued: N_("Waiting for a free place"),
  queuedAt: N_("Number {place} in the queue"),
  preparing: N_("Preparing"),
  resumed: N_("Resuming"),
  running: N_("Training"),
  paused: N_("Paused"),
  finished: N_("Finished"),
  stopped: N_("Stopped"),
  diverged: N_("Diverged"),
  failed: N_("Failed"),
  interrupted: N_("Interrupted"),
  recordedRun: N_("Preset {preset}. Press Train for your own."),
  recordedAny: N_("A recorded training. Press Train for your own."),
  connecting: N_("Connecting"),
  lost: N_("Connection lost, trying again"),
  noConnection: N_("No live connection here: pictures come about once a second"),
  // figures of the status line
  progress: N_("Progress"),
  stepOf: N_("step {step} of {steps}"),
  stepAt: N_("step {step}"),
  noteAt: N_("Step {step}: {sentence}"),
  epochAt: N_("epoch {epoch}"),
  stepsPerSecond: N_("{rate} steps/s"),
  updatesPerSecond: N_("{rate} updates/s"),
  skipped: N_("{count} skipped"),
  secondsLeft: N_("{seconds} s left"),
  minutesLeft: N_("{minutes} min left"),
  hoursLeft: N_("{hours} h left"),
  secondsTrained: N_("{seconds} s trained"),
  minutesTrained: N_("{minutes} min trained"),
  hoursTrained: N_("{hours} h trained"),
  // panels
  panels: N_("Pictures of the training"),
  enlarge: N_("Enlarge {title}"),
  shrink: N_("Close the enlarged picture"),
  save: N_("Save {title}"),
  savePng: N_("Save as picture (PNG)"),
  saveSvg: N_("Save as drawing (SVG)"),
  saveCsv: N_("Save the numbers (CSV)"),
  more: N_("More pictures"),
  empty: N_("Press Train and watch it learn"),
  logAxis: N_("Logarithmic axis"),
  log: N_("log"),
  waiting: N_("Waiting for the first picture"),
  // time line
  timeline: N_("Time line"),
  playReplay: N_("Play the run from the beginning"),
  playOn: N_("Play on"),
  pauseReplay: N_("Pause the replay"),
  replaySpeed: N_("Speed of the replay: {speed}×"),
  toLive: N_("Return to live"),
  toEnd: N_("Go to the end"),
  markAt: N_("step {step}: {field} {old} → {new}"),
  mark: N_("{field} {old} → {new}"),
  // curves
  trainSplit: N_("train"),
  testSplit: N_("test"),
  validationSplit: N_("validation"),
  stepAxis: N_("step"),
  layer: N_("layer {number}"),
  // probing a trained model
  probeTrain: N_("Train a network of your own, then play with it"),
  probeLater: N_("Possible as soon as the run has saved a state"),
  probeNoConnection: N_("Playing needs a live connection, which cannot be had here"),
  probeState: N_("Play with"),
  probeNewest: N_("the newest, step {step}"),
  probeRestart: N_("Start again"),
  probeKeys: N_("Keys"),
  probeText: N_("Words to ask for"),
  probeSubmit: N_("Ask"),
  spaceKey: N_("Space"),
  canvas: N_("Canvas to draw on"),
  canvasInvite: N_("Draw here"),
  canvasKeys: N_("The arrow keys move the pen, with Shift they draw; Backspace clears the canvas."),
  eraser: N_("Eraser"),
  clearCanvas: N_("Clear"),
  probeLoading: N_("Loading the model"),
  probeLost: N_("The connection was lost. Start again."),
  // where something went wrong
  noPlotly: N_("The drawing library could not be loaded. Reload the page."),
  close: N_("Close"),
};

/**
 * The word of a key that is made up at run time, such as a run's state; "" where there is none.
 * @param {string} key
 */
export function wordOf(key) {
  return /** @type {Object<string, string>} */ (WORDS)[key] || "";
}

/** @typedef {import("./messages.js").Sentence} Sentence */

/** Texts and numbers in one language. */
export class Words {
  /** @type {string} "en" or "zh" */
  lang;
  /** @type {Object<string, string>} text by its English */
  #table;
  /** @type {Map<string, Intl.NumberFormat>} */
  #formats = new Map();

  /**
   * @param {string} lang
   * @param {Object<string, string>} table
   */
  constructor(lang = "en", table = {}) {
    this.lang = lang;
    this.#table = table;
  }

  /**
   * The text in this language, its {names} filled from values. A value that is a string is translated too.
   * @param {string|null|undefined} text in English
   * @param {Object<string, any>} values
   */
  translate(text, values = {}) {
    if (text === null || text === undefined || text === "") return "";
    const template = this.#table[text] || String(text);
    return template.replace(/\{(\w+)(?:[:!][^}]*)?\}/g, (whole, name) =>
      name in values ? this.value(values[name]) : whole,
    );
  }

  /** @param {Sentence|string|null|undefined} sentence */
  sentence(sentence) {
    if (!sentence) return "";
    if (typeof sentence === "string") return this.translate(sentence);
    return this.translate(sentence.template, sentence.values || {});
  }

  /**
   * A value for reading.
   * @param {any} value a number, a text in English, a sentence, or a list of such
   * @returns {string}
   */
  value(value) {
    if (typeof value === "number") return this.number(value);
    if (typeof value === "string") return this.#table[value] || value;
    if (value && typeof value === "object" && "template" in value) return this.sentence(value);
    if (Array.isArray(value)) return value.map((v) => this.value(v)).join(", ");
    return String(value);
  }

  /**
   * A number for reading: grouped if whole, else with so many significant digits.
   * @param {number|null|undefined} value
   */
  number(value, digits = 4) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    const size = Math.abs(value);
    if (Number.isInteger(value) ? size >= 1e15 : size < 1e-3 || size >= 1e6) {
      return value.toExponential(Math.min(digits - 1, 2)).replace("e-", "e−").replace("e+", "e");
    }
    return Number.isInteger(value)
      ? this.#format("whole", { maximumFractionDigits: 0 }, value)
      : this.#format(`digits ${digits}`, { maximumSignificantDigits: digits }, value);
  }

  /**
   * A number always with so many decimals, so that a changing figure keeps its width.
   * @param {number|null|undefined} value
   * @param {number} count
   */
  decimals(value, count) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    return this.#format(`decimals ${count}`, { minimumFractionDigits: count, maximumFractionDigits: count }, value);
  }

  /** @param {string} key @param {Intl.NumberFormatOptions} options @param {number} value */
  #format(key, options, value) {
    let format = this.#formats.get(key);
    if (!format) {
      format = new Intl.NumberFormat(this.lang === "zh" ? "zh-CN" : "en-US", options);
      this.#formats.set(key, format);
    }
    return format.format(value);
  }
}

/**
 * The words of a language. English needs no catalogue; without one a language reads English.
 * @param {string} lang
 * @param {string} url of its catalogue
 */
export async function loadWords(lang, url) {
  if (!lang || lang === "en") return new Words("en");
  try {
    const response = await fetch(url);
    return new Words(lang, response.ok ? await response.json() : {});
  } catch {
    return new Words(lang);
  }
}
