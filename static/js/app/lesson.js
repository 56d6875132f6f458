// Teaches Pub/Sub: how many subscribers listen, how many received a message, and a card with four things to try.
// A step is ticked only when it really happened.

import { Listeners } from "../publish/listeners.js";
import { matchingNames } from "../publish/matching_names.js";
import { showReceipt } from "../publish/receipts.js";
import { TryCard } from "./try_card.js";

/** @typedef {import("../publish/receipts.js").Sent & import("../publish/listeners.js").Count} Sent */

export class Lesson {
  #card;
  #listeners;
  #selection;
  /** @type {(sent: Sent) => void} */
  #showReceipt;

  // `on` has late(), which opens the late-join demo, and show(part of the page).
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
    let before; // the last event in the feed when the form was sent
    form.addEventListener("submit", () => (before = feed.live.at(-1)));
    this.#showReceipt = (sent) => showReceipt(sent, before, feed, rows, list);
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
    if (!sent.isAtLeast) this.#showReceipt(sent);
    if (sent.receivers || !sent.isAtLeast) this.#card.tick(sent.receivers ? "publish" : "nobody");
    this.#count(sent);
  }

  // Counts tabs when the visitor returns from a second tab, or this is one.
  #ask() {
    const [channel] = this.#selection.channels;
    if (!document.hidden && channel !== undefined && this.#card.isOpen && !this.#card.has("tab")) this.#listeners.count("channel", channel);
  }

  // A tab counts once for each matching subscription.
  /** @type {(count: import("../publish/listeners.js").Count) => void} */
  #count({ kind = "channel", channel, tabs }) {
    if (tabs && tabs > matchingNames(this.#selection.names, kind, channel, true).length) this.#card.tick("tab");
  }
}
