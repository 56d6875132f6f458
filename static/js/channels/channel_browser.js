// The channel browser: Redis's active channels, with subscribers and the rate seen by this page, and Kafka's topics;
// refreshed while open.

import { rounded } from "../lib/format.js";
import { channelKey, channelKind, colourName, KINDS, looksLikePattern, spoken } from "../stream/channel_names.js";
import { applyColour } from "../ui/channel_color.js";
import { element, notText, setText } from "../ui/dom.js";
import { KeyspaceEvents } from "./keyspace_events.js";

const REFRESH = 3_000; // milliseconds
const PATIENCE = 250; // milliseconds without a key pressed
const ANSWER_LIMIT = 5_000; // milliseconds
const SPECIAL = /[*?[\]\\^]/g;

/**
 * A channel in the server's response, and the response: an error or a list.
 *
 * @typedef {{ channel: string, channel_base64?: string, type?: string, subscribers?: number }} Alive
 * @typedef {{ shard: string, shard_base64?: string, subscribers?: number }} Shard
 * @typedef {{ error?: string, sentence?: string, topics?: { topic: string }[], channels?: Alive[], shards?: Shard[], total?: number, cut?: boolean, patterns?: number | null }} Answer
 */

export class ChannelBrowser {
  #dialog;
  #template;
  #selection;
  #rates;
  #words;
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  /** @type {number | undefined} */
  #timer;
  #asked = 0;
  #problem = ""; // with the last button pressed
  /** @type {Answer} */
  #topics = {};

  /**
   * @param {HTMLDialogElement} dialog
   * @param {HTMLTemplateElement} template
   * @param {PageSelection} selection
   * @param {MessageRates} rates
   * @param {Words} words
   * @param {string[]} redisCli
   */
  constructor(dialog, template, selection, rates, words, redisCli) {
    this.#dialog = dialog;
    this.#template = /** @type {HTMLElement} */ (template.content.firstElementChild);
    this.#selection = selection;
    this.#rates = rates;
    this.#words = words;
    dialog.addEventListener("close", () => clearTimeout(this.#timer));
    this.#search.form?.addEventListener("submit", (event) => event.preventDefault());
    this.#search.addEventListener("input", () => this.#soon(PATIENCE));
    selection.addEventListener("change", () => this.#mark());
    this.#offerKeyspace(redisCli);
  }

  /** @type {(redisCli: string[]) => void} */
  #offerKeyspace(redisCli) {
    const events = new KeyspaceEvents(this.#selection, redisCli, this.#words, () => this.#dialog.close());
    const button = Object.assign(element("button", "button", this.#words.say("keyspace_open")), { type: "button" });
    button.addEventListener("click", () => events.open());
    this.#search.after(button);
  }

  // The names of active channels; none if Redis does not list them.
  async channels() {
    const { channels = [] } = await askRedis("*");
    return channels.filter(isText).map(({ channel }) => channel);
  }

  open() {
    this.#problem = "";
    this.#dialog.showModal();
    this.#refresh();
  }

  /** @type {(delay: number) => void} */
  #soon(delay) {
    clearTimeout(this.#timer);
    if (this.#dialog.open) this.#timer = setTimeout(() => this.#refresh(), delay);
  }

  async #refresh() {
    const asked = ++this.#asked;
    const match = this.#match;
    const kafka = KINDS.includes("topic") ? ask("topics", match) : {}; // nothing without Kafka
    const answer = await askRedis(match);
    if (asked === this.#asked) this.#show(answer); // channels do not wait for topics
    const topics = await kafka;
    if (asked !== this.#asked) return; // a later request was sent
    this.#topics = topics;
    this.#show(answer);
    this.#soon(REFRESH);
  }

  /** @type {(answer: Answer) => void} */
  #show(answer) {
    const { topics = [], sentence = "", error = sentence } = this.#topics;
    const rows = topics.map(({ topic }) => ({ type: "tmessage", channel: topic }));
    if (answer.channels) this.#draw([...answer.channels, ...rows]);
    this.#say(this.#problem || `${this.#sentence(answer)} ${error}`.trim());
  }

  /** @type {(sentence: string) => void} */
  #say(sentence) {
    setText(this.#state, sentence);
  }

  get #match() {
    const text = this.#search.value;
    return looksLikePattern(text) ? text : `*${text.replace(SPECIAL, "\\$&")}*`;
  }

  /** @type {(answer: Answer) => string} */
  #sentence({ error, channels, total, cut, patterns }) {
    if (!channels) return error ?? this.#words.say("no_channels");
    const alive = this.#words.say("alive", { n: total });
    const also = patterns == null ? "" : `, ${this.#words.say("alive_patterns", { n: patterns })}`;
    return `${alive}${also}.${cut ? ` ${this.#words.say("alive_cut", { n: channels.length })}` : ""}`;
  }

  // Rows that stay keep their place and focus.
  /** @type {(channels: Alive[]) => void} */
  #draw(channels) {
    /** @type {[string, HTMLElement][]} */
    const rows = channels.map((one) => [channelKey(one), this.#rows.get(channelKey(one)) ?? this.#build(one)]);
    rows.forEach(([key, row], at) => this.#fill(row, key, channels[at].subscribers));
    const before = this.#rows;
    this.#rows = new Map(rows);
    for (const [key, row] of before) if (!this.#rows.has(key)) row.remove();
    rows.forEach(([, row], at) => this.#body.children[at] === row || this.#body.insertBefore(row, this.#body.children[at]));
    this.#mark();
  }

  /** @type {(one: Alive) => HTMLElement} */
  #build(one) {
    const { channel } = one;
    const row = /** @type {HTMLElement} */ (this.#template.cloneNode(true));
    const name = row.querySelector("bdi");
    const button = row.querySelector("button");
    const kind = channelKind(one.type);
    name.textContent = channel;
    applyColour(name, colourName({ kind, name: channel }));
    if (kind !== "channel") name.after(" ", element("span", "chip__kind", this.#words.say(kind)));
    button.disabled = !isText(one);
    if (button.disabled) button.before(notText(this.#words), " ");
    Object.assign(row.dataset, { kind, channel });
    button.addEventListener("click", () => this.#toggle({ kind, name: channel }));
    return row;
  }

  /** @type {(row: HTMLElement, key: string, subscribers?: number) => void} */
  #fill(row, key, subscribers) {
    const rate = this.#rates.now(key);
    row.children[1].textContent = row.dataset.kind === "topic" ? "" : String(subscribers ?? this.#words.say("unknown"));
    row.children[2].textContent = rate ? this.#words.say("per_second", { n: rounded(rate) }) : "";
  }

  /** @type {(name: Name) => void} */
  #toggle(name) {
    const isWatched = this.#selection.has(name);
    const problem = isWatched ? null : this.#selection.add(name);
    if (isWatched) this.#selection.remove(name);
    this.#problem = problem ? this.#words.say(...problem) : "";
    if (problem) this.#say(this.#problem);
  }

  #mark() {
    for (const row of this.#rows.values()) {
      const { kind, channel: name = "" } = row.dataset;
      const button = row.querySelector("button");
      const isWatched = !button.disabled && this.#selection.has(/** @type {Name} */ ({ kind, name }));
      const key = isWatched ? "unwatch" : "watch";
      button.textContent = this.#words.say(key);
      button.ariaLabel = this.#words.say(`${key}_name`, { name: spoken({ kind, name }, this.#words) });
    }
  }

  get #search() {
    return this.#dialog.querySelector("input");
  }

  get #state() {
    return this.#dialog.querySelector("[role=status]");
  }

  get #body() {
    return this.#dialog.querySelector("tbody");
  }
}

/** @type {(one: Alive) => boolean} */
function isText({ channel_base64: bytes }) {
  return bytes === undefined;
}

// Adds sharded channels to the list, with the type of their messages to distinguish them.
/** @type {(match: string) => Promise<Answer>} */
async function askRedis(match) {
  const { channels, shards = [], ...rest } = await ask("channels", match);
  const others = shards.map(({ shard, shard_base64, subscribers }) => ({ type: "smessage", channel: shard, channel_base64: shard_base64, subscribers }));
  return { ...rest, channels: channels && [...channels, ...others] };
}

/** @type {(what: string, match: string) => Promise<Answer>} */
async function ask(what, match) {
  try {
    const url = new URL(what, document.baseURI);
    url.searchParams.set("match", match);
    const answer = await fetch(url, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(ANSWER_LIMIT) });
    return await answer.json();
  } catch {
    return {};
  }
}
