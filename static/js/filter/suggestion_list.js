// The suggestions under the filter's field: a WAI-ARIA combobox. The focus stays in the field.

import { element } from "../ui/dom.js";
import { isPlain } from "../ui/shortcuts.js";
import { placeUnder } from "./popup_place.js";

/** @typedef {import("./suggestions.js").Suggestion} Suggestion */

const ID = "suggestions";

export class SuggestionList {
  #field;
  #suggest;
  #words;
  /** @type {HTMLElement} */
  #list = element("ul", "suggestions");
  /** @type {Suggestion[]} */
  #offers = [];
  #chosen = -1;

  // `suggest` is called whenever the text or the caret changes.
  /** @param {HTMLInputElement} field @param {() => Suggestion[]} suggest @param {Words} words */
  constructor(field, suggest, words) {
    this.#field = field;
    this.#suggest = suggest;
    this.#words = words;
    this.#list.id = ID;
    this.#list.popover = "manual";
    this.#list.role = "listbox";
    this.#list.ariaLabel = words.say("filter_list");
    field.form?.after(this.#list);
    field.setAttribute("aria-controls", ID);
    field.ariaAutoComplete = "list";
    field.addEventListener("input", () => this.#open());
    field.addEventListener("click", () => field.value === "" && this.#open());
    field.addEventListener("blur", () => this.close());
    field.addEventListener("keydown", (event) => this.#pressed(event));
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    this.#list.addEventListener("click", ({ target }) => {
      const option = target.closest("li");
      if (option) this.#take([...this.#list.children].indexOf(option));
    });
  }

  get isOpen() {
    return this.#list.matches(":popover-open");
  }

  // Shows new suggestions, if there are any and the field has the focus.
  #open() {
    this.#offers = document.activeElement === this.#field ? this.#suggest() : [];
    if (!this.#offers.length) return this.close();
    this.#list.replaceChildren(...this.#offers.map((offer, n) => this.#option(offer, n)));
    this.#list.showPopover();
    placeUnder(this.#list, this.#field, "left");
    this.#field.ariaExpanded = "true";
    this.#choose(-1);
  }

  close() {
    if (!this.isOpen) return;
    this.#list.hidePopover();
    this.#field.ariaExpanded = "false";
    this.#choose(-1);
  }

  /** @type {(offer: Suggestion, n: number) => HTMLElement} */
  #option({ written, hint, word }, n) {
    const option = element("li", "suggestions__option");
    option.id = `${ID}-${n}`;
    option.role = "option";
    const said = word ? this.#words.say(word) : hint;
    option.append(element("span", "suggestions__text", written.trim()));
    if (said) option.append(" ", element("span", "suggestions__hint", said));
    return option;
  }

  // -1: none is active.
  /** @type {(n: number) => void} */
  #choose(n) {
    this.#chosen = n;
    [...this.#list.children].forEach((option, at) => (option.ariaSelected = String(at === n)));
    this.#list.children[n]?.scrollIntoView({ block: "nearest" });
    if (n === -1) this.#field.removeAttribute("aria-activedescendant");
    else this.#field.setAttribute("aria-activedescendant", `${ID}-${n}`);
  }

  // After a field's name its values are suggested.
  /** @type {(n: number) => void} */
  #take(n) {
    const { written, text, caret } = this.#offers[n];
    this.#field.value = text;
    this.#field.setSelectionRange(caret, caret);
    this.#field.dispatchEvent(new Event("input", { bubbles: true }));
    if (!/[:=<>]$/.test(written)) this.close();
  }

  /** @type {(event: KeyboardEvent) => void} */
  #pressed(event) {
    if (!isPlain(event) || event.shiftKey || !this.#does(event.key)) return;
    event.preventDefault();
  }

  // Whether the key was handled.
  /** @type {(key: string) => boolean} */
  #does(key) {
    const isTaken = this.isOpen && this.#chosen !== -1;
    if (key === "ArrowDown" || key === "ArrowUp") this.#step(key === "ArrowDown" ? 1 : -1);
    else if (key === "Escape" && this.isOpen) this.close();
    else if ((key === "Enter" || key === "Tab") && isTaken) this.#take(this.#chosen);
    else {
      if (key === "Enter") this.close();
      return false;
    }
    return true;
  }

  // From the last suggestion to none, then to the first.
  /** @type {(step: 1 | -1) => void} */
  #step(step) {
    if (!this.isOpen) this.#open();
    const places = this.#offers.length + 1;
    if (this.isOpen) this.#choose(((this.#chosen + 1 + step + places) % places) - 1);
  }
}
