// A textarea turns every line end into a line feed. Text set by a program is kept exactly as long as it is not edited.

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

// The word that says whether carriage returns are kept, if the text had any.
/** @type {(field: HTMLTextAreaElement) => string | null} */
export function returnsOf(field) {
  const { text, shown } = kept.get(field) ?? {};
  if (text === shown || field.value === "") return null;
  return field.value === shown ? "returns_kept" : "returns_lost";
}
