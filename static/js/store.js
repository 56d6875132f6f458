// Keeps the newest events, drawn or not; and of them those that are to be shown.

import { isMessage } from "./events.js";
import { Ring } from "./ring.js";

const LIMIT = 10_000; // events
const LIMIT_CHARACTERS = 16_000_000; // a few large messages weigh as much as many small ones

export class Store {
  shown = new Ring();
  matching = this.shown;
  #kept = new Ring();
  #characters = 0;
  #tests = { shows: null, matches: null };

  get messages() {
    return this.#kept.messages;
  }

  get all() {
    return this.#kept.all();
  }

  // How many of the messages are to be shown.
  add(events) {
    const before = this.shown.total;
    events.forEach((event) => this.#push(event));
    while (this.#kept.length > LIMIT || this.#characters > LIMIT_CHARACTERS) this.#shift();
    return this.shown.total - before;
  }

  // From now on messages are shown that pass `shows`, and those match that pass `matches`; null: all.
  // A notice always passes.
  select(shows, matches) {
    this.#tests = { shows, matches };
    this.shown = this.#sift(shows);
    this.matching = matches === shows ? this.shown : this.#sift(matches);
  }

  #sift(test) {
    const ring = new Ring(test ? 0 : this.#kept.before(this.#kept.start));
    this.#kept.all().filter((event) => passes(event, test)).forEach((event) => ring.push(event));
    return ring;
  }

  get #rings() {
    return this.matching === this.shown ? [this.shown] : [this.shown, this.matching];
  }

  #push(event) {
    this.#kept.push(event);
    this.#characters += event.data?.length ?? 0;
    const { shows, matches } = this.#tests;
    if (passes(event, shows)) this.shown.push(event);
    if (this.matching !== this.shown && passes(event, matches)) this.matching.push(event);
  }

  #shift() {
    const event = this.#kept.shift();
    this.#characters -= event.data?.length ?? 0;
    for (const ring of this.#rings) if (ring.at(ring.start) === event) ring.shift();
  }
}

function passes(event, test) {
  return !test || !isMessage(event) || test(event);
}
