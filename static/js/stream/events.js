// Pure: what a feed's events are.

export function isMessage({ type }) {
  return type.endsWith("message");
}
