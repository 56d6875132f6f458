// The severity of a message. Pure.

import { severityIn } from "./alert_parser.js";
import { readJson } from "./plain_text.js";

export const READ_LIMIT = 32_768; // characters; a longer message is no alert

const HINT = /"(?:severity|level|priority|alerts|repository)\\?"/;

// "critical", "error", "warning", "info", "debug", or "" if there is none.
/** @type {(text: string) => string} */
export function severityOf(text) {
  return mayHaveSeverity(text) ? severityIn(readJson(text).value) : "";
}

// Much cheaper, for many texts. False: there is none.
/** @type {(text: string) => boolean} */
export function mayHaveSeverity(text) {
  if (text[0] !== "{" && !/^\s*["{\x1b]/.test(text)) return false;
  return text.length <= READ_LIMIT && HINT.test(text);
}
