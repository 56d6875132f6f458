// What the form has for Kafka beside what it has for channels: where to, the topic, key, headers and partition, and
// that there is no value.

import { looksLikePattern } from "../stream/channel_names.js";
import { readHeaders, writeHeaders } from "./header_lines.js";
import { topicOf } from "./topic_names.js";

/** @typedef {"channel" | "topic" | "both"} To */
/** @typedef {[word: string, field: HTMLElement]} TopicProblem */

const RECORD = ["key", "headers", "partition"]; // what is folded away

export class TopicFields {
  #form;

  // It begins with what the page shows.
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

  // What a draft has beside its channel and message. What is empty is left out, as for the server.
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
    if (to === "channel") return; // what is typed for a topic stays
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
    this.#unfold(); // what is folded away cannot have the focus
    return ["headers_wrong", this.#field("headers")];
  }

  // CSS shows what belongs to it. What is written and not sent stays.
  #choose() {
    this.#form.dataset.to = this.to;
    this.#form.elements.message.disabled = this.#isTombstone;
  }

  // Redis has nothing of that kind.
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
