// The position of this page in each topic of Kafka, beside the logs of channels, and which topics are unavailable; after
// a reconnect the server continues from there.

import { now } from "../lib/clock.js";
import { selection } from "../stream/boot.js";
import { keyOf } from "../stream/channel_names.js";
import { StreamPositions } from "../stream/stream_positions.js";
import { asked } from "../ui/url_state.js";
import { toGap, toMessage } from "./kafka_record.js";
import { matched, topicOf, topicsOf } from "./topic_names.js";

export class TopicPositions extends StreamPositions {
  /** @type {Map<string, { epoch: string, next: Map<number, number> }>} */
  #places = new Map(); // the next offset, by partition
  /** @type {Map<string, Away>} */
  #away = new Map();

  // Turns a topic's event into that of a channel; null if nothing more is to be done.
  /** @type {(event: any) => FeedEvent | null} */
  translate(event) {
    const { topic } = event;
    if (topic === undefined) return event;
    switch (event.type) {
      case "tmessage": return this.#take(event);
      case "gap": return toGap(event);
      case "following": this.#begin(event); return null;
      case "away": this.#leave(event); return null;
      case "matched": this.#match(event); return null;
      case "tunsubscribe": this.#forget(topic); return { ...event, type: "unsubscribe" };
      case "refused": return event;
      default: return { ...event, type: event.type.slice(1) }; // tsubscribe, tunsubscribe
    }
  }

  /** @type {NonNullable<PastOfTopics["readTopic"]>} */
  async *readTopic(...what) {
    const { readTopic } = await import("./topic_past.js");
    return yield* readTopic(...what);
  }

  /** @type {NonNullable<PastOfTopics["openLinked"]>} */
  async openLinked(...what) {
    if (!asked().has("at")) return;
    const { openAt } = await import("./topic_link.js");
    await openAt(...what);
  }

  // `places`: everything before these offsets was shown.
  /** @type {(event: { topic: string, epoch: string, places: string }) => void} */
  #begin({ topic, epoch, places }) {
    const pairs = places.split(",").filter(Boolean).map((place) => /** @type {[number, number]} */ (place.split(":").map(Number)));
    this.#places.set(topic, { epoch, next: new Map(pairs) });
    for (const name of this.#away.keys()) if (topicOf(name) === topic) this.#away.delete(name);
  }

  /** @type {(event: { topic: string } & import("./topic_names.js").Matched) => void} */
  #match({ topic: glob, ...found }) {
    matched.set(glob, found);
    this.#away.delete(glob);
  }

  // Keeps the position if another name has the topic.
  /** @type {(name: string) => void} */
  #forget(name) {
    this.#away.delete(name);
    if (!topicsIn(selection.names).has(topicOf(name))) this.#places.delete(name);
  }

  // Without a position yet, nothing is stored: the server sends it later.
  /** @type {(event: any) => Push} */
  #take(event) {
    this.#places.get(event.topic)?.next.set(event.partition, event.offset + 1);
    return toMessage(event);
  }

  /** @type {(event: { topic: string, error: string }) => void} */
  #leave({ topic, error }) {
    this.#away.set(topic, { from: this.#away.get(topic)?.from ?? now(), error });
  }

  /** @type {(refusals: Map<string, string>) => Partial<FeedState>} */
  state(refusals) {
    const away = new Map([...this.#away].map(([name, away]) => [keyOf({ kind: "topic", name }), away]));
    const isRefused = [...refusals.keys()].some((key) => key.startsWith(keyOf({ kind: "topic", name: "" })));
    if (isRefused) return { away, partly: ["status_live_refused", { n: refusals.size }] };
    return away.size && !refusals.size ? { away, partly: ["status_live_away", { n: away.size }] } : { away };
  }

  /** @override @type {(names: Name[]) => void} */
  keep(names) {
    super.keep(names);
    const [kept, topics] = [new Set(names.map(({ name }) => name)), topicsIn(names)];
    for (const known of [this.#places, this.#away]) for (const name of known.keys()) if (!topics.has(topicOf(name)) && !kept.has(name)) known.delete(name);
    for (const glob of matched.keys()) if (!kept.has(glob)) matched.delete(glob);
  }

  /** @override @type {(names: Name[]) => boolean} */
  covers(names) {
    return super.covers(names.filter((name) => !isTopic(name))) && names.filter(isTopic).every(({ name }) => matched.has(name) || this.#places.has(topicOf(name)));
  }

  // Also one parameter for each topic, in their order.
  /** @override @type {(query: URLSearchParams, names: Name[]) => void} */
  write(query, names) {
    super.write(query, names);
    for (const { name } of names.filter(isTopic)) query.append("place", matched.has(name) ? this.#formatAll(name) : this.#format(topicOf(name)));
  }

  // The positions of a glob's topics, or `;` if it has none: any later topic is then new.
  /** @type {(glob: string) => string} */
  #formatAll(glob) {
    return topicsOf(glob).map((topic) => `${topic}/${this.#format(topic)};`).join("") || ";";
  }

  /** @type {(topic: string) => string} */
  #format(topic) {
    const place = this.#places.get(topic);
    return place ? `${place.epoch}.${[...place.next].map(([partition, offset]) => `${partition}:${offset}`)}` : "";
  }
}

/** @type {(names: Name[]) => Set<string>} */
function topicsIn(names) {
  return new Set(names.filter(isTopic).flatMap(({ name }) => topicsOf(name)));
}

/** @type {(name: Name) => boolean} */
function isTopic({ kind }) {
  return kind === "topic";
}
