// Pure: the panes of an address. Beside the page's own view stands that of each pane, with its name, as one value.

import { trimmedName, viewOf } from "./view_query.js";

export const PANES_LIMIT = 4; // with the page's own: each is a page, with a socket and a subscriber of its own

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
