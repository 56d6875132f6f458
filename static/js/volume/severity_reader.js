// Reads the severities of messages as long as there are not too many: parsing takes time that the feed needs.

import { ticks } from "../lib/clock.js";
import { mayHaveSeverity, severityOf } from "../message/severity.js";
import { attempt } from "../stream/unreadable.js";
import { KINDS } from "./volume_counts.js";

const PACE = 1_000_000; // characters a second: some 20 ms of work
const BURST = 4 * PACE;

export class SeverityReader {
  #left = BURST;
  #at = ticks();

  // Returns one of KINDS.
  /** @type {(event: Message) => string} */
  kindOf(event) {
    const { data, encoding } = event;
    if (encoding || !mayHaveSeverity(data)) return "none";
    this.#earn();
    if (data.length > this.#left) return "unread";
    this.#left -= data.length;
    const severity = attempt(event, () => severityOf(data), "");
    return KINDS.includes(severity) ? severity : "none"; // also for debug
  }

  #earn() {
    const now = ticks();
    this.#left = Math.min(BURST, this.#left + ((now - this.#at) / 1000) * PACE);
    this.#at = now;
  }
}
