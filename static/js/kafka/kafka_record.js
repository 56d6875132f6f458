// A message of a topic, as the page has messages: what only Kafka says of it is apart, in its record.

import { byteLength } from "../lib/format.js";
import { addressOf } from "../ui/url_state.js";
import { readHeaders, writeHeaders } from "./header_lines.js";
import { keysFor } from "./topic_names.js";

const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
const PREFIX = 5; // bytes, from a producer with a schema registry: 0, and which schema it is

// Of what Kafka says: partition, offset, key, headers, time.
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

  // Of the names of the selection by which it came.
  get keys() {
    return keysFor(this.#topic, this.partition);
  }

  get link() {
    return addressOf(new URLSearchParams({ topic: this.#topic, at: `${this.partition}:${this.offset}` })).href;
  }

  // What the server takes beside topic and message.
  /** @type {TopicRecord} */
  get fields() {
    const { partition, key, headers, tombstone } = this.#facts;
    return {
      partition: String(partition),
      ...(typeof key === "string" && { key }), ...(headers?.length && { headers: JSON.stringify(headers) }), ...(tombstone && { tombstone: "1" }),
    };
  }

  // For the form.
  /** @type {Partial<Draft>} */
  get draft() {
    return { kind: "topic", channel: undefined, to: "topic", topic: this.#topic, ...this.fields };
  }

  // Whether that is all of it: the form has a line for the key and for each header.
  get isSendable() {
    const { key, key_base64: bytes, key_size: size, headers = [], headers_left_out: left, headers_unreadable: isOdd } = this.#facts;
    const { headers: all = "[]" } = this.fields;
    const isKey = key !== "" && bytes === undefined && !size && !CONTROL.test(key ?? "");
    return isKey && !left && !isOdd && !CONTROL.test(all) && JSON.stringify(readHeaders(writeHeaders(headers))) === all;
  }

  // Adds what is known of it, as soon as the words for it are there.
  /** @type {(add: (word: string, ...told: (Node | string)[]) => void, words: Words) => Promise<void>} */
  async tell(add, words) {
    const { topicFacts } = await import("./topic_facts.js");
    for (const fact of topicFacts(/** @type {any} */ (this), words)) add(...fact);
  }

  // The message with those before it in its partition and those after it, at most so many of each; none where the
  // topic has it no more.
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

// Of a message of the feed, or of a line of those that are read.
/** @type {(said: any) => Message} */
export function toMessage({ topic, partition, offset, time, clock, key, key_base64, key_size, headers, headers_left_out, headers_unreadable, data, tombstone = data === null, ...rest }) {
  const text = data ?? "";
  const schema = schemaOf({ ...rest, data: text });
  const kafka = new KafkaRecord(topic, { partition, offset, time, clock, key, key_base64, key_size, headers, headers_left_out, headers_unreadable, tombstone, schema });
  /** @type {Said | undefined} */
  const mark = tombstone ? ["tombstone"] : schema && ["schema", schema];
  return { ...rest, type: "tmessage", channel: topic, patterns: [], data: text, kafka, mark };
}

// How many are missing is not always known.
/** @type {(event: any) => Gap} */
export function toGap({ topic, reason, offset, missing: n, ...rest }) {
  return { ...rest, topic, offset: String(offset), n, reason: `topic_${reason}${n ? "_most" : ""}` };
}

// Which it is, and how many bytes follow.
/** @type {(of: { data: string, encoding?: string, size?: number }) => { id: number, n: number } | undefined} */
function schemaOf({ data, encoding, size }) {
  const head = encoding === "base64" ? atob(data.slice(0, 8)) : data;
  if (head[0] !== "\0" || head.length < PREFIX) return undefined;
  const [, a, b, c, d] = head.slice(0, PREFIX).split("").map((one) => one.charCodeAt(0));
  const id = ((a * 256 + b) * 256 + c) * 256 + d;
  const n = (size ?? byteLength(data)) - PREFIX;
  return Math.max(a, b, c, d) < (encoding === "base64" ? 256 : 128) && id > 0 && n > 0 ? { id, n } : undefined;
}
