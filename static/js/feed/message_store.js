// Stores the newest events, drawn or not, and which of them are to be shown.

import { isMessage } from "../stream/events.js";
import { RingBuffer } from "./ring_buffer.js";

const LIMIT = 10_000; // events
const GROUPED = 1_000; // of the stored events, the newest to group: each has to be parsed
const LIMIT_CHARACTERS = 16_000_000; // in all messages together

export class MessageStore {
  shown = new RingBuffer();
  matching = this.shown;
  view = this.shown; // the events that have rows: of a group, the first message
  #kept = new RingBuffer();
  #characters = 0;
  /** @type {{ shows: Test | null, matches: Test | null, knows: ((event: FeedItem) => boolean) | null }} */
  #tests = { shows: null, matches: null, knows: null };
  #sifted = 0; // events before this one have been tested
  /** @type {import("./message_groups.js").MessageGroups | null} */
  #groups = null;
  #groupedFrom = 0;

  get messages() {
    return this.#kept.messages;
  }

  get all() {
    return this.#kept.all();
  }

  // Events that are not tested yet: the first that the search does not know, and all after it.
  get waiting() {
    return this.#kept.all().slice(this.#sifted - this.#kept.start);
  }

  // Returns how many of the messages are to be shown.
  /** @type {(events: FeedItem[]) => number} */
  add(events) {
    events.forEach((event) => this.#push(event));
    const isShown = this.sift();
    while (this.#kept.length > LIMIT || this.#characters > LIMIT_CHARACTERS) this.#shift();
    return isShown;
  }

  // Shows messages that pass `shows`; those that pass `matches` match; null: all. A notice always passes.
  // `knows` says which events can be tested yet. With `groups`, equal messages share a row in the view.
  /**
   * @param {Test | null} shows
   * @param {Test | null} matches
   * @param {((event: FeedItem) => boolean) | null} knows
   * @param {import("./message_groups.js").MessageGroups | null} groups
   */
  select(shows, matches, knows = null, groups = null) {
    this.#tests = { shows, matches, knows };
    this.shown = this.#ring(shows);
    this.matching = matches === shows ? this.shown : this.#ring(matches);
    this.view = groups ? this.#ring(shows) : this.shown;
    this.#groups = groups;
    this.#groupedFrom = this.#kept.end - GROUPED;
    this.#sifted = this.#kept.start;
    this.sift();
  }

  // Tests the waiting events as far as possible; returns how many more are to be shown.
  sift() {
    const { shows, matches, knows } = this.#tests;
    const before = this.shown.total;
    for (; this.#sifted < this.#kept.end; this.#sifted++) {
      const event = this.#kept.at(this.#sifted);
      if (knows && !knows(event)) break;
      if (passes(event, shows)) this.#show(event);
      if (this.matching !== this.shown && passes(event, matches)) this.matching.push(event);
    }
    return this.shown.total - before;
  }

  // The group whose row shows this message.
  /** @type {(event: FeedItem) => import("./message_groups.js").Group | undefined} */
  groupOf(event) {
    return this.#groups?.of(event);
  }

  /** @type {(event: FeedItem) => void} */
  #show(event) {
    this.shown.push(event);
    if (this.view === this.shown) return;
    if (this.#groups && this.#sifted >= this.#groupedFrom) this.#groups.add(event, this.view);
    else this.view.push(event);
  }

  /** @type {(test: Test | null) => RingBuffer} */
  #ring(test) {
    return new RingBuffer(test ? 0 : this.#kept.before(this.#kept.start));
  }

  get #rings() {
    return new Set([this.shown, this.matching, this.view]);
  }

  /** @type {(event: FeedItem) => void} */
  #push(event) {
    this.#kept.push(event);
    this.#characters += weight(event);
  }

  #shift() {
    const event = this.#kept.shift();
    this.#sifted = Math.max(this.#sifted, this.#kept.start);
    this.#characters -= weight(event);
    for (const ring of this.#rings) if (ring.at(ring.start) === event) ring.shift();
  }
}

/** @type {(event: FeedItem) => number} */
function weight(event) {
  return isMessage(event) ? event.data.length : 0;
}

/** @type {(event: FeedItem, test: Test | null) => boolean} */
function passes(event, test) {
  return !test || !isMessage(event) || Boolean(test(event));
}
