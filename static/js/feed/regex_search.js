// Searches messages with regular expressions in a worker, and stops it if that takes too long. Knows no DOM.

import { deferScript } from "../lib/deferred.js";
import { comparable, normal, unescaped } from "../message/plain_text.js";
import { isMessage } from "../stream/events.js";

const script = deferScript("../feed/regex_worker.js"); // relative to lib/ when it is not bundled
const WEIGHT = 64_000; // characters in one request to the worker
const TICK = 250; // milliseconds
const TICKS = 8; // without a response; while a page sleeps, only one passes

/** @typedef {{ regex: RegExp, name: string, read: (text: string) => string }} Term `read` normalizes the texts to search */

export class RegexSearch {
  /** @type {((words: Said) => void) | null} */
  onFail = null; // called once with a word's key and values; then, as after end(), no request resolves
  /** @type {Term[]} */
  #terms = [];
  /** @type {WeakMap<Message, boolean[]>} */
  #known = new WeakMap();
  /** @type {Worker | null} */
  #worker = null;
  #isReady = false;
  /** @type {{ name: string, answer(given: any): void }[]} */
  #asked = [];
  #waited = 0;
  /** @type {number | undefined} */
  #timer;

  get isNeeded() {
    return this.#terms.length > 0;
  }

  // Returns a test that is valid for known messages.
  /** @type {(...term: [regex: RegExp, name: string, read: Term["read"]]) => Test} */
  add(regex, name, read) {
    const n = this.#terms.push({ regex, name, read }) - 1;
    return (event) => this.#known.get(event)?.[n];
  }

  /** @type {(event: FeedItem) => boolean} */
  knows(event) {
    return !isMessage(event) || this.#known.has(event);
  }

  // Searches the first of these messages, as many as fit in one request.
  /** @type {(events: Message[]) => Promise<void>} */
  async learn(events) {
    /** @type {Message[]} */
    const batch = [];
    for (let weight = 0; weight < WEIGHT && batch.length < events.length; ) {
      const event = events[batch.length];
      weight += event.data.length + event.channel.length;
      batch.push(event);
    }
    const texts = batch.map(textsOf);
    const answers = await Promise.all(this.#terms.map((term) => this.#ask(term, texts.map((parts) => parts.map(term.read)))));
    batch.forEach((event, n) => this.#known.set(event, answers.map((answer) => answer[n])));
  }

  // The matches in a text: [index, length].
  /** @type {(regex: RegExp, name: string, text: string, limit: number) => Promise<Places>} */
  async find(regex, name, text, limit) {
    return (await this.#ask({ regex, name }, [[text]], limit))[0];
  }

  end() {
    this.#rest();
    this.#worker?.terminate();
    this.#asked = [];
    this.onFail = null;
  }

  // The worker

  /** @type {(term: { regex: RegExp, name: string }, texts: string[][], limit?: number) => Promise<any[]>} */
  #ask({ regex, name }, texts, limit) {
    return new Promise((answer) => {
      this.#asked.push({ name, answer });
      this.#timer ??= setInterval(() => this.#wait(), TICK);
      this.#start()?.postMessage({ regex, texts, limit });
    });
  }

  #start() {
    try {
      this.#worker ??= this.#begin();
    } catch {
      this.#fail("regex_unable");
    }
    return this.#worker;
  }

  #begin() {
    const worker = new Worker(address());
    worker.addEventListener("message", ({ data }) => this.#onMessage(data));
    worker.addEventListener("error", () => this.#fail("regex_unable"));
    return worker;
  }

  /** @type {(answer: "ready" | any[] | null) => void} */
  #onMessage(answer) {
    this.#waited = 0;
    if (answer === "ready") this.#isReady = true;
    else if (answer) this.#asked.shift()?.answer(answer);
    else this.#fail("regex_bad");
    if (!this.#asked.length) this.#rest();
  }

  #wait() {
    if (this.#waited++ === TICKS) this.#fail(this.#isReady ? "regex_slow" : "regex_unable");
  }

  #rest() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** @type {(word: string) => void} */
  #fail(word) {
    const regex = this.#asked[0]?.name;
    const report = this.onFail;
    this.end();
    report?.([word, { regex }]);
  }
}

// Base64 is not the published text. Other texts that are empty would match `/^$/` in every message.
/** @type {(message: Message) => string[]} */
function textsOf({ channel, data, encoding }) {
  if (encoding) return [channel.normalize()];
  return [comparable(data), ...[channel.normalize(), normal(unescaped(data))].filter(Boolean)];
}

// The page's Trusted Types policy allows no other worker.
function address() {
  const { trustedTypes } = globalThis;
  return trustedTypes ? trustedTypes.createPolicy("arauto", { createScriptURL: () => script }).createScriptURL(script) : script;
}
