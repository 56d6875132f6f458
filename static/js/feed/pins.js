// Keeps a few messages in sight, above the feed, until they are let go.

import { setTabIndex } from "../message/roving_focus.js";
import { equip } from "../message/row_buttons.js";

export const PIN_LIMIT = 20;

export class Pins {
  #place;
  #list;
  #rows;
  #pinned = new Map(); // event -> row

  constructor(place, rows) {
    this.#place = place;
    this.#list = place.querySelector("ol");
    this.#rows = rows;
  }

  has(event) {
    return this.#pinned.has(event);
  }

  // False where there is no room for one more.
  toggle(event) {
    if (this.has(event)) this.#unpin(event);
    else if (this.#pinned.size === PIN_LIMIT) return false;
    else this.#pin(event);
    this.#place.hidden = this.#pinned.size === 0;
    return true;
  }

  #pin(event) {
    const row = this.#rows.build(event);
    delete row.dataset.messages; // it is counted in the feed
    equip(row);
    setTabIndex(row, 0);
    this.#pinned.set(event, row);
    this.#list.append(row);
  }

  #unpin(event) {
    this.#pinned.get(event).remove();
    this.#pinned.delete(event);
  }
}
