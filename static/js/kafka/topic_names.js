// Topic names in the selection: a topic, one partition of it (`orders:2`), or a glob, whose topics the server sends.

import { keyOf, looksLikePattern } from "../stream/channel_names.js";
import { selection } from "../stream/boot.js";

/** @typedef {{ topics: string[], error?: string, left_out?: string[] }} Matched */

/** @type {Map<string, Matched>} */
export const matched = new Map(); // by glob

// The topic of a name; a glob is returned as it is.
/** @type {(name: string) => string} */
export function topicOf(name) {
  return looksLikePattern(name) ? name : name.split(":")[0];
}

// The topics that a name stands for.
/** @type {(name: string) => string[]} */
export function topicsOf(name) {
  return looksLikePattern(name) ? matched.get(name)?.topics ?? [] : [topicOf(name)];
}

// The keys of the selected names by which a message came, or else that of its topic.
/** @type {(topic: string, partition: number) => string[]} */
export function keysFor(topic, partition) {
  const keys = named().filter((name) => covers(name, topic, partition)).map((name) => keyOf({ kind: "topic", name }));
  return keys.length ? keys : [keyOf({ kind: "topic", name: topic })];
}

// The topics whose past is read for a name: without those of another name that is no glob or comes first.
/** @type {(name: string) => string[]} */
export function pastOf(name) {
  const whole = named().filter((other) => other !== name && !other.includes(":"));
  if (!looksLikePattern(name)) return whole.some((other) => topicsOf(other).includes(topicOf(name))) ? [] : [name];
  const names = named();
  const others = whole.filter((other) => !looksLikePattern(other) || names.indexOf(other) < names.indexOf(name));
  const read = new Set(others.flatMap(topicsOf));
  return topicsOf(name).filter((topic) => !read.has(topic));
}

/** @type {(name: string, topic: string, partition: number) => boolean} */
function covers(name, topic, partition) {
  return name === topic || name === `${topic}:${partition}` || Boolean(matched.get(name)?.topics.includes(topic));
}

function named() {
  return selection.names.filter(({ kind }) => kind === "topic").map(({ name }) => name);
}
