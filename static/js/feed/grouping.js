// The button that groups equal messages in one row. The grouping itself is loaded at its first use.

import { get, set } from "../ui/preferences.js";
import { asked, keep } from "../ui/url_state.js";

export class Grouping {
  #button;
  #turn;

  // `turn(isOn)` is called for each change.
  /** @param {HTMLElement} button @param {(isOn: boolean) => void} turn */
  constructor(button, turn) {
    this.#button = button;
    this.#turn = turn;
    button.addEventListener("click", () => {
      const isOn = button.ariaPressed !== "true";
      set("grouped", isOn);
      keep({ group: isOn ? "on" : "off" });
      this.#set(isOn);
    });
    this.load();
  }

  get isOn() {
    return this.#button.ariaPressed === "true";
  }

  // Reads the address, or else the last choice.
  load() {
    const group = asked().get("group") ?? (get("grouped", false) ? "on" : "");
    keep({ group });
    this.#set(group === "on");
  }

  /** @type {(isOn: boolean) => void} */
  #set(isOn) {
    if (String(isOn) === this.#button.ariaPressed) return;
    this.#button.ariaPressed = String(isOn);
    this.#turn(isOn);
  }
}
