// Shows one message: as a card, as a tree, as it was published, as bytes; with its actions.

import { beginning, byteLength, size } from "../lib/format.js";
import { dump, escaped, fromBase64, unzipped } from "../message/binary_view.js";
import { keyspaceEvent } from "../message/keyspace_event.js";
import { readText } from "../message/message_body.js";
import { channelKind, colourName } from "../stream/channel_names.js";
import { attempt, setOdd } from "../stream/unreadable.js";
import { applyColour } from "../ui/channel_color.js";
import { element, rowButton } from "../ui/dom.js";
import { Context } from "./context.js";
import { DetailActions } from "./detail_actions.js";
import { Fields } from "./fields.js";
import { openLinked } from "./linked_message.js";
import { MessageCard } from "./message_card.js";
import { Tabs } from "./tabs.js";

const SHOWN = 20_000; // characters of a text, and
const SHOWN_LINES = 500;
const PER_LINE = 8; // bytes

const encoder = new TextEncoder();

export class DetailPanel {
  #place;
  #words;
  #view;
  #tabs;
  #card;
  #fields;
  #actions;
  /** @type {Message | null} */
  #event = null;
  /** @type {Content} */
  #content = {};
  openLinked = openLinked;

  /**
   * @param {HTMLElement} place
   * @param {{
   *   tools: HTMLTemplateElement, filter: import("../feed/filter_bar.js").FilterBar, feed: import("../feed/feed.js").Feed,
   *   rows: Rows, actions: import("../feed/row_actions.js").RowActions, choose: (event: Message) => void,
   *   acknowledge: Promise<import("../acknowledge/acknowledge.js").Acknowledge> | null
   * }} page templates and targets of the buttons
   * @param {Words} words
   */
  constructor(place, { tools, filter, feed, rows, actions, choose, acknowledge }, words) {
    this.#place = place;
    this.#words = words;
    const context = new Context(place.querySelector(".context"), feed, rows, words, choose);
    this.#actions = new DetailActions(place.querySelector(".detail__foot"), actions, context, acknowledge);
    this.#view = place.querySelector("[role=tabpanel]");
    this.#card = new MessageCard(words);
    this.#fields = new Fields(tools, filter, actions, words);
    this.#tabs = new Tabs(place.querySelector("[role=tablist]"), this.#view, () => this.#draw());
    this.#view.addEventListener("focusin", () => this.#reach()); // parts may have been unfolded
  }

  focus() {
    this.#tabs.focus();
  }

  /** @type {(event: Message) => void} */
  show(event) {
    this.#begin(event, event.channel);
    applyColour(this.#place, colourName({ kind: channelKind(event.type), name: event.channel }));
    this.#actions.show(event);
    const bytes = event.encoding === "base64" ? fromBase64(event.data) : null;
    const keyspace = keyspaceEvent(event);
    if (keyspace) this.#content = bytes ? { ...keyspace, text: escaped(bytes) } : keyspace;
    else this.#content = bytes ? { bytes } : attempt(event, () => readText(event.data), { text: event.data });
    this.#draw();
    if (bytes && !keyspace && !event.truncated) this.#unpack(event, bytes);
  }

  // Shows a sentence in place of a message.
  /** @type {(sentence: string) => void} */
  say(sentence) {
    this.#begin(null, "");
    this.#actions.show(null);
    const said = element("p", "detail__said", sentence);
    said.setAttribute("role", "status");
    this.#view.replaceChildren(said);
  }

  /** @type {(event: Message | null, name: string) => void} */
  #begin(event, name) {
    this.#event = event;
    this.#place.querySelector("bdi").textContent = name;
    Object.assign(this.#place.querySelector("h2"), { title: name, hidden: !event });
    this.#place.dataset.state = event ? "" : "said";
    this.#view.scrollTop = 0;
  }

  /** @type {(event: Message, bytes: Uint8Array<ArrayBuffer>) => Promise<void>} */
  async #unpack(event, bytes) {
    try {
      const content = await unzipped(bytes, readText);
      if (event !== this.#event || content.text === undefined) return;
      this.#content = content;
      this.#draw();
    } catch (error) {
      setOdd(event, error);
    }
  }

  // Views

  #draw() {
    const event = this.#event;
    if (!event) return;
    this.#tabs.offer({ tree: this.#content.isJson, raw: event.encoding !== "base64" });
    const parts = attempt(event, () => this.#parts(event, this.#content)) ?? [this.#odd(), ...this.#text(event.data)];
    this.#view.replaceChildren(...parts);
    this.#reach();
  }

  // Makes buttons tab stops; the tree handles those of its fields.
  #reach() {
    for (const button of this.#view.querySelectorAll("button")) if (!button.closest(".field__tools")) button.tabIndex = 0;
  }

  /** @type {(event: Message, content: Content) => HTMLElement[]} */
  #parts(event, content) {
    switch (this.#tabs.chosen) {
      case "tree": return [this.#tree(event, content)];
      case "raw": return this.#text(event.data);
      case "hex": return this.#hex(bytesOf(event));
    }
    return [...this.#card.build(event, content), ...this.#body(event, content)];
  }

  // The whole message, below a card.
  /** @type {(event: Message, content: Content) => HTMLElement[]} */
  #body(event, content) {
    const { text, isJson } = content;
    if (content.event) return []; // its facts have it
    if (isJson) return [this.#tree(event, content)];
    return text === undefined ? this.#hex(bytesOf(event)) : this.#text(text);
  }

  /** @type {(event: Message, content: Content) => HTMLElement} */
  #tree(event, { text = "" }) {
    return this.#fields.build(event, text);
  }

  /** @type {(text: string) => HTMLElement[]} */
  #text(text) {
    if (text === "") return [];
    const shown = beginning(text, SHOWN, SHOWN_LINES);
    const data = element("p", "row__data", shown);
    data.dir = "auto";
    if (shown.length === text.length) return [data];
    const more = rowButton("row__unfold", this.#words.say("show_all", { size: size(byteLength(text), this.#words.language) }));
    more.addEventListener("click", () => {
      data.textContent = text;
      more.remove();
    });
    return [data, more];
  }

  /** @type {(bytes: Uint8Array) => HTMLElement[]} */
  #hex(bytes) {
    const button = rowButton("row__unfold", this.#words.say("show_more", { size: size(bytes.length, this.#words.language) }));
    const { parts, more } = dump(bytes, button, PER_LINE);
    button.addEventListener("click", more);
    return parts;
  }

  #odd() {
    return element("span", "mark", this.#words.say("odd"));
  }
}

/** @type {(event: Message) => Uint8Array} */
function bytesOf({ data, encoding }) {
  return encoding === "base64" ? fromBase64(data) : encoder.encode(data);
}
