// Marks in front of a message: how it was decoded, and what is missing or invisible.

import { base64Length, byteLength, size } from "../lib/format.js";

const INVISIBLE = /[\0-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\xad\u200b\u2028-\u202e\u2060-\u2069]|.\ufeff|^\s+$/;

/** @type {(event: Message, content: Content, words: Words) => string[]} */
export function marksOf(event, { text, database, format, isCut, isQuoted, hasCodes }, words) {
  const isBinary = event.encoding === "base64";
  /** @type {(bytes: number) => string} */
  const sized = (bytes) => size(bytes, words.language);
  const marks = [];
  if (event.mark) marks.push(words.say(...event.mark));
  else if (event.data === "") marks.push(words.say("empty_message"));
  if (isBinary && database) marks.push(words.say("not_text"));
  else if (isBinary) marks.push(words.say("binary", { size: sized(event.size ?? sizeOf(event)) }));
  if (event.truncated) marks.push(words.say("truncated", { shown: sized(sizeOf(event)), size: sized(event.size ?? 0) }));
  if (!isBinary && INVISIBLE.test(text ?? "")) marks.push(words.say("invisible"));
  if (format) marks.push(words.say(isCut ? "decoded_part" : "decoded", { format }));
  if (isQuoted) marks.push(words.say("quoted"));
  if (hasCodes) marks.push(words.say("coded"));
  return marks;
}

// The number of bytes that were received, perhaps truncated.
/** @type {(event: Message) => number} */
export function sizeOf({ data, encoding }) {
  return encoding === "base64" ? base64Length(data) : byteLength(data);
}
