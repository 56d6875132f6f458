// Checks a message while it is written: its size, whether it is JSON and where that breaks.

import { byteLength, size } from "../lib/format.js";
import { indent } from "../lib/json_indent.js";
import { looksLikeJson } from "../lib/json_scanner.js";
import { returnsOf, take } from "./exact_text.js";

const PATIENCE = 200; // milliseconds without a key pressed

export class MessageEditor {
  #message;
  #size;
  #check;
  #format;
  #max;
  #words;
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {HTMLTextAreaElement} message
   * @param {{ size: HTMLElement, check: HTMLElement, format: HTMLElement }} places
   * @param {number} maxMessage
   * @param {Words} words
   */
  constructor(message, { size, check, format }, maxMessage, words) {
    this.#message = message;
    this.#size = size;
    this.#check = check;
    this.#format = format;
    this.#max = maxMessage;
    this.#words = words;
    message.addEventListener("input", () => this.#later());
    format.addEventListener("click", () => this.#indent());
    this.look();
  }

  look() {
    clearTimeout(this.#timer);
    const text = this.#message.value;
    const bytes = byteLength(take(this.#message));
    const sizes = { size: this.#inWords(bytes), max: this.#inWords(this.#max) };
    this.#size.textContent = this.#words.say("size", sizes);
    this.#size.classList.toggle("is-over", bytes > this.#max);
    const json = looksLikeJson(text) ? indent(text) : {};
    this.#format.hidden = json.indented === undefined;
    this.#say(json);
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), PATIENCE);
  }

  /** @param {{ indented?: string, line?: number, column?: number }} json */
  #say({ indented, line, column }) {
    const broken = line && this.#words.say("json_broken", { line, column });
    const returns = returnsOf(this.#message);
    const said = [indented === undefined ? broken : this.#words.say("json_valid"), returns && this.#words.say(returns)];
    this.#check.textContent = said.filter(Boolean).join(" ");
    this.#check.classList.toggle("is-over", Boolean(broken));
  }

  #indent() {
    this.#message.value = indent(this.#message.value).indented ?? this.#message.value;
    this.look();
    this.#message.focus();
  }

  /** @type {(bytes: number) => string} */
  #inWords(bytes) {
    return size(bytes, this.#words.language);
  }
}
