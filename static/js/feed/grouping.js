// The button that has equal messages share a row. What does that is loaded when it is first wanted.

import { get, set } from "../ui/preferences.js";
import { asked, keep } from "../ui/url_state.js";

export class Grouping {
  #button;
  #turn;

  // `turn` is called with whether they do.
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

  // The address decides; where it says nothing, the last choice does.
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
