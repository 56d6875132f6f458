// A textarea turns every line end into a line feed. What a program put into it stays as it was for as long as
// nobody edits it.

/** @type {WeakMap<HTMLTextAreaElement, { text: string, shown: string }>} */
const kept = new WeakMap();

/** @type {(field: HTMLTextAreaElement, text: string) => void} */
export function put(field, text) {
  field.value = text;
  kept.set(field, { text, shown: field.value });
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** @type {(field: HTMLTextAreaElement) => string} */
export function take(field) {
  const { text, shown } = kept.get(field) ?? {};
  return text !== undefined && field.value === shown ? text : field.value;
}

// The word for what becomes of the carriage returns that were put in, if any were.
/** @type {(field: HTMLTextAreaElement) => string | null} */
export function returnsOf(field) {
  const { text, shown } = kept.get(field) ?? {};
  if (text === shown || field.value === "") return null;
  return field.value === shown ? "returns_kept" : "returns_lost";
}
