// The term of the filter that finds a field of a message as it is: docs/filter.md has the grammar. What its names
// cannot say is found by a regular expression. Pure.

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

const LONGEST = 200; // characters of a value; what is longer is found by its beginning
const PLAIN = /^[^\s"“”„|()*?]+$/; // a value that needs no quotes
const NAME = /^[\p{L}_$@][\p{L}\p{N}_$@-]*$/u;
const CLOSINGS = ["", ")", '"', '")'];

// As the filter writes it, where it can; what is odd, as JavaScript does.
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

// Null where there is none that finds this message.
/** @type {(event: Message, field: Field) => string | null} */
export function termOf(event, field) {
  return byName(event, field) ?? byText(event, field);
}

// The filter with one more term that has to hold. What cannot be understood is replaced.
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
  while (typeof names[0] === "number") names.shift(); // of a list, any element will do
  if (names.includes("")) return null;
  const name = names.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("").slice(1);
  if (name === "channel") return null; // which is the message's own
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

// By what is written

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

// What has to hold, one by one; nothing where that cannot be understood.
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

// Its names and numbers, the outermost first.
/** @type {(path: Path) => (string | number)[]} */
function steps(path) {
  const found = [];
  for (let at = /** @type {Path | null} */ (path); at; at = at.parent) {
    found.push(typeof at.name === "number" ? at.name : read(at.name) ?? at.name);
  }
  return found.reverse();
}

// The text that a JSON string stands for; null where it is none.
/** @type {(written: string) => string | null} */
function read(written) {
  try {
    const value = JSON.parse(written);
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}
