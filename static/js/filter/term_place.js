// The part of the filter at the caret: a field, or a value of one. Pure.

import { NAME } from "../feed/filter_grammar.js";

/**
 * @typedef {{ field: string, sign: string }} Meant
 * @typedef {Meant & { kind: "field" | "value" | "has", from: number, typed: string }} Place
 */

const LONGEST = 1_000; // characters of a filter that is parsed
const COMPARED = new RegExp(`^(${NAME})([<>]=?|!=|:|==?)(?!//)`, "u");
const SPACED = new RegExp(`(?:^|[\\s(!|-])(${NAME})\\s+(!=|==?|[<>]=?)\\s+$`, "u");
const REGEX = /\/(?:\\.|[^\\/])+\/[a-z]*(?=[\s)|])/y;
const QUOTE = /["“”„]/;

// Null if nothing can be suggested: within a word, in quotes that hold no value, in a regular expression.
/** @type {(text: string, caret: number) => Place | null} */
export function placeAt(text, caret) {
  if (caret > LONGEST || /[^\s)|]/.test(text[caret] ?? " ")) return null;
  const { from, meant } = lastTerm(text, caret);
  const word = text.slice(from, caret);
  if (meant) return { kind: "value", ...meant, from, typed: word };
  const last = word.lastIndexOf("|") + 1;
  if (word.startsWith("has:")) return { kind: "has", field: "", sign: "", ...rest(word, from, Math.max(4, last)) };
  const [whole = "", field, sign = ""] = COMPARED.exec(word) ?? SPACED.exec(text.slice(0, from)) ?? [];
  if (field) return { kind: "value", field, sign, ...rest(word, from, word.startsWith(whole) ? Math.max(whole.length, last) : 0) };
  return /^[/"“”„(]/.test(word) ? null : { kind: "field", field: "", sign: "", from, typed: word };
}

/** @type {(word: string, from: number, at: number) => { from: number, typed: string }} */
function rest(word, from, at) {
  return { from: from + at, typed: word.slice(at) };
}

// Where the term begins, without its negation, and the field before the bracket around it.
/** @type {(text: string, caret: number) => { from: number, meant: Meant | null }} */
function lastTerm(text, caret) {
  /** @type {(Meant | null)[]} */
  const brackets = [];
  let from = 0;
  for (let at = 0; at < caret; at++) {
    const word = text.slice(from, at);
    const meant = brackets.at(-1) ?? null;
    REGEX.lastIndex = at;
    if (QUOTE.test(text[at])) at = endOfQuotes(text, at, caret);
    else if (/\s/.test(text[at])) from = at + 1;
    else if (!word && /[-!]/.test(text[at])) from = at + 1;
    else if (!word && text[at] === "/" && REGEX.test(text)) at = REGEX.lastIndex - 1;
    else if (text[at] === "|" && (meant || !(COMPARED.test(word) || word.startsWith("has:")))) from = at + 1;
    else if (text[at] === "(" && (!word || COMPARED.exec(word)?.[0] === word)) {
      const [, field, sign] = COMPARED.exec(word) ?? [];
      brackets.push(field ? { field, sign } : meant);
      from = at + 1;
    } else if (text[at] === ")" && brackets.length) {
      brackets.pop();
      from = at + 1;
    }
  }
  return { from, meant: brackets.at(-1) ?? null };
}

/** @type {(text: string, at: number, caret: number) => number} */
function endOfQuotes(text, at, caret) {
  const length = text.slice(at + 1, caret).search(QUOTE);
  return length === -1 ? caret : at + 1 + length;
}
