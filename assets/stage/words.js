/**
 * All words of the stage, in English, marked with N_ so that the catalogues find them, and the look-up that says them
 * in another language. A word that no catalogue holds is said in English.
 */

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
  // badges and states
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
  noSocket: N_("No live connection here: pictures come about once a second"),
  // figures of the status line
  progress: N_("Progress"),
  stepOf: N_("step {step} of {steps}"),
  stepAt: N_("step {step}"),
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
  turned: N_("step {step}: {field} {old} → {new}"),
  change: N_("{field} {old} → {new}"),
  // curves
  trainSplit: N_("train"),
  testSplit: N_("test"),
  validationSplit: N_("validation"),
  stepAxis: N_("step"),
  layer: N_("layer {number}"),
  // playing with a trained model
  playTrain: N_("Train a network of your own, then play with it"),
  playLater: N_("Possible as soon as the run has saved a state"),
  playNoSocket: N_("Playing needs a live connection, which cannot be had here"),
  playState: N_("Play with"),
  playNewest: N_("the newest, step {step}"),
  playAgain: N_("Start again"),
  playKeys: N_("Keys"),
  playWrite: N_("Words to ask for"),
  playAsk: N_("Ask"),
  playSpace: N_("Space"),
  playLoading: N_("Loading the model"),
  playLost: N_("The connection was lost. Start again."),
  // where something went wrong
  noPlotly: N_("The drawing library could not be loaded. Reload the page."),
  close: N_("Close"),
};

/** Says templates and sentences in one language. */
export class Words {
  /**
   * @param {string} lang "en" or "zh"
   * @param {Object<string, string>} table English text → text
   */
  constructor(lang = "en", table = {}) {
    this.lang = lang;
    this.table = table;
    this.formats = new Map();
  }

  /** The text in this language, its {names} filled from values. A value that is a string is looked up too. */
  say(text, values = {}) {
    if (text === null || text === undefined || text === "") return "";
    const template = this.table[text] || String(text);
    return template.replace(/\{(\w+)(?:[:!][^}]*)?\}/g, (whole, name) =>
      name in values ? this.value(values[name]) : whole,
    );
  }

  /** @param {{template: string, values: Object}|string} sentence */
  sentence(sentence) {
    if (!sentence) return "";
    return typeof sentence === "string" ? this.say(sentence) : this.say(sentence.template, sentence.values || {});
  }

  value(value) {
    if (typeof value === "number") return this.number(value);
    if (typeof value === "string") return this.table[value] || value;
    if (value && typeof value === "object" && "template" in value) return this.sentence(value);
    if (Array.isArray(value)) return value.map((v) => this.value(v)).join(", ");
    return String(value);
  }

  /** A number for reading: grouped if whole, else with so many significant digits. */
  number(value, digits = 4) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    const size = Math.abs(value);
    if (Number.isInteger(value) ? size >= 1e15 : size < 1e-3 || size >= 1e6) {
      return value.toExponential(Math.min(digits - 1, 2)).replace("e-", "e−").replace("e+", "e");
    }
    const key = Number.isInteger(value) ? "whole" : digits;
    if (!this.formats.has(key)) {
      const shape = key === "whole" ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: digits };
      this.formats.set(key, new Intl.NumberFormat(this.lang === "zh" ? "zh-CN" : "en-US", shape));
    }
    return this.formats.get(key).format(value);
  }

  /** A number always with so many decimals, so that a running figure does not change its width. */
  fixed(value, decimals) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    const key = `fixed${decimals}`;
    if (!this.formats.has(key)) {
      const shape = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
      this.formats.set(key, new Intl.NumberFormat(this.lang === "zh" ? "zh-CN" : "en-US", shape));
    }
    return this.formats.get(key).format(value);
  }
}

/** Words of a language; English needs no catalogue, and a catalogue that cannot be had leaves English. */
export async function loadWords(lang, url) {
  if (!lang || lang === "en") return new Words("en");
  try {
    const answer = await fetch(url);
    return new Words(lang, answer.ok ? await answer.json() : {});
  } catch {
    return new Words(lang);
  }
}
