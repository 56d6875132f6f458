// A list of events that grows at its end and is cut at its beginning. An event's index never changes, and the list
// knows how many messages came before it.

import { isMessage } from "../stream/events.js";

const COMPACT_AFTER = 4_096;

export class RingBuffer {
  /** @type {FeedItem[]} */
  #events = [];
  /** @type {number[]} */
  #befores = [];
  #gone = 0; // events cut off the arrays
  #start = 0;
  #total;

  // `before`: messages that came before the first event.
  constructor(before = 0) {
    this.#total = before;
  }

  get start() {
    return this.#start;
  }

  get end() {
    return this.#gone + this.#events.length;
  }

  get length() {
    return this.end - this.#start;
  }

  // All messages so far, also those cut off.
  get total() {
    return this.#total;
  }

  get messages() {
    return this.#total - this.before(this.#start);
  }

  /** @type {(index: number) => FeedItem} */
  at(index) {
    return this.#events[index - this.#gone];
  }

  /** @type {(index: number) => number} */
  before(index) {
    return index < this.end ? this.#befores[index - this.#gone] : this.#total;
  }

  // The index of the first event for which test(event) is true; the end if there is none.
  /** @type {(test: (event: FeedItem) => boolean) => number} */
  find(test) {
    let index = this.#start;
    while (index < this.end && !test(this.at(index))) index++;
    return index;
  }

  /** @type {(event: FeedItem) => void} */
  push(event) {
    this.#befores.push(this.#total);
    this.#events.push(event);
    if (isMessage(event)) this.#total++;
  }

  // Counts a message that joins an earlier event.
  absorb() {
    this.#total++;
  }

  shift() {
    const event = this.at(this.#start);
    this.#events[this.#start - this.#gone] = /** @type {any} */ (undefined);
    this.#start++;
    if (this.#start - this.#gone > COMPACT_AFTER) this.#compact();
    return event;
  }

  all() {
    return this.#events.slice(this.#start - this.#gone);
  }

  #compact() {
    const cut = this.#start - this.#gone;
    this.#events.splice(0, cut);
    this.#befores.splice(0, cut);
    this.#gone = this.#start;
  }
}
