// A Kafka record's facts: its place, key, headers and time.

import { toDate } from "../lib/format.js";
import { element, notText } from "../ui/dom.js";
import { fullTime } from "../ui/timestamps.js";

/** @typedef {[word: string, ...values: (Node | string)[]]} Fact */

/** @type {(record: KafkaFacts, words: Words) => Fact[]} */
export function topicFacts({ partition, offset, time, clock, key, key_base64: bytes, key_size: size, headers = [], headers_left_out: left = 0, headers_unreadable: isOdd, schema }, words) {
  /** @type {Fact[]} */
  const facts = [["fact_partition", String(partition)], ["fact_offset", String(offset)], ["fact_key", ...value({ text: key, bytes, size }, words)]];
  if (isOdd) facts.push(["fact_headers", words.say("headers_unreadable")]);
  else if (headers.length) facts.push(["fact_headers", list(headers, left, words)]);
  if (schema) facts.push(["fact_schema", String(schema.id)]);
  facts.push([`fact_clock_${clock ?? "none"}`, time === undefined ? words.say("fact_none") : moment(time)]);
  return facts;
}

/** @type {(headers: NonNullable<KafkaFacts["headers"]>, left: number, words: Words) => HTMLElement} */
function list(headers, left, words) {
  const made = element("ul", "detail__headers");
  for (const { name, value: text, value_base64: bytes, size } of headers) {
    const item = element("li", "");
    item.append(untranslated(name), ": ", ...value({ text, bytes, size }, words));
    made.append(item);
  }
  if (left) made.append(element("li", "", `+ ${left}`));
  return made;
}

// Bytes that are not text are escaped, as the server escapes names; a long value is cut.
/** @type {(of: { text?: string | null, bytes?: string, size?: number }, words: Words) => (Node | string)[]} */
function value({ text, bytes, size }, words) {
  const cut = size ? [` … (${size} B)`] : [];
  if (bytes !== undefined) return [untranslated(escaped(bytes)), ...cut, " ", notText(words)];
  return text === null || text === undefined ? [element("i", "", words.say("fact_none"))] : [untranslated(text), ...cut];
}

/** @type {(base64: string) => string} */
function escaped(base64) {
  return atob(base64).replace(/[^\x20-\x7e]/g, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** @type {(seconds: number) => HTMLElement} */
function moment(seconds) {
  const date = toDate(seconds);
  return Object.assign(element("time", "", fullTime(date)), { dateTime: date.toISOString() });
}

/** @type {(text: string) => HTMLElement} */
function untranslated(text) {
  return Object.assign(element("bdi", "", text), { translate: false });
}
