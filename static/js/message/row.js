// Builds the feed's rows. What was published only ever becomes text.

import { toDate } from "../lib/format.js";
import { later } from "../lib/idle_queue.js";
import { isMessage } from "../stream/events.js";
import { attempt, isOdd, onOdd } from "../stream/unreadable.js";
import { wearColour } from "../ui/channel_color.js";
import { element, notText } from "../ui/dom.js";
import { fullTime, retell, rowTime, timesOfDay } from "../ui/timestamps.js";
import { MessageBodies } from "./message_body.js";
import { setTabIndex } from "./roving_focus.js";
import { equip } from "./row_buttons.js";

export class Rows {
  #message;
  #notice;
  #words;
  #bodies;
  #events = new WeakMap();

  constructor(messageTemplate, noticeTemplate, words) {
    this.#message = messageTemplate.content.firstElementChild;
    this.#notice = noticeTemplate.content.firstElementChild;
    this.#words = words;
    this.#bodies = new MessageBodies(words);
    onOdd(() => later(() => this.#refreshOdd()));
  }

  build(event) {
    return attempt(event, () => this.#build(event)) ?? this.#bare(event);
  }

  #build(event) {
    if (event.type === "gap") return this.#gap(event);
    if (event.type === "cleared") return this.#cleared(event);
    if (event.n) return this.#count(event);
    return this.#row(event);
  }

  // Its message has come by one more pattern.
  retag(row, event) {
    attempt(event, () => {
      const tags = row.querySelectorAll(".row__pattern");
      row.children[1].append(...event.patterns.slice(tags.length).map((pattern) => this.#tag(pattern)));
    });
  }

  // What a row shows

  eventOf(row) {
    return this.#events.get(row);
  }

  viewOf(row) {
    return this.#bodies.viewOf(this.eventOf(row));
  }

  // For all rows; afterwards those that are drawn must be refreshed.
  setView(view) {
    this.#bodies.setView(view);
  }

  setViewOf(row, view) {
    this.#bodies.setViewOf(this.eventOf(row), view);
    this.refresh(row);
  }

  refresh(row) {
    this.#bodies.fill(row.children[2], this.eventOf(row));
    if (row.contains(document.activeElement)) setTabIndex(row, 0);
  }

  // What failed at a row that was drawn already: from now on it is shown as it came.
  #refreshOdd() {
    for (const row of document.querySelectorAll(".row:not([data-odd])")) if (isOdd(this.eventOf(row))) this.refresh(row);
  }

  // All times in `list` as they are told now.
  retell(list) {
    retell(list);
    for (const notice of list.querySelectorAll("[data-kind=gap]")) this.#tellGap(notice);
  }

  // Messages

  #row(event) {
    const row = this.#message.cloneNode(true);
    const [time, channel, body] = row.children;
    this.#events.set(row, event);
    this.#setTime(time, event.at);
    this.#setChannel(channel, event);
    this.#bodies.fill(body, event);
    later(() => attempt(event, () => row.isConnected && equip(row)));
    wearColour(row, event.channel);
    row.dataset.messages = 1;
    return row;
  }

  // Its parts that are text in any case, for one of which not even a row could be built.
  /** @type {(event: FeedItem) => HTMLElement} */
  #bare(event) {
    if (!isMessage(event)) return this.#say(event.type, 0, this.#words.say("odd"));
    const row = this.#message.cloneNode(true);
    const [, channel, body] = row.children;
    this.#events.set(row, event);
    Object.assign(row.dataset, { odd: "", messages: 1 });
    channel.firstElementChild.textContent = event.channel;
    body.append(element("span", "mark", this.#words.say("odd")), element("p", "row__data", event.data));
    return row;
  }

  #setTime(time, seconds) {
    const date = toDate(seconds);
    time.textContent = rowTime(date);
    time.dateTime = date.toISOString();
  }

  #setChannel(place, { channel, channel_base64: bytes, patterns }) {
    place.firstElementChild.textContent = channel;
    place.title = channel;
    if (bytes !== undefined) place.append(notText(this.#words));
    place.append(...patterns.map((pattern) => this.#tag(pattern)));
  }

  #tag(pattern) {
    const tag = element("bdi", "row__pattern", pattern);
    tag.title = this.#words.say("matched", { pattern });
    return tag;
  }

  // Notices

  #gap(event) {
    const notice = this.#say("gap", 0, "");
    this.#events.set(notice, event);
    this.#tellGap(notice);
    return notice;
  }

  #tellGap(notice) {
    const { from, to, reason, channel, lost = from } = this.#events.get(notice);
    const dates = [toDate(lost), toDate(to)];
    const [begin, end, since] = timesOfDay([...dates, toDate(from)], to - lost < 1);
    const word = `gap_${reason}${since === begin ? "" : "_since"}`;
    notice.textContent = this.#words.say(word, { from: begin, to: end, since, channel });
    notice.title = dates.map(fullTime).join(" – ");
  }

  #count({ type, n }) {
    return this.#say(type, n, this.#words.say(type, { n }));
  }

  #cleared({ messages, undo }) {
    const notice = this.#say("cleared", 0, this.#words.say("cleared", { n: messages }));
    const button = element("button", "link", this.#words.say("undo"));
    button.addEventListener("click", undo);
    notice.append(" ", button);
    return notice;
  }

  #say(kind, messages, sentence) {
    const notice = this.#notice.cloneNode(true);
    Object.assign(notice.dataset, { kind, messages });
    notice.textContent = sentence;
    return notice;
  }
}
