// What kind of page this is, before it is first drawn: whole, a pane of another page, or a wall.

import { asked, write } from "./url_state.js";

export const isPane = parent !== window; // only this page may frame it
export const isWall = isPane ? window.name === "wall-pane" : asked().has("wall"); // or a pane of one

export function dress() {
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

// A wall may be told by its panes alone: then the first of them is the page's own.
/** @type {(query: URLSearchParams) => void} */
function settle(query) {
  const [own, ...others] = query.getAll("pane");
  if (!own || ["channel", "pattern", "shard", "topic"].some((kind) => query.has(kind))) return;
  query.delete("pane");
  for (const [part, value] of new URLSearchParams(own)) query.append(part, value);
  for (const other of others) query.append("pane", other);
  write(query);
}
