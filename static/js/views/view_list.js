// The views stored in the browser, shared by all tabs: each change is made to the newest stored list.

import { change, get } from "../ui/preferences.js";
import { VIEWS_LIMIT, withViews } from "./view_query.js";

/** @typedef {import("./view_query.js").View} View */

/** @type {() => View[]} */
export function keptViews() {
  return get("views", []).filter(isView);
}

/** @type {(name: string) => View | undefined} */
export function keptView(name) {
  return keptViews().find((view) => view.name === name);
}

// Replaces the view of the same name, or that of the name `former`.
/** @type {(view: View, former?: string) => void} */
export function keepView(view, former = view.name) {
  alter((views) => {
    const at = views.findIndex(({ name }) => name === former);
    const kept = at < 0 ? [...views, view] : views.with(at, view);
    return kept.filter((other) => other === view || other.name !== view.name);
  });
}

/** @type {(name: string) => void} */
export function dropView(name) {
  alter((views) => views.filter((view) => view.name !== name));
}

// Puts a deleted view back in its place.
/** @type {(view: View, at: number) => void} */
export function restoreView(view, at) {
  alter((views) => (views.some(({ name }) => name === view.name) ? views : views.toSpliced(at, 0, view)));
}

// Returns how many were new, or null if there is no room for them: then none is added.
/** @type {(others: View[]) => number | null} */
export function addViews(others) {
  /** @type {number | null} */
  let count = null;
  alter((kept) => {
    const { views, added } = withViews(kept, others);
    if (added && views.length > VIEWS_LIMIT) return kept;
    count = added;
    return views;
  });
  return count;
}

// Whether there is room for one more.
export function hasRoom() {
  return keptViews().length < VIEWS_LIMIT;
}

/** @type {(change: (views: View[]) => View[]) => void} */
function alter(make) {
  change("views", [], (views) => make(views.filter(isView)));
}

/** @type {(view: any) => boolean} */
function isView(view) {
  return typeof view?.name === "string" && typeof view.query === "string";
}
