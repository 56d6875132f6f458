// A message's summary: severity, time, an alert's text in full, and how it was transported.

import { exactSize, toDate } from "../lib/format.js";
import { severityMark } from "../message/alert_card.js";
import { marksOf, sizeOf } from "../message/marks.js";
import { plain } from "../message/plain_text.js";
import { channelKind } from "../stream/channel_names.js";
import { element, notText } from "../ui/dom.js";
import { fullTime, rowTime } from "../ui/timestamps.js";

const TAG_LIMIT = 100;

export class MessageCard {
  #words;

  /** @param {Words} words */
  constructor(words) {
    this.#words = words;
  }

  /** @type {(event: Message, content: Content) => HTMLElement[]} */
  build(event, content) {
    const { alert } = content;
    return [this.#meta(event, content), ...(alert ? this.#alert(alert) : []), this.#facts(event, content)];
  }

  /** @type {(event: Message, content: Content) => HTMLElement} */
  #meta(event, content) {
    const meta = element("p", "detail__meta");
    const { severity } = content.alert ?? {};
    const date = toDate(event.at);
    const time = element("time", "row__time", rowTime(date));
    Object.assign(time, { dateTime: date.toISOString(), title: fullTime(date) });
    if (severity) meta.append(severityMark(severity, this.#words), " ");
    meta.append(time, ...marksOf(event, content, this.#words).map((mark) => element("span", "mark", mark)));
    return meta;
  }

  /** @type {(alert: Alert) => HTMLElement[]} */
  #alert({ title, text, tags, link }) {
    const parts = [];
    if (title) parts.push(element("h3", "detail__title", plain(title)));
    if (text) parts.push(element("p", "detail__text", plain(text)));
    if (tags.length) parts.push(this.#tags(tags));
    if (link) {
      const anchor = element("a", "card__link", link); // the text of the link is its address, so that it cannot mislead
      parts.push(Object.assign(anchor, { href: link, target: "_blank", rel: "noopener noreferrer" }));
    }
    for (const part of parts) part.dir = "auto";
    return parts;
  }

  /** @type {(tags: string[]) => HTMLElement} */
  #tags(tags) {
    const list = element("ul", "detail__tags");
    list.append(...tags.slice(0, TAG_LIMIT).map((tag) => element("li", "card__tag", tag)));
    if (tags.length > TAG_LIMIT) list.append(element("li", "", `+ ${tags.length - TAG_LIMIT}`));
    return list;
  }

  /** @type {(event: Message, content: Content) => HTMLElement} */
  #facts(event, { text = "", event: what, database = "" }) {
    const { type, channel, channel_base64: bytes, patterns, id, receivers, kafka } = event;
    const list = element("dl", "detail__facts");
    /** @type {(word: string, ...values: (Node | string)[]) => void} */
    const add = (word, ...values) => {
      const value = element("dd", "");
      value.append(...values);
      list.append(element("dt", "", this.#words.say(word)), value);
    };
    if (what) {
      add("fact_event", untranslated(what));
      add("fact_key", untranslated(text));
      add("fact_database", database);
    }
    add(`fact_${channelKind(type)}`, untranslated(channel), ...(bytes === undefined ? [] : [" ", notText(this.#words)]));
    if (patterns.length) add("fact_patterns", untranslated(patterns.join("  ")));
    if (receivers !== undefined) add("fact_receivers", new Intl.NumberFormat(this.#words.language).format(receivers));
    add("fact_size", exactSize(event.size ?? sizeOf(event), this.#words.language));
    if (kafka) kafka.show(add, this.#words);
    else add("fact_recorded", id ? untranslated(id) : this.#words.say("not_recorded"));
    return list;
  }
}

/** @type {(name: string) => HTMLElement} */
function untranslated(name) {
  return Object.assign(element("bdi", "", name), { translate: false });
}
