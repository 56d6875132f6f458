// Each channel has a hue, from which CSS makes a tint for light and for dark. Watched channels get hues far from each
// other, in their order, or the one that the visitor chose; any other channel has a fixed one.

import { change, get } from "./preferences.js";

const KEY = "colours";
const HUES = [265, 145, 25, 325, 85, 205, 355, 115, 295, 55, 175, 235];
const SHIFT = 15; // of the hues in each further round

/** @type {Map<string, number>} */
const places = new Map(); // of watched channels, by name

addEventListener("storage", () => places.forEach((_, name) => show(name)));

// Call with the watched channels before a hue is used.
/** @type {(name: string) => void} */
export function assignColour(name) {
  if (!places.has(name)) places.set(name, places.size);
}

/** @type {(element: HTMLElement, name: string) => void} */
export function applyColour(element, name) {
  const place = places.get(name);
  element.style.setProperty("--Hue", place === undefined ? String(hashed(name)) : `var(--Own${place}, ${hueOf(name)})`);
}

// Gives a channel another hue everywhere; if possible one that no other channel has.
/** @type {(name: string) => void} */
export function changeColour(name) {
  const at = HUES.indexOf(hueOf(name)) + 1;
  const others = [...HUES.slice(at), ...HUES.slice(0, at)];
  const worn = new Set([...places.keys()].map(hueOf));
  const next = others.find((hue) => !worn.has(hue)) ?? others[0];
  change(KEY, {}, (all) => ({ ...all, [name]: next }));
  show(name);
}

/** @type {(name: string) => void} */
function show(name) {
  document.documentElement.style.setProperty(`--Own${places.get(name)}`, String(hueOf(name)));
}

// A hue in degrees.
/** @type {(name: string) => number} */
function hueOf(name) {
  const kept = get(KEY, {})[name];
  const place = places.get(name) ?? 0;
  return Number.isFinite(kept) ? kept : HUES[place % HUES.length] + SHIFT * Math.floor(place / HUES.length);
}

/** @type {(name: string) => number} */
function hashed(name) {
  let hash = 0x811c9dc5; // FNV-1a
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return ((hash ^ (hash >>> 17)) >>> 0) % 360;
}
