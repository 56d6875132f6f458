// Keeps the newest events, drawn or not; and of them those that are to be shown.

import { isMessage } from "./events.js";
import { Ring } from "./ring.js";

const LIMIT = 10_000; // events
const LIMIT_CHARACTERS = 16_000_000; // a few large messages weigh as much as many small ones

export class Store {
  shown = new Ring();
  #kept = new Ring();
  #characters = 0;
  #test = null;

  get messages() {
    return this.#kept.messages;
  }

  // How many of the messages are to be shown.
  add(events) {
    const before = this.shown.before(this.shown.end);
    events.forEach((event) => this.#push(event));
    while (this.#kept.length > LIMIT || this.#characters > LIMIT_CHARACTERS) this.#shift();
    return this.shown.before(this.shown.end) - before;
  }

  // From now on only messages that pass are shown; null: all. A notice always is.
  select(test) {
    this.#test = test;
    this.shown = new Ring(test ? 0 : this.#kept.before(this.#kept.start));
    this.#kept.all().filter((event) => this.#passes(event)).forEach((event) => this.shown.push(event));
  }

  #passes(event) {
    return !this.#test || !isMessage(event) || this.#test(event);
  }

  #push(event) {
    this.#kept.push(event);
    this.#characters += event.data?.length ?? 0;
    if (this.#passes(event)) this.shown.push(event);
  }

  #shift() {
    const event = this.#kept.shift();
    this.#characters -= event.data?.length ?? 0;
    if (this.shown.at(this.shown.start) === event) this.shown.shift();
  }
}
