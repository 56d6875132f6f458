// Colours JSON in place: the text stays as written.

import { element } from "./dom.js";
import { tokens } from "./json.js";

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
