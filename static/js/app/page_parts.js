// On a small screen: which part of the page covers the feed.

export class PageParts {
  #tabs;
  #page;
  #replay;

  /**
   * @param {HTMLElement} tabs with a button for each part, by its value
   * @param {HTMLElement} page
   * @param {() => void} replay shows the past, which is in the feed
   */
  constructor(tabs, page, replay) {
    this.#tabs = tabs;
    this.#page = page;
    this.#replay = replay;
    tabs.addEventListener("click", ({ target }) => this.#chosen(target.closest("button")));
    page.addEventListener("keydown", (event) => this.#pressed(event));
    document.addEventListener("republish", () => this.show("publish"), true);
    this.show("feed");
  }

  // Without permission to publish there is no form.
  /** @type {(name: string) => void} */
  show(name) {
    if (!this.#buttons.some(({ value }) => value === name)) return;
    this.#page.dataset.tab = name;
    for (const button of this.#buttons) button.ariaPressed = String(button.value === name);
  }

  /** @type {(name: string, isThere: boolean) => void} */
  offer(name, isThere) {
    const button = this.#buttons.find(({ value }) => value === name);
    if (button) button.hidden = !isThere;
  }

  get #buttons() {
    return [...this.#tabs.querySelectorAll("button")];
  }

  // Pressing the active button again returns to the feed.
  /** @type {(button: HTMLButtonElement | null) => void} */
  #chosen(button) {
    if (!button) return;
    const isPast = button.value === "past";
    this.show(button.ariaPressed === "true" || isPast ? "feed" : button.value);
    if (isPast) this.#replay();
  }

  /** @type {(event: KeyboardEvent) => void} */
  #pressed(event) {
    const pressed = this.#buttons.find(({ ariaPressed }) => ariaPressed === "true");
    if (event.key !== "Escape" || event.defaultPrevented || !pressed?.checkVisibility()) return;
    const part = /** @type {HTMLElement} */ (event.target).closest(".selection, .publish");
    if (!part) return;
    this.show("feed");
    pressed.focus();
  }
}
