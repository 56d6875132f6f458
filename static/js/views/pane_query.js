// Pure: the panes of an address. Each pane's view and name are one parameter beside the page's own view.

import { trimmedName, viewOf } from "./view_query.js";

export const PANES_LIMIT = 4; // including the page itself: each is a page with its own socket and subscriber

/** @typedef {{ name: string, query: URLSearchParams }} Pane */

/** @type {(query: URLSearchParams) => Pane[]} */
export function readPanes(query) {
  return query.getAll("pane").slice(0, PANES_LIMIT - 1).map((text) => {
    const said = new URLSearchParams(text);
    return { name: trimmedName(said.get("name") ?? ""), query: viewOf(said) };
  });
}

/** @type {(pane: Pane) => string} */
export function paneText({ name, query }) {
  const said = viewOf(query);
  if (name) said.set("name", name);
  return String(said);
}
