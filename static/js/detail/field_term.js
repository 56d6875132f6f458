// The filter term that finds a field of a message with its value: docs/filter.md has the grammar. A field that the
// grammar cannot name is found by a regular expression. Pure.

import { parseFilter } from "../feed/filter_grammar.js";
import { readFilter } from "../feed/filter_query.js";
import { beginning } from "../lib/format.js";
import { escapeRegex } from "../lib/glob.js";
import { normal, plain } from "../message/plain_text.js";

/**
 * @typedef {import("../message/json_tree.js").Path} Path
 * @typedef {import("../message/json_tree.js").Field} Field
 * @typedef {import("../feed/filter_grammar.js").Node} Node
 */

const LONGEST = 200; // characters of a value; a longer one is found by its beginning
const PLAIN = /^[^\s"“”„|()*?]+$/; // a value that needs no quotes
const NAME = /^[\p{L}_$@][\p{L}\p{N}_$@-]*$/u;
const CLOSINGS = ["", ")", '"', '")'];

// A path in the filter's syntax; unusual names as in JavaScript.
/** @type {(path: Path) => string} */
export function pathOf(path) {
  let said = "";
  for (const name of steps(path)) {
    if (typeof name === "number") said += `[${name}]`;
    else if (!NAME.test(name)) said += `[${JSON.stringify(name)}]`;
    else said += said ? `.${name}` : name;
  }
  return said;
}

// Null if no term finds this message.
/** @type {(event: Message, field: Field) => string | null} */
export function termOf(event, field) {
  return byName(event, field) ?? byText(event, field);
}

// The filter with one more required term. A filter with a syntax error is replaced.
/** @type {(filter: string, term: string) => string} */
export function withTerm(filter, term) {
  const had = termsOf(filter);
  const [one] = termsOf(term);
  if (!had.length || readFilter(filter).problem) return term;
  if (had.some((other) => same(other, one))) return filter;
  const whole = [filter, `(${filter})`].flatMap((text) => CLOSINGS.map((closing) => `${text}${closing} ${term}`));
  return whole.find((text) => same(termsOf(text), [...had, one])) ?? term;
}

// By its name

/** @type {(event: Message, field: Field) => string | null} */
function byName(event, { path, kind, written }) {
  const names = steps(path);
  while (typeof names[0] === "number") names.shift(); // any element of a list matches
  if (names.includes("")) return null;
  const name = names.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("").slice(1);
  if (name === "channel") return null; // in the filter this is the message's channel
  const term = isBranch(kind) ? `has:${name}` : `${name}${comparison(kind, written)}`;
  const [node, ...others] = termsOf(term);
  const isMeant = !others.length && node && (node.kind === "has" || node.kind === "compare") && node.field === normal(name);
  return isMeant && finds(term, event) ? term : null;
}

/** @type {(kind: string, written: string) => string} */
function comparison(kind, written) {
  const value = kind === "string" ? read(written) : written;
  if (value === null || value.length > LONGEST) return `:${quoted(beginning(value ?? written, LONGEST, 1))}`;
  return `=${PLAIN.test(value) ? value : quoted(value)}`;
}

/** @type {(text: string) => string} */
function quoted(text) {
  return PLAIN.test(text) ? text : `"${text}"`;
}

// By its text

/** @type {(event: Message, field: Field) => string | null} */
function byText(event, { path, kind, written }) {
  const name = typeof path.name === "string" ? String.raw`${literal(path.name)}\s*:\s*` : "";
  const value = written.length > LONGEST ? literal(beginning(written, LONGEST, 1)) : literal(written) + (kind === "number" ? String.raw`(?![\d.eE])` : "");
  const term = `/${name}${value}/`;
  const [node] = termsOf(term);
  if (node?.kind !== "regex" || event.encoding) return null;
  return new RegExp(node.source).test(normal(plain(event.data))) ? term : null;
}

/** @type {(text: string) => string} */
function literal(text) {
  return escapeRegex(text).replaceAll(" ", String.raw`\x20`);
}

// Parts

/** @type {(term: string, event: Message) => boolean} */
function finds(term, event) {
  const { test, problem, search } = readFilter(term);
  return !problem && !search && !/[\r\n]/.test(term) && term.isWellFormed() && Boolean(test?.(event));
}

// The required terms; none after a syntax error.
/** @type {(text: string) => Node[]} */
export function termsOf(text) {
  try {
    return split(parseFilter(normal(text)));
  } catch {
    return [];
  }
}

/** @type {(node: Node | null) => Node[]} */
function split(node) {
  if (!node) return [];
  return node.kind === "all" ? node.of.flatMap(split) : [node];
}

/** @type {(one: unknown, other: unknown) => boolean} */
export function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** @type {(kind: string) => boolean} */
function isBranch(kind) {
  return kind === "object" || kind === "array";
}

// A path's names and indexes, the outermost first.
/** @type {(path: Path) => (string | number)[]} */
function steps(path) {
  const found = [];
  for (let at = /** @type {Path | null} */ (path); at; at = at.parent) {
    found.push(typeof at.name === "number" ? at.name : read(at.name) ?? at.name);
  }
  return found.reverse();
}

// The value of a JSON string; null if it is none.
/** @type {(written: string) => string | null} */
function read(written) {
  try {
    const value = JSON.parse(written);
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}
