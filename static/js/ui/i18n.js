// Looks up a word in the page's language, fills its {placeholders} and chooses the plural.

import { lazily } from "../lib/lazy.js";

// Letters of right-to-left scripts; marks, embeddings and overrides.
const TURNS = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

export class Words {
  #words;
  #plurals;
  #numbers;

  /** @param {Record<string, string>} words @param {string} language */
  constructor(words, language) {
    this.language = language;
    this.#words = words;
    this.#plurals = lazily(() => new Intl.PluralRules(language));
    this.#numbers = lazily(() => new Intl.NumberFormat(language));
  }

  // Fetches the words of modules that are loaded later, from beside the script at `base`.
  /** @type {(base: string) => Promise<void>} */
  async fetchMore(base) {
    const answer = await fetch(new URL(`words.${this.language}.json`, base));
    if (!answer.ok) throw new Error("");
    Object.assign(this.#words, await answer.json());
  }

  /** @type {(key: string, values?: Record<string, any>) => string} */
  say(key, values = {}) {
    return this.#words[key].replace(/\{(.+?)\}/g, (_, place) => this.#fill(place, values));
  }

  // A placeholder has the name of a value, or the texts for one and for many.
  /** @type {(place: string, values: Record<string, any>) => string} */
  #fill(place, values) {
    const [one, many] = place.split("|");
    if (many !== undefined) return this.#plurals().select(values.n) === "one" ? one : many;
    const value = values[place];
    return typeof value === "number" ? this.#numbers().format(value) : isolated(value);
  }
}

// A right-to-left value is isolated, or it would reorder the sentence around it.
/** @type {(text: string) => string} */
function isolated(text) {
  return TURNS.test(text) ? `\u2068${text.replaceAll("\u2069", "")}\u2069` : text;
}
