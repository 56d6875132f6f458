// Pure: the panes of an address. Each pane's view and name are one parameter beside the page's own view.

import { PANES_LIMIT, trimmedName, viewOf } from "./view_query.js";

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
