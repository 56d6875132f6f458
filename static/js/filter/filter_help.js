// Help with the filter: suggestions while typing, corrections, and a card of examples.

import { ticks } from "../lib/clock.js";
import { later } from "../lib/idle_queue.js";
import { isMessage } from "../stream/events.js";
import { element } from "../ui/dom.js";
import { correct } from "./corrections.js";
import { FilterCard } from "./filter_card.js";
import { SeenFields } from "./seen_fields.js";
import { SuggestionList } from "./suggestion_list.js";
import { suggest } from "./suggestions.js";

const FRESH = 2_000; // milliseconds for which a sample of the messages is used

export class FilterHelp {
  #filter;
  #feed;
  #words;
  #field;
  #card;
  /** @type {HTMLElement} */
  #hint = element("p", "filter__hint");
  #seen = new SeenFields([]);
  #seenAt = -FRESH;
  #doubted = { text: "", at: -FRESH }; // the filter that was last corrected
  #again = 0; // a timer
  /** @type {string | null} */
  #meant = null;

  /**
   * @param {PageElements["filter"]} form
   * @param {HTMLElement} note that says what is wrong with the filter
   * @param {import("../feed/filter_bar.js").FilterBar} filter
   * @param {import("../feed/feed.js").Feed} feed
   * @param {Words} words
   */
  constructor(form, note, filter, feed, words) {
    this.#filter = filter;
    this.#feed = feed;
    this.#words = words;
    this.#field = form.elements.filter;
    new SuggestionList(this.#field, () => this.#suggest(), words);
    this.#card = new FilterCard(form, filter, () => this.#look(), () => this.#kept, words);
    this.#addHint(note);
    filter.addEventListener("change", () => this.#doubt(false));
    feed.addEventListener("draw", () => {
      this.#card.drawn();
      this.#doubt(true);
    });
    this.#doubt(true);
  }

  /** @type {(opener: HTMLElement) => void} */
  open(opener) {
    this.#card.open(opener);
  }

  get #kept() {
    return this.#feed.all.filter(isMessage);
  }

  #look() {
    if (ticks() - this.#seenAt > FRESH) {
      this.#seen = new SeenFields(this.#kept);
      this.#seenAt = ticks();
    }
    return this.#seen;
  }

  /** @type {() => import("./suggestions.js").Suggestion[]} */
  #suggest() {
    const { value, selectionStart } = this.#field;
    const offers = suggest(value, selectionStart ?? value.length, this.#look());
    const meant = this.#meant;
    return meant !== null && value === this.#doubted.text
      ? [{ written: meant, word: "filter_meant", text: meant, caret: meant.length }, ...offers] : offers;
  }

  // Corrections

  // Below the note, over the feed, so that no row moves.
  /** @type {(note: HTMLElement) => void} */
  #addHint(note) {
    const place = element("div", "filter__notes");
    note.before(place);
    this.#hint.role = "status";
    place.append(note, this.#hint);
    this.#hint.addEventListener("click", ({ target }) => {
      if (!target.closest("button") || this.#meant === null) return;
      this.#filter.text = this.#meant;
      this.#field.focus();
    });
  }

  // Looks for a correction; whether the filter finds anything is known only after a draw.
  /** @type {(isDrawn: boolean) => void} */
  #doubt(isDrawn) {
    const { text, query } = this.#filter;
    const { matching, messages, isSure } = this.#feed.counts;
    const isEmpty = query?.problem || (isDrawn && query?.test && matching === 0 && messages > 0 && isSure);
    const isOther = text !== this.#doubted.text;
    if (!isEmpty || isOther) this.#say(null);
    if (!isEmpty || this.#meant !== null) return;
    if (!isOther && ticks() - this.#doubted.at < FRESH) {
      this.#again ||= setTimeout(() => { // no other draw may come for a long time
        this.#again = 0;
        this.#seenAt = -FRESH;
        this.#doubt(true);
      }, FRESH);
      return;
    }
    this.#doubted = { text, at: ticks() };
    later(() => this.#guess(text));
  }

  /** @type {(text: string) => Promise<void>} */
  async #guess(text) {
    const meant = await correct(text, this.#look());
    if (text === this.#filter.text && text === this.#doubted.text) this.#say(meant);
  }

  /** @type {(meant: string | null) => void} */
  #say(meant) {
    if (meant === this.#meant) return;
    this.#meant = meant;
    if (meant === null) return this.#hint.replaceChildren();
    const button = element("button", "link");
    button.append(`${this.#words.say("filter_meant")} `, element("code", "", meant));
    this.#hint.replaceChildren(button);
  }
}
