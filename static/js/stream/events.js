// Pure: what a feed's events are.

/** @type {<Event extends { type: string }>(event: Event) => event is Extract<Event, { type: Push["type"] }>} */
export function isMessage({ type }) {
  return type.endsWith("message");
}
