// Reads JSON in place: a token is a range of the text, so that no digit is lost. Pure.
// Beyond JSON it accepts what msgpack.js writes: other words, and keys of any kind.

/**
 * A place in a text; of an object or array, with the number of its members.
 *
 * @typedef {{ kind: string, start: number, end: number, count?: number }} Value
 */

const TOKEN =
  /[ \t\n\r]*(?:("[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$))(?=[ \t\n\r]*(:)?)|([\w.+'()-]+)|([^ \t\n\r])|$)/sy;
/** @type {Record<string, string>} */
const CONTAINERS = { "{": "object", "[": "array" };

// A text is taken for JSON only if it begins like an object or array.
/** @type {(text: string) => boolean} */
export function looksLikeJson(text) {
  return /^\s*[[{]/.test(text);
}

// Undefined if the text is no object or array. Only for tests: the page always shows the text.
/** @type {(text: string) => any} */
export function parse(text) {
  if (!looksLikeJson(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// The next token, whether or not JSON allows it: a key, string, number or word, another character by itself,
// and at the end an empty one.
/** @type {(text: string, from: number) => Value} */
export function tokenAt(text, from) {
  TOKEN.lastIndex = from;
  const [, string, colon, word, mark = ""] = /** @type {RegExpExecArray} */ (TOKEN.exec(text));
  const end = TOKEN.lastIndex;
  const kind = string ? (colon ? "key" : "string") : word ? (/^[-\d]/.test(word) ? "number" : "word") : mark;
  return { kind, start: end - (string ?? word ?? mark).length, end };
}

// The tokens to colour in a text that may be cut anywhere.
/** @type {(text: string) => Generator<Value, void>} */
export function* tokens(text) {
  for (let token = tokenAt(text, 0); token.kind; token = tokenAt(text, token.end)) if (token.kind[1]) yield token;
}

/** @type {(text: string) => Value} */
export function root(text) {
  return read(text, 0);
}

// The values of a text that may be several JSON texts, one after the other.
/** @type {(text: string) => Generator<Value, void>} */
export function* roots(text) {
  for (let value = read(text, 0); value.kind; value = read(text, value.end)) {
    if (value.kind.trim()) yield value; // there may be spaces between texts
  }
}

// The members of the object or array that begins at `start`, one by one on demand.
/** @type {(text: string, start: number) => Generator<{ key: Value | null, value: Value }, void>} */
export function* members(text, start) {
  const hasKeys = text[start] === "{";
  for (let at = start + 1; ; ) {
    const first = read(text, at);
    if ("]}".includes(first.kind)) return; // or the end
    const value = hasKeys ? read(text, tokenAt(text, first.end).end) : first;
    yield { key: hasKeys ? first : null, value };
    const comma = tokenAt(text, value.end);
    at = comma.kind === "," ? comma.end : value.end;
  }
}

// The next value.
/** @type {(text: string, from: number) => Value} */
function read(text, from) {
  const token = tokenAt(text, from);
  const kind = CONTAINERS[token.kind];
  return kind ? { kind, start: token.start, ...container(text, token.start) } : token;
}

/** @type {(text: string, start: number) => { end: number, count: number }} */
function container(text, start) {
  let depth = 0;
  let commas = 0;
  let at = start;
  for (; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = tokenAt(text, at).end - 1;
    else if (character === "{" || character === "[") depth++;
    else if (character === "," && depth === 1) commas++;
    else if ((character === "}" || character === "]") && --depth === 0) break;
  }
  const isEmpty = tokenAt(text, start + 1).start === at;
  return { end: Math.min(at + 1, text.length), count: isEmpty ? 0 : commas + 1 };
}
