// An alert as a card: severity, title and text, link, tags and other members.

import { abridged, beginning } from "../lib/format.js";
import { members, root } from "../lib/json_scanner.js";
import { element } from "../ui/dom.js";
import { plain } from "./plain_text.js";

const TEXT_LIMIT = 1_000; // characters
const TEXT_LINES = 12;
const REST_LIMIT = 300; // characters
const REST_MEMBERS = 12;
const REST_VALUE = 60; // characters
const TAG_LIMIT = 12;
const PLAIN = /^"(?!(?:true|false|null|[\d+eE.-]*)")[^"\\\s=]*"$/; // a string that looks like a number or word keeps its quotes

/** @type {(severity: string, words: Words) => HTMLElement} */
export function severityMark(severity, words) {
  const mark = element("span", "severity", words.say(`severity_${severity}`));
  mark.dataset.severity = severity;
  mark.title = mark.textContent ?? "";
  return mark;
}

// `text` is the message as written: its members that the card does not show otherwise are added.
/** @type {(alert: Alert, text: string, words: Words) => HTMLElement} */
export function card({ severity, title, text: said, tags, link, shown }, text, words) {
  const flow = element("div", "card__flow");
  if (severity) flow.append(severityMark(severity, words), " ");
  if (title) flow.append(element("strong", "card__title", abridged(plain(title), TEXT_LIMIT, 1)), " ");
  if (said) flow.append(lines(said), " ");
  if (link) flow.append(opener(link), " ");
  if (tags.length) flow.append(tagList(tags), " ");
  const rest = shown ? others(text, shown) : "";
  if (rest) flow.append(element("span", "card__rest", rest));
  const made = element("div", "card");
  made.append(flow);
  return made;
}

/** @type {(whole: string) => HTMLElement} */
function lines(whole) {
  const text = plain(whole);
  const shown = beginning(text, TEXT_LIMIT, TEXT_LINES);
  const place = element("span", "card__text", shown.length < text.length ? `${shown} …` : shown);
  place.dir = "auto";
  return place;
}

// The other members, exactly as written.
/** @type {(text: string, shown: string[]) => string} */
function others(text, shown) {
  const found = [];
  const isShown = new Set(shown.map((name) => `"${name}"`));
  for (const { key, value } of members(text, root(text).start)) {
    const name = text.slice(key?.start, key?.end);
    if (isShown.has(name)) continue;
    if (found.length === REST_MEMBERS) return rest([...found, "…"]);
    found.push(`${bare(name)}=${bare(abridged(text.slice(value.start, value.end), REST_VALUE, 1))}`);
  }
  return rest(found);
}

// Without its quotes, if that is unambiguous.
/** @type {(text: string) => string} */
function bare(text) {
  return PLAIN.test(text) ? text.slice(1, -1) : text;
}

/** @type {(members: string[]) => string} */
function rest(members) {
  return abridged(members.join("  "), REST_LIMIT, 1);
}

/** @type {(tags: string[]) => HTMLElement} */
function tagList(tags) {
  const list = element("ul", "card__tags");
  const [shown, more] = [tags.slice(0, TAG_LIMIT), tags.length - TAG_LIMIT];
  list.append(...shown.map((tag) => element("li", "card__tag", tag)));
  if (more > 0) list.append(element("li", "", `+ ${more}`));
  return list;
}

// The text of the link is its address, so that it cannot mislead.
/** @type {(link: string) => HTMLElement} */
function opener(link) {
  const anchor = element("a", "card__link", link);
  return Object.assign(anchor, { href: link, target: "_blank", rel: "noopener noreferrer", tabIndex: -1 });
}
