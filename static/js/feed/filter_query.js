// The filter: its text -> a test of messages, and what to highlight in them. docs/filter.md specifies it. Pure.

import { escapeRegex, glob, hasLongPart, LONGEST } from "../lib/glob.js";
import { levelOf, RANKS } from "../message/alert_parser.js";
import { fold, normal, readExactly, readJson, searchable, unescaped } from "../message/plain_text.js";
import { severityOf } from "../message/severity.js";
import { parseFilter, Problem } from "./filter_grammar.js";
import { RegexSearch } from "./regex_search.js";

/**
 * @typedef {import("./filter_grammar.js").Node} Node
 * @typedef {import("./filter_grammar.js").Value} Value
 * @typedef {{ test: Test, marks: Mark[] }} Part
 */

const DEEPEST = 500; // nested lists that are searched
const LONGEST_GLOB = 1_000; // characters
const LONGEST_SERVED = 500; // characters
const MOST_SERVED = 20; // texts and values
const NUMBER = /^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?\s*$/i;
const LONG_INTEGER = /^\s*[-+]?\d{16,300}\s*$/;
const EDGE = String.raw`(?<![\p{L}\p{N}_.-])`;
const textOf = keepLast(searchable);
const saidOf = keepLast((data) => fold(unescaped(data)));
const jsonOf = keepLast((data) => readJson(data).value);
const exactOf = keepLast(readExactly);
/** @type {Record<string, (a: number | bigint, b: number | bigint) => boolean>} */
const COMPARE = {
  ":": (a, b) => a === b,
  "=": (a, b) => a === b,
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
  ">=": (a, b) => a >= b,
  "<=": (a, b) => a <= b,
};

// After a syntax error `problem` is a word's key and values, and everything passes. With a `search`, the test is valid
// only for messages that it has tested. `served` is the text if the server can search for it, else empty.
/** @type {(text: string) => Query} */
export function readFilter(text) {
  try {
    const search = new RegexSearch();
    const tree = parseFilter(normal(text));
    const { test, marks } = tree ? testOf(tree, search) : { test: null, marks: [] };
    const isServed = !search.isNeeded && text.length <= LONGEST_SERVED && termsIn(tree) <= MOST_SERVED;
    return { test, marks, problem: null, search: search.isNeeded ? search : null, served: isServed ? text : "" };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return noFilter(error.words);
  }
}

/** @type {(problem?: Said | null) => Query} */
export function noFilter(problem = null) {
  return { test: null, marks: [], problem, search: null, served: "" };
}

/** @type {(node: Node | null) => number} */
function termsIn(node) {
  if (node?.kind === "not") return termsIn(node.of);
  if (node?.kind === "all" || node?.kind === "any") return node.of.reduce((n, part) => n + termsIn(part), 0);
  return node?.kind === "compare" ? node.values.length : 1;
}

// Caches the last result: all terms read one message, and then the next.
/** @type {<Result>(read: (data: string) => Result) => (data: string) => Result} */
function keepLast(read) {
  let last = "";
  let result = read(last);
  return (data) => {
    if (data !== last) [result, last] = [read(data), data];
    return result;
  };
}

// Negated terms are not highlighted.
/** @type {(node: Node, search: RegexSearch) => Part} */
function testOf(node, search) {
  if (node.kind === "not") {
    const { test } = testOf(node.of, search);
    return { test: (event) => !test(event), marks: [] };
  }
  if (node.kind === "text") return textTest(node.text, search);
  if (node.kind === "regex") return regexTest(node, search);
  if (node.kind === "has") return { test: fieldTest(node.field, () => true), marks: [] };
  if (node.kind === "compare") return { test: comparison(node), marks: [] };
  const parts = node.of.map((part) => testOf(part, search));
  const tests = parts.map(({ test }) => test);
  /** @type {Test} */
  const test = node.kind === "all" ? (event) => tests.every((one) => one(event)) : (event) => tests.some((one) => one(event));
  return { test, marks: parts.flatMap(({ marks }) => marks) };
}

// Text

/** @type {(text: string, search: RegexSearch) => Part} */
function textTest(text, search) {
  if (text.length > LONGEST) return workerTest(literal(fold(text) || text), text, search, fold);
  const regex = literal(fold(text) || text);
  const every = new RegExp(regex, `${regex.flags}g`);
  // Base64 is not the published text.
  /** @type {Test} */
  const test = ({ channel, data, encoding }) => (!encoding && isIn(data, (said) => regex.test(said))) || regex.test(fold(channel));
  return { test, marks: [{ normalize: fold, find: (where, limit) => places(every, where, limit) }] };
}

// Tests the text as written, and with its JSON escapes decoded.
/** @type {(data: string, test: (text: string) => boolean) => boolean} */
function isIn(data, test) {
  return test(textOf(data)) || (data.includes("\\") && test(saidOf(data)));
}

/** @type {(regex: { source: string, flags: string }, search: RegexSearch) => Part} */
function regexTest({ source, flags }, search) {
  const name = `/${source}/${flags}`;
  try {
    return workerTest(new RegExp(source, flags.replace(/[gy]/g, "")), name, search);
  } catch {
    throw new Problem("regex_bad", { regex: name });
  }
}

// For patterns that may be slow: a worker does not block the page.
/** @type {(regex: RegExp, name: string, search: RegexSearch, read?: (text: string) => string) => Part} */
function workerTest(regex, name, search, read = normal) {
  const every = new RegExp(regex, `${regex.flags}g`);
  /** @type {Mark["find"]} */
  const find = (where, limit) => search.find(every, name, where, limit);
  return { test: search.add(regex, name, read), marks: [{ normalize: read, find }] };
}

/** @type {(every: RegExp, text: string, limit: number) => Places} */
function places(every, text, limit) {
  /** @type {Places} */
  const found = [];
  for (const { 0: match, index } of text.matchAll(every)) if (found.push([index, match.length]) === limit) break;
  return found;
}

/** @type {(text: string) => RegExp} */
function literal(text) {
  return new RegExp(escapeRegex(text), "iu");
}

// Fields

/** @type {(of: { field: string, sign: string, values: Value[] }) => Test} */
function comparison({ field, sign, values }) {
  const tests = values.map((value) => valueTest(field, sign, value));
  return tests.length > 1 ? (event) => tests.some((test) => test(event)) : tests[0];
}

/** @type {(field: string, sign: string, value: Value) => Test} */
function valueTest(field, sign, value) {
  const isEqual = sign === ":" || sign === "=";
  if (field === "severity") return severityTest(sign, value.text);
  if (!isEqual) return fieldTest(field, compares(field, sign, value.text), undefined, exactOf);
  const { part, whole } = likeness(value);
  const like = sign === ":" ? part : whole;
  if (field === "channel") return ({ channel }) => like(fold(channel));
  return fieldTest(field, equals(value.text, like, whole), asksForAny(value) ? globTest(field, like) : plainTest(field, sign, value));
}

/** @type {(sign: string, value: string) => Test} */
function severityTest(sign, value) {
  const rank = RANKS.indexOf(levelOf(value));
  if (rank === -1) throw new Problem("severity_bad", { severity: value, ranks: RANKS.join(", ") });
  return ({ data, encoding }) => {
    const found = encoding ? -1 : RANKS.indexOf(severityOf(data));
    return found !== -1 && COMPARE[sign](found, rank);
  };
}

// Tests whether a text contains the value, and whether it equals it. A glob always has to match the whole text.
/** @type {(value: Value) => Record<"part" | "whole", (text: string) => boolean>} */
function likeness(value) {
  const text = fold(value.text) || value.text;
  const isGlob = asksForAny(value);
  if (isGlob && (hasLongPart(text) || text.length > LONGEST_GLOB)) throw new Problem("glob_long", { n: LONGEST });
  const lower = text.toLowerCase();
  if (text.length > LONGEST && !isGlob) {
    return { part: (found) => found.toLowerCase().includes(lower), whole: (found) => found.toLowerCase() === lower };
  }
  if (isGlob) return { part: glob(text), whole: glob(text) };
  const [part, whole] = [literal(text), new RegExp(`^${escapeRegex(text)}$`, "iu")];
  return { part: (found) => part.test(found), whole: (found) => whole.test(found) };
}

/** @type {(value: Value) => boolean} */
function asksForAny({ text, isLiteral }) {
  return !isLiteral && /[*?]/.test(text);
}

// Also finds fields in plain text, and in text within JSON: level=error, level: "error".
/** @type {(field: string, test: (found: unknown, data: string) => boolean, isInText?: (text: string) => boolean, read?: (data: string) => any) => Test} */
function fieldTest(field, test, isInText, read = jsonOf) {
  const path = field.split(/[.[\]]+/).filter(Boolean);
  const name = path.findLast((part) => !/^\d+$/.test(part)) ?? field;
  /** @type {(data: string) => boolean} */
  const isThere = (data) => data.includes(name) || data.includes("\\u");
  return ({ data, encoding }) => {
    if (encoding || !isThere(data)) return false;
    return some(read(data), path, (found) => test(found, data)) || Boolean(isInText && isIn(data, isInText));
  };
}

/** @type {(field: string, sign: string, value: Value) => ((text: string) => boolean) | undefined} */
function plainTest(field, sign, value) {
  const { text: asked } = value;
  if (field.length + asked.length > LONGEST) return undefined;
  const end = sign === "=" ? String.raw`(?![\p{L}\p{N}_.-])` : /\d$/.test(asked) ? String.raw`(?![\d.])` : "";
  const regex = new RegExp(`${EDGE}${escapeRegex(fold(field))} ?[:=] ?"?${escapeRegex(fold(asked))}${end}`, "iu");
  return (text) => regex.test(text);
}

// The value ends at a space, a comma or a semicolon, or is in quotes.
/** @type {(field: string, like: (text: string) => boolean) => ((text: string) => boolean) | undefined} */
function globTest(field, like) {
  if (field.length > LONGEST) return undefined;
  const regex = new RegExp(String.raw`${EDGE}${escapeRegex(fold(field))} ?[:=] ?(?:"([^"]*)|([^\s",;]+))`, "giu");
  return (text) => {
    for (const [, quoted, bare] of text.matchAll(regex)) if (like(quoted ?? bare)) return true;
    return false;
  };
}

// JSON.parse rounds long numbers: these are compared by their digits as published.
/** @type {(value: string, like: (text: string) => boolean, whole: (text: string) => boolean) => (found: unknown, data: string) => boolean} */
function equals(value, like, whole) {
  const number = numberIn(value);
  return (found, data) => {
    if (typeof found === "string") return like(searchable(found));
    const isExact = !Number.isInteger(found) || Number.isSafeInteger(found);
    return (isExact && whole(asText(found))) || (number === found && data.includes(value));
  };
}

/** @type {(field: string, sign: string, value: string) => (found: unknown) => boolean} */
function compares(field, sign, value) {
  const number = exactlyIn(value);
  if (Number.isNaN(number)) throw new Problem(levelOf(value) ? "severity_meant" : "number_bad", { field, sign, value });
  return (found) => COMPARE[sign](exactlyIn(found), number);
}

// JavaScript compares both kinds of numbers exactly.
/** @type {(found: unknown) => number | bigint} */
function exactlyIn(found) {
  return typeof found === "string" && LONG_INTEGER.test(found) ? BigInt(found) : numberIn(found);
}

/** @type {(found: unknown) => number} */
function numberIn(found) {
  return typeof found === "number" || (typeof found === "string" && NUMBER.test(found)) ? Number(found) : NaN;
}

// An object has no text to compare.
/** @type {(found: unknown) => string} */
function asText(found) {
  return typeof found === "object" && found !== null ? "" : String(found);
}

// Matches any element of a list.
/** @type {(value: any, path: string[], test: (found: unknown) => boolean, depth?: number) => boolean} */
function some(value, path, test, depth = 0) {
  if (depth > DEEPEST) return false;
  if (Array.isArray(value) && (value.length || path.length) && !/^\d+$/.test(path[0])) return value.some((item) => some(item, path, test, depth + 1));
  if (path.length === 0) return test(value);
  if (value === null || typeof value !== "object") return false;
  const whole = path.join(".");
  if (path.length > 1 && Object.hasOwn(value, whole)) return some(value[whole], [], test, depth + 1);
  return Object.hasOwn(value, path[0]) && some(value[path[0]], path.slice(1), test, depth + 1);
}
