// Reads JSON where it stands: a token is a place in the text, so that no digit is lost. Pure.
// Beyond JSON it takes what msgpack.js writes: other words, and keys of any kind.

/**
 * A place in a text; of an object or array, with the number of its members.
 *
 * @typedef {{ kind: string, start: number, end: number, count?: number }} Value
 */

const SPACE = /\s*/y;
const WORD = /[^\s,:[\]{}"]+/y;
const TOKEN = /("(?:[^"\\]|\\.)*(?:"|\\$)?)(\s*:)?|[^\s,:[\]{}"]+/g;
/** @type {Record<string, string>} */
const KINDS = { "{": "object", "[": "array", '"': "string" };

// Undefined where the text is no object or array. Only for questions: shown is always the text.
/** @type {(text: string) => any} */
export function parse(text) {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @type {(text: string) => Value} */
export function root(text) {
  return read(text, skipSpace(text, 0));
}

// Of a text that may be several texts, one after the other.
/** @type {(text: string) => Generator<Value, void>} */
export function* roots(text) {
  for (let at = skipSpace(text, 0); at < text.length; ) {
    const value = read(text, at);
    yield value;
    at = skipSpace(text, value.end);
  }
}

// The members of the object or array that begins at `start`, one by one as they are asked for.
/** @type {(text: string, start: number) => Generator<{ key: Value | null, value: Value }, void>} */
export function* members(text, start) {
  const hasKeys = text[start] === "{";
  let at = skipSpace(text, start + 1);
  while (at < text.length && text[at] !== "]" && text[at] !== "}") {
    const key = hasKeys ? read(text, at) : null;
    const value = read(text, hasKeys ? skipSpace(text, skipSpace(text, key.end) + 1) : at);
    yield { key, value };
    at = skipSpace(text, value.end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
}

// What to colour in a text that may be cut anywhere.
/** @type {(text: string) => Generator<Value, void>} */
export function* tokens(text) {
  for (const { 0: token, 1: string, 2: colon, index } of text.matchAll(TOKEN)) {
    if (string === undefined) yield { kind: wordKind(token), start: index, end: index + token.length };
    else yield { kind: colon ? "key" : "string", start: index, end: index + string.length };
  }
}

// One value: its kind, its place, and of an object or array how many members it has.
/** @type {(text: string, start: number) => Value} */
function read(text, start) {
  const kind = KINDS[text[start]] ?? wordKind(text[start]);
  if (kind === "string") return { kind, start, end: stringEnd(text, start) };
  if (kind === "object" || kind === "array") return { kind, start, ...container(text, start) };
  WORD.lastIndex = start;
  return { kind, start, end: WORD.test(text) ? WORD.lastIndex : start + 1 };
}

/** @type {(word?: string) => string} */
function wordKind(word = "") {
  return /^[-\d]/.test(word) ? "number" : "word";
}

/** @type {(text: string, start: number) => { end: number, count: number }} */
function container(text, start) {
  let depth = 0;
  let commas = 0;
  let at = start;
  for (; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = stringEnd(text, at) - 1;
    else if (character === "{" || character === "[") depth++;
    else if (character === "," && depth === 1) commas++;
    else if ((character === "}" || character === "]") && --depth === 0) break;
  }
  const isEmpty = skipSpace(text, start + 1) === at;
  return { end: Math.min(at + 1, text.length), count: isEmpty ? 0 : commas + 1 };
}

/** @type {(text: string, start: number) => number} */
function stringEnd(text, start) {
  let end = start;
  do end = text.indexOf('"', end + 1);
  while (end !== -1 && isEscaped(text, end));
  return end === -1 ? text.length : end + 1;
}

/** @type {(text: string, quote: number) => boolean} */
function isEscaped(text, quote) {
  let at = quote;
  while (text[at - 1] === "\\") at--;
  return (quote - at) % 2 === 1;
}

/** @type {(text: string, at: number) => number} */
function skipSpace(text, at) {
  SPACE.lastIndex = at;
  SPACE.test(text);
  return SPACE.lastIndex;
}
