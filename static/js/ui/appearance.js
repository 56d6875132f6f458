// Applies the visitor's choices: theme, size, density. Loaded before the first paint.

import { setPageKind } from "./page_kind.js";
import { get } from "./preferences.js";
import { asked } from "./url_state.js";

export const DEFAULTS = { theme: "system", size: "normal", density: "comfortable", clock: "24", times: "exact", zone: "local" };

// Density is part of the view, so the address decides.
/** @type {(name: keyof typeof DEFAULTS) => string} */
export function chosen(name) {
  return (name === "density" && asked().get("rows")) || get(name, DEFAULTS[name]);
}

export function applyAppearance() {
  const { dataset, style } = document.documentElement;
  for (const name in DEFAULTS) dataset[name] = chosen(/** @type {keyof typeof DEFAULTS} */ (name));
  style.setProperty("--Views", get("views", []).length); // reserves the room of the views, which load later
}

setPageKind();
applyAppearance();
