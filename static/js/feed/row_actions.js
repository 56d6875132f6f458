// Actions on a row: change its view, copy it, publish it again, pin it.

import { Deferred } from "../lib/deferred.js";
import { VIEWS } from "../message/message_body.js";
import { equip, setTools } from "../message/row_buttons.js";
import { channelKind } from "../stream/channel_names.js";
import { copy } from "../ui/clipboard.js";
import { Menu } from "../ui/menu.js";
import { get, set } from "../ui/preferences.js";
import { asked, keep } from "../ui/url_state.js";
import { PIN_LIMIT } from "./pins.js";

/** @type {Deferred<typeof import("../message/shell_commands.js")>} */
const commands = new Deferred("../message/shell_commands.js");
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
const BY_NAME = ["curl", "again"]; // a form carries text only
const SAID_FOR = 2_000; // milliseconds
const READING = 60; // milliseconds for each character

export class RowActions {
  noted = ""; // the sentence that was shown last, empty once it is gone
  #feed;
  #items;
  #said;
  #rows;
  #pins;
  #words;
  #targets;
  #view;
  #menu;
  /** @type {HTMLElement | null} */
  #row = null;
  /** @type {number | undefined} */
  #silence;

  // `targets` is for commands: redisCli, and publishUrl, false without permission to publish.
  /**
   * @param {{ feed: HTMLElement, menu: HTMLElement, view: HTMLSelectElement, said: HTMLElement, tools: HTMLTemplateElement }} places
   * @param {Rows} rows
   * @param {import("./pins.js").Pins} pins
   * @param {Words} words
   * @param {{ redisCli: string[], publishUrl: string | false }} targets
   */
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
    feed.addEventListener("pointerover", ({ target }) => this.#pointed(rowOf(target)));
    feed.addEventListener("keydown", (event) => this.#pressed(event));
    // On Windows the browser's menu opens over ours when the key is released.
    menu.addEventListener("contextmenu", (event) => event.preventDefault());
    document.addEventListener("unloaded", () => this.say("not_loaded"));
    this.#view = view;
    view.addEventListener("change", () => {
      set("view", view.value);
      keep({ as: view.value });
      this.#showAll();
    });
    this.load();
  }

  // All rows

  // Reads the address, or else the last choice.
  load() {
    const kept = get("view", "");
    const as = [asked().get("as"), kept].find((view) => VIEWS.includes(view ?? "")) ?? "";
    this.#view.value = as || VIEWS[0];
    keep({ as });
    this.#showAll();
  }

  #showAll() {
    this.#rows.setView(this.#view.value);
    const rows = /** @type {NodeListOf<HTMLElement>} */ (this.#feed.querySelectorAll(".row"));
    rows.forEach((row) => this.#rows.refresh(row));
    this.#feed.querySelector(".row")?.dispatchEvent(new Event("grow", { bubbles: true }));
  }

  // One row

  /** @type {(row: HTMLElement | null) => void} */
  #pointed(row) {
    if (row) equip(row);
  }

  /** @type {(target: Element) => void} */
  #clicked(target) {
    const button = target.closest("button");
    const row = rowOf(target);
    if (!button || !row) return;
    if (button.matches(".row__more")) this.#open(row, button);
    if (button.matches(".row__tree")) this.#toggleTree(row);
  }

  // Opens the menu of the focused row, by the keys that open menus.
  /** @type {(event: KeyboardEvent & { target: HTMLElement }) => void} */
  #pressed(event) {
    const { target: row, key, shiftKey } = event;
    if (!row.matches(".row") || !(key === "ContextMenu" || (key === "F10" && shiftKey))) return;
    event.preventDefault();
    equip(row);
    row.querySelector(".row__more").click();
  }

  /** @type {(row: HTMLElement, button: HTMLElement) => void} */
  #open(row, button) {
    const event = this.#rows.eventOf(row);
    const offered = this.offered(event);
    this.#row = row;
    for (const item of this.#items) {
      const { view, action = "" } = item.dataset;
      item.hidden = view === "tree" ? row.dataset.json === undefined : !(offered[action] ?? true);
      if (view) item.ariaChecked = String(view === this.#rows.viewOf(row));
    }
    this.#menu.open(button);
  }

  // For each action, whether it is possible with the message.
  /** @type {(event: Message) => Record<string, boolean>} */
  offered(event) {
    const isText = event.encoding !== "base64";
    const isSendable = isText && canRepeat(event) && Boolean(this.#targets.publishUrl);
    const isPinned = this.#pins.has(event);
    return {
      text: isText, base64: !isText, redis: canRepeat(event) && !event.kafka, curl: isSendable, again: isSendable, pin: !isPinned, unpin: isPinned,
    };
  }

  /** @type {(row: HTMLElement) => void} */
  #toggleTree(row) {
    const isTree = this.#rows.viewOf(row) === "tree";
    this.#rows.setViewOf(row, isTree ? VIEWS[0] : "tree");
  }

  /** @param {DOMStringMap} data */
  #chosen({ view, action = "" }) {
    const row = /** @type {HTMLElement} */ (this.#row);
    if (view) this.#rows.setViewOf(row, view);
    else this.act(action, this.#rows.eventOf(row));
  }

  // Runs an offered action.
  /** @type {(action: string, event: Message) => Promise<void> | void} */
  act(action, event) {
    if (BY_NAME.includes(action) && event.channel_base64 !== undefined) return this.say("channel_not_text");
    switch (action) {
      case "text": case "base64": return this.copy(event.data);
      case "redis": case "curl": return this.#copyCommand(action, event);
      case "again": return this.#repeat(event);
      case "pin": case "unpin": return this.#pin(event);
    }
  }

  /** @type {(action: string, event: Message) => Promise<void>} */
  async #copyCommand(action, event) {
    const command = await this.#command(action, event).catch(() => null);
    if (command === null) this.say("not_loaded");
    else await this.copy(command);
  }

  /** @type {(action: string, event: Message) => Promise<string>} */
  async #command(action, event) {
    const { curlCommand, redisCommand } = await commands.load();
    const { redisCli, publishUrl } = this.#targets;
    return action === "curl" && publishUrl ? curlCommand(publishUrl, event) : redisCommand(redisCli, event);
  }

  // Copies a text and shows whether that worked.
  /** @type {(text: string) => Promise<void>} */
  async copy(text) {
    this.say((await copy(text)) ? "copied" : "not_copied");
  }

  // The form listens to this event.
  /** @type {(event: Message) => void} */
  #repeat({ type, channel, data: message, kafka }) {
    this.#feed.dispatchEvent(new CustomEvent("republish", { bubbles: true, detail: { kind: channelKind(type), channel, message, ...kafka?.draft } }));
  }

  /** @type {(event: Message) => void} */
  #pin(event) {
    if (!this.#pins.toggle(event)) this.say("pins_full", { n: PIN_LIMIT });
  }

  // Shows a note that disappears by itself.
  /** @type {(word: string, values?: object) => void} */
  say(word, values) {
    this.note(this.#words.say(word, values));
  }

  // A browser that translates changes what is shown: it is no proof of what was said last.
  /** @type {(sentence: string, stays?: boolean) => void} */
  note(sentence, stays = false) {
    clearTimeout(this.#silence);
    this.noted = this.#said.textContent = sentence;
    if (!stays) this.#silence = setTimeout(() => this.note("", true), SAID_FOR + READING * sentence.length);
  }
}

// No command can publish a truncated message again, or one that a shell cannot be given safely.
/** @type {(event: Message) => boolean} */
function canRepeat({ channel, truncated, kafka }) {
  return !truncated && !CONTROL.test(channel) && (kafka?.isSendable ?? true);
}

/** @type {(place: Element) => HTMLElement | null} */
function rowOf(place) {
  return place.closest(".row");
}
