// Suggestions at the caret: fields and values of the messages, severities, operators. Pure.

import { NAME, parseFilter } from "../feed/filter_grammar.js";
import { RANKS } from "../message/alert_parser.js";
import { fold, normal } from "../message/plain_text.js";
import { byFrequency } from "./seen_fields.js";
import { placeAt } from "./term_place.js";

/**
 * @typedef {import("./seen_fields.js").SeenFields} SeenFields
 * @typedef {import("./term_place.js").Place} Place
 * @typedef {{ written: string, hint?: string, word?: string }} Offer a hint is a text that was seen, or a word of ours
 * @typedef {Offer & { text: string, caret: number }} Suggestion with the filter that it makes
 */

const MOST = 8;
const PLAIN = /^[^\s"“”„|()*?]+$/; // a value that needs no quotes
const WHOLE_NAME = new RegExp(`^${NAME}$`, "u");
const SIGNS = [":", "=", "!="];
const SIGNS_OF_NUMBERS = [">", "<", "="];

/** @type {(text: string, caret: number, seen: SeenFields) => Suggestion[]} */
export function suggest(text, caret, seen) {
  const place = placeAt(text, caret);
  if (!place) return [];
  const before = text.slice(0, place.from);
  const offers = offersFor(place, before, seen).slice(0, MOST);
  if (offers.length === 1 && offers[0].written.trim() === place.typed) return [];
  return offers.map((offer) => {
    const start = before + offer.written;
    return { ...offer, text: start + text.slice(caret), caret: start.length };
  });
}

// A value in the filter's syntax; null if it cannot be written there.
/** @type {(field: string, sign: string, value: string) => string | null} */
export function valueWritten(field, sign, value) {
  const written = PLAIN.test(value) ? value : `"${value}"`;
  try {
    const node = parseFilter(normal(`${field}${sign}${written}`));
    const isMeant = node?.kind === "compare" && node.values.length === 1 && node.values[0].text === normal(value);
    return isMeant ? written : null;
  } catch {
    return null;
  }
}

/** @type {(place: Place, before: string, seen: SeenFields) => Offer[]} */
function offersFor(place, before, seen) {
  if (place.kind === "value") return values(place, seen);
  if (place.kind === "has") return has(place.typed, seen);
  const { typed } = place;
  if (isName(typed, seen)) return signs(typed, seen);
  const fields = fieldOffers(typed, seen);
  const operators = operatorOffers(typed, before);
  const isOperator = operators.some(({ written }) => written.trim() === typed.toUpperCase());
  return isOperator ? [...operators, ...fields] : [...fields.slice(0, MOST - operators.length), ...operators];
}

// Fields

/** @type {(typed: string, seen: SeenFields) => boolean} */
function isName(typed, seen) {
  return WHOLE_NAME.test(typed) && seen.fields.has(typed) && typed !== "severity";
}

/** @type {(field: string, seen: SeenFields) => Offer[]} */
function signs(field, seen) {
  const others = like([...seen.fields.keys()], field).filter((name) => name !== field);
  const own = isNumber(field, seen) ? SIGNS_OF_NUMBERS : SIGNS;
  return [...own.map((sign) => ({ written: field + sign })), ...others.map((name) => fieldOffer(name, seen))];
}

/** @type {(typed: string, seen: SeenFields) => Offer[]} */
function fieldOffers(typed, seen) {
  const names = seen.names.filter((name) => name !== "severity" && seen.fields.get(name)?.isLeaf);
  return like(["severity", "channel", ...names], typed).map((name) => fieldOffer(name, seen));
}

/** @type {(name: string, seen: SeenFields) => Offer} */
function fieldOffer(name, seen) {
  if (name === "severity") return { written: "severity>=", hint: `${RANKS[0]} … ${RANKS.at(-1)}` };
  if (name === "channel") return { written: "channel:", hint: byFrequency(seen.channels)[0] };
  return { written: name + (isNumber(name, seen) ? ">" : ":"), hint: seen.valuesOf(name)[0] };
}

/** @type {(field: string, seen: SeenFields) => boolean} */
function isNumber(field, seen) {
  return seen.middleOf(field) !== undefined;
}

/** @type {(typed: string, seen: SeenFields) => Offer[]} */
function has(typed, seen) {
  const found = like(seen.names.filter((name) => seen.fields.get(name)?.isInJson), typed);
  return found.map((written) => ({ written, hint: seen.valuesOf(written)[0] }));
}

// In capitals, however they are typed, to show the right syntax.
/** @type {(typed: string, before: string) => Offer[]} */
function operatorOffers(typed, before) {
  const isAfterTerm = /[^\s(|]\s+$/.test(before) && !/(?:^|\s)(?:OR|AND|NOT)\s+$/.test(before);
  const offers = [
    ...(isAfterTerm ? [{ written: "OR ", word: "filter_or" }] : []),
    { written: "NOT ", word: "filter_not" },
    { written: "has:", word: "filter_has" },
  ];
  return offers.filter(({ written }) => written.toLowerCase().startsWith(typed.toLowerCase()));
}

// Values

/** @type {(place: Place, seen: SeenFields) => Offer[]} */
function values({ field, sign, typed }, seen) {
  const value = typed.replace(/^["“”„]/, "");
  if (/[*?]/.test(value)) return [];
  const found = like(known(field, sign, seen), value).map((name) => valueWritten(field, sign, name));
  return found.filter((written) => written !== null).map((written) => ({ written }));
}

/** @type {(field: string, sign: string, seen: SeenFields) => string[]} */
function known(field, sign, seen) {
  if (field === "severity") return RANKS.toReversed();
  if (/[<>]/.test(sign)) return [];
  return field === "channel" ? byFrequency(seen.channels) : seen.valuesOf(field);
}

// Those that begin with the typed text first, then those that contain it if it has two letters or more.
/** @type {(names: string[], typed: string) => string[]} */
function like(names, typed) {
  const asked = fold(typed).toLowerCase();
  const places = names.map((name) => ({ name, at: fold(name).toLowerCase().indexOf(asked) })).filter(({ at }) => at !== -1);
  return [...places.filter(({ at }) => at === 0), ...places.filter(({ at }) => at > 0 && asked.length > 1)].map(({ name }) => name);
}
