// Unread messages: a count for each channel in the rail, and a line in the feed above the first of them.
// A message is unread if the page or its channel was hidden when it came; leaving the page marks all as read.

import { keysOf } from "../stream/channel_names.js";
import { element } from "../ui/dom.js";

const MOST = 999; // that fit

export class Unread {
  #list;
  #chips;
  #feed;
  #rows;
  #words;
  /** @type {WeakSet<object>} */
  #new = new WeakSet(); // unread messages
  #n = 0; // how many
  /** @type {Map<string, number>} */
  #counts = new Map(); // by key
  /** @type {HTMLElement | null} */
  #marked = null; // the row that the line is at

  /**
   * @param {{ list: HTMLElement, chips: HTMLElement, feed: import("../feed/feed.js").Feed, rows: Rows }} places the list of the feed's rows
   * @param {Words} words
   */
  constructor({ list, chips, feed, rows }, words) {
    this.#list = list;
    this.#chips = chips;
    this.#feed = feed;
    this.#rows = rows;
    this.#words = words;
    document.addEventListener("visibilitychange", () => document.hidden && this.#leave());
    feed.addEventListener("draw", () => this.#draw());
  }

  // `chips`: those that were hidden when the messages came.
  /** @type {(messages: Message[], chips: NodeListOf<HTMLElement>, isAway: boolean) => void} */
  add(messages, chips, isAway) {
    const hiddenKeys = new Set([...chips].map(({ dataset }) => dataset.key));
    for (const message of messages) {
      const keys = keysOf(message);
      const hidden = keys.filter((key) => hiddenKeys.has(key));
      for (const key of isAway ? keys : hidden) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
      if (!isAway || hidden.length === keys.length) continue;
      this.#new.add(message);
      this.#n++;
    }
  }

  // Call once a second. A chip that is shown again, or alone, has no unread messages.
  tick() {
    for (const chip of this.#all) {
      const { key = "", unread = "" } = chip.dataset;
      const isShown = !document.hidden && !isHidden(chip) && unread === "hidden";
      if (isShown || chip.querySelector(".chip__solo").ariaPressed === "true") this.#counts.delete(key);
      chip.dataset.unread = isHidden(chip) ? "hidden" : "";
      this.#write(chip, this.#counts.get(key) ?? 0);
    }
  }

  // A screen reader says the button's label, so the count is its description.
  /** @type {(chip: HTMLElement, n: number) => void} */
  #write(chip, n) {
    let badge = /** @type {HTMLElement | null} */ (chip.querySelector(".chip__unread"));
    if (!badge && n) chip.querySelector(".chip__rate").before((badge = element("span", "chip__unread")));
    const text = n > MOST ? `${MOST}+` : n ? String(n) : "";
    if (!badge || badge.textContent === text) return;
    badge.textContent = text;
    chip.querySelector(".chip__solo").ariaDescription = n ? this.#words.say("unread", { n }) : "";
  }

  #leave() {
    for (const chip of this.#all) if (!isHidden(chip)) this.#counts.delete(chip.dataset.key ?? "");
    this.#new = new WeakSet();
    this.#n = 0;
    this.#mark(null);
  }

  // The line

  #draw() {
    if (!this.#n && !this.#marked) return;
    const row = this.#n ? this.#edge() : null;
    const text = this.#words.say("unread_line", { n: this.#n });
    if (row !== this.#marked || (row && row.dataset.unread !== text)) this.#mark(row, text);
  }

  // The row that the line is above.
  #edge() {
    const rows = /** @type {HTMLElement[]} */ ([...this.#list.children]);
    const { newestFirst } = this.#feed;
    return rows.find((row, at) => (newestFirst ? at > 0 && !this.#isNew(row) && this.#isNew(rows[at - 1]) : this.#isNew(row))) ?? null;
  }

  /** @type {(row: Element) => boolean} */
  #isNew(row) {
    return this.#new.has(this.#rows.eventOf(row));
  }

  /** @type {(row: HTMLElement | null, text?: string) => void} */
  #mark(row, text) {
    delete this.#marked?.dataset.unread;
    this.#marked = row;
    if (!row) return;
    row.dataset.unread = text;
    row.dispatchEvent(new Event("grow", { bubbles: true }));
  }

  get #all() {
    return /** @type {NodeListOf<HTMLElement>} */ (this.#chips.querySelectorAll(".chip"));
  }
}

/** @type {(chip: HTMLElement) => boolean} */
function isHidden({ classList }) {
  return classList.contains("is-hidden");
}
