// The menu of a channel's chip: have the channel recorded or not, delete what was recorded.

import { isMeant } from "../ui/confirm.js";
import { Menu } from "../ui/menu.js";

const ANSWER_LIMIT = 10_000; // milliseconds

export class RecordingMenu {
  #menu;
  #said;
  #switch;
  #confirm;
  #tell;
  #words;
  #name = ""; // of the channel
  #isOn = false;

  // `tell(sentence)` shows why something was refused.
  /** @param {HTMLElement} menu @param {HTMLDialogElement} confirm @param {Words} words @param {(sentence: string) => void} tell */
  constructor(menu, confirm, words, tell) {
    this.#said = menu.querySelector("p");
    this.#switch = menu.querySelector("button");
    this.#confirm = confirm;
    this.#words = words;
    this.#tell = tell;
    this.#menu = new Menu(menu, (item) => (item === this.#switch ? this.#turn() : this.#forget()));
  }

  /** @type {(opener: HTMLElement, name: string, isOn: boolean) => void} */
  open(opener, name, isOn) {
    this.#name = name;
    this.#isOn = isOn;
    this.#said.textContent = opener.title;
    this.#switch.textContent = this.#words.say(isOn ? "record_no" : "record");
    this.#menu.open(opener);
  }

  #turn() {
    return this.#ask("PUT", "recording", { recorded: !this.#isOn });
  }

  async #forget() {
    const sentence = this.#words.say("forget_sure", { name: this.#name });
    if (await isMeant(this.#confirm, sentence)) await this.#ask("DELETE", "messages");
  }

  /** @type {(method: string, what: string, body?: object) => Promise<void>} */
  async #ask(method, what, body) {
    const url = new URL(`channels/${what}?channel=${encodeURIComponent(this.#name)}`, document.baseURI);
    const { csrf } = /** @type {any} */ (document.forms).publish.elements;
    const headers = csrf && { "X-CSRF-Token": csrf.value };
    const options = { method, headers, body: JSON.stringify(body), signal: AbortSignal.timeout(ANSWER_LIMIT) };
    const failed = () => ({ error: this.#words.say("no_channels") });
    this.#tell("");
    const { error } = await fetch(url, options).then((answer) => answer.json()).catch(failed);
    if (error) this.#tell(error);
  }
}
