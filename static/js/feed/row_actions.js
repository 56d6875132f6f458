// What a person does with a row: see it otherwise, copy it, publish it again, pin it.

import { Deferred } from "../lib/deferred.js";
import { VIEWS } from "../message/message_body.js";
import { equip, setTools } from "../message/row_buttons.js";
import { copy } from "../ui/clipboard.js";
import { Menu } from "../ui/menu.js";
import { get, set } from "../ui/preferences.js";
import { PIN_LIMIT } from "./pins.js";

const commands = new Deferred("../message/shell_commands.js", import.meta.url);
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
const BY_NAME = ["curl", "again"]; // a form carries text only
const SAID_FOR = 3_000; // milliseconds

export class RowActions {
  #feed;
  #items;
  #said;
  #rows;
  #pins;
  #words;
  #targets;
  #menu;
  #row = null;
  #silence = null;

  // `targets` says where commands lead to: redisCli, publishUrl, or false for who may not publish.
  constructor({ feed, menu, view, said, tools }, rows, pins, words, targets) {
    this.#feed = feed;
    this.#items = [...menu.querySelectorAll("button")];
    this.#said = said;
    this.#rows = rows;
    this.#pins = pins;
    this.#words = words;
    this.#targets = targets;
    setTools(tools);
    this.#menu = new Menu(menu, ({ dataset }) => this.#chosen(dataset));
    feed.addEventListener("click", ({ target }) => this.#clicked(target));
    feed.addEventListener("pointerover", ({ target }) => this.#pointed(target.closest(".row")));
    document.addEventListener("unloaded", () => this.#say("not_loaded"));
    this.#startView(view);
  }

  // All rows

  #startView(select) {
    const kept = get("view", VIEWS[0]);
    select.value = VIEWS.includes(kept) ? kept : VIEWS[0];
    this.#rows.setView(select.value);
    select.addEventListener("change", () => {
      set("view", select.value);
      this.#rows.setView(select.value);
      this.#feed.querySelectorAll(".row").forEach((row) => this.#rows.refresh(row));
      this.#feed.querySelector(".row")?.dispatchEvent(new Event("grow", { bubbles: true }));
    });
  }

  // One row

  #pointed(row) {
    if (row) equip(row);
  }

  #clicked(target) {
    const button = target.closest("button");
    const row = target.closest(".row");
    if (!button || !row) return;
    if (button.matches(".row__more")) this.#open(row, button);
    if (button.matches(".row__tree")) this.#toggleTree(row);
  }

  #open(row, button) {
    const event = this.#rows.eventOf(row);
    const isText = event.encoding !== "base64";
    const isSendable = isText && canRepeat(event) && this.#targets.publishUrl;
    const hidden = {
      tree: row.dataset.json === undefined,
      base64: isText,
      text: !isText,
      redis: !canRepeat(event),
      curl: !isSendable,
      again: !isSendable,
      pin: this.#pins.has(event),
      unpin: !this.#pins.has(event),
    };
    this.#row = row;
    for (const item of this.#items) {
      item.hidden = hidden[item.dataset.view ?? item.dataset.action] ?? false;
      if (item.dataset.view) item.ariaChecked = item.dataset.view === this.#rows.viewOf(row);
    }
    this.#menu.open(button);
  }

  #toggleTree(row) {
    const isTree = this.#rows.viewOf(row) === "tree";
    this.#rows.setViewOf(row, isTree ? VIEWS[0] : "tree");
  }

  /** @param {DOMStringMap} data */
  async #chosen({ view, action }) {
    const event = this.#rows.eventOf(this.#row);
    if (BY_NAME.includes(action) && event.channel_base64 !== undefined) return this.#say("channel_not_text");
    if (view) this.#rows.setViewOf(this.#row, view);
    switch (action) {
      case "text": case "base64": return this.copy(event.data);
      case "redis": case "curl": return this.#copyCommand(action, event);
      case "again": return this.#repeat(event);
      case "pin": case "unpin": return this.#pin(event);
    }
  }

  async #copyCommand(action, event) {
    const command = await this.#command(action, event).catch(() => null);
    if (command === null) this.#say("not_loaded");
    else await this.copy(command);
  }

  async #command(action, event) {
    const { curlCommand, redisCommand } = await commands.load();
    if (action === "curl") return curlCommand(this.#targets.publishUrl, event);
    return redisCommand(this.#targets.redisCli, event);
  }

  // Says whether it could be.
  async copy(text) {
    this.#say((await copy(text)) ? "copied" : "not_copied");
  }

  // The form takes it from here.
  #repeat({ channel, data: message }) {
    this.#feed.dispatchEvent(new CustomEvent("republish", { bubbles: true, detail: { channel, message } }));
  }

  #pin(event) {
    if (!this.#pins.toggle(event)) this.#say("pins_full", { n: PIN_LIMIT });
  }

  #say(word, values) {
    clearTimeout(this.#silence);
    const sentence = (this.#said.textContent = this.#words.say(word, values));
    this.#silence = setTimeout(() => this.#said.textContent === sentence && (this.#said.textContent = ""), SAID_FOR);
  }
}

// Of a message that was cut, or of a channel that no shell can be given safely, there is no honest command.
function canRepeat({ channel, truncated }) {
  return !truncated && !CONTROL.test(channel);
}
