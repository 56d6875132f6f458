// The bars as a table for screen readers; not replaced while its content is the same.

import { toDate } from "../lib/format.js";
import { timesOfDay } from "../ui/timestamps.js";
import { KINDS, total } from "./volume_counts.js";

const SHOWN = ["critical", "error", "warning", "info"];

export class VolumeTable {
  #body;
  #words;
  #shown = "";

  /** @param {HTMLTableElement} table @param {Words} words */
  constructor(table, words) {
    this.#body = table.tBodies[0];
    this.#words = words;
  }

  // For some bars only the number of messages is known.
  /** @type {(bars: import("./volume_counts.js").Bar[], step: number, gaps: [from: number, to: number][]) => void} */
  show(bars, step, gaps) {
    const shown = JSON.stringify([bars, gaps]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const times = timesOfDay(bars.map(({ from }) => toDate(from)));
    this.#body.replaceChildren(...bars.map(({ from, counts: found }, at) => {
      const row = document.createElement("tr");
      const isGap = gaps.some((gap) => gap[0] < from + step && gap[1] >= from);
      const cells = [total(found), ...SHOWN.map((kind) => found[KINDS.indexOf(kind)] ?? ""), isGap ? this.#words.say("volume_gap") : ""];
      row.append(cell("th", times[at]), ...cells.map((text) => cell("td", String(text))));
      return row;
    }));
  }
}

/** @type {(tag: "th" | "td", text: string) => HTMLElement} */
function cell(tag, text) {
  const made = document.createElement(tag);
  if (tag === "th") made.scope = "row";
  made.textContent = text;
  return made;
}
