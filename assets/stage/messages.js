/**
 * The types of what travels: the data that a page hands to the stage, the messages of a run's WebSocket, and what the
 * stage hands back to its page. Types only; nothing in here runs.
 *
 * @typedef {{template: string, values?: Object<string, any>}} Sentence a sentence in English with named values
 *
 * @typedef {Object} Figure a figure of Plotly in which texts may be sentences and arrays packed or named
 * @property {Object<string, any>[]} data
 * @property {Object<string, any>} layout
 * @property {Sentence} [error] why there is no figure; then there is nothing else
 *
 * @typedef {{dtype: string, bdata: string, shape?: string}} PackedArray numbers in base64, see packed.js
 * @typedef {Object<string, Figure>} Figures by the name of their panel
 */

/**
 * The data of a page, see pages/parts/stage_props.py.
 *
 * @typedef {Object} PageData
 * @property {string} page the page's own name in its address
 * @property {string} version of the assets
 * @property {string} lang
 * @property {string|null} run the run to view
 * @property {string|null} recorded the recorded run to view where there is no other
 * @property {string|null} [recordedAs] title of the preset that the recorded run was made with
 * @property {boolean} mine
 * @property {number|null} step of the address
 * @property {boolean} keys whether the page's keys are the stage's
 * @property {PanelSpec[]} panels
 * @property {MetricSpec[]} metrics
 * @property {Object<string, string>} fields titles of the settings whose changes are marked, by name
 * @property {number[]} speeds steps a second to choose from; 0 is full speed
 * @property {string[]} parts of a round, where the experiment has several networks
 * @property {ProbeSpec[]} probes
 * @property {boolean} changed whether a run made now would have other settings than the one viewed
 * @property {HelloMessage|UpdateMessage|null} batch while the page feeds the stage
 * @property {FrameMessage|null} [frame] likewise, of the step that it was requested for
 * @property {Sentence|null} refusal
 *
 * @typedef {Object} PanelSpec
 * @property {string} name
 * @property {string} title
 * @property {string} sentence
 * @property {boolean} curves whether it shows curves of metrics; else figures of snapshots
 * @property {string[]} metrics patterns of the metrics' names, in which * stands for any text
 * @property {"hero"|"side"|"below"|"folded"} size
 * @property {"linear"|"log"} scale
 * @property {string} [click] the live setting that takes the number of a clicked point
 *
 * @typedef {{name: string, title: string, sentence: string, better: string}} MetricSpec
 *
 * @typedef {Object} ProbeSpec
 * @property {string} name
 * @property {string} title
 * @property {string} sentence
 * @property {Object<string, Object>} keys the request of each key
 * @property {Object<string, string>} labels of keys
 * @property {Object|null} idle the request at each beat while no key is held
 * @property {number} beat requests a second; 0: only on input
 * @property {string|null} [click] the field of the request that the number of a clicked point fills
 * @property {string|null} [text] the field of the request that a written line fills
 * @property {string} [canvas] the field of the request that a drawing fills
 * @property {number} [canvasSize] cells in a row of the drawing
 * @property {[x: string, y: string]|null} [point] the fields of the request that a place on the figure's axes fills
 */

/**
 * Messages of the server.
 *
 * @typedef {Object} RunStatus
 * @property {string} state
 * @property {number} step
 * @property {number} epoch negative where there are none
 * @property {string} part the part whose step was the last
 * @property {number} steps_per_s
 * @property {number} trained_s
 * @property {number|null} left_s
 * @property {string} task what it prepares
 * @property {number} share of that task, 0 to 1
 * @property {number} progress towards the stop condition, 0 to 1
 * @property {string} device
 * @property {number} place in the queue, from 1
 * @property {number} [speed] steps a second as last chosen
 * @property {Sentence|null} sentence why it ended
 * @property {{steps: number}} stop
 * @property {boolean} resumable
 * @property {number[]} [checkpoints] steps of the saved states, rising
 *
 * @typedef {{step: number, field: string, old: any, new: any}} Mark a changed setting
 * @typedef {{step: number, sentence: Sentence}} Note
 * @typedef {[number[], (number|null)[]] | {x: PackedArray, y: PackedArray}} Points
 *
 * @typedef {Object} News what a hello and an update have in common
 * @property {number} seq sequence number up to which everything is contained
 * @property {RunStatus} status
 * @property {Object<string, Points>} curves new points by metric
 * @property {Object<string, number[]>} frames steps of new snapshots by panel
 * @property {Object<string, number[]>} [gone] steps of snapshots that are no longer kept, by panel
 * @property {number} [rewind] all beyond this step has to be dropped first
 * @property {Mark[]} marks
 * @property {Note[]} notes
 * @property {Figures} panels
 *
 * @typedef {Object} Greeting what a hello has beside these
 * @property {"hello"} type
 * @property {boolean} mine
 * @property {boolean} recorded
 * @property {boolean} whole whether it holds everything; else only what was missed
 * @property {Object<string, any>} run
 *
 * @typedef {Greeting & News} HelloMessage
 * @typedef {{type: "update", n?: number, skipped: number} & News} UpdateMessage without a number from a page
 * @typedef {{type: "frame", n?: number, step: number, panels: Figures}} FrameMessage
 * @typedef {{type: "moved", run: string}} MovedMessage from here on this connection is another run's
 * @typedef {{type: "refused", sentence: Sentence, n?: number, over?: boolean}} RefusedMessage `over`: of a probe
 * @typedef {{type: "answer", n: number, step: number, panels: Figures}} AnswerMessage
 * @typedef {HelloMessage|UpdateMessage|FrameMessage|MovedMessage|RefusedMessage|AnswerMessage} ServerMessage
 */

/**
 * Messages to the server, and what is handed back to the page.
 *
 * @typedef {"pause"|"resume"|"step"|"speed"|"stop"|"setting"} Command
 * @typedef {{field: string, value: number}} ChosenValue of a live setting
 * @typedef {number|string|ChosenValue} CommandValue
 *
 * @typedef {{type: "see", panels: string[]}} SeeMessage the panels in sight
 * @typedef {{type: "drawn", n: number}} DrawnMessage the update with this number is drawn
 * @typedef {{type: "frame", step: number, n: number}} FrameRequest
 * @typedef {{type: "command", do: Command, value?: CommandValue}} CommandMessage
 * @typedef {{type: "probe", name: string, step: number|null, n: number}} ProbeMessage begins a session
 * @typedef {{type: "ask", n: number, request: Object}} AskMessage
 * @typedef {{type: "close"}} CloseMessage ends the session
 * @typedef {SeeMessage|DrawnMessage|FrameRequest|CommandMessage|ProbeMessage|AskMessage|CloseMessage} ClientMessage
 *
 * @typedef {Object} FeedRequest the page's state "fallback": what it has to hand to a stage without a connection
 * @property {string|null} run
 * @property {number} since
 * @property {string[]} panels
 * @property {number|null} step whose frame is missing
 */

export {};
