// The filter bar: parses its text, keeps it in the address and passes it on.
// Event: "change", whenever the filter has changed.

import { Emitter } from "../lib/emitter.js";
import { attempt } from "../stream/unreadable.js";
import { setText } from "../ui/dom.js";
import { asked, keep } from "../ui/url_state.js";
import { noFilter, readFilter } from "./filter_query.js";

const PATIENCE = 120; // milliseconds after the last key

export class FilterBar extends Emitter {
  #form;
  #count;
  #note;
  #words;
  /** @type {number | undefined} */
  #timer;
  /** @type {string | null} */
  #asked = null;
  /** @type {Query | null} */
  query = null; // until there is a filter
  hides = true;

  /** @param {PageElements["filter"]} form @param {HTMLElement} count @param {HTMLElement} note @param {Words} words */
  constructor(form, count, note, words) {
    super();
    this.#form = form;
    this.#count = count;
    this.#note = note;
    this.#words = words;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => this.#wait());
    form.addEventListener("change", () => this.#changed());
  }

  // Reads the filter from the address.
  load() {
    const query = asked();
    this.#text.value = query.get("filter") ?? "";
    this.#only.checked = query.has("highlight");
    if (this.#text.value || this.query) this.#changed();
  }

  focus() {
    this.#text.select();
    this.#text.focus();
  }

  get text() {
    return this.#text.value;
  }

  set text(text) {
    this.#text.value = text;
    this.#changed();
  }

  // Call after each draw: shows how many messages match, of how many.
  /** @type {(counts: import("./feed.js").Feed["counts"]) => void} */
  show({ matching, messages, shown, isSure, odd }) {
    const isActive = this.query?.test && matching !== null;
    const counts = [
      isActive && this.#words.say("matching", { matching, n: messages }),
      odd && this.#words.say("odd_count", { n: odd }),
    ];
    setText(this.#count, counts.filter(Boolean).join("; "));
    if (this.query?.problem) return;
    const isBlank = isSure && messages && !shown;
    if (isActive && matching === 0 && isSure) setText(this.#note, this.#words.say("nothing_matches", { n: messages }));
    else setText(this.#note, isBlank ? this.#words.say("all_hidden", { n: messages }) : "");
  }

  get #text() {
    return this.#form.elements.filter;
  }

  get #only() {
    return this.#form.elements.highlight;
  }

  #wait() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#changed(), PATIENCE);
  }

  #changed() {
    clearTimeout(this.#timer);
    const asked = `${this.#only.checked} ${this.#text.value}`;
    if (asked === this.#asked) return; // drawing rows would swallow a click that moved the focus from the field
    this.#asked = asked;
    this.hides = !this.#only.checked;
    keep({ filter: this.#text.value, highlight: this.#only.checked ? "only" : "" });
    this.#use(neverHiding(readFilter(this.#text.value)));
  }

  // Call if the filter turns out to be unusable: then everything passes.
  /** @type {(problem: Said) => void} */
  refuse(problem) {
    this.#use(noFilter(problem));
  }

  /** @type {(query: Query) => void} */
  #use(query) {
    const { problem } = query;
    this.query = query;
    setText(this.#note, problem ? this.#words.say(...problem) : "");
    this.#note.dataset.state = problem ? "problem" : "";
    this.#text.ariaInvalid = String(problem !== null);
    this.emit("change");
  }
}

// A message whose test fails is shown.
/** @type {(query: Query) => Query} */
function neverHiding({ test, ...query }) {
  return { ...query, test: test && ((event) => attempt(event, () => test(event), true)) };
}
