/** What a tab keeps of a person's choices. A browser may keep nothing: a choice then lasts as long as the page. */

/** @type {Map<string, any>} */
const page = new Map();

/**
 * @template T
 * @param {string} key
 * @param {T} otherwise where nothing is kept
 * @returns {T}
 */
export function readStored(key, otherwise) {
  if (page.has(key)) return page.get(key);
  try {
    return JSON.parse(sessionStorage.getItem(key) || "null") ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** @param {string} key @param {any} value that JSON can hold */
export function store(key, value) {
  page.set(key, value);
  try {
    sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // It is kept for as long as the page.
  }
}
