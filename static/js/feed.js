// Shows events: one batch a frame, a capped list, and a count of whatever is not shown. Knows no WebSocket.

import { Follow } from "./follow.js";

const ROW_LIMIT = 1_000;
const WAITING_LIMIT = 1_000;
const FRAME_BUDGET = 10; // milliseconds of building a frame; more, and a click has to wait
const FRESH_LIMIT = 5; // rows a frame; beyond that, marking what is fresh only flickers

export class Feed {
  #list;
  #older;
  #rows;
  #words;
  #follow;
  #waiting = [];
  #dropped = 0;
  #trimmed = 0;
  #frame = null;
  #events = new WeakMap();
  #isHidden = () => false;

  constructor({ scroller, list, older, newButton }, rows, words) {
    this.#list = list;
    this.#older = older;
    this.#rows = rows;
    this.#words = words;
    this.#follow = new Follow(scroller, newButton, words, () => this.#schedule());
    list.addEventListener("click", (event) => this.#clicked(event));
  }

  add(events) {
    this.#waiting = this.#waiting.concat(events);
    this.#dropOldest();
    this.#follow.miss(events.filter(isMessage).length);
    this.#schedule();
  }

  // Messages of which `test` says so are kept and not shown; null: all are shown.
  setHidden(test) {
    this.#isHidden = (event) => Boolean(test) && isMessage(event) && test(event);
    for (const row of this.#list.children) row.hidden = this.#isHidden(this.#events.get(row));
    this.#follow.keep();
  }

  // Frames do not come to a hidden tab, and a busy channel never rests.
  #dropOldest() {
    const excess = this.#waiting.length - WAITING_LIMIT;
    if (excess <= 0) return;
    const oldest = this.#waiting.splice(0, excess);
    const gaps = oldest.filter((event) => !isMessage(event));
    this.#dropped += excess - gaps.length;
    this.#waiting.unshift(...gaps);
  }

  #schedule() {
    this.#frame ??= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = null;
    const rows = this.#build();
    if (rows.length === 0) return;
    if (rows.length <= FRESH_LIMIT) rows.forEach((row) => row.classList.add("is-fresh"));
    this.#list.append(...rows);
    this.#trim();
    this.#follow.keep();
    if (this.#waiting.length) this.#schedule();
  }

  // What a reader has scrolled up to is not taken away: at the limit, the new waits.
  #build() {
    const rows = [];
    const room = this.#follow.atEnd ? ROW_LIMIT : ROW_LIMIT - this.#list.childElementCount;
    const end = performance.now() + FRAME_BUDGET;
    while (rows.length < room && this.#waiting.length && performance.now() < end) {
      rows.push(this.#row(this.#next()));
    }
    return rows;
  }

  #row(event) {
    const row = this.#rows.build(event);
    this.#events.set(row, event);
    row.hidden = this.#isHidden(event);
    return row;
  }

  #next() {
    if (!this.#dropped) return this.#waiting.shift();
    const notice = { type: "dropped", n: this.#dropped };
    this.#dropped = 0;
    return notice;
  }

  #trim() {
    const excess = this.#list.childElementCount - ROW_LIMIT;
    if (excess <= 0) return;
    const oldest = [...this.#list.children].slice(0, excess);
    oldest.forEach((row) => row.remove());
    this.#trimmed += oldest.reduce((sum, row) => sum + Number(row.dataset.messages), 0);
    this.#older.hidden = false;
    this.#older.textContent = this.#words.say("older", { n: this.#trimmed });
  }

  #clicked({ target }) {
    if (target.matches(".row__unfold")) this.#rows.unfold(target);
  }
}

function isMessage({ type }) {
  return type.endsWith("message");
}
