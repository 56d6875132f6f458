// The filter's card: severities to choose from, and example filters from the messages, each with its number of matches.

import { severityMark } from "../message/alert_card.js";
import { RANKS } from "../message/alert_parser.js";
import { element, setText } from "../ui/dom.js";
import { examplesOf } from "./filter_examples.js";
import { MatchCounter } from "./match_counter.js";
import { placeUnder } from "./popup_place.js";
import { levelsIn, withLevels } from "./severity_terms.js";

const PAUSE = 1_000; // milliseconds between two counts

export class FilterCard {
  #form;
  #filter;
  #words;
  #seen;
  #kept;
  #card = element("div", "help-card");
  /** @type {HTMLElement} */
  #levels = element("p", "help-card__levels");
  /** @type {HTMLElement} */
  #examples = element("ul", "help-card__examples");
  /** @type {MatchCounter | null} */
  #counter = null;
  #isStale = false;
  /** @type {HTMLElement | null} */
  #opener = null;

  /**
   * @param {PageElements["filter"]} form that it follows
   * @param {import("../feed/filter_bar.js").FilterBar} filter
   * @param {() => import("./seen_fields.js").SeenFields} seen
   * @param {() => Message[]} kept
   * @param {Words} words
   */
  constructor(form, filter, seen, kept, words) {
    this.#form = form;
    this.#filter = filter;
    this.#seen = seen;
    this.#kept = kept;
    this.#words = words;
    this.#card.popover = "auto";
    this.#card.role = "dialog";
    this.#levels.role = "group";
    this.#card.append(...this.#part("filter_levels", this.#levels), ...this.#part("filter_examples", this.#examples));
    this.#levels.append(...RANKS.toReversed().map((level) => this.#level(level)));
    form.after(this.#card);
    this.#levels.addEventListener("click", ({ target }) => this.#toggle(target.closest("button")));
    this.#examples.addEventListener("click", ({ target }) => this.#use(target.closest("button")));
    this.#card.addEventListener("toggle", ({ newState }) => newState === "closed" && this.#closed());
    filter.addEventListener("change", () => this.#showLevels());
  }

  /** @type {(opener: HTMLElement) => void} */
  open(opener) {
    this.#opener = opener;
    this.#card.ariaLabel = opener.ariaLabel;
    const examples = examplesOf(this.#seen());
    this.#examples.replaceChildren(...examples.map((example) => this.#example(example)));
    this.#showLevels();
    this.#card.showPopover();
    placeUnder(this.#card, opener.checkVisibility() ? opener : opener.closest(".desk") ?? opener, "right");
    opener.ariaExpanded = "true";
    this.#card.querySelector("button").focus({ preventScroll: true });
    this.#counter = new MatchCounter(examples.map(({ filter }) => filter));
    this.#isStale = true;
    this.#count(this.#counter);
  }

  // Call after each draw: the messages may have changed.
  drawn() {
    this.#isStale = true;
  }

  /** @type {(word: string, part: HTMLElement) => HTMLElement[]} */
  #part(word, part) {
    part.ariaLabel = this.#words.say(word);
    return [element("h3", "help-card__title", part.ariaLabel), part];
  }

  // Levels

  /** @type {(level: string) => HTMLElement} */
  #level(level) {
    const button = Object.assign(element("button", "button help-card__level"), { value: level, type: "button" });
    button.append(severityMark(level, this.#words));
    return button;
  }

  #showLevels() {
    const levels = levelsIn(this.#filter.text);
    for (const button of this.#levels.querySelectorAll("button")) button.ariaPressed = String(levels.has(button.value));
  }

  /** @type {(button: HTMLButtonElement | null) => void} */
  #toggle(button) {
    if (!button) return;
    const levels = levelsIn(this.#filter.text);
    if (!levels.delete(button.value)) levels.add(button.value);
    this.#filter.text = withLevels(this.#filter.text, levels);
  }

  // Examples

  /** @type {(example: { filter: string, word: string }) => HTMLElement} */
  #example({ filter, word }) {
    const button = Object.assign(element("button", "help-card__example"), { value: filter, type: "button" });
    button.append(element("code", "", filter), " ", element("span", "", this.#words.say(word)), " ", element("b", "", "…"));
    const item = element("li", "");
    item.append(button);
    return item;
  }

  /** @type {(button: HTMLButtonElement | null) => void} */
  #use(button) {
    if (!button) return;
    this.#card.hidePopover();
    this.#filter.text = button.value;
    this.#form.elements.filter.focus();
  }

  // Counts as long as the card is open.
  /** @type {(counter: MatchCounter) => Promise<void>} */
  async #count(counter) {
    while (counter === this.#counter) {
      const counts = this.#isStale ? await counter.count(this.#kept()) : null;
      this.#isStale = false;
      if (counts && counter === this.#counter) this.#show(counts);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  /** @type {(counts: number[]) => void} */
  #show(counts) {
    const places = [...this.#examples.querySelectorAll("b")];
    counts.forEach((n, at) => {
      setText(places[at], this.#words.say("filter_count", { n }));
    });
  }

  // Returns the focus to the opener, unless it has moved on.
  #closed() {
    this.#counter?.end();
    this.#counter = null;
    const opener = this.#opener;
    if (!opener) return;
    opener.ariaExpanded = "false";
    if (document.activeElement !== document.body && !this.#card.contains(document.activeElement)) return;
    if (opener.checkVisibility()) opener.focus({ preventScroll: true });
    else document.querySelector(".desk__more").focus({ preventScroll: true });
  }
}
