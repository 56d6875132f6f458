// Builds the feed's rows. Published data is never parsed as HTML.

import { toDate } from "../lib/format.js";
import { later } from "../lib/idle_queue.js";
import { channelKind, colourName } from "../stream/channel_names.js";
import { isMessage } from "../stream/events.js";
import { attempt, isOdd, onOdd } from "../stream/unreadable.js";
import { applyColour } from "../ui/channel_color.js";
import { element, notText } from "../ui/dom.js";
import { fullTime, redrawTimes, rowTime, timesOfDay } from "../ui/timestamps.js";
import { keyspaceEvent } from "./keyspace_event.js";
import { MessageBodies } from "./message_body.js";
import { setTabIndex } from "./roving_focus.js";
import { equip } from "./row_buttons.js";

export class Rows {
  #message;
  #notice;
  #words;
  #bodies;
  /** @type {WeakMap<Element, Message>} */
  #events = new WeakMap();
  /** @type {WeakMap<Element, Gap>} */
  #gaps = new WeakMap();

  /** @param {HTMLTemplateElement} messageTemplate @param {HTMLTemplateElement} noticeTemplate @param {Words} words */
  constructor(messageTemplate, noticeTemplate, words) {
    this.#message = /** @type {HTMLElement} */ (messageTemplate.content.firstElementChild);
    this.#notice = /** @type {HTMLElement} */ (noticeTemplate.content.firstElementChild);
    this.#words = words;
    this.#bodies = new MessageBodies(words);
    onOdd(() => later(() => this.#refreshOdd()));
  }

  /** @type {(event: FeedItem) => HTMLElement} */
  build(event) {
    return attempt(event, () => this.#build(event)) ?? this.#bare(event);
  }

  /** @type {(event: FeedItem) => HTMLElement} */
  #build(event) {
    if (event.type === "gap") return this.#gap(event);
    if (event.type === "cleared") return this.#cleared(event);
    return isMessage(event) ? this.#row(event) : this.#count(event);
  }

  // Call when the message has come by one more pattern.
  /** @type {(row: Element, event: Message) => void} */
  retag(row, event) {
    attempt(event, () => {
      const tags = row.querySelectorAll(".row__pattern");
      if (!keyspaceEvent(event)) row.children[1].append(...event.patterns.slice(tags.length).map((pattern) => this.#tag(pattern)));
    });
  }

  // Call when the receivers of a message are known.
  /** @type {(row: Element) => void} */
  showReceivers(row) {
    row.children[1].append(this.#receivers(this.eventOf(row)));
  }

  // Views

  // The message of a row; notices have none.
  /** @type {(row: Element) => Message} */
  eventOf(row) {
    return /** @type {Message} */ (this.#events.get(row));
  }

  /** @type {(row: Element) => string} */
  viewOf(row) {
    return this.#bodies.viewOf(this.eventOf(row));
  }

  // For all rows; call refresh() for those that are drawn.
  /** @type {(view: string) => void} */
  setView(view) {
    this.#bodies.setView(view);
  }

  /** @type {(row: HTMLElement, view: string) => void} */
  setViewOf(row, view) {
    this.#bodies.setViewOf(this.eventOf(row), view);
    this.refresh(row);
  }

  /** @type {(row: HTMLElement) => void} */
  refresh(row) {
    this.#bodies.fill(/** @type {HTMLElement} */ (row.children[2]), this.eventOf(row));
    if (row.contains(document.activeElement)) setTabIndex(row, 0);
  }

  // Shows messages that have failed after they were drawn as they came.
  #refreshOdd() {
    const rows = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".row:not([data-odd])"));
    for (const row of rows) if (isOdd(this.eventOf(row))) this.refresh(row);
  }

  // Writes all times in `list` anew.
  /** @type {(list: Element) => void} */
  redraw(list) {
    redrawTimes(list);
    const notices = /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll("[data-kind=gap]"));
    for (const notice of notices) this.#writeGap(notice);
  }

  // Messages

  /** @type {(event: Message) => HTMLElement} */
  #row(event) {
    const { row, time, channel, body } = this.#newRow(event);
    this.#setTime(time, event.at);
    this.#setChannel(channel, event);
    this.#bodies.fill(body, event);
    later(() => attempt(event, () => row.isConnected && equip(row)));
    applyColour(row, colourName({ kind: channelKind(event.type), name: event.channel }));
    row.dataset.messages = "1";
    return row;
  }

  /** @type {(event: Message) => { row: HTMLElement, time: HTMLTimeElement, channel: HTMLElement, body: HTMLElement }} */
  #newRow(event) {
    const row = /** @type {HTMLElement} */ (this.#message.cloneNode(true));
    const [time, channel, body] = /** @type {Iterable<any>} */ (row.children);
    this.#events.set(row, event);
    return { row, time, channel, body };
  }

  // A row of plain text, for a message whose row cannot be built.
  /** @type {(event: FeedItem) => HTMLElement} */
  #bare(event) {
    if (!isMessage(event)) return this.#say(event.type, 0, this.#words.say("odd"));
    const { row, channel, body } = this.#newRow(event);
    Object.assign(row.dataset, { odd: "", messages: 1 });
    channel.querySelector("bdi").textContent = event.channel;
    body.append(element("span", "mark", this.#words.say("odd")), element("p", "row__data", event.data));
    return row;
  }

  /** @type {(time: HTMLTimeElement, seconds: number) => void} */
  #setTime(time, seconds) {
    const date = toDate(seconds);
    time.textContent = rowTime(date);
    time.dateTime = date.toISOString();
  }

  /** @type {(place: HTMLElement, message: Message) => void} */
  #setChannel(place, event) {
    const { channel, channel_base64: bytes, patterns } = event;
    place.querySelector("bdi").textContent = channel;
    place.title = channel;
    if (bytes !== undefined) place.append(notText(this.#words));
    this.#setKind(place, channelKind(event.type));
    const keyspace = keyspaceEvent(event);
    if (keyspace) place.append(element("span", "row__fact", `db${keyspace.database}`));
    else place.append(...patterns.map((pattern) => this.#tag(pattern)));
    if (event.receivers !== undefined) place.append(this.#receivers(event));
  }

  /** @type {(place: HTMLElement, kind: string) => void} */
  #setKind(place, kind) {
    if (kind === "channel") return;
    place.dataset.kind = kind;
    place.append(element("span", "row__kind", this.#words.say(kind)));
  }

  /** @type {(event: Message) => HTMLElement} */
  #receivers({ receivers }) {
    return element("span", "row__fact", this.#words.say("received", { n: receivers }));
  }

  /** @type {(pattern: string) => HTMLElement} */
  #tag(pattern) {
    const tag = element("bdi", "row__pattern", pattern);
    tag.title = this.#words.say("matched", { pattern });
    return tag;
  }

  // Notices

  /** @type {(event: Gap) => HTMLElement} */
  #gap(event) {
    const notice = this.#say("gap", 0, "");
    this.#gaps.set(notice, event);
    this.#writeGap(notice);
    return notice;
  }

  /** @type {(notice: HTMLElement) => void} */
  #writeGap(notice) {
    const gap = /** @type {Gap} */ (this.#gaps.get(notice));
    const { from, to, reason, channel, shard, lost = from } = gap;
    const dates = [toDate(lost), toDate(to)];
    const [begin, end, since] = timesOfDay([...dates, toDate(from)], to - lost < 1);
    const said = [this.#words.say(`gap_${reason}`, { ...gap, from: begin, to: end, channel: channel ?? shard })];
    if (since !== begin) said.push(this.#words.say("gap_since", { since }));
    notice.textContent = said.join(" ");
    notice.title = dates.map(fullTime).join(" – ");
  }

  /** @type {(count: { type: string, n: number }) => HTMLElement} */
  #count({ type, n }) {
    return this.#say(type, n, this.#words.say(type, { n }));
  }

  /** @type {(cleared: { messages: number, undo: () => void }) => HTMLElement} */
  #cleared({ messages, undo }) {
    const notice = this.#say("cleared", 0, this.#words.say("cleared", { n: messages }));
    const button = element("button", "link", this.#words.say("undo"));
    button.addEventListener("click", undo);
    notice.append(" ", button);
    return notice;
  }

  /** @type {(kind: string, messages: number, sentence: string) => HTMLElement} */
  #say(kind, messages, sentence) {
    const notice = /** @type {HTMLElement} */ (this.#notice.cloneNode(true));
    Object.assign(notice.dataset, { kind, messages });
    notice.textContent = sentence;
    return notice;
  }
}
