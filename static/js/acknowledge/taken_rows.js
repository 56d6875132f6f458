// Shows in each row who has taken its message, without moving other rows.

import { toDate } from "../lib/format.js";
import { element } from "../ui/dom.js";
import { fullTime, timesOfDay } from "../ui/timestamps.js";

/** @type {(words: Words, one: Acknowledgement) => string} */
export function sentenceOf(words, { by, since }) {
  return words.say("taken_by", { name: by, time: timesOfDay([toDate(since)])[0] });
}

export class TakenRows {
  #place;
  #rows;
  #words;
  #find;
  /** @type {WeakMap<Element, Acknowledgement>} */
  #shown = new WeakMap();

  /**
   * @param {HTMLElement} place of rows
   * @param {Rows} rows
   * @param {Words} words
   * @param {(event: Message) => Acknowledgement | undefined} find
   */
  constructor(place, rows, words, find) {
    this.#place = place;
    this.#rows = rows;
    this.#words = words;
    this.#find = find;
  }

  // With `anew`, times are written again.
  /** @type {(anew?: boolean) => void} */
  draw(anew = false) {
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (this.#place.querySelectorAll(".row"))) {
      const one = this.#find(this.#rows.eventOf(row));
      if (one !== this.#shown.get(row) || (one && anew)) this.#show(row, one);
    }
  }

  /** @type {(row: HTMLElement, one?: Acknowledgement) => void} */
  #show(row, one) {
    row.querySelector(".row__taken")?.remove();
    if (!one) return void this.#shown.delete(row);
    this.#shown.set(row, one);
    const sentence = sentenceOf(this.#words, one);
    const mark = element("span", "row__taken", sentence);
    mark.title = `${sentence} (${fullTime(toDate(one.since))})`;
    row.children[1].append(mark);
  }
}
