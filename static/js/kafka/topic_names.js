// What the names of topics in the selection stand for: a topic, one partition of it (`orders:2`), or all that a glob
// matches, which the server says.

import { keyOf, looksLikePattern } from "../stream/channel_names.js";
import { selection } from "../stream/boot.js";

/** @typedef {{ topics: string[], error?: string, left_out?: string[] }} Matched */

/** @type {Map<string, Matched>} */
export const matched = new Map(); // by glob

// A glob stays what it is.
/** @type {(name: string) => string} */
export function topicOf(name) {
  return looksLikePattern(name) ? name : name.split(":")[0];
}

// The topics that a name stands for.
/** @type {(name: string) => string[]} */
export function topicsOf(name) {
  return looksLikePattern(name) ? matched.get(name)?.topics ?? [] : [topicOf(name)];
}

// The keys of the names by which a message came; that of its topic, where it has none now.
/** @type {(topic: string, partition: number) => string[]} */
export function keysFor(topic, partition) {
  const keys = named().filter((name) => covers(name, topic, partition)).map((name) => keyOf({ kind: "topic", name }));
  return keys.length ? keys : [keyOf({ kind: "topic", name: topic })];
}

// What of a name is read of the past: not what another name has, one without a glob or one that comes first.
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
