// How bad a message says it is. Pure.

import { alertIn } from "./alert_parser.js";
import { readJson } from "./plain_text.js";

export const READ_LIMIT = 32_768; // characters; a longer message is no alert

const HINT = /"(?:severity|level|priority|alerts|repository)\\?"/;

// "critical", "error", "warning", "info", "debug", or "" where it does not say.
/** @type {(text: string) => string} */
export function severityOf(text) {
  if (text[0] !== "{" && !/^\s*["{\x1b]/.test(text)) return "";
  if (text.length > READ_LIMIT || !HINT.test(text)) return "";
  return alertIn(readJson(text).value)?.severity ?? "";
}
