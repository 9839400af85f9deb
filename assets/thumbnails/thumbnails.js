/**
 * The pictures of a setting, class by class, in the sidebar: small, and each goes away when it is pressed. The page
 * holds them; this only shows what it is handed and says what was pressed.
 */

import { component } from "../stage/component.js";
import { button, element, icon } from "../stage/dom.js";
import { html, render } from "../vendor/lit-html/lit-html.js";

/**
 * @typedef {import("../stage/component.js").StreamlitComponent} StreamlitComponent
 *
 * @typedef {Object} PictureClass
 * @property {string} name
 * @property {number} count
 * @property {string} sheet address of an image with all pictures of the class, `columns` in a row
 *
 * @typedef {Object} ThumbnailsData what the page hands over
 * @property {PictureClass[]} classes
 * @property {number} columns pictures in a row of a sheet
 * @property {boolean} disabled
 * @property {{count: string, remove: string, removeClass: string}} words
 */

class Thumbnails {
  #root = element("div", { className: "tf-thumbs" });
  /** @type {HTMLLinkElement} */
  #style;
  /** @type {StreamlitComponent|null} by which the page is answered */
  #component = null;

  /** @param {Element} parent */
  constructor(parent) {
    const here = new URL(import.meta.url);
    this.#style = element("link", { rel: "stylesheet", href: new URL(`thumbnails.css${here.search}`, here).href });
    parent.append(this.#style, this.#root);
  }

  /**
   * Take what the page hands over.
   * @param {StreamlitComponent} given
   */
  update(given) {
    this.#component = given;
    /** @type {ThumbnailsData} */
    const { classes, columns, disabled, words } = given.data;
    const shown = classes.map((one) => {
      const name = (/** @type {string} */ text) => text.replace("{name}", one.name);
      const all = { kind: "tf-thumbs-button", name: name(words.removeClass), disabled, onPress: () => this.#remove(one) };
      return html`<section class="tf-thumbs-class">
        <div class="tf-thumbs-head">
          <span class="tf-thumbs-name">${one.name}</span>
          <span class="tf-thumbs-count">${words.count.replace("{n}", String(one.count))}</span>
          ${button(all, icon("clear"))}
        </div>
        <div class="tf-thumbs-grid">
          ${Array.from({ length: one.count }, (_, i) => this.#thumbnail(one, i, columns, disabled, name(words.remove)))}
        </div>
      </section>`;
    });
    render(shown, this.#root);
  }

  /** The setting has left the page. */
  destroy() {
    this.#style.remove();
    this.#root.remove();
  }

  /**
   * @param {PictureClass} one
   * @param {number} number
   * @param {number} columns
   * @param {boolean} disabled
   * @param {string} words
   */
  #thumbnail(one, number, columns, disabled, words) {
    const name = words.replace("{n}", String(number + 1));
    const options = { kind: "tf-thumbs-picture", name, disabled, onPress: () => this.#remove(one, number) };
    const rows = Math.ceil(one.count / columns);
    const across = columns > 1 ? ((number % columns) / (columns - 1)) * 100 : 0;
    const down = rows > 1 ? (Math.floor(number / columns) / (rows - 1)) * 100 : 0;
    const style = `background-image: url(${one.sheet}); background-size: ${columns * 100}% ${rows * 100}%; background-position: ${across}% ${down}%`;
    return button(options, html`<span class="tf-thumbs-image" style=${style}></span>`);
  }

  /**
   * Have a picture taken out, or the whole class; `of` says how many there were, for the page may have gone on.
   * @param {PictureClass} one
   * @param {number|null} number
   */
  #remove({ name, count }, number = null) {
    this.#component?.setTriggerValue("removed", { name, number, of: count });
  }
}

export default component((parent) => new Thumbnails(parent));
