// The messages of the same channel just before and after one, filtered or not: from the page's store, or else from the
// recording or the topic.

import { readAround } from "../history/history_reader.js";
import { beginning, toDate } from "../lib/format.js";
import { later } from "../lib/idle_queue.js";
import { marksOf } from "../message/marks.js";
import { plain } from "../message/plain_text.js";
import { channelKey, keyOf, nameOf } from "../stream/channel_names.js";
import { isMessage, isSame } from "../stream/events.js";
import { attempt } from "../stream/unreadable.js";
import { element } from "../ui/dom.js";
import { rowTime } from "../ui/timestamps.js";

const MANY = 5; // messages on each side
const SHOWN = 200; // characters of each

export class Context {
  #place;
  #feed;
  #rows;
  #words;
  #choose;
  /** @type {Message | null} */
  #event = null;
  /** @type {FeedItem[]} */
  #read = []; // from the recording or topic
  #isDue = false;

  // `choose` is called with a message to show.
  /**
   * @param {HTMLElement} place
   * @param {import("../feed/feed.js").Feed} feed
   * @param {Rows} rows
   * @param {Words} words
   * @param {(event: Message) => void} choose
   */
  constructor(place, feed, rows, words, choose) {
    this.#place = place;
    this.#feed = feed;
    this.#rows = rows;
    this.#words = words;
    this.#choose = choose;
    feed.addEventListener("draw", () => this.#wait());
  }

  get isOpen() {
    return !this.#place.hidden;
  }

  toggle() {
    this.#place.hidden = !this.#place.hidden;
    if (this.isOpen) this.show(this.#event);
  }

  /** @type {(event: Message | null) => void} */
  show(event) {
    this.#event = event;
    this.#read = [];
    if (!event || !this.isOpen) return;
    const { before, isKnown } = this.#draw();
    if (!isKnown || before < MANY) this.#ask(event);
  }

  /** @type {(event: Message) => Promise<void>} */
  async #ask(event) {
    const { channel, id, kafka } = event;
    const found = await (kafka ? kafka.around(event, MANY) : id ? readAround(channel, id, MANY) : null)?.catch(() => null);
    if (!found || event !== this.#event) return;
    this.#read = found.events;
    this.#draw();
  }

  // Draws again soon, if later messages may have come.
  #wait() {
    if (this.#isDue || !this.#event || !this.isOpen || this.#read.length || this.#after.length >= MANY) return;
    this.#isDue = true;
    later(() => {
      this.#isDue = false;
      if (this.isOpen) this.#draw();
    });
  }

  get #after() {
    return [...this.#place.querySelectorAll("[aria-current] ~ li > button")];
  }

  #draw() {
    const event = /** @type {Message} */ (this.#event);
    const found = around(this.#read.length ? this.#read : this.#feed.all, event);
    const items = found.items.map((item) => (isMessage(item) ? this.#item(item, isSame(item, event)) : this.#rows.build(item)));
    if (!found.isKnown) items.push(this.#item(event, true), this.#note("context_gone"));
    else if (!found.before) items.unshift(this.#note("context_first"));
    if (found.isKnown && !found.after) items.push(this.#note("context_last"));
    const had = this.#place.contains(document.activeElement);
    this.#place.querySelector("ol").replaceChildren(...items);
    if (had) this.#place.querySelector("[aria-current] > button")?.focus();
    return found;
  }

  /** @type {(event: Message, isCurrent: boolean) => HTMLElement} */
  #item(event, isCurrent) {
    const item = element("li", "");
    if (isCurrent) item.ariaCurrent = "true";
    const button = element("button", "context__message");
    const date = toDate(event.at);
    const time = element("time", "row__time", rowTime(date));
    time.dateTime = date.toISOString();
    button.append(time, " ", element("span", "context__text", attempt(event, () => this.#text(event)) ?? event.data.slice(0, SHOWN)));
    button.addEventListener("click", () => this.#choose(event));
    item.append(button);
    return item;
  }

  /** @type {(event: Message) => string} */
  #text(event) {
    if (event.encoding || event.data === "") return marksOf(event, {}, this.#words).join(" ");
    return beginning(plain(event.data.slice(0, 2 * SHOWN)), SHOWN, SHOWN).replace(/\s+/g, " ");
  }

  /** @type {(word: string) => HTMLElement} */
  #note(word) {
    return element("li", "context__note", this.#words.say(word));
  }
}

// A gap is about one name, or about all.
/** @type {(gap: Gap, key: string) => boolean} */
function isGapOf(gap, key) {
  const name = nameOf(gap);
  return !name || keyOf(name) === key;
}

// The messages and gaps around an event, and the number of messages on each side.
/** @type {(events: FeedItem[], event: Message) => { items: FeedItem[], before: number, after: number, isKnown: boolean }} */
function around(events, event) {
  const key = channelKey(event);
  const own = events.filter((other) =>
    isMessage(other) ? channelKey(other) === key : other.type === "gap" && isGapOf(other, key));
  const at = own.findIndex((other) => isMessage(other) && isSame(other, event));
  if (at === -1) return { items: [], before: 0, after: 0, isKnown: false };
  let [from, to, before, after] = [at, at + 1, 0, 0];
  while (from > 0 && before < MANY) before += Number(isMessage(own[--from]));
  while (to < own.length && after < MANY) after += Number(isMessage(own[to++]));
  return { items: own.slice(from, to), before, after, isKnown: true };
}
