// Pure: the view in an address, and which views may be stored.

import { KINDS, nameProblem, readQuery } from "../stream/channel_names.js";

const PARTS = [...KINDS, "filter", "highlight", "hide", "only", "order", "as", "rows", "group", "since"];
/** @type {Record<string, string>} */
const DEFAULTS = { order: "oldest", as: "wrapped", rows: "comfortable" };
const NAME_LENGTH = 60; // characters

export const VIEWS_LIMIT = 50;
export const PANES_LIMIT = 4; // including the page itself: each is a page with its own socket and subscriber

/** @typedef {{ name: string, query: string }} View */

// With the defaults written out: in another browser they may differ.
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

// Whether both views are the same; the order of channels does not matter.
/** @type {(some: URLSearchParams, other: URLSearchParams) => boolean} */
export function isSameView(some, other) {
  return key(some) === key(other);
}

/** @type {(query: URLSearchParams) => string} */
function key(query) {
  return JSON.stringify([...viewOf(query)].map(String).sort());
}

// A name without invisible characters, except those that join emoji; empty if nothing remains.
/** @type {(name: string) => string} */
export function trimmedName(name) {
  const seen = name.replace(/\s+/g, " ").replace(/(?!\u200d)\p{C}/gu, "").trim().slice(0, NAME_LENGTH);
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(seen) ? seen.replace(/\p{Cs}$/u, "").trim() : "";
}

// Validates a view that anybody may have written; null if it is invalid.
/** @type {(value: any, limits: { maxName: number, maxSelection: number }) => View | null} */
export function readView(value, { maxName, maxSelection }) {
  if (typeof value?.name !== "string" || typeof value.query !== "string") return null;
  const name = trimmedName(value.name);
  const query = viewOf(new URLSearchParams(value.query));
  const names = readQuery(query);
  const isUsable = names.length && names.length <= maxSelection && names.every(({ name }) => !nameProblem(name, maxName));
  return name && isUsable ? { name, query: String(query) } : null;
}

// Adds views of a file to those stored here, up to one too many: one with a name in use and another content gets a number.
/** @type {(views: View[], others: View[]) => { views: View[], added: number }} */
export function withViews(views, others) {
  const all = [...views];
  for (const other of others) {
    if (all.length > VIEWS_LIMIT) break; // a file may have thousands
    /** @type {(name: string) => boolean} */
    const isName = (name) => [name, name.replace(/ \(\d+\)$/, "")].includes(other.name);
    const isThere = all.some(({ name, query }) => isName(name) && query === other.query);
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
