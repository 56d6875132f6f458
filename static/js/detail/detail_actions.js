// The buttons under a message, for actions on the whole message.

import { setText } from "../ui/dom.js";
import { linkTo } from "./linked_message.js";

/** @typedef {import("../acknowledge/acknowledge.js").Acknowledge} Acknowledge */

/** @type {Record<string, string>} */
const OPPOSITES = { pin: "unpin", unpin: "pin", take: "give_back", give_back: "take" };

export class DetailActions {
  #foot;
  #actions;
  #context;
  /** @type {Acknowledge | null} */
  #acknowledge = null;
  /** @type {Message | null} */
  #event = null;

  /**
   * @param {HTMLElement} foot
   * @param {import("../feed/row_actions.js").RowActions} actions
   * @param {import("./context.js").Context} context
   * @param {Promise<Acknowledge> | null} acknowledge
   */
  constructor(foot, actions, context, acknowledge) {
    this.#context = context;
    this.#foot = foot;
    this.#actions = actions;
    foot.addEventListener("click", ({ target }) => this.#clicked(target.closest("button")));
    acknowledge?.then((loaded) => {
      this.#acknowledge = loaded;
      loaded.addEventListener("change", () => this.#offer());
      this.#offer();
    });
  }

  /** @type {(event: Message | null) => void} */
  show(event) {
    this.#event = event;
    this.#foot.hidden = !event;
    this.#offer();
    this.#context.show(event);
  }

  // If a button has been replaced, its replacement gets the focus.
  #offer() {
    const event = this.#event;
    if (!event) return;
    const { isKept = false, isTaken = false, sentence = "" } = (!event.kafka && this.#acknowledge?.stateOf(event)) || {};
    /** @type {Record<string, boolean>} */
    const offered = {
      ...this.#actions.offered(event), link: linkTo(event) !== null, take: isKept && !isTaken, give_back: isTaken,
    };
    const focused = this.#buttons.find((button) => button === document.activeElement);
    for (const button of this.#buttons) button.hidden = !(offered[button.value] ?? true);
    if (focused?.hidden) this.#buttons.find(({ value }) => value === OPPOSITES[focused.value])?.focus();
    const place = this.#foot.querySelector(".detail__taken");
    if (place) setText(place, sentence);
  }

  /** @type {(button: HTMLButtonElement | null) => void} */
  #clicked(button) {
    const event = this.#event;
    if (!button || !event) return;
    this.#act(button, event);
    this.#offer();
  }

  /** @type {(button: HTMLButtonElement, event: Message) => void} */
  #act(button, event) {
    switch (button.value) {
      case "context":
        this.#context.toggle();
        button.ariaExpanded = String(this.#context.isOpen);
        break;
      case "link": this.#actions.copy(linkTo(event) ?? ""); break;
      case "take": this.#acknowledge?.take(event); break;
      case "give_back": this.#acknowledge?.giveBack(event); break;
      default: this.#actions.act(button.value, event);
    }
  }

  get #buttons() {
    return [...this.#foot.querySelectorAll("button")];
  }
}
