// Groups equal alerts, so that one row stands for all of them. Only messages close together are grouped, and none across
// a gap. Pure.

import { alertIn, RANKS, severityIn } from "../message/alert_parser.js";
import { readExactly } from "../message/plain_text.js";
import { READ_LIMIT } from "../message/severity.js";
import { channelKey } from "../stream/channel_names.js";
import { isMessage } from "../stream/events.js";

const NEAR = 50; // rows back in which an equal message is grouped
const MEMBERS = 100; // the newest messages of a group, which can be shown
const NAMES = ["fingerprint", "dedup_key", "group", "groupKey"]; // fields by which messages are equal
const HINT = /^\s*\{.*"(?:title|fingerprint|dedup_key|group|groupKey|alerts)"/s;

/**
 * @typedef {{ index: number, n: number, at: number, rank: number, isResolved: boolean, members: Message[], before?: Group }} Group
 * @typedef {{ keys: string[], rank: number, isResolved: boolean }} Facts the keys of groups that it may join, its own first
 */

/** @type {WeakMap<FeedItem, Facts | null>} */
const known = new WeakMap();

export class MessageGroups {
  /** @type {Map<string, Group>} */
  #open = new Map();
  /** @type {WeakMap<FeedItem, Group>} */
  #groups = new WeakMap();

  // The group whose row shows this message.
  /** @type {(event: FeedItem) => Group | undefined} */
  of(event) {
    return this.#groups.get(event);
  }

  // Adds the event to the ring, or to the group of an earlier row.
  /** @type {(event: FeedItem, ring: import("./ring_buffer.js").RingBuffer) => void} */
  add(event, ring) {
    const facts = factsOf(event);
    const group = facts?.keys.map((key) => this.#open.get(key)).find((one) => one && isNear(one, ring) && !isWorse(facts, one));
    if (!isMessage(event)) this.#open.clear();
    else if (facts && group) {
      join(group, event, facts.isResolved);
      return ring.absorb();
    } else if (facts && !facts.isResolved) this.#begin(facts, event, ring);
    ring.push(event);
  }

  /** @type {(facts: Facts, event: Message, ring: import("./ring_buffer.js").RingBuffer) => void} */
  #begin({ keys: [key], rank }, event, ring) {
    const former = this.#open.get(key);
    const before = former && isNear(former, ring) ? former : undefined; // of a milder severity
    const group = { index: ring.end, n: 1, at: event.at, rank, isResolved: false, members: [event], before };
    this.#groups.set(event, group);
    this.#open.delete(key);
    this.#open.set(key, group); // the newest group is last
    for (const [other, one] of this.#open) {
      if (isNear(one, ring)) break;
      this.#open.delete(other);
    }
  }
}

/** @type {(group: Group, ring: import("./ring_buffer.js").RingBuffer) => boolean} */
function isNear({ index, isResolved }, ring) {
  return !isResolved && index >= ring.start && ring.end - index <= NEAR;
}

// A row shows the severity of its first message: what is more severe would not be seen in it.
/** @type {(facts: Facts, group: Group) => boolean} */
function isWorse({ rank, isResolved }, group) {
  return !isResolved && rank > group.rank;
}

/** @type {(group: Group, event: Message, isResolved: boolean) => void} */
function join(group, event, isResolved) {
  group.n++;
  group.at = event.at;
  group.members.push(event);
  if (group.members.length > MEMBERS) group.members.shift();
  if (isResolved) for (let one = /** @type {Group | undefined} */ (group); one; one = one.before) one.isResolved = true;
}

/** @type {(event: FeedItem) => Facts | null} */
function factsOf(event) {
  let facts = known.get(event);
  if (facts === undefined) known.set(event, (facts = isMessage(event) ? read(event) : null));
  return facts;
}

/** @type {(event: Message) => Facts | null} */
function read(event) {
  if (event.encoding || event.truncated || event.data.length > READ_LIMIT || !HINT.test(event.data)) return null;
  const value = readExactly(event.data);
  if (typeof value !== "object" || value === null) return null;
  const isResolved = value.status === "resolved";
  const rank = RANKS.indexOf(severityIn(value));
  const name = NAMES.find((one) => /string|number/.test(typeof value[one]) && value[one] !== "");
  /** @type {(...parts: string[]) => string} */
  const key = (...parts) => JSON.stringify([channelKey(event), ...parts]);
  if (name) return { keys: [key(name, String(value[name]))], rank, isResolved };
  const { title = "", severity = "" } = alertIn(value) ?? {};
  if (!title) return null;
  const severities = isResolved ? [severity, ...RANKS, ""] : [severity]; // the end of an alert may have a lower severity
  return { keys: severities.map((one) => key(title, one, "")), rank, isResolved };
}
