// The empty feed: why it is empty, and a command to try in a terminal.

import { shellQuote } from "../lib/format.js";
import { copy } from "../ui/clipboard.js";

const SAMPLE_MESSAGE = "Olá, assinantes!";
const COPIED_SHOWN_FOR = 2_000; // milliseconds

export class EmptyState {
  #place;
  #words;
  #label;
  #title;

  /** @param {HTMLElement} place @param {Words} words */
  constructor(place, words) {
    this.#place = place;
    this.#words = words;
    this.#button.hidden = false;
    this.#label = this.#button.textContent;
    this.#title = place.children[0].textContent;
    this.#button.addEventListener("click", () => this.#copy());
  }

  /** @type {(redisCli: string[], name: { kind: string, name: string }) => void} */
  suggest(redisCli, { kind, name }) {
    const command = [...redisCli, kind === "shard" ? "SPUBLISH" : "PUBLISH", name, SAMPLE_MESSAGE];
    this.#command.textContent = command.map(shellQuote).join(" ");
  }

  // Its promise holds while the feed is live; recorded channels may have earlier messages.
  /** @type {(state: FeedState) => void} */
  show({ name, recorded }) {
    const [title, promise] = /** @type {any} */ (this.#place.children);
    const isLive = name === "live";
    title.textContent = isLive ? this.#title : this.#words.say(name === "idle" ? "status_idle" : "welcome_off");
    promise.hidden = recorded.size > 0;
    this.#place.toggleAttribute("data-off", !isLive);
  }

  hide() {
    this.#place.hidden = true;
  }

  async #copy() {
    const isCopied = await copy(this.#command.textContent);
    if (!isCopied) getSelection()?.selectAllChildren(this.#command); // to be copied by hand
    this.#button.textContent = this.#words.say(isCopied ? "copied" : "not_copied");
    setTimeout(() => (this.#button.textContent = this.#label), COPIED_SHOWN_FOR);
  }

  get #command() {
    return this.#place.querySelector("code");
  }

  get #button() {
    return this.#place.querySelector("button");
  }
}
