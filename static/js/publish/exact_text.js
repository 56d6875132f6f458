// A textarea turns every line end into a line feed. What a program put into it stays as it was for as long as
// nobody edits it.

const kept = new WeakMap(); // field -> { text, shown }

export function put(field, text) {
  field.value = text;
  kept.set(field, { text, shown: field.value });
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

export function take(field) {
  return isAsPut(field) ? kept.get(field).text : field.value;
}

// The word for what becomes of the carriage returns that were put in, if any were.
export function returnsOf(field) {
  const { text, shown } = kept.get(field) ?? {};
  if (text === shown || field.value === "") return null;
  return isAsPut(field) ? "returns_kept" : "returns_lost";
}

function isAsPut(field) {
  return field.value === kept.get(field)?.shown;
}
