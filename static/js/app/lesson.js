// What the page teaches of Pub/Sub: who listens, who received, and a card with four things to try. Each tick of the
// card stands for what really happened.

import { glob } from "../lib/glob.js";
import { Listeners } from "../publish/listeners.js";
import { tellReceipt } from "../publish/receipts.js";
import { TryCard } from "./try_card.js";

/** @typedef {import("../publish/receipts.js").Sent & import("../publish/listeners.js").Count} Sent */

export class Lesson {
  #card;
  #listeners;
  #selection;
  /** @type {(sent: Sent) => void} */
  #tellReceipt;

  // `on` has late(), which opens the two lanes, and show(part of the page).
  /**
   * @param {{ form: PublishElement, listeners: HTMLElement, rail: HTMLElement, welcome: HTMLElement, lanes: HTMLElement, list: HTMLElement }} places
   * @param {import("../feed/feed.js").Feed} feed
   * @param {Rows} rows
   * @param {PageSelection} selection
   * @param {Words} words
   * @param {{ late(): void, show(part: string): void }} on
   * @param {number} maxName
   */
  constructor({ form, listeners, lanes, list, ...places }, feed, rows, selection, words, on, maxName) {
    this.#selection = selection;
    this.#listeners = new Listeners(form, listeners, maxName, words);
    this.#card = new TryCard(places, words, {
      ...on,
      publish: () => {
        on.show("publish");
        form.elements.message.focus();
      },
    });
    /** @type {unknown} */
    let before; // the last that was in the feed when it was sent
    form.addEventListener("submit", () => (before = feed.live.at(-1)));
    this.#tellReceipt = (sent) => tellReceipt(sent, before, feed, rows, list);
    this.#listeners.addEventListener("counted", ({ detail }) => this.#count(detail));
    lanes.addEventListener("arrived", () => this.#card.tick("late"));
    document.addEventListener("visibilitychange", () => this.#ask());
    this.#ask();
  }

  open() {
    this.#card.open();
    this.#ask();
  }

  /** @type {(sent: Sent) => void} */
  published(sent) {
    if (!sent.isAtLeast) this.#tellReceipt(sent);
    if (sent.receivers || !sent.isAtLeast) this.#card.tick(sent.receivers ? "publish" : "nobody");
    this.#count(sent);
  }

  // Whoever comes back from a second tab, or is one.
  #ask() {
    const [channel] = this.#selection.channels;
    if (!document.hidden && channel !== undefined && this.#card.isOpen && !this.#card.has("tab")) this.#listeners.count("channel", channel);
  }

  // A tab counts for each way in which a message reaches it.
  /** @type {(count: import("../publish/listeners.js").Count) => void} */
  #count({ kind = "channel", channel, tabs }) {
    const own = this.#selection.names.filter(({ kind: other, name }) =>
      other === "pattern" ? kind === "channel" && mayMatch(name, channel) : other === kind && name === channel);
    if (tabs && tabs > own.length) this.#card.tick("tab");
  }
}

// Redis knows more of patterns than the filter does: in doubt, yes.
/** @type {(pattern: string, channel: string) => boolean} */
function mayMatch(pattern, channel) {
  return /[[\\]/.test(pattern) || glob(pattern)(channel);
}
