// The kind of page, set before the first paint: a whole page, a pane of another page, or a wall.

import { asked, write } from "./url_state.js";

export const isPane = parent !== window; // only this page may frame it
export const isWall = isPane ? window.name === "wall-pane" : asked().has("wall"); // or a pane of a wall

export function setPageKind() {
  const { dataset } = document.documentElement;
  if (isPane) return void (dataset.pane = window.name);
  const query = asked();
  if (isWall) {
    dataset.pane = "wall";
    settle(query);
  }
  const panes = query.getAll("pane").length;
  if (panes) dataset.panes = String(Math.min(panes, 3));
}

// An address may name a wall's panes only: then the first of them is the page's own view.
/** @type {(query: URLSearchParams) => void} */
function settle(query) {
  const [own, ...others] = query.getAll("pane");
  if (!own || ["channel", "pattern", "shard", "topic"].some((kind) => query.has(kind))) return;
  query.delete("pane");
  for (const [part, value] of new URLSearchParams(own)) query.append(part, value);
  for (const other of others) query.append("pane", other);
  write(query);
}
