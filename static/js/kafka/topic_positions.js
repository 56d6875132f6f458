// Where this page is in each topic of Kafka, beside the logs of channels, and of which Kafka says nothing just now; on
// return the server makes whole what came after. Pure.

import { now } from "../lib/clock.js";
import { keyOf } from "../stream/channel_names.js";
import { StreamPositions } from "../stream/stream_positions.js";
import { asked } from "../ui/url_state.js";
import { toGap, toMessage } from "./kafka_record.js";

export class TopicPositions extends StreamPositions {
  /** @type {Map<string, { epoch: string, next: Map<number, number> }>} */
  #places = new Map(); // the offset that is wanted next, by partition
  /** @type {Map<string, Away>} */
  #away = new Map();

  // What the server says of a topic in the words that it has for channels; null where it is only of its place.
  /** @type {(event: any) => FeedEvent | null} */
  translate(event) {
    const { topic } = event;
    if (topic === undefined) return event;
    switch (event.type) {
      case "tmessage": return this.#take(event);
      case "gap": return toGap(event);
      case "following": this.#begin(event); return null;
      case "away": this.#leave(event); return null;
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

  // Everything before these offsets was shown.
  /** @type {(event: { topic: string, epoch: string, places: string }) => void} */
  #begin({ topic, epoch, places }) {
    const pairs = places.split(",").filter(Boolean).map((place) => /** @type {[number, number]} */ (place.split(":").map(Number)));
    this.#places.set(topic, { epoch, next: new Map(pairs) });
    this.#away.delete(topic);
  }

  // Before a place is known, the server says where it ended.
  /** @type {(event: any) => Push} */
  #take(event) {
    this.#places.get(event.topic)?.next.set(event.partition, event.offset + 1);
    return toMessage(event);
  }

  /** @type {(event: { topic: string, error: string }) => void} */
  #leave({ topic, error }) {
    this.#away.set(topic, { from: this.#away.get(topic)?.from ?? now(), error });
  }

  /** @type {(refusals: Map<string, string>) => Partial<Standing>} */
  tell(refusals) {
    const away = new Map([...this.#away].map(([name, away]) => [keyOf({ kind: "topic", name }), away]));
    const isRefused = [...refusals.keys()].some((key) => key.startsWith(keyOf({ kind: "topic", name: "" })));
    if (isRefused) return { away, partly: ["status_live_refused", { n: refusals.size }] };
    return away.size && !refusals.size ? { away, partly: ["status_live_away", { n: away.size }] } : { away };
  }

  /** @override @type {(names: Name[]) => void} */
  keep(names) {
    super.keep(names);
    const topics = new Set(names.filter(isTopic).map(({ name }) => name));
    for (const known of [this.#places, this.#away]) for (const topic of known.keys()) if (!topics.has(topic)) known.delete(topic);
  }

  /** @override @type {(names: Name[]) => boolean} */
  covers(names) {
    return super.covers(names.filter((name) => !isTopic(name))) && names.filter(isTopic).every(({ name }) => this.#places.has(name));
  }

  // One for each topic too, in their order.
  /** @override @type {(query: URLSearchParams, names: Name[]) => void} */
  write(query, names) {
    super.write(query, names);
    for (const { name } of names.filter(isTopic)) query.append("place", this.#say(name));
  }

  /** @type {(topic: string) => string} */
  #say(topic) {
    const place = this.#places.get(topic);
    return place ? `${place.epoch}.${[...place.next].map(([partition, offset]) => `${partition}:${offset}`)}` : "";
  }
}

/** @type {(name: Name) => boolean} */
function isTopic({ kind }) {
  return kind === "topic";
}
