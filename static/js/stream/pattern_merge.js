// Pure: Redis pushes a message once for its channel and once for each pattern that matches it, one right after
// another on the same connection. Here they are one event, with all the patterns.

import { channelKey } from "./channel_names.js";

export class PatternMerge {
  /** @type {Message | null} */
  #last = null;
  #isSent = false;

  // What one push of a message leaves to show.
  /** @type {(event: Push) => ShownEvent[]} */
  take(event) {
    const last = this.#last;
    if (!last || !belongs(event, last)) return this.#begin(event);
    last.patterns.push(/** @type {string} */ (event.pattern));
    return this.#isSent ? [{ type: "also", event: last }] : [];
  }

  // What was taken so far has been shown.
  sent() {
    this.#isSent = true;
  }

  // Anything else in between: the next push is another message, or another selection's.
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

// An equal message that is published again comes by a subscription that has had its turn.
/** @type {(event: Push, last: Message) => boolean} */
function belongs(event, last) {
  const { type, pattern = "", data, encoding, size } = event;
  return type === "pmessage" && channelKey(last) === channelKey(event) && !last.patterns.includes(pattern)
    && last.data === data && last.encoding === encoding && last.size === size;
}
