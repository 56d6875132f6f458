// The last five minutes as a table, for those who cannot see the bars: half minutes that are over, so that nothing
// changes while it is read.

import { toDate } from "../lib/format.js";
import { timesOfDay } from "../ui/timestamps.js";
import { KINDS, total } from "./volume_counts.js";

const STEP = 30; // seconds
const SHOWN = ["critical", "error", "warning", "info"];

export class VolumeTable {
  #body;
  #words;
  #until = 0;

  /** @param {HTMLTableElement} table @param {Words} words */
  constructor(table, words) {
    this.#body = table.tBodies[0];
    this.#words = words;
  }

  /** @type {(counts: import("./volume_counts.js").VolumeCounts, now: number) => void} */
  show(counts, now) {
    const bars = counts.bars(now, STEP).slice(0, -1);
    const until = bars[bars.length - 1].from + STEP;
    if (until === this.#until) return;
    this.#until = until;
    const gaps = counts.gaps(bars[0].from);
    const times = timesOfDay(bars.map(({ from }) => toDate(from)));
    this.#body.replaceChildren(...bars.map(({ from, counts: found }, at) => {
      const row = document.createElement("tr");
      const isGap = gaps.some((gap) => gap[0] < from + STEP && gap[1] >= from);
      const cells = [total(found), ...SHOWN.map((kind) => found[KINDS.indexOf(kind)]), isGap ? this.#words.say("volume_gap") : ""];
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
