// Pure: what of an address is its view, and what may be kept as one.

import { KINDS, nameProblem, readQuery } from "../stream/channel_names.js";

const PARTS = [...KINDS, "filter", "highlight", "hide", "only", "order", "as", "rows", "group", "since"];
/** @type {Record<string, string>} */
const DEFAULTS = { order: "oldest", as: "wrapped", rows: "comfortable" };
const NAME_LENGTH = 60; // characters

export const VIEWS_LIMIT = 50;

/** @typedef {{ name: string, query: string }} View */

// With what goes without saying in one browser and may not in another.
/** @type {(query: URLSearchParams) => URLSearchParams} */
export function viewOf(query) {
  const view = new URLSearchParams();
  for (const part of PARTS) {
    const values = query.getAll(part).filter(Boolean);
    if (!values.length && DEFAULTS[part]) values.push(DEFAULTS[part]);
    for (const value of values) view.append(part, value);
  }
  return view;
}

// Whether both show the same; the order of their channels is none.
/** @type {(some: URLSearchParams, other: URLSearchParams) => boolean} */
export function isSameView(some, other) {
  return key(some) === key(other);
}

/** @type {(query: URLSearchParams) => string} */
function key(query) {
  return JSON.stringify([...viewOf(query)].map(String).sort());
}

// Empty where nothing of it can be seen. What joins emoji stays; what turns the text around goes.
/** @type {(name: string) => string} */
export function trimmedName(name) {
  const seen = name.replace(/\s+/g, " ").replace(/(?!\u200d)\p{C}/gu, "").trim().slice(0, NAME_LENGTH);
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(seen) ? seen.replace(/\p{Cs}$/u, "").trim() : "";
}

// What may have been written by anybody, as a view; or null where it is none.
/** @type {(value: any, limits: { maxName: number, maxSelection: number }) => View | null} */
export function readView(value, { maxName, maxSelection }) {
  if (typeof value?.name !== "string" || typeof value.query !== "string") return null;
  const name = trimmedName(value.name);
  const query = viewOf(new URLSearchParams(value.query));
  const names = readQuery(query);
  const isUsable = names.length && names.length <= maxSelection && names.every(({ name }) => !nameProblem(name, maxName));
  return name && isUsable ? { name, query: String(query) } : null;
}

// Views that came from elsewhere, beside those that are here: of the same name and another content, one gets a number.
/** @type {(views: View[], others: View[]) => { views: View[], added: number }} */
export function withViews(views, others) {
  const all = [...views];
  for (const other of others) {
    const isThere = all.some(({ name, query }) => name.replace(/ \(\d+\)$/, "") === other.name && query === other.query);
    if (!isThere) all.push({ ...other, name: freeName(other.name, all) });
  }
  return { views: all, added: all.length - views.length };
}

/** @type {(name: string, views: View[]) => string} */
function freeName(name, views) {
  let free = name;
  for (let number = 2; views.some((view) => view.name === free); number++) free = `${name} (${number})`;
  return free;
}
