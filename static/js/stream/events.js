// Pure: kinds of feed events.

import { channelKey } from "./channel_names.js";

/** @type {<Event extends { type: string }>(event: Event) => event is Extract<Event, { type: Push["type"] }>} */
export function isMessage({ type }) {
  return type.endsWith("message");
}

// Also if it was read twice.
/** @type {(one: Message, other: Message) => boolean} */
export function isSame(one, other) {
  return one === other || (one.id !== undefined && one.id === other.id && channelKey(one) === channelKey(other));
}
