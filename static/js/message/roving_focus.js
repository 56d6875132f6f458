// One row at a time is reached by Tab, else a thousand rows would be a thousand stops; arrows lead to the others.

import { isPlain } from "../ui/shortcuts.js";
import { equip } from "./row_buttons.js";

const STEPS = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" };

export class RovingFocus {
  #log;
  #row = null;

  constructor(log) {
    this.#log = log;
    log.addEventListener("focusin", ({ target }) => this.#enter(target.closest(".row") ?? this.#newest()));
    log.addEventListener("keydown", (event) => this.#pressed(event));
  }

  // Of the rows that are seen whole.
  #newest() {
    const { top, bottom } = this.#log.getBoundingClientRect();
    const isWhole = (row) => {
      const box = row.getBoundingClientRect();
      return box.top >= top - 1 && box.bottom <= bottom + 1;
    };
    const rows = [...this.#log.querySelectorAll(".row")];
    if (this.#log.closest("[data-order=newest]")) return rows.find(isWhole) ?? rows[0];
    return rows.findLast(isWhole) ?? rows.at(-1);
  }

  #enter(row) {
    if (this.#row) setTabIndex(this.#row, -1);
    this.#row = row;
    if (!row) return;
    equip(row);
    setTabIndex(row, 0);
  }

  #pressed(event) {
    if (event.key === "Tab" && event.target === this.#log) this.#enter(this.#newest()); // rows may have come since
    const step = STEPS[event.key];
    if (!step || !isPlain(event) || !event.target.matches(".row__more")) return;
    event.preventDefault();
    const row = next(event.target.closest(".row"), step);
    if (!row) return;
    equip(row);
    row.querySelector(".row__more").focus();
  }
}

export function setTabIndex(row, tabIndex) {
  for (const stop of row.querySelectorAll("button, a")) stop.tabIndex = tabIndex;
}

function next(row, step) {
  let found = row[step];
  while (found && !found.matches(".row")) found = found[step];
  return found;
}
