// Suggests a correction for a filter that finds nothing or has a syntax error: a similar one that finds something.
// Knows no DOM.

import { NAME } from "../feed/filter_grammar.js";
import { readFilter } from "../feed/filter_query.js";
import { ticks } from "../lib/clock.js";
import { nearest } from "../lib/edit_distance.js";
import { levelOf, RANKS } from "../message/alert_parser.js";
import { valueWritten } from "./suggestions.js";

/** @typedef {import("./seen_fields.js").SeenFields} SeenFields */

const LONGEST = 500; // characters of a filter that is corrected
const MOST = 60; // candidates
const SLICE = 8; // milliseconds
const REST = 16; // milliseconds until the next slice
const REGEX = /\/(?:\\.|[^\\/])+\/\w*(?=[\s)|]|$)/;
const VALUE = String.raw`"[^"]*"?|[^\s|()"]+`;
const TERM = new RegExp(`${REGEX.source}|(?<![\\p{L}\\p{N}_$@.-])(has:|NOT(?=\\s))?(${NAME})(?:(\\s*)(>=|<=|!=|==|[:=<>])(\\s*)((?:${VALUE})(?:\\|(?:${VALUE}))*)?)?|"[^"]*"?`, "gu");
const OPERATOR = /(?<=\S\s+)(?:or|and)(?=\s+\S)|(?<=^|\s)not(?=\s+\S)|(?<=\S\s+)&&(?=\s+\S)/gi;
const UNITS = new Map([["ms", 1], ["s", 1_000], ["m", 60_000], ["min", 60_000], ["h", 3_600_000]]);

// Null if no similar filter finds anything. For a syntax error, one that is only valid will do.
/** @type {(filter: string, seen: SeenFields) => Promise<string | null>} */
export async function correct(filter, seen) {
  if (filter.length > LONGEST) return null;
  const isBad = readFilter(filter).problem !== null;
  let understood = null;
  let end = ticks() + SLICE;
  for (const text of [...new Set(candidates(filter, seen))].slice(0, MOST)) {
    const { test, search, problem } = readFilter(text);
    if (text === filter || problem) continue;
    if (test && !search && seen.events.some(test)) return text;
    if (isBad) understood ??= text;
    if (ticks() < end) continue;
    await new Promise((resolve) => setTimeout(resolve, REST));
    end = ticks() + SLICE;
  }
  return understood;
}

// Corrects each mistake by itself, then all together.
/** @type {(filter: string, seen: SeenFields) => Generator<string, void>} */
function* candidates(filter, seen) {
  const inOperators = filter.replace(OPERATOR, (word) => (word === "&&" ? "AND" : word.toUpperCase()));
  yield inOperators;
  yield filter.replace(/'([^'"]*)'/g, '"$1"');
  const fixes = [...filter.matchAll(TERM)].flatMap((term) => fixesOf(term, seen));
  for (const [from, to, text] of fixes) yield filter.slice(0, from) + text + filter.slice(to);
  const firsts = fixes.filter(([from], n) => fixes.findIndex((fix) => fix[0] === from) === n);
  yield firsts.toReversed().reduce((text, [from, to, fix]) => text.slice(0, from) + fix + text.slice(to), filter);
}

// Replacements, the best first. Two overlap only if they begin at the same place.
/** @type {(term: RegExpExecArray, seen: SeenFields) => [from: number, to: number, text: string][]} */
function fixesOf(term, seen) {
  const [whole, has = "", name, before = "", sign, after = "", value = ""] = term;
  const [from, to] = [term.index, term.index + whole.length];
  if (REGEX.test(whole)) return [[from, to, quoted(whole.slice(1, whole.lastIndexOf("/")))]];
  if (!name || has === "NOT") return [];
  if (has) return fieldsLike(name, seen).map((field) => [from, to, has + field]);
  if (!sign) return wordsLike(name, seen).map((word) => [from, to, word]);
  /** @type {(field: string, value: string, mark?: string) => [number, number, string]} */
  const fix = (field, text, mark = sign) => [from, to, field + mark + text];
  const isKnown = name === "severity" || name === "channel" || seen.fields.has(name);
  const fields = isKnown ? [name] : fieldsLike(name, seen);
  const values = value.split("|");
  return [
    ...(before || after ? fields.map((field) => fix(field, value)) : []),
    ...(isKnown ? [] : fields.map((field) => fix(field, value))),
    ...(levelOf(values[0]) && /[<>]/.test(sign) ? [fix("severity", value)] : []),
    ...fields.flatMap((field) => valuesLike(field, sign, value, seen).map((text) => fix(field, text))),
    ...(/[<>]/.test(sign) && !/^-?[\d.]/.test(value) ? fields.map((field) => fix(field, value, ":")) : []),
    ...(sign === "=" || sign === "==" ? fields.map((field) => fix(field, value, ":")) : []),
  ];
}

/** @type {(name: string, seen: SeenFields) => string[]} */
function fieldsLike(name, seen) {
  const names = ["severity", "channel", ...seen.fields.keys()];
  const last = names.find((other) => other.toLowerCase().endsWith(`.${name.toLowerCase()}`));
  const found = [names.find((other) => other.toLowerCase() === name.toLowerCase()), nearest(name, names), last];
  return [...new Set(found)].filter((other) => other !== undefined && other !== null);
}

/** @type {(word: string, seen: SeenFields) => string[]} */
function wordsLike(word, seen) {
  const found = nearest(word, seen.words.keys());
  return found ? [found] : [];
}

/** @type {(field: string, sign: string, given: string, seen: SeenFields) => string[]} */
function valuesLike(field, sign, given, seen) {
  if (/[<>]/.test(sign) && field !== "severity") return numbersLike(field, given);
  const known = field === "severity" ? RANKS : field === "channel" ? [...seen.channels.keys()] : seen.valuesOf(field);
  /** @type {(value: string) => string} */
  const like = (value) => (field === "severity" && levelOf(value) ? value : nearest(bare(value), known)) ?? bare(value);
  const written = given.split(/[|,]/).map((value) => valueWritten(field, sign, like(value)));
  return written.some((value) => value === null) ? [] : [written.join("|")];
}

// A duration becomes milliseconds; commas between thousands are removed.
/** @type {(field: string, given: string) => string[]} */
function numbersLike(field, given) {
  const [, number, unit] = /^(-?[\d.,]+)\s*(\p{L}*)$/u.exec(given) ?? [];
  if (!number) return [];
  const plain = number.replace(/,(?=\d{3})/g, "").replace(",", ".");
  const times = UNITS.get(unit ?? "");
  return times && /ms$|milli/i.test(field) ? [String(Number(plain) * times)] : [plain];
}

/** @type {(value: string) => string} */
function bare(value) {
  return value.replace(/^"|"$/g, "");
}

/** @type {(text: string) => string} */
function quoted(text) {
  return /["“”„]/.test(text) ? text : `"${text}"`;
}
