// The form's fields for Kafka: destination, topic, key, headers, partition, and the tombstone that has no value.

import { looksLikePattern } from "../stream/channel_names.js";
import { readHeaders, writeHeaders } from "./header_lines.js";
import { topicOf } from "./topic_names.js";

/** @typedef {"channel" | "topic" | "both"} To */
/** @typedef {[word: string, field: HTMLElement]} TopicProblem */

const RECORD = ["key", "headers", "partition"]; // folded away

export class TopicFields {
  #form;

  // Starts with the topics of the selection.
  /** @param {PublishElement} form @param {Name[]} names */
  constructor(form, names) {
    this.#form = form;
    const topic = names.find(({ kind }) => kind === "topic");
    if (topic && !looksLikePattern(topic.name)) this.#field("topic").value = topicOf(topic.name);
    if (topic && names.every(({ kind }) => kind === "topic")) this.#to.value = "topic";
    for (const field of [this.#to, this.#field("tombstone")]) field.addEventListener("change", () => this.#choose());
    this.#choose();
  }

  get to() {
    return /** @type {To} */ (this.#to.value);
  }

  // A draft's fields beside its channel and message. Empty ones are left out, as in a request.
  /** @type {Partial<Draft>} */
  get draft() {
    const { to } = this;
    if (to === "channel") return {};
    return { ...(to === "topic" && { kind: "topic", channel: undefined }), to, ...this.#read() };
  }

  set draft({ to = "channel", topic = "", ...record }) {
    this.#to.value = to;
    this.#field("tombstone").checked = record.tombstone === "1";
    this.#choose();
    if (to === "channel") return; // fields of a topic keep what was typed
    this.#field("topic").value = topic;
    this.#field("key").value = record.key ?? "";
    this.#field("partition").value = record.partition ?? "";
    this.#field("headers").value = writeHeaders(JSON.parse(record.headers ?? "[]"));
    if (record.tombstone || RECORD.some((name) => this.#field(name).value)) this.#unfold();
  }

  /** @type {() => TopicProblem | null} */
  problem() {
    if (!this.#read().topic) return ["topic_empty", this.#field("topic")];
    if (readHeaders(this.#field("headers").value).every(({ name }) => name)) return null;
    this.#unfold(); // a folded field cannot have the focus
    return ["headers_wrong", this.#field("headers")];
  }

  // CSS shows the fields of the destination. Hidden fields keep their values.
  #choose() {
    this.#form.dataset.to = this.to;
    this.#form.elements.message.disabled = this.#isTombstone;
  }

  // Redis has no tombstones.
  get #isTombstone() {
    return this.to === "topic" && this.#field("tombstone").checked;
  }

  /** @type {() => TopicRecord & { topic: string }} */
  #read() {
    const [topic, key, partition, text] = ["topic", "key", "partition", "headers"].map((name) => this.#field(name).value);
    const headers = readHeaders(text);
    return {
      topic: topic.trim(),
      ...(key && { key }), ...(partition && { partition }), ...(headers.length && { headers: JSON.stringify(headers) }),
      ...(this.#isTombstone && { tombstone: "1" }),
    };
  }

  #unfold() {
    /** @type {HTMLDetailsElement} */ (this.#field("key").closest("details")).open = true;
  }

  get #to() {
    return this.#form.elements["publish-to"];
  }

  /** @type {(name: string) => any} */
  #field(name) {
    return this.#form.elements.namedItem(`publish-${name}`);
  }
}
