// Checks a JSON text and indents it token by token: no digit and no letter of a value is changed. Pure.

import { parse, tokenAt } from "./json_scanner.js";

const DEEPEST = 20; // from here on no deeper indentation: a hostile text would grow without bounds
const VALUE = "a value"; // a kind of token that may come next, like a key; else the token itself
const KEY = "a key";
/** @type {Record<string, string>} */
const CLOSING = { "{": "}", "[": "]" };

// {indented}, or {line, column} of the place where it stops being JSON.
/** @type {(text: string) => { indented?: string, line?: number, column?: number }} */
export function indent(text) {
  /** @type {string[]} */
  const open = [];
  let out = "";
  let next = VALUE;
  let last = "";
  for (let at = 0; ; ) {
    const { kind, start, end } = tokenAt(text, at);
    const token = text.slice(start, end);
    const isFirst = last in CLOSING;
    const isClosing = kind === CLOSING[open.at(-1) ?? ""];
    if (!(isClosing ? isFirst || next === "," : fits(token, kind, next))) return place(text, start);
    if (!kind) return { indented: out };
    if (isClosing) open.pop();
    if (isClosing !== isFirst) out += newLine(open);
    if (kind in CLOSING) open.push(kind);
    out += kind === "," ? `,${newLine(open)}` : kind === ":" ? ": " : token;
    next = following(kind, next, open);
    last = kind;
    at = end;
  }
}

// Whether a token is allowed here; the caller checks closing brackets.
/** @type {(token: string, kind: string, next: string) => boolean} */
function fits(token, kind, next) {
  if (next !== VALUE && next !== KEY) return token === next;
  if (next === KEY && token[0] !== '"') return false;
  return kind in CLOSING || (token !== "" && parse(`[${token}]`) !== undefined);
}

/** @type {(kind: string, next: string, open: string[]) => string} */
function following(kind, next, open) {
  if (kind === ":") return VALUE;
  if (kind === "," || kind in CLOSING) return open.at(-1) === "{" ? KEY : VALUE;
  if (next === KEY && kind !== "}") return ":";
  return open.length ? "," : "";
}

/** @type {(open: string[]) => string} */
function newLine(open) {
  return `\n${"  ".repeat(Math.min(open.length, DEEPEST))}`;
}

/** @type {(text: string, at: number) => { line: number, column: number }} */
function place(text, at) {
  const before = text.slice(0, at);
  return { line: before.split("\n").length, column: at - before.lastIndexOf("\n") };
}
