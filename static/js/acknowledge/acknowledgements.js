// Who has taken which message, as the server keeps it: told by the feed's socket, and asked for anew whenever the page
// was away. Knows no DOM. Events: "change", "problem" (a sentence).

import { Emitter } from "../lib/emitter.js";
import { askServer } from "../ui/ask_server.js";

const CHANNEL = /^channel (.*)$/s; // the key of one
const PAUSE = 1_000; // milliseconds before the list is asked for again; twice as long each time ...
const LONGEST_PAUSE = 60_000; // ... up to this

export class Acknowledgements extends Emitter {
  #words;
  /** @type {Map<string, Map<string, Acknowledgement>>} */
  #taken = new Map(); // by channel, by id
  /** @type {Map<string, string>} */
  #epochs = new Map(); // of the logs, as they were said last
  /** @type {Map<string, Set<string>>} */
  #asked = new Map(); // by channel, the ids of which something was heard since
  /** @type {Set<{ channel: string, id: string, isOld: boolean }>} */
  #changes = new Set(); // under way; old: the socket has told of one since
  #queue = Promise.resolve();
  #you = "";

  /** @param {EventTarget} connection @param {Words} words */
  constructor(connection, words) {
    super();
    this.#words = words;
    connection.addEventListener("state", ({ detail }) => this.stand(detail));
    connection.addEventListener("following", ({ detail }) => this.#follow(detail));
    connection.addEventListener("acknowledged", ({ detail }) => this.#hear(detail));
  }

  // The name by which the server knows this person; empty where it has to be said.
  get you() {
    return this.#you;
  }

  get isEmpty() {
    return this.#taken.size === 0;
  }

  // Undefined: nobody has it.
  /** @type {(event: Message) => Acknowledgement | undefined} */
  of({ channel, channel_base64: bytes, id = "" }) {
    return bytes === undefined ? this.#taken.get(channel)?.get(id) : undefined;
  }

  // Whether anybody can take it.
  /** @type {(event: Message) => boolean} */
  static isKept({ id, channel_base64: bytes }) {
    return id !== undefined && bytes === undefined;
  }

  // What the server says

  // While there was no connection nothing was heard.
  /** @type {(standing: Standing) => void} */
  stand({ name, recorded }) {
    if (name !== "live") return this.#asked.clear();
    for (const key of recorded) {
      const channel = CHANNEL.exec(key)?.[1];
      if (channel !== undefined && !this.#asked.has(channel)) this.#ask(channel);
    }
  }

  // Another log has none of the former one's.
  /** @type {(event: Following) => void} */
  #follow({ channel, epoch }) {
    if (epoch === undefined || epoch === this.#epochs.get(channel)) return;
    this.#epochs.set(channel, epoch);
    if (this.#asked.has(channel)) this.#ask(channel);
  }

  // One channel after the other. What is heard meanwhile is newer than the answer.
  /** @type {(channel: string) => void} */
  #ask(channel) {
    const heard = new Set();
    this.#asked.set(channel, heard);
    this.#queue = this.#queue.then(() => this.#read(channel, heard, PAUSE));
  }

  /** @type {(channel: string, heard: Set<string>, pause: number) => Promise<void>} */
  async #read(channel, heard, pause) {
    const isWanted = () => this.#asked.get(channel) === heard;
    if (!isWanted()) return;
    const answer = await askServer("GET", "acknowledgements", { channel }, this.#words);
    if (!isWanted()) return;
    if (Array.isArray(answer.acknowledgements)) return this.#take(channel, answer, heard);
    if (pause === PAUSE && answer.error) this.emit("problem", answer.error);
    const again = () => (this.#queue = this.#queue.then(() => this.#read(channel, heard, Math.min(2 * pause, LONGEST_PAUSE))));
    if (!answer.isFinal) setTimeout(again, pause);
  }

  /** @type {(channel: string, answer: any, heard: Set<string>) => void} */
  #take(channel, { you, acknowledgements }, heard) {
    this.#you = you ?? "";
    const before = [...(this.#taken.get(channel) ?? [])].filter(([id]) => heard.has(id));
    /** @type {[string, Acknowledgement][]} */
    const told = acknowledgements.map((/** @type {Acknowledgement} */ one) => [one.id, one]);
    this.#put(channel, new Map([...told.filter(([id]) => !heard.has(id)), ...before]));
  }

  /** @type {(event: { channel: string } & Acknowledgement) => void} */
  #hear({ channel, id, by, since }) {
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

  // What a person does: the sentence why not, or nothing.

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
    if (error === undefined && !change.isOld) this.#hear(answer);
    if (isFinal && this.#asked.has(channel)) this.#ask(channel); // what is shown is no longer so: it was trimmed, say
    return error;
  }
}
