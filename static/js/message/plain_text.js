// Decodes a text: removes a byte order mark and terminal colours, reads JSON in a string, and several JSON texts in one.
// Pure.

import { parse, roots } from "../lib/json_scanner.js";

const CODES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])/g;
const QUOTED = /^\s*"(?:\s|\\[nrt])*[[{]/;
const ASCII = /^[\x00-\x7f]*$/;
const MAY_BE = /^[\s"]*[[{]/;
const MAY_ESCAPE = /^\s*["[{]/;
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))/g;
const LONG = /\d{16}/;
const STRING_OR_LONG = /"[^"\\]*(?:\\.[^"\\]*)*"|(?<![\d.e+-])-?\d{16,300}(?![\d.e])/gi;
/** @type {Record<string, string>} */
const ESCAPED = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

// The text that is shown and searched.
/** @type {(text: string) => string} */
export function plain(text) {
  const begun = text.startsWith("\ufeff") ? text.slice(1) : text;
  return begun.includes("\x1b") ? begun.replace(CODES, "") : begun;
}

// Normalized, for comparison.
/** @type {(text: string) => string} */
export function comparable(text) {
  return normal(plain(text));
}

// Normalized, without accents.
/** @type {(text: string) => string} */
export function searchable(text) {
  return fold(plain(text));
}

/** @type {(text: string) => string} */
export function fold(text) {
  return ASCII.test(text) ? text : normal(normal(text).normalize("NFD").replace(/[\u0300-\u036f]/g, ""));
}

// Normalized. Long runs of accents are cut: ordering them takes quadratic time.
/** @type {(text: string) => string} */
export function normal(text) {
  return ASCII.test(text) ? text : text.replace(/(\p{M}{30})\p{M}+/gu, "$1").normalize();
}

// A text that begins like JSON, with its escapes decoded: "Jo\u00e3o" becomes João. Empty if it has none.
/** @type {(whole: string) => string} */
export function unescaped(whole) {
  if (!whole.includes("\\")) return "";
  const text = plain(whole);
  if (!MAY_ESCAPE.test(text)) return "";
  return unquoted(text).replace(ESCAPE, (_, code, mark) => (code ? String.fromCharCode(parseInt(code, 16)) : ESCAPED[mark] ?? mark));
}

/** @type {(text: string) => boolean} */
export function mayBeJson(text) {
  return MAY_BE.test(plain(text));
}

// The JSON text, and its value for tests, a list of several texts' values. `value` is undefined if it is not JSON.
/** @type {(whole: string) => { text: string, value?: any, isQuoted?: boolean }} */
export function readJson(whole) {
  const said = plain(whole);
  if (!MAY_BE.test(said)) return { text: said };
  const text = unquoted(said);
  const value = parse(text) ?? several(text);
  return value === undefined ? { text: said } : { text, value, isQuoted: text !== said };
}

// The value, with integers that JSON.parse would round as texts.
/** @type {(whole: string) => any} */
export function readExactly(whole) {
  const { text, value } = readJson(whole);
  return value && LONG.test(text) ? readJson(text.replace(STRING_OR_LONG, (found) => (found[0] === '"' ? found : `"${found}"`))).value : value;
}

/** @type {(text: string) => string} */
function unquoted(text) {
  try {
    return QUOTED.test(text) ? JSON.parse(text) : text;
  } catch {
    return text;
  }
}

/** @type {(text: string) => unknown[] | undefined} */
function several(text) {
  const values = [];
  for (const { start, end } of roots(text)) {
    const value = parse(text.slice(start, end));
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}
