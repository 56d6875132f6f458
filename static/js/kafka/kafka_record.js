// A message of a topic, in the form of other messages; what only Kafka has is in its record.

import { byteLength } from "../lib/format.js";
import { addressOf } from "../ui/url_state.js";
import { readHeaders, writeHeaders } from "./header_lines.js";
import { keysFor } from "./topic_names.js";

const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
const PREFIX = 5; // bytes of a producer with a schema registry: 0 and the schema's id

// A record's partition, offset, key, headers and time.
export class KafkaRecord {
  #topic;
  #facts;

  /** @param {string} topic @param {KafkaFacts} facts */
  constructor(topic, facts) {
    this.#topic = topic;
    this.#facts = facts;
    this.partition = facts.partition;
    this.offset = facts.offset;
    Object.assign(this, facts);
  }

  // The keys of the selected names by which it came.
  get keys() {
    return keysFor(this.#topic, this.partition);
  }

  get link() {
    return addressOf(new URLSearchParams({ topic: this.#topic, at: `${this.partition}:${this.offset}` })).href;
  }

  // The fields of a publish request beside topic and message.
  /** @type {TopicRecord} */
  get fields() {
    const { partition, key, headers, tombstone } = this.#facts;
    return {
      partition: String(partition),
      ...(typeof key === "string" && { key }), ...(headers?.length && { headers: JSON.stringify(headers) }), ...(tombstone && { tombstone: "1" }),
    };
  }

  // The record as a draft of the form.
  /** @type {Partial<Draft>} */
  get draft() {
    return { kind: "topic", channel: undefined, to: "topic", topic: this.#topic, ...this.fields };
  }

  // Whether the draft is exact: the form has one line for the key and for each header.
  get isSendable() {
    const { key, key_base64: bytes, key_size: size, headers = [], headers_left_out: left, headers_unreadable: isOdd } = this.#facts;
    const { headers: all = "[]" } = this.fields;
    const isKey = key !== "" && bytes === undefined && !size && !CONTROL.test(key ?? "");
    return isKey && !left && !isOdd && !CONTROL.test(all) && JSON.stringify(readHeaders(writeHeaders(headers))) === all;
  }

  // Adds the record's facts once their module is loaded.
  /** @type {(add: (word: string, ...values: (Node | string)[]) => void, words: Words) => Promise<void>} */
  async show(add, words) {
    const { topicFacts } = await import("./topic_facts.js");
    for (const fact of topicFacts(/** @type {any} */ (this), words)) add(...fact);
  }

  // The message with up to `many` before it in its partition and up to `many` after it; not itself if the topic no longer
  // has it.
  /** @type {(event: Message, many: number) => Promise<{ events: Message[] }>} */
  async around(event, many) {
    const { partition, offset } = this;
    const query = new URLSearchParams({ since: `${partition}:${Math.max(0, offset - many)}`, until: `${partition}:${offset + many + 1}` });
    const answer = await fetch(new URL(`topics/${encodeURIComponent(this.#topic)}/messages?${query}`, document.baseURI));
    const lines = (await answer.text()).split("\n").filter(Boolean).map((line) => JSON.parse(line));
    const messages = lines.filter((line) => line.type === undefined && line.offset !== undefined);
    return { events: messages.map((line) => (line.offset === offset ? event : toMessage({ past: true, time: line.at, ...line }))) };
  }
}

// Converts an event of the feed, or a line of a topic's past.
/** @type {(said: any) => Message} */
export function toMessage({ topic, partition, offset, time, clock, key, key_base64, key_size, headers, headers_left_out, headers_unreadable, data, tombstone = data === null, ...rest }) {
  const text = data ?? "";
  const schema = schemaOf({ ...rest, data: text });
  const kafka = new KafkaRecord(topic, { partition, offset, time, clock, key, key_base64, key_size, headers, headers_left_out, headers_unreadable, tombstone, schema });
  /** @type {Said | undefined} */
  const mark = tombstone ? ["tombstone"] : schema && ["schema", schema];
  return { ...rest, type: "tmessage", channel: topic, patterns: [], data: text, kafka, mark };
}

// The number of missing messages is not always known.
/** @type {(event: any) => Gap} */
export function toGap({ topic, reason, offset, missing: n, ...rest }) {
  return { ...rest, topic, offset: String(offset), n, reason: `topic_${reason}${n ? "_most" : ""}` };
}

// The schema's id, and how many bytes follow.
/** @type {(of: { data: string, encoding?: string, size?: number }) => { id: number, n: number } | undefined} */
function schemaOf({ data, encoding, size }) {
  const head = encoding === "base64" ? atob(data.slice(0, 8)) : data;
  if (head[0] !== "\0" || head.length < PREFIX) return undefined;
  const [, a, b, c, d] = head.slice(0, PREFIX).split("").map((one) => one.charCodeAt(0));
  const id = ((a * 256 + b) * 256 + c) * 256 + d;
  const n = (size ?? byteLength(data)) - PREFIX;
  return Math.max(a, b, c, d) < (encoding === "base64" ? 256 : 128) && id > 0 && n > 0 ? { id, n } : undefined;
}
