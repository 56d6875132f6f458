// Turns the form into one POST and says how many received the message, or why none could.

import { byteLength, exactSize } from "./format.js";
import { nameProblem } from "./names.js";

const ANSWER_LIMIT = 10_000; // milliseconds

export class Publisher {
  #form;
  #answer;
  #limits;
  #words;
  #isSending = false;

  constructor(form, answer, limits, words) {
    this.#form = form;
    this.#answer = answer;
    this.#limits = limits;
    this.#words = words;
    form.noValidate = true; // our sentences name the remedy in the page's own language
    form.addEventListener("submit", (event) => this.#submitted(event));
    form.addEventListener("keydown", (event) => this.#pressed(event));
  }

  // Actions

  start(channel) {
    if (channel !== undefined) this.#channel.value = channel;
  }

  #pressed(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  async #submitted(event) {
    event.preventDefault();
    if (this.#isSending) return;
    const problem = this.#problem();
    if (problem) this.#complain(...problem);
    else await this.#publish();
  }

  // Checking

  #problem() {
    if (this.#channel.value === "") return [this.#words.say("channel_empty"), this.#channel];
    const problem = nameProblem(this.#channel.value, this.#limits.maxName);
    if (problem) return [this.#words.say(...problem), this.#channel];
    return this.#messageProblem();
  }

  #messageProblem() {
    const bytes = byteLength(this.#message.value);
    if (bytes <= this.#limits.maxMessage) return null;
    const sizes = { size: this.#size(bytes), max: this.#size(this.#limits.maxMessage) };
    return [this.#words.say("message_long", sizes), this.#message];
  }

  #size(bytes) {
    return exactSize(bytes, this.#words.language);
  }

  #complain(sentence, field) {
    this.#say("failed", sentence);
    field.focus();
  }

  // Publishing

  async #publish() {
    this.#setSending(true);
    const answer = await this.#post();
    this.#setSending(false);
    if (answer.error === undefined) this.#published(answer);
    else this.#say("failed", answer.error);
    this.#message.focus();
  }

  async #post() {
    try {
      const answer = await fetch(this.#form.action, this.#request());
      return await this.#read(answer);
    } catch {
      return { error: this.#words.say("no_answer") };
    }
  }

  #request() {
    return {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(new FormData(this.#form)),
      signal: AbortSignal.timeout(ANSWER_LIMIT),
    };
  }

  // A proxy's error page is not JSON.
  async #read(answer) {
    const reply = await answer.json().catch(() => ({}));
    const isWhole = answer.ok ? "receivers" in reply : "error" in reply;
    return isWhole ? reply : { error: this.#words.say("strange_answer", { status: String(answer.status) }) };
  }

  // Answering

  #published({ receivers: n }) {
    this.#message.value = "";
    if (n === 0) this.#say("unheard", this.#words.say("receivers_none"));
    else this.#say("heard", this.#words.say("receivers", { n }), this.#words.say("receivers_note"));
  }

  #say(state, sentence, note = "") {
    const [main, small] = this.#answer.children;
    this.#answer.dataset.state = state;
    main.textContent = sentence;
    small.textContent = note;
  }

  #setSending(isSending) {
    this.#isSending = isSending;
    this.#form.elements["publish-button"].disabled = isSending;
  }

  get #channel() {
    return this.#form.elements.channel;
  }

  get #message() {
    return this.#form.elements.message;
  }
}
