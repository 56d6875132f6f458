// The result of publishing as a sentence: at Redis, and in Kafka. Pure.

import { size, toDate } from "../lib/format.js";
import { fullTime } from "../ui/timestamps.js";

/** @typedef {"received" | "none" | "failed"} State */
/** @typedef {[state: State, sentence: string]} Result */

/** @type {(reply: { error?: string, receivers?: number, at_least?: boolean, recorded?: boolean, unrecorded?: string }, words: Words) => Result} */
export function redisSays({ error, receivers: n, at_least: isAtLeast, recorded: isRecorded, unrecorded }, words) {
  if (error !== undefined) return ["failed", error];
  const none = isAtLeast ? "receivers_uncounted" : isRecorded ? "redis_nobody" : "receivers_none";
  const said = n ? `${words.say(isAtLeast ? "receivers_at_least" : "receivers", { n })}.` : words.say(none);
  const keeps = isRecorded ? "redis_recorded" : n && !unrecorded ? "redis_unkept" : "redis_said";
  return [n ? "received" : "none", words.say(keeps, { said })];
}

// The message's place in Kafka, and how long it is kept.
/** @type {(reply: any, words: Words) => Result} */
export function kafkaSays({ error, partition, offset, cleanup, kept_until: until, kept_bytes: bytes, tombstone }, words) {
  if (error !== undefined) return ["failed", error];
  const where = { partition: String(partition), offset: String(offset) };
  if (tombstone && cleanup?.includes("compact")) return ["received", words.say("kafka_tombstone", where)];
  const time = until ? fullTime(toDate(until)) : "";
  const said = [words.say(keeping(cleanup, until), { ...where, time })];
  if (bytes !== undefined) said.push(words.say("kafka_bytes", { size: size(bytes, words.language) }));
  if (cleanup?.includes("compact") && cleanup !== "compact") said.push(words.say("kafka_replaced"));
  return ["received", said.join(" ")];
}

// `cleanup` is the topic's cleanup.policy, undefined if it is unknown.
/** @type {(cleanup: string | undefined, until: number | null) => string} */
function keeping(cleanup, until) {
  if (cleanup === undefined) return "kafka_untold";
  if (cleanup === "compact") return "kafka_compact";
  return until === null ? "kafka_forever" : "kafka_until";
}
