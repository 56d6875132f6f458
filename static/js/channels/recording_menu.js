// The menu of a channel's chip: switch recording on or off, delete the recording, change the colour.

import { askServer } from "../ui/ask_server.js";
import { changeColour } from "../ui/channel_color.js";
import { isConfirmed } from "../ui/confirm.js";
import { Menu } from "../ui/menu.js";

export class RecordingMenu {
  #menu;
  #said;
  #switch;
  #confirm;
  #show;
  #words;
  #name = ""; // of the channel
  #isOn = false;

  // `show(sentence)` shows why something was refused.
  /** @param {HTMLElement} menu @param {HTMLDialogElement} confirm @param {Words} words @param {(sentence: string) => void} show */
  constructor(menu, confirm, words, show) {
    this.#said = menu.querySelector("p");
    this.#switch = menu.querySelector("button");
    this.#confirm = confirm;
    this.#words = words;
    this.#show = show;
    this.#menu = new Menu(menu, (item) => {
      if (item === this.#switch) this.#turn();
      else if (item.value === "colour") changeColour(this.#name);
      else this.#forget();
    });
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
    if (await isConfirmed(this.#confirm, sentence)) await this.#ask("DELETE", "messages");
  }

  /** @type {(method: string, what: string, body?: object) => Promise<void>} */
  async #ask(method, what, body) {
    this.#show("");
    const { error } = await askServer(method, what, { channel: this.#name }, this.#words, body);
    if (error) this.#show(error);
  }
}
