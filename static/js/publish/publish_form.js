// Publishes the form with one POST, or a burst of them, and shows the receivers or the error.

import { Emitter } from "../lib/emitter.js";
import { byteLength, exactSize } from "../lib/format.js";
import { nameProblem, spoken } from "../stream/channel_names.js";
import { isConfirmed } from "../ui/confirm.js";
import { element, trimTyped } from "../ui/dom.js";
import { put, take } from "./exact_text.js";
import { matchingNames } from "./matching_names.js";

const ANSWER_LIMIT = 20_000; // milliseconds
const BURST_LIMIT = 1_000; // messages
const NOT_CONFIRMED = 409;
const TYPED = /** @type {const} */ (["message", "key", "headers", "partition"]); // parts of a draft that are never lost

/**
 * A response of the server; for a burst `n` is the number published; `confirmed` is sent with the next request.
 *
 * @typedef {{
 *   receivers?: number, at_least?: boolean, tabs?: number | null, n?: number, error?: string, status?: number, confirmed?: Fields
 * }} Answer
 * @typedef {Record<string, string>} Fields
 * @typedef {[sentence: string, field: HTMLElement]} Problem
 * @typedef {Draft & { kind?: any, channel?: any }} Sent has both
 * @typedef {(sent: Sent, given?: Fields) => Promise<Answer>} Send
 */

export class PublishForm extends Emitter {
  #form;
  #answer;
  #confirm;
  #selection;
  #limits;
  #words;
  #isSending = false;
  #isStopped = false;
  /** @type {{ draft: Partial<Draft> }} */
  extra = { draft: {} }; // fields of a draft for Kafka

  // Event: "published" (the message, its receivers and the tabs among them); for a burst once, with its last message.
  /**
   * @param {PublishElement} form
   * @param {HTMLElement} answer
   * @param {HTMLDialogElement} confirm
   * @param {PageSelection} selection
   * @param {{ maxMessage: number, maxName: number }} limits
   * @param {Words} words
   */
  constructor(form, answer, confirm, selection, limits, words) {
    super();
    this.#form = form;
    this.#answer = answer;
    this.#confirm = confirm;
    this.#selection = selection;
    this.#limits = limits;
    this.#words = words;
    form.publisher = this; // for modules that load later
    form.noValidate = true; // our own sentences are in the page's language
    trimTyped(this.#channel);
    form.addEventListener("submit", (event) => this.#submitted(event));
    form.addEventListener("keydown", (event) => this.#pressed(event));
    this.#stop.addEventListener("click", () => (this.#isStopped = true));
    document.addEventListener("republish", ({ detail }) => this.fill(detail));
  }

  // Actions

  // Fills in the unpublished message, else the channel. Text typed before this script ran is kept.
  /** @type {(unsent: Draft | null, target?: Name) => void} */
  start(unsent, target) {
    if (this.#channel.value !== this.#channel.defaultValue || this.#message.value !== "") return;
    this.#write(unsent ?? { kind: target?.kind, channel: target?.name, message: "" });
  }

  /** @type {() => Draft} */
  read() {
    return { kind: this.#kind.checked ? "shard" : "channel", channel: this.#channel.value, message: take(this.#message), ...this.extra.draft };
  }

  // The channel as it is shown.
  /** @type {(draft: Sent) => string} */
  where({ kind, channel: name }) {
    return spoken({ kind, name }, this.#words);
  }

  // Replaces the form's content, with a button to undo that.
  /** @type {(draft: Draft) => void} */
  fill(draft) {
    const former = this.read();
    this.#write(draft);
    this.#message.focus();
    if (TYPED.every((name) => !former[name] || former[name] === draft[name])) return;
    this.say("", this.#words.say("replaced"));
    const undo = element("button", "link", this.#words.say("undo"));
    undo.type = "button";
    undo.addEventListener("click", () => this.fill(former));
    this.#answer.lastElementChild?.append(undo);
  }

  // Without a channel the form keeps its own.
  /** @type {(draft: Draft) => void} */
  #write({ name, kind, channel = this.#channel.value, message, ...more }) {
    this.#channel.value = channel;
    this.#kind.checked = kind === "shard";
    this.extra.draft = more;
    put(this.#message, message);
  }

  // Disables the form and shows the reason; with an empty one, enables it.
  /** @type {(reason: string) => void} */
  rest(reason) {
    const button = this.#form.elements["publish-button"];
    if (button.disabled !== !reason) return;
    button.disabled = !button.disabled;
    this.say("failed", reason);
  }

  /** @type {(event: KeyboardEvent) => void} */
  #pressed(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  /** @type {(event: Event) => Promise<void>} */
  async #submitted(event) {
    event.preventDefault();
    if (this.#isSending) return;
    const problem = this.problem();
    if (problem) this.#complain(...problem);
    else if (take(this.#message) || this.extra.draft.tombstone || (await this.#isConfirmed("confirm_empty"))) await this.publish();
    else this.#complain(this.#words.say("not_confirmed"), this.#message);
  }

  /** @type {(word: string, values?: object) => Promise<boolean>} */
  #isConfirmed(word, values) {
    return isConfirmed(this.#confirm, this.#words.say(word, values));
  }

  // Checking

  /** @type {() => Problem | null} */
  problem() {
    const problem = this.#messageProblem() ?? this.#timesProblem();
    if (problem) return problem;
    const wrong = this.#channel.value ? nameProblem(this.#channel.value, this.#limits.maxName) : /** @type {Said} */ (["channel_empty"]);
    return wrong && [this.#words.say(...wrong), this.#channel];
  }

  /** @type {() => Problem | null} */
  #messageProblem() {
    const bytes = byteLength(take(this.#message));
    if (bytes <= this.#limits.maxMessage) return null;
    const [size, max] = [bytes, this.#limits.maxMessage].map((n) => exactSize(n, this.#words.language));
    return [this.#words.say("message_long", { size, max }), this.#message];
  }

  /** @type {() => Problem | null} */
  #timesProblem() {
    const times = Number(this.#times.value);
    if (Number.isInteger(times) && times >= 1 && times <= BURST_LIMIT) return null;
    return [this.#words.say("times_wrong", { max: BURST_LIMIT }), this.#times];
  }

  /** @type {(...problem: Problem) => void} */
  #complain(sentence, field) {
    this.say("failed", sentence);
    field.focus();
  }

  // Publishing

  // Text typed while the request is under way is kept.
  async publish(sent = this.read(), times = Number(this.#times.value)) {
    const focused = document.activeElement;
    this.#setSending(true);
    this.#isStopped = false;
    const isDone = await this.deliver(sent, (draft, given) => times > 1 ? this.#burst(draft, times, given) : this.#post(draft, given));
    const isWaiting = document.activeElement === focused || document.activeElement === this.#stop;
    this.#setSending(false);
    if (isDone && take(this.#message) === sent.message) put(this.#message, "");
    if (isDone && Number(this.#times.value) === times) this.#times.value = "1";
    if (isWaiting && !focused?.matches("input, textarea")) this.#message.focus();
  }

  // Publishes one after the other, in order; {n} in the message becomes its number.
  /** @type {(sent: Sent, times: number, given?: Fields) => Promise<Answer>} */
  async #burst(sent, times, given) {
    /** @type {Answer} */
    let whole = { n: 0 }; // the last response and the number published
    for (let n = 1; n <= times && !this.#isStopped; n++) {
      this.#stop.hidden = false;
      this.#stop.textContent = this.#words.say("burst_stop", { at: n, times });
      const answer = await this.#post({ ...sent, message: sent.message.replaceAll("{n}", String(n)) }, given);
      if (answer.error !== undefined) return { ...answer, n: whole.n };
      whole = { ...answer, n };
      given = answer.confirmed ?? given;
    }
    return whole;
  }

  // The server refuses a protected channel until the visitor has confirmed it.
  /** @type {(sent: Sent, given?: Fields) => Promise<Answer>} */
  async #post({ kind, channel, message }, given = {}) {
    const fields = { [kind]: channel, message, ...given };
    const answer = await this.#send(fields);
    if (answer.status !== NOT_CONFIRMED) return answer;
    if (!(await this.#isConfirmed("confirm", { channel }))) return { error: this.#words.say("not_confirmed") };
    const confirmed = { ...given, confirmed: "1" };
    return { ...(await this.#send({ ...fields, ...confirmed })), confirmed };
  }

  /** @type {(fields: Fields) => Promise<Answer>} */
  async #send(fields) {
    try {
      const answer = await fetch(this.#form.action, this.#request(fields));
      return await this.#read(answer);
    } catch {
      return { error: this.#words.say("no_answer") };
    }
  }

  // A session needs the CSRF token.
  /** @type {(fields: Fields) => RequestInit} */
  #request(fields) {
    const { csrf } = this.#form.elements;
    return {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(csrf ? { ...fields, csrf: csrf.value } : fields),
      signal: AbortSignal.timeout(ANSWER_LIMIT),
    };
  }

  // A proxy's error page is not JSON.
  /** @type {(answer: Response) => Promise<Answer>} */
  async #read(answer) {
    const { status } = answer;
    const reply = await answer.json().catch(() => ({}));
    const isWhole = answer.ok ? "receivers" in reply || "offset" in reply : "error" in reply;
    return isWhole ? { ...reply, status } : { error: this.#words.say("strange_answer", { status: String(status) }) };
  }

  // Results

  // Sends and shows the result; resolves to whether it was published.
  /** @type {(sent: Draft, send: Send) => Promise<boolean>} */
  async deliver(sent, send) {
    const { receivers, tabs, n, at_least: isAtLeast, error } = await send(sent);
    if (error !== undefined) {
      this.say("failed", error, n ? this.#words.say("burst_broken", { n }) : "");
      return false;
    }
    const message = n === undefined ? sent.message : sent.message.replaceAll("{n}", String(n));
    this.emit("published", { ...sent, message, receivers, tabs, isAtLeast });
    const burst = n === undefined ? "" : this.#words.say("burst_done", { n });
    if (receivers) this.say("received", this.#split(receivers, tabs, isAtLeast), burst || this.#note(sent, tabs));
    else this.say("none", this.#words.say(isAtLeast ? "receivers_uncounted" : "receivers_none"), burst);
    return true;
  }

  /** @type {(n: number, tabs?: number | null, isAtLeast?: boolean) => string} */
  #split(n, tabs, isAtLeast) {
    const all = this.#words.say(isAtLeast ? "receivers_at_least" : "receivers", { n });
    if (tabs == null) return all;
    return `${all}: ${this.#words.say("tabs", { n: tabs })}, ${this.#words.say("others", { n: n - tabs })}`;
  }

  /** @type {(sent: Draft, tabs?: number | null) => string} */
  #note({ kind = "channel", channel = "" }, tabs) {
    if (tabs == null) return this.#words.say("receivers_note");
    return tabs && matchingNames(this.#selection.names, kind, channel, false).length > 1 ? this.#words.say("receivers_twice") : "";
  }

  /** @type {(state: string, sentence: string, note?: string | Node) => void} */
  say(state, sentence, note = "") {
    const [main, small] = this.#answer.children;
    this.#answer.dataset.state = state;
    main.textContent = sentence;
    small.replaceChildren(note);
  }

  /** @type {(isSending: boolean) => void} */
  #setSending(isSending) {
    this.#isSending = isSending;
    this.#stop.hidden = true;
    this.#form.elements["publish-button"].ariaDisabled = String(isSending); // a disabled button would lose the focus
  }

  get #channel() {
    return this.#form.elements.channel;
  }

  get #kind() {
    return this.#form.elements.kind;
  }

  get #message() {
    return this.#form.elements.message;
  }

  get #times() {
    return this.#form.elements["publish-times"];
  }

  get #stop() {
    return this.#form.elements["publish-stop"];
  }
}
