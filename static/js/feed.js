// Shows events: one batch a frame, a capped list, and a count of whatever is not shown. Knows no WebSocket.

import { Follow } from "./follow.js";

const ROW_LIMIT = 1_000;
const WAITING_LIMIT = 1_000;
const FRAME_LIMIT = 250; // rows a frame; more, and the page no longer answers a click at once
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
    const batch = this.#take();
    if (batch.length === 0) return;
    const rows = batch.map((event) => this.#rows.build(event));
    if (rows.length <= FRESH_LIMIT) rows.forEach((row) => row.classList.add("is-fresh"));
    this.#list.append(...rows);
    this.#trim();
    this.#follow.keep();
    if (this.#waiting.length) this.#schedule();
  }

  // What a reader has scrolled up to is not taken away: at the limit, the new waits.
  #take() {
    const room = this.#follow.atEnd ? FRAME_LIMIT : Math.min(FRAME_LIMIT, ROW_LIMIT - this.#list.childElementCount);
    if (room <= 0) return [];
    const dropped = this.#dropped ? [{ type: "dropped", n: this.#dropped }] : [];
    this.#dropped = 0;
    return dropped.concat(this.#waiting.splice(0, room - dropped.length));
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
