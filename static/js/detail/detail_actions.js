// The buttons under a message: what can be done with all of it.

export class DetailActions {
  #foot;
  #actions;
  /** @type {Message | null} */
  #event = null;

  /** @param {HTMLElement} foot @param {import("../feed/row_actions.js").RowActions} actions */
  constructor(foot, actions) {
    this.#foot = foot;
    this.#actions = actions;
    foot.addEventListener("click", ({ target }) => this.#clicked(target.closest("button")));
  }

  /** @type {(event: Message | null) => void} */
  show(event) {
    this.#event = event;
    this.#foot.hidden = !event;
    const offered = event ? this.#actions.offered(event) : {};
    for (const button of this.#buttons) button.hidden = !(offered[button.value] ?? true);
  }

  // A button that is gone has given its place to another, which takes the focus.
  /** @type {(button: HTMLButtonElement | null) => void} */
  #clicked(button) {
    const event = this.#event;
    if (!button || !event) return;
    this.#actions.act(button.value, event);
    this.show(event);
    if (button.hidden) this.#buttons.find((other) => !other.hidden && other.value.endsWith("pin"))?.focus();
  }

  get #buttons() {
    return [...this.#foot.querySelectorAll("button")];
  }
}
