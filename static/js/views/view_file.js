// Writes views to a file, and reads a file that anybody may have written.

import { hand } from "../feed/export_menu.js";
import { readView } from "./view_query.js";

const SIZE_LIMIT = 2_000_000; // bytes

/** @typedef {import("./view_query.js").View} View */

/** @type {(views: View[]) => void} */
export function handViews(views) {
  const text = JSON.stringify({ arauto: "views", views }, null, 2);
  hand(new Blob([text, "\n"], { type: "application/json" }), "arauto-views.json");
}

// All views or, if one is invalid, none and the key of a sentence.
/** @type {(text: string, limits: { maxName: number, maxSelection: number }) => { views: View[], problem?: Said }} */
export function readViews(text, limits) {
  const found = parsed(text)?.views;
  if (!Array.isArray(found) || !found.length) return { views: [], problem: ["views_none"] };
  const views = [];
  for (const [at, value] of found.entries()) {
    const view = readView(value, limits);
    if (!view) return { views: [], problem: ["views_bad", { n: at + 1 }] };
    views.push(view);
  }
  return { views };
}

/** @type {(text: string) => any} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// Resolves to the text of the chosen file; never, if none is chosen.
/** @type {() => Promise<string>} */
export function chosenText() {
  const field = Object.assign(document.createElement("input"), { type: "file", accept: ".json,application/json" });
  return new Promise((done) => {
    field.addEventListener("change", async () => {
      const file = field.files?.[0];
      if (file) done(file.size > SIZE_LIMIT ? "" : await file.text().catch(() => ""));
    });
    field.click();
  });
}
