// What this browser keeps for its person, in all tabs: each change is made to what is kept at that moment.
// What a storage that is full or forbidden does not take lasts as long as the page.

const KEY = "arauto";

/** @typedef {Record<string, any>} Kept */

/** @type {((all: Kept) => Kept)[]} */
let waiting = []; // changes that the storage has not taken
let isSpoilt = false; // what was there could not be read
let kept = now();

addEventListener("storage", () => (kept = now())); // another tab's change

// What is there may have been written by somebody else: only what is like `fallback` counts.
/** @type {(name: string, fallback: any) => any} */
export function get(name, fallback) {
  const value = kept[name];
  return isLike(value, fallback) ? value : fallback;
}

// `change(value)` gives the new value.
/** @type {(name: string, fallback: any, change: (value: any) => any) => void} */
export function change(name, fallback, change) {
  waiting.push((all) => ({ ...all, [name]: change(isLike(all[name], fallback) ? all[name] : fallback) }));
  kept = now();
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
    waiting = [];
  } catch {
    // It still holds here.
  }
}

/** @type {(name: string, value: any) => void} */
export function set(name, value) {
  change(name, value, () => value);
}

// The word for what a person should know of it; empty where all is well.
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
    isSpoilt = true; // until it could be read
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
