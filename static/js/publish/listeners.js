// Shows under the channel how many would receive a message now. Redis is queried, seldom, only while the form is used.
// Event: "counted" (a Count).

import { Emitter } from "../lib/emitter.js";
import { keyOf, nameProblem } from "../stream/channel_names.js";

const REFRESH = 3_000; // milliseconds
const PATIENCE = 400; // milliseconds without a key pressed
const ANSWER_LIMIT = 5_000; // milliseconds

/** @typedef {{ kind?: string, channel: string, receivers?: number | null, tabs?: number | null, patterns?: number }} Count */

export class Listeners extends Emitter {
  #form;
  #place;
  #maxName;
  #words;
  /** @type {number | undefined} */
  #timer;
  #shown = ""; // the key of the channel whose count is shown

  /** @param {PublishElement} form @param {HTMLElement} place @param {number} maxName @param {Words} words */
  constructor(form, place, maxName, words) {
    super();
    this.#form = form;
    this.#place = place;
    this.#maxName = maxName;
    this.#words = words;
    form.addEventListener("focusin", () => this.#changed(0));
    form.elements.channel.addEventListener("input", () => this.#changed(PATIENCE));
    form.elements.kind.addEventListener("change", () => this.#changed(0));
    document.addEventListener("republish", () => this.#changed(0));
    document.addEventListener("visibilitychange", () => this.#soon(0));
    this.#changed(0);
  }

  // Requests the count of a channel; without a response, the event has only its name.
  /** @type {(kind: string, channel: string) => Promise<void>} */
  async count(kind, channel) {
    const url = new URL(`channels/listeners?${kind}=${encodeURIComponent(channel)}`, document.baseURI);
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_LIMIT) }).then((answer) => answer.json()).catch(() => ({}));
    this.emit("counted", { kind, channel, ...answer });
    const key = keyOf({ kind, name: channel });
    if (key !== this.#key || !this.#isUsed) return;
    this.#shown = key;
    this.#place.textContent = this.#sentence(answer);
  }

  // Removes the count of another channel at once.
  /** @type {(delay: number) => void} */
  #changed(delay) {
    if (this.#key === this.#shown) return;
    this.#rest();
    this.#soon(delay);
  }

  /** @type {(delay: number) => void} */
  #soon(delay) {
    clearTimeout(this.#timer);
    if (this.#isUsed) this.#timer = setTimeout(() => this.#refresh(), delay);
  }

  async #refresh() {
    if (!this.#isUsed) return this.#rest();
    if (!nameProblem(this.#channel, this.#maxName)) await this.count(this.#kind, this.#channel);
    this.#soon(REFRESH);
  }

  #rest() {
    this.#shown = "";
    this.#place.textContent = "";
  }

  get #channel() {
    return this.#form.elements.channel.value.trim();
  }

  get #kind() {
    return this.#form.elements.kind.checked ? "shard" : "channel";
  }

  get #key() {
    return keyOf({ kind: this.#kind, name: this.#channel });
  }

  get #isUsed() {
    return !document.hidden && this.#form.contains(document.activeElement);
  }

  /** @type {(count: Partial<Count>) => string} */
  #sentence({ receivers, tabs, patterns }) {
    if (receivers == null) return "";
    const said = this.#words.say(receivers ? "listening" : "listening_none", { n: receivers });
    const parts = receivers && tabs != null ? `: ${this.#words.say("tabs", { n: tabs })}, ${this.#words.say("others", { n: Math.max(0, receivers - tabs) })}` : "";
    return `${said}${parts}${patterns ? `; ${this.#words.say("listening_patterns", { n: patterns })}` : ""}`;
  }
}
