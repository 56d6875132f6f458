// Preferences in the browser's storage, shared by all tabs: each change is made to the newest stored value.
// If the storage is full or forbidden, a change lasts as long as the page.

const KEY = "arauto";

/** @typedef {Record<string, any>} Kept */

/** @type {((all: Kept) => Kept)[]} */
let waiting = []; // changes that could not be stored
let isSpoilt = false; // the stored value could not be read
let kept = now();

addEventListener("storage", () => (kept = now())); // another tab's change

// Another program may have written there: a value of another type than `fallback` is ignored.
/** @type {(name: string, fallback: any) => any} */
export function get(name, fallback) {
  const value = kept[name];
  return isLike(value, fallback) ? value : fallback;
}

// `change(value)` returns the new value.
/** @type {(name: string, fallback: any, change: (value: any) => any) => void} */
export function change(name, fallback, change) {
  waiting.push((all) => ({ ...all, [name]: change(isLike(all[name], fallback) ? all[name] : fallback) }));
  kept = now();
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
    waiting = [];
  } catch {
    // It stays in `waiting`.
  }
}

/** @type {(name: string, value: any) => void} */
export function set(name, value) {
  change(name, value, () => value);
}

// The word for a problem to show; empty if there is none.
export function keepingTrouble() {
  if (waiting.length) return "keeps_nothing";
  return isSpoilt ? "kept_spoilt" : "";
}

/** @type {() => Kept} */
function now() {
  return waiting.reduce((all, change) => change(all), read());
}

/** @type {() => Kept} */
function read() {
  try {
    const text = localStorage.getItem(KEY);
    isSpoilt = true; // until it is parsed
    const all = JSON.parse(text ?? "{}");
    if (!isLike(all, {})) return {};
    isSpoilt = false;
    return all;
  } catch {
    return {};
  }
}

/** @type {(value: any, fallback: any) => boolean} */
function isLike(value, fallback) {
  return typeof value === typeof fallback && value !== null && Array.isArray(value) === Array.isArray(fallback);
}
