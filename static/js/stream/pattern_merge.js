// Pure: Redis pushes a message once for its channel and once for each pattern that matches it, one right after
// another on the same connection. Here they are one event, with all the patterns.

import { channelKey } from "./channel_names.js";

export class PatternMerge {
  /** @type {FeedEvent | null} */
  #last = null;
  #isSent = false;

  // What one push of a message leaves to show.
  /** @type {(event: FeedEvent) => FeedEvent[]} */
  take(event) {
    if (!this.#belongs(event)) return this.#begin(event);
    this.#last.patterns.push(event.pattern);
    return this.#isSent ? [{ type: "also", event: this.#last }] : [];
  }

  // What was taken so far has been shown.
  sent() {
    this.#isSent = true;
  }

  // Anything else in between: the next push is another message, or another selection's.
  forget() {
    this.#last = null;
  }

  /** @type {(event: FeedEvent) => FeedEvent[]} */
  #begin(event) {
    this.#last = event;
    this.#isSent = false;
    event.patterns = event.pattern === undefined ? [] : [event.pattern];
    return [event];
  }

  // An equal message that is published again comes by a subscription that has had its turn.
  /** @type {(event: FeedEvent) => boolean} */
  #belongs(event) {
    const { type, pattern, data, encoding, size } = event;
    const last = this.#last;
    return type === "pmessage" && last !== null && channelKey(last) === channelKey(event) && !last.patterns.includes(pattern)
      && last.data === data && last.encoding === encoding && last.size === size;
  }
}
