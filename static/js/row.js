// Builds the feed's rows. What was published only ever becomes text.

import { colourOf } from "./colours.js";
import { base64Length, beginning, byteLength, clock, fullDate, preciseClock, size, toDate } from "./format.js";
import { rowTime } from "./times.js";

const FOLD_CHARACTERS = 2_000;
const FOLD_LINES = 12;
const FOLD_BASE64 = 60; // characters

export class Rows {
  #message;
  #notice;
  #words;
  #folded = new WeakMap();
  #dates = { second: null, text: "" };

  constructor(messageTemplate, noticeTemplate, words) {
    this.#message = messageTemplate.content.firstElementChild;
    this.#notice = noticeTemplate.content.firstElementChild;
    this.#words = words;
  }

  build(event) {
    if (event.type === "gap") return this.#gap(event);
    if (event.type === "dropped") return this.#dropped(event);
    return this.#row(event);
  }

  // The person asked for all of it.
  unfold(button) {
    const body = button.closest(".row__body");
    body.querySelector(".row__data").textContent = this.#folded.get(button);
    button.remove();
  }

  // Messages

  #row(event) {
    const row = document.importNode(this.#message, true);
    const [time, channel, body] = row.children;
    this.#setTime(time, event.at);
    this.#setChannel(channel, event);
    this.#setBody(body, event);
    row.dataset.colour = colourOf(event.channel);
    row.dataset.messages = 1;
    return row;
  }

  #setTime(time, seconds) {
    const date = toDate(seconds);
    time.textContent = rowTime(date);
    time.dateTime = date.toISOString();
    time.title = this.#fullDate(seconds);
  }

  // Intl is slow and many messages share a second.
  #fullDate(seconds) {
    const second = Math.floor(seconds);
    if (second !== this.#dates.second) {
      this.#dates = { second, text: fullDate(toDate(second), this.#words.language) };
    }
    return this.#dates.text;
  }

  #setChannel(place, { channel, pattern }) {
    place.firstElementChild.textContent = channel;
    place.title = channel;
    if (pattern === undefined) return;
    const tag = element("bdi", "row__pattern", pattern);
    tag.title = this.#words.say("matched", { pattern });
    place.append(tag);
  }

  #setBody(body, event) {
    const isBinary = event.encoding === "base64";
    const text = body.firstElementChild;
    this.#marks(event, isBinary).forEach((mark) => body.insertBefore(element("span", "mark", mark), text));
    const shown = isBinary ? beginning(event.data, FOLD_BASE64, 1) : beginning(event.data, FOLD_CHARACTERS, FOLD_LINES);
    text.textContent = shown;
    if (event.data === "") text.remove();
    if (shown.length < event.data.length) body.append(this.#unfoldButton(event.data, isBinary));
  }

  #marks(event, isBinary) {
    const marks = [];
    if (event.data === "") marks.push(this.#words.say("empty_message"));
    if (isBinary) marks.push(this.#words.say("binary", { size: this.#size(event.size ?? base64Length(event.data)) }));
    if (event.truncated) marks.push(this.#words.say("truncated", this.#sizes(event, isBinary)));
    return marks;
  }

  #sizes({ data, size: whole }, isBinary) {
    return { shown: this.#size(bytesIn(data, isBinary)), size: this.#size(whole) };
  }

  #unfoldButton(data, isBinary) {
    const label = this.#words.say("show_all", { size: this.#size(bytesIn(data, isBinary)) });
    const button = element("button", "row__unfold", label);
    button.type = "button";
    this.#folded.set(button, data);
    return button;
  }

  #size(bytes) {
    return size(bytes, this.#words.language);
  }

  // Notices

  #gap({ from, to, reason }) {
    const show = to - from < 1 ? preciseClock : clock;
    const times = { from: show(toDate(from)), to: show(toDate(to)) };
    const key = reason === "redis" ? "gap_redis" : "gap_server";
    const notice = this.#say("gap", 0, this.#words.say(key, times));
    notice.title = `${this.#fullDate(from)} – ${this.#fullDate(to)}`;
    return notice;
  }

  #dropped({ n }) {
    return this.#say("dropped", n, this.#words.say("dropped", { n }));
  }

  #say(kind, messages, sentence) {
    const notice = document.importNode(this.#notice, true);
    Object.assign(notice.dataset, { kind, messages });
    notice.textContent = sentence;
    return notice;
  }
}

function bytesIn(data, isBinary) {
  return isBinary ? base64Length(data) : byteLength(data);
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
