// Colours JSON without changing its text.

import { tokens } from "../lib/json_scanner.js";
import { element } from "../ui/dom.js";

/** @type {(place: HTMLElement) => void} */
export function paint(place) {
  const text = place.textContent;
  const parts = [];
  let at = 0;
  for (const { kind, start, end } of tokens(text)) {
    if (start > at) parts.push(text.slice(at, start));
    parts.push(element("span", `json-${kind}`, text.slice(start, end)));
    at = end;
  }
  place.replaceChildren(...parts, text.slice(at));
}
