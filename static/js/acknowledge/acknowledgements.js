// Who has taken which message: changes come by the feed's socket, and the whole list is requested after each
// reconnect. Knows no DOM. Events: "change", "problem" (a sentence).

import { Emitter } from "../lib/emitter.js";
import { askServer } from "../ui/ask_server.js";

const CHANNEL = /^channel (.*)$/s; // the key of a channel
const PAUSE = 1_000; // milliseconds before the list is requested again; twice as long each time ...
const LONGEST_PAUSE = 60_000; // ... up to this

export class Acknowledgements extends Emitter {
  #words;
  /** @type {Map<string, Map<string, Acknowledgement>>} */
  #taken = new Map(); // by channel, by id
  /** @type {Map<string, string>} */
  #epochs = new Map(); // of the logs, by channel
  /** @type {Map<string, Set<string>>} */
  #asked = new Map(); // by channel, the ids that changed since the request
  /** @type {Set<{ channel: string, id: string, isOld: boolean }>} */
  #changes = new Set(); // requests under way; old: the socket has reported a newer change
  #queue = Promise.resolve();
  #you = "";

  /** @param {EventTarget} connection @param {Words} words */
  constructor(connection, words) {
    super();
    this.#words = words;
    connection.addEventListener("state", ({ detail }) => this.setState(detail));
    connection.addEventListener("following", ({ detail }) => this.#follow(detail));
    connection.addEventListener("acknowledged", ({ detail }) => this.#apply(detail));
  }

  // The name by which the server knows this visitor; empty if the page has to ask for one.
  get you() {
    return this.#you;
  }

  get isEmpty() {
    return this.#taken.size === 0;
  }

  // Undefined if nobody has it.
  /** @type {(event: Message) => Acknowledgement | undefined} */
  of({ channel, channel_base64: bytes, id = "" }) {
    return bytes === undefined ? this.#taken.get(channel)?.get(id) : undefined;
  }

  // Whether it can be taken: only messages of a log can.
  /** @type {(event: Message) => boolean} */
  static isKept({ id, channel_base64: bytes }) {
    return id !== undefined && bytes === undefined;
  }

  // Reading

  // Changes during an outage were not received, so the lists are requested again.
  /** @type {(state: FeedState) => void} */
  setState({ name, recorded }) {
    if (name !== "live") return this.#asked.clear();
    for (const key of recorded) {
      const channel = CHANNEL.exec(key)?.[1];
      if (channel !== undefined && !this.#asked.has(channel)) this.#ask(channel);
    }
  }

  // A new epoch: acknowledgements of the former log no longer apply.
  /** @type {(event: Following) => void} */
  #follow({ channel, epoch }) {
    if (epoch === undefined || epoch === this.#epochs.get(channel)) return;
    this.#epochs.set(channel, epoch);
    if (this.#asked.has(channel)) this.#ask(channel);
  }

  // One channel after the other. Changes received meanwhile are newer than the response.
  /** @type {(channel: string) => void} */
  #ask(channel) {
    const changed = new Set();
    this.#asked.set(channel, changed);
    this.#queue = this.#queue.then(() => this.#read(channel, changed, PAUSE));
  }

  /** @type {(channel: string, changed: Set<string>, pause: number) => Promise<void>} */
  async #read(channel, changed, pause) {
    const isWanted = () => this.#asked.get(channel) === changed;
    if (!isWanted()) return;
    const answer = await askServer("GET", "acknowledgements", { channel }, this.#words);
    if (!isWanted()) return;
    if (Array.isArray(answer.acknowledgements)) return this.#take(channel, answer, changed);
    if (pause === PAUSE && answer.error) this.emit("problem", answer.error);
    const again = () => (this.#queue = this.#queue.then(() => this.#read(channel, changed, Math.min(2 * pause, LONGEST_PAUSE))));
    if (!answer.isFinal) setTimeout(again, pause);
  }

  /** @type {(channel: string, answer: any, changed: Set<string>) => void} */
  #take(channel, { you, acknowledgements }, changed) {
    this.#you = you ?? "";
    const before = [...(this.#taken.get(channel) ?? [])].filter(([id]) => changed.has(id));
    /** @type {[string, Acknowledgement][]} */
    const listed = acknowledgements.map((/** @type {Acknowledgement} */ one) => [one.id, one]);
    this.#put(channel, new Map([...listed.filter(([id]) => !changed.has(id)), ...before]));
  }

  /** @type {(event: { channel: string } & Acknowledgement) => void} */
  #apply({ channel, id, by, since }) {
    this.#asked.get(channel)?.add(id);
    for (const change of this.#changes) change.isOld ||= change.channel === channel && change.id === id;
    const taken = new Map(this.#taken.get(channel));
    if (by) taken.set(id, { id, by, since });
    else taken.delete(id);
    this.#put(channel, taken);
  }

  /** @type {(channel: string, taken: Map<string, Acknowledgement>) => void} */
  #put(channel, taken) {
    if (taken.size) this.#taken.set(channel, taken);
    else if (!this.#taken.delete(channel)) return;
    this.emit("change");
  }

  // Writing: resolves to the reason for a refusal, or to nothing.

  /** @type {(event: Message, by: string) => Promise<string | undefined>} */
  take(event, by) {
    return this.#change("PUT", event, { by });
  }

  /** @type {(event: Message) => Promise<string | undefined>} */
  giveBack(event) {
    return this.#change("DELETE", event);
  }

  /** @type {(method: string, event: Message, body?: object) => Promise<string | undefined>} */
  async #change(method, { channel, id = "" }, body) {
    const change = { channel, id, isOld: false };
    this.#changes.add(change);
    const { error, isFinal, ...answer } = await askServer(method, "acknowledgements", { channel, message: id }, this.#words, body);
    this.#changes.delete(change);
    if (error === undefined && !change.isOld) this.#apply(answer);
    if (isFinal && this.#asked.has(channel)) this.#ask(channel); // what is shown is out of date; the message may have been trimmed
    return error;
  }
}
