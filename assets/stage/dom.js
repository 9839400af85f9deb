/** Elements made in one expression, and the icons, drawn here so that no font has to be fetched. */

/**
 * An element.
 * @param {string} tag
 * @param {Object} props attributes; `on` is a map of listeners, `text` its text, a false or null value is left out
 * @param {...(Node|string|null)} children
 */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
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
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z",
  undo: "M10 5v3.2h3.5a5.4 5.4 0 0 1 0 10.8H8v-2h5.5a3.4 3.4 0 0 0 0-6.8H10v3.2L4.6 9.2z",
  clear: "M9.5 4h5l.8 1.5H19v2H5v-2h3.7zM6.5 9h11l-.8 11H7.3z",
  minus: "M5 11h14v2H5z",
};

/** An icon of 24 × 24 in the text's colour. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "tf-icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Put a text where it differs, so that nothing is laid out again for nothing. */
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Give a button its name for ears and eyes. */
export function named(button, label, tip = label) {
  if (button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
  if (button.title !== tip) button.title = tip;
}

/**
 * A click by the mouse leaves no focus behind, so that space and arrows go on meaning play and step; a button reached
 * by the keyboard keeps it.
 */
export function pressed(listener) {
  return (event) => {
    if (event.detail > 0) event.currentTarget.blur();
    listener(event);
  };
}
