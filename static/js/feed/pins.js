// Pins a few messages above the feed until they are unpinned.

import { setTabIndex } from "../message/roving_focus.js";
import { equip } from "../message/row_buttons.js";

export const PIN_LIMIT = 20;

export class Pins {
  #place;
  #list;
  #rows;
  /** @type {Map<Message, HTMLElement>} */
  #pinned = new Map();

  /** @param {HTMLElement} place @param {Rows} rows */
  constructor(place, rows) {
    this.#place = place;
    this.#list = place.querySelector("ol");
    this.#rows = rows;
  }

  /** @type {(event: Message) => boolean} */
  has(event) {
    return this.#pinned.has(event);
  }

  // False if there is no room for one more.
  /** @type {(event: Message) => boolean} */
  toggle(event) {
    if (this.has(event)) this.#unpin(event);
    else if (this.#pinned.size === PIN_LIMIT) return false;
    else this.#pin(event);
    this.#place.hidden = this.#pinned.size === 0;
    return true;
  }

  /** @type {(event: Message) => void} */
  #pin(event) {
    const row = this.#rows.build(event);
    delete row.dataset.messages; // the feed shows the count of a group
    equip(row);
    setTabIndex(row, 0);
    this.#pinned.set(event, row);
    this.#list.append(row);
  }

  /** @type {(event: Message) => void} */
  #unpin(event) {
    this.#pinned.get(event)?.remove();
    this.#pinned.delete(event);
  }
}
