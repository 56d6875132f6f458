// The buttons under a message: what can be done with all of it.

import { linkTo } from "./linked_message.js";

export class DetailActions {
  #foot;
  #actions;
  #context;
  /** @type {Message | null} */
  #event = null;

  /**
   * @param {HTMLElement} foot
   * @param {import("../feed/row_actions.js").RowActions} actions
   * @param {import("./context.js").Context} context
   */
  constructor(foot, actions, context) {
    this.#context = context;
    this.#foot = foot;
    this.#actions = actions;
    foot.addEventListener("click", ({ target }) => this.#clicked(target.closest("button")));
  }

  /** @type {(event: Message | null) => void} */
  show(event) {
    this.#event = event;
    this.#foot.hidden = !event;
    this.#offer();
    this.#context.show(event);
  }

  #offer() {
    const event = this.#event;
    if (!event) return;
    /** @type {Record<string, boolean>} */
    const offered = { ...this.#actions.offered(event), link: linkTo(event) !== null };
    for (const button of this.#buttons) button.hidden = !(offered[button.value] ?? true);
  }

  // A button that is gone has given its place to another, which takes the focus.
  /** @type {(button: HTMLButtonElement | null) => void} */
  #clicked(button) {
    const event = this.#event;
    if (!button || !event) return;
    this.#act(button, event);
    this.#offer();
    if (button.hidden) this.#buttons.find((other) => !other.hidden && other.value.endsWith("pin"))?.focus();
  }

  /** @type {(button: HTMLButtonElement, event: Message) => void} */
  #act(button, event) {
    if (button.value === "context") {
      this.#context.toggle();
      button.ariaExpanded = String(this.#context.isOpen);
    } else if (button.value === "link") this.#actions.copy(linkTo(event) ?? "");
    else this.#actions.act(button.value, event);
  }

  get #buttons() {
    return [...this.#foot.querySelectorAll("button")];
  }
}
