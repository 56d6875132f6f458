// Dresses the page as its person chose: theme, size, density. Loaded before the first paint.

import { get } from "./preferences.js";

export const DEFAULTS = { theme: "system", size: "normal", density: "comfortable", clock: "24", times: "exact", zone: "local" };

/** @type {(name: keyof typeof DEFAULTS) => string} */
export function chosen(name) {
  return get(name, DEFAULTS[name]);
}

export function applyAppearance() {
  for (const name in DEFAULTS) document.documentElement.dataset[name] = chosen(/** @type {keyof typeof DEFAULTS} */ (name));
}

applyAppearance();
