// Looks a word up in the person's language, fills its {placeholders} and chooses the plural.

import { lazily } from "./lazily.js";

export class Words {
  #words;
  #plurals;
  #numbers;

  constructor(words, language) {
    this.language = language;
    this.#words = words;
    this.#plurals = lazily(() => new Intl.PluralRules(language));
    this.#numbers = lazily(() => new Intl.NumberFormat(language));
  }

  say(key, values = {}) {
    const word = this.#choose(this.#words[key], values.n);
    return word.replace(/\{(\w+)\}/g, (_, name) => this.#fill(values[name]));
  }

  #choose(word, n) {
    if (typeof word === "string") return word;
    return word[this.#plurals().select(n)] ?? word.other;
  }

  #fill(value) {
    return typeof value === "number" ? this.#numbers().format(value) : value;
  }
}
