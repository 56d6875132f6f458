// The menu of a row: one for all rows, opened beside the button that was pressed. Knows no action.

import { isPlain } from "./shortcuts.js";

/** @type {Record<string, number>} */
const STEPS = { ArrowDown: 1, ArrowUp: -1 };
const MARGIN = 8; // pixels to the edge of the window

export class Menu {
  #menu;
  /** @type {HTMLElement | null} */
  #opener = null;

  // `chosen(item)` is called with the chosen item.
  /** @param {HTMLElement} menu @param {(item: HTMLButtonElement) => void} chosen */
  constructor(menu, chosen) {
    this.#menu = menu;
    menu.addEventListener("click", ({ target }) => {
      const item = /** @type {Element} */ (target).closest("button");
      if (!item) return;
      this.#close();
      chosen(item);
    });
    menu.addEventListener("keydown", (event) => this.#pressed(event));
    menu.addEventListener("toggle", ({ newState }) => this.#opener?.setAttribute("aria-expanded", String(newState === "open")));
  }

  /** @type {(opener: HTMLElement) => void} */
  open(opener) {
    this.#opener = opener;
    this.#menu.showPopover();
    this.#place(opener.getBoundingClientRect());
    this.#items[0].focus();
  }

  #close() {
    this.#menu.hidePopover();
    if (this.#opener?.isConnected) this.#opener.focus({ preventScroll: true });
  }

  /** @type {(box: DOMRect) => void} */
  #place({ top, bottom, right }) {
    const { offsetWidth: width, offsetHeight: height } = this.#menu;
    const fitsBelow = bottom + height + MARGIN <= innerHeight;
    const y = fitsBelow ? bottom : Math.max(MARGIN, Math.min(top, innerHeight - MARGIN) - height);
    Object.assign(this.#menu.style, { top: `${y}px`, left: `${Math.max(MARGIN, right - width)}px` });
  }

  /** @type {(event: KeyboardEvent) => void} */
  #pressed(event) {
    const items = this.#items;
    const step = STEPS[event.key];
    if (event.key === "Tab") this.#close();
    if (!step || !isPlain(event)) return;
    event.preventDefault();
    items.at((items.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement)) + step) % items.length)?.focus();
  }

  get #items() {
    return [...this.#menu.querySelectorAll("button")].filter((item) => !item.hidden);
  }
}
