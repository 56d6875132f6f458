// Each channel has a colour: a hue, of which CSS makes a tint for light and for dark. Those that are watched get hues
// far from each other, in their order, or one that a person has chosen and the browser keeps; any other always the same.

import { change, get } from "./preferences.js";

const KEY = "colours";
const HUES = [265, 145, 25, 325, 85, 205, 355, 115, 295, 55, 175, 235];
const SHIFT = 15; // for the next so many

/** @type {Map<string, number>} */
const places = new Map(); // of what is watched

addEventListener("storage", () => places.forEach((_, name) => show(name)));

// Call for what is watched, before it is worn.
/** @type {(name: string) => void} */
export function giveColour(name) {
  if (!places.has(name)) places.set(name, places.size);
}

/** @type {(element: HTMLElement, name: string) => void} */
export function wearColour(element, name) {
  const place = places.get(name);
  element.style.setProperty("--Hue", place === undefined ? String(hashed(name)) : `var(--Own${place}, ${hueOf(name)})`);
}

// Another one, wherever it is worn; if possible one that nothing else wears.
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

// Of 360.
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
