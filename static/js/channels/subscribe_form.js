// The small form that adds a channel or a pattern to the selection.

import { abridged } from "../lib/format.js";
import { looksLikePattern } from "../stream/channel_names.js";
import { trimTyped } from "../ui/dom.js";

const LISTED = 5; // refused names of the link that are listed
const NAME_LENGTH = 40; // characters of each

export class SubscribeForm {
  #form;
  #problem;
  #selection;
  #chips;
  #words;
  #chosen = false;

  /**
   * @param {FormOf<{ name: HTMLInputElement, kind: HTMLSelectElement }>} form
   * @param {HTMLElement} problem
   * @param {PageSelection} selection
   * @param {import("./channel_chips.js").ChannelChips} chips
   * @param {Words} words
   */
  constructor(form, problem, selection, chips, words) {
    this.#form = form;
    this.#problem = problem;
    this.#selection = selection;
    this.#chips = chips;
    this.#words = words;
    form.hidden = false;
    form.addEventListener("submit", (event) => this.#submitted(event));
    this.#input.addEventListener("input", () => this.#typed());
    trimTyped(this.#input);
    this.#kind.addEventListener("change", () => (this.#chosen = true));
    if (selection.leftOut.length) this.complain(this.#leftOut(selection.leftOut));
  }

  /** @type {(names: PageSelection["leftOut"]) => string} */
  #leftOut(names) {
    const shown = names.slice(0, LISTED).map(({ name }) => `"${abridged(name, NAME_LENGTH, 1)}"`);
    if (names.length > LISTED) shown.push("…");
    const why = new Set(names.map(({ problem }) => this.#words.say(...problem)));
    return `${this.#words.say("left_out", { n: names.length, names: shown.join(", ") })} ${[...why].join(" ")}`;
  }

  focus() {
    this.#input.focus();
  }

  /** @type {(sentence: string) => void} */
  complain(sentence) {
    this.#problem.textContent = sentence;
    this.#input.ariaInvalid = sentence ? "true" : "false";
  }

  get #input() {
    return this.#form.elements.name;
  }

  get #kind() {
    return this.#form.elements.kind;
  }

  // A channel may be named `a*`: a kind chosen by the visitor is kept.
  #typed() {
    this.complain("");
    if (!this.#chosen) this.#kind.value = looksLikePattern(this.#input.value) ? "pattern" : "channel";
  }

  /** @type {(event: Event) => void} */
  #submitted(event) {
    event.preventDefault();
    const name = /** @type {Name} */ ({ kind: this.#kind.value, name: this.#input.value });
    if (this.#selection.has(name)) this.#chips.flash(name);
    const problem = this.#selection.add(name);
    if (problem) this.complain(this.#words.say(...problem));
    else this.#reset();
    this.focus();
  }

  #reset() {
    this.#form.reset();
    this.#chosen = false;
    this.complain("");
  }
}
