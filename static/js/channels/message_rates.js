// Counts messages per second, for the last five minutes. Knows no DOM.

import { now } from "../lib/clock.js";
import { channelKey, keysOf } from "../stream/channel_names.js";
import { isMessage } from "../stream/events.js";

const SECONDS = 300;
const ALL = ""; // the key of everything together

const RECENT = 5; // seconds averaged by now()
const SERIES_LIMIT = 400; // a pattern may match any number of channels

export class MessageRates {
  /** @type {Map<string, Series>} */
  #series = new Map();
  #selection;

  /** @param {PageSelection} selection */
  constructor(selection) {
    this.#selection = selection;
  }

  /** @type {(events: ShownEvent[]) => void} */
  add(events) {
    const second = Math.floor(now());
    for (const event of events) if (isMessage(event)) this.#count(event, second);
  }

  // Counts per second, the oldest first; the last second is still running.
  /** @type {(key: string) => number[]} */
  of(key) {
    const series = this.#series.get(key);
    return series ? series.until(Math.floor(now())) : new Array(SECONDS).fill(0);
  }

  /** @type {(key?: string) => number} */
  now(key = ALL) {
    const recent = this.of(key).slice(-RECENT - 1, -1);
    return recent.reduce((sum, n) => sum + n, 0) / RECENT;
  }

  // The server's time of the last message, or undefined.
  /** @type {(key: string) => number | undefined} */
  lastSeen(key) {
    return this.#series.get(key)?.seen;
  }

  // A message that comes by a channel and by a pattern counts once for the channel.
  /** @type {(event: Message, second: number) => void} */
  #count(event, second) {
    for (const key of keysOf(event)) this.#add(key, second);
    if (this.#selection.hasTwice(event)) return;
    if (event.type === "pmessage") this.#add(channelKey(event), second);
    this.#add(ALL, second);
  }

  /** @type {(key: string, second: number) => void} */
  #add(key, second) {
    let series = this.#series.get(key);
    if (!series) {
      if (this.#series.size >= SERIES_LIMIT) this.#forgetOldest();
      this.#series.set(key, (series = new Series(second)));
    }
    series.add(second);
  }

  #forgetOldest() {
    const [oldest] = [...this.#series].sort(([, a], [, b]) => a.seen - b.seen)[0];
    this.#series.delete(oldest);
  }
}

class Series {
  seen = 0;
  #ring = new Uint32Array(SECONDS);
  #second;

  /** @param {number} second */
  constructor(second) {
    this.#second = second;
  }

  /** @type {(second: number) => void} */
  add(second) {
    this.#goTo(second);
    this.#ring[this.#second % SECONDS]++;
    this.seen = now();
  }

  /** @type {(second: number) => number[]} */
  until(second) {
    this.#goTo(second);
    const next = (this.#second + 1) % SECONDS;
    return [...this.#ring.subarray(next), ...this.#ring.subarray(0, next)];
  }

  /** @type {(second: number) => void} */
  #goTo(second) {
    if (Math.abs(second - this.#second) >= SECONDS) {
      this.#ring.fill(0);
      this.#second = second; // after a clock that was set back, counting would otherwise stop
    } else for (let at = this.#second + 1; at <= second; at++) this.#ring[at % SECONDS] = 0;
    this.#second = Math.max(this.#second, second);
  }
}
