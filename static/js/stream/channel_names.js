// Pure: names of channels, patterns, sharded channels and topics, and which of them a message came by.

import { byteLength } from "../lib/format.js";

const CONTROL_CHARACTER = /\p{Cc}/u;
const GLOB = /[*?]|\[.+]/;
const KEYSPACE = /^__key(space|event)@(\d+|\*)__:(.+)$/s;

/** @type {Name["kind"][]} */
export const KINDS = ["channel", "pattern", "shard"]; // and "topic", with Kafka

/** @type {(text: string) => boolean} */
export function looksLikePattern(text) {
  return GLOB.test(text);
}

// The parts of a keyspace channel's name, or null. A pattern may be for all databases.
/** @type {(name: string) => { kind: string, database: string, rest: string } | null} */
export function keyspaceParts(name) {
  const [, kind, database, rest] = name.match(KEYSPACE) ?? [];
  return kind ? { kind, database, rest } : null;
}

// The problem with a name (a word's key and values), or null.
/** @type {(name: string, maxBytes: number) => Said | null} */
export function nameProblem(name, maxBytes) {
  const bytes = byteLength(name);
  if (bytes === 0) return ["name_empty"];
  if (bytes > maxBytes) return ["name_long", { bytes, max: maxBytes }];
  if (CONTROL_CHARACTER.test(name)) return ["name_control"];
  return null;
}

/** @type {(a: Name, b: Name) => boolean} */
export function same(a, b) {
  return keyOf(a) === keyOf(b);
}

/** @type {(name: { kind: string, name: string }) => string} */
export function keyOf({ kind, name }) {
  return `${kind} ${name}`;
}

// A name that is not UTF-8 is identified by its bytes: another one may look the same.
/** @type {(event: { type?: string, channel: string, channel_base64?: string }) => string} */
export function channelKey({ type, channel, channel_base64: bytes }) {
  const kind = channelKind(type);
  return bytes === undefined ? keyOf({ kind, name: channel }) : keyOf({ kind: `${kind}-bytes`, name: bytes });
}

// The kind of a message's channel.
/** @type {(type?: string) => "channel" | "shard" | "topic"} */
export function channelKind(type) {
  if (type === "tmessage") return "topic";
  return type === "smessage" ? "shard" : "channel";
}

// The name that an event is about, or null if it is about all.
/** @type {(event: { [kind in Name["kind"]]?: string }) => Name | null} */
export function nameOf(event) {
  const kind = KINDS.findLast((kind) => event[kind] !== undefined);
  return kind ? { kind, name: /** @type {string} */ (event[kind]) } : null;
}

// The name as a screen reader says it, without its colour and shape.
/** @type {(of: { kind?: string, name: string }, words: Words) => string} */
export function spoken({ kind = "", name }, words) {
  return KINDS.indexOf(/** @type {Name["kind"]} */ (kind)) > 1 ? `${name} (${words.say(kind)})` : name;
}

// The name by which a colour is kept. No name has control characters.
/** @type {(of: { kind?: string, name: string }) => string} */
export function colourName({ kind = "", name }) {
  return name + "\0".repeat(["shard", "topic"].indexOf(kind) + 1);
}

// The names of a selection by which a message came.
/** @type {(event: Message) => string[]} */
export function keysOf({ type, channel, patterns, kafka }) {
  const keys = kafka?.keys ?? patterns.map((name) => keyOf({ kind: "pattern", name }));
  return kafka || type === "pmessage" ? keys : [keyOf({ kind: channelKind(type), name: channel }), ...keys];
}

/** @type {(query: URLSearchParams) => Name[]} */
export function readQuery(query) {
  return KINDS.flatMap((kind) => query.getAll(kind).map((name) => ({ kind, name })));
}

/** @type {(query: URLSearchParams, names: Name[]) => void} */
export function writeQuery(query, names) {
  KINDS.forEach((kind) => query.delete(kind));
  names.forEach(({ kind, name }) => query.append(kind, name));
}
