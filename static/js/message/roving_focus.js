// One row at a time is in the Tab order, else a thousand rows would be a thousand stops; arrows move to the others.

import { isPlain } from "../ui/shortcuts.js";
import { equip } from "./row_buttons.js";

/** @type {Record<string, "previousElementSibling" | "nextElementSibling">} */
const STEPS = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" };

export class RovingFocus {
  #log;
  /** @type {HTMLElement | null} */
  #row = null;

  /** @param {HTMLElement} log */
  constructor(log) {
    this.#log = log;
    log.addEventListener("focusin", ({ target }) => this.#enter(rowOf(target) ?? this.#newest()));
    log.addEventListener("keydown", (event) => this.#pressed(event));
  }

  // Among the rows that are wholly visible.
  #newest() {
    const { top, bottom } = this.#log.getBoundingClientRect();
    /** @type {(row: Element) => boolean} */
    const isWhole = (row) => {
      const box = row.getBoundingClientRect();
      return box.top >= top - 1 && box.bottom <= bottom + 1;
    };
    const rows = /** @type {HTMLElement[]} */ ([...this.#log.querySelectorAll(".row")]);
    if (this.#log.closest("[data-order=newest]")) return rows.find(isWhole) ?? rows[0];
    return rows.findLast(isWhole) ?? rows.at(-1);
  }

  /** @type {(row?: HTMLElement) => void} */
  #enter(row) {
    if (this.#row) setTabIndex(this.#row, -1);
    this.#row = row ?? null;
    if (!row) return;
    equip(row);
    setTabIndex(row, 0);
  }

  /** @type {(event: KeyboardEvent & { target: HTMLElement }) => void} */
  #pressed(event) {
    if (event.key === "Tab" && event.target === this.#log) this.#enter(this.#newest()); // rows may have been added
    const step = STEPS[event.key];
    if (!step || !isPlain(event) || !event.target.matches(".row__more")) return;
    event.preventDefault();
    const row = next(rowOf(event.target), step);
    if (!row) return;
    equip(row);
    row.querySelector(".row__more").focus();
  }
}

/** @type {(row: Element, tabIndex: number) => void} */
export function setTabIndex(row, tabIndex) {
  for (const stop of /** @type {NodeListOf<HTMLElement>} */ (row.querySelectorAll("button, a"))) stop.tabIndex = tabIndex;
}

/** @type {(place: Element) => HTMLElement | undefined} */
function rowOf(place) {
  return /** @type {HTMLElement | null} */ (place.closest(".row")) ?? undefined;
}

/** @type {(row: HTMLElement | undefined, step: "previousElementSibling" | "nextElementSibling") => HTMLElement | undefined} */
function next(row, step) {
  let found = row?.[step];
  while (found && !found.matches(".row")) found = found[step];
  return /** @type {HTMLElement | undefined} */ (found);
}
