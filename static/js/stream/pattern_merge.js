// Pure: Redis pushes a message once for its channel and once for each matching pattern, one right after another on
// the same connection. They are merged into one event with all the patterns.

import { channelKey } from "./channel_names.js";

export class PatternMerge {
  /** @type {Message | null} */
  #last = null;
  #isSent = false;

  // Returns what to show for one push.
  /** @type {(event: Push) => ShownEvent[]} */
  take(event) {
    const last = this.#last;
    if (!last || !belongs(event, last)) return this.#begin(event);
    last.patterns.push(/** @type {string} */ (event.pattern));
    return this.#isSent ? [{ type: "also", event: last }] : [];
  }

  // Call after the messages taken so far have been shown.
  sent() {
    this.#isSent = true;
  }

  // Call for any other event: the next push is a message of its own.
  forget() {
    this.#last = null;
  }

  /** @type {(event: Push) => Message[]} */
  #begin(event) {
    this.#last = Object.assign(event, { patterns: event.pattern === undefined ? [] : [event.pattern] });
    this.#isSent = false;
    return [this.#last];
  }
}

// If an equal message is published again, its first push repeats a subscription of the former.
/** @type {(event: Push, last: Message) => boolean} */
function belongs(event, last) {
  const { type, pattern = "", data, encoding, size } = event;
  return type === "pmessage" && channelKey(last) === channelKey(event) && !last.patterns.includes(pattern)
    && last.data === data && last.encoding === encoding && last.size === size;
}
