// Pure: what a feed's events are.

/** @type {(event: FeedEvent) => boolean} */
export function isMessage({ type }) {
  return type.endsWith("message");
}
