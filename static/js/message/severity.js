// How bad a message says it is. Pure.

import { severityIn } from "./alert_parser.js";
import { readJson } from "./plain_text.js";

export const READ_LIMIT = 32_768; // characters; a longer message is no alert

const HINT = /"(?:severity|level|priority|alerts|repository)\\?"/;

// "critical", "error", "warning", "info", "debug", or "" where it does not say.
/** @type {(text: string) => string} */
export function severityOf(text) {
  return mayHaveSeverity(text) ? severityIn(readJson(text).value) : "";
}

// Much cheaper, for where texts are many. False: it says none.
/** @type {(text: string) => boolean} */
export function mayHaveSeverity(text) {
  if (text[0] !== "{" && !/^\s*["{\x1b]/.test(text)) return false;
  return text.length <= READ_LIMIT && HINT.test(text);
}
