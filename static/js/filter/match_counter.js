// Counts the matches of several filters, in small slices; each message is tested once.

import { readFilter } from "../feed/filter_query.js";
import { ticks } from "../lib/clock.js";
import { attempt } from "../stream/unreadable.js";

const SLICE = 8; // milliseconds
const AFTER = 16; // milliseconds until the next slice

export class MatchCounter {
  #queries;
  /** @type {WeakMap<Message, boolean[]>} */
  #known = new WeakMap();
  #isOver = false;

  /** @param {string[]} filters */
  constructor(filters) {
    this.#queries = filters.map(readFilter);
    for (const { search } of this.#queries) if (search) search.onFail = () => (this.#isOver = true);
  }

  // The number of matches of each filter; null if end() was called meanwhile.
  /** @type {(events: Message[]) => Promise<number[] | null>} */
  async count(events) {
    for (const { search } of this.#queries) if (search) await this.#learn(search, events);
    const counts = this.#queries.map(() => 0);
    let end = ticks() + SLICE;
    for (const event of events) {
      this.#test(event).forEach((isFound, n) => (counts[n] += Number(isFound)));
      if (ticks() < end) continue;
      await new Promise((resolve) => setTimeout(resolve, AFTER));
      if (this.#isOver) return null;
      end = ticks() + SLICE;
    }
    return this.#isOver ? null : counts;
  }

  end() {
    this.#isOver = true;
    for (const { search } of this.#queries) search?.end();
  }

  /** @type {(search: import("../feed/regex_search.js").RegexSearch, events: Message[]) => Promise<void>} */
  async #learn(search, events) {
    let unknown = events.filter((event) => !search.knows(event));
    while (unknown.length && !this.#isOver) {
      await search.learn(unknown);
      unknown = unknown.filter((event) => !search.knows(event));
    }
  }

  /** @type {(event: Message) => boolean[]} */
  #test(event) {
    const known = this.#known.get(event);
    if (known) return known;
    const found = this.#queries.map(({ test }) => attempt(event, () => Boolean(test?.(event)), false));
    this.#known.set(event, found);
    return found;
  }
}
