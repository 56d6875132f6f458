// Draws the newest events of a ring as rows: a few a frame, and only as many as can be laid out quickly.
// Events that are not drawn are counted, in the line above or in a row at their place.

import { ticks } from "../lib/clock.js";
import { RingBuffer } from "./ring_buffer.js";

const LIMIT = 500; // rows while the end is followed
const SPARE = 120; // rows more, in a flood, before the oldest are removed
const EARLIER = 500; // rows more for each click
const STEP = 60; // rows a draw: layout is slow, and clicks have to wait for it
const BUDGET = 10; // milliseconds of building rows in one draw
const REST = 2; // times the duration of the last draw, until the next
const FRESH_LIMIT = 5; // events waiting; if there are more, new rows are neither marked nor announced

/** @typedef {{ index: number, before: number, event?: FeedItem }} Facts of a row */

export class FeedView {
  #list;
  #older;
  #earlier;
  #rows;
  #words;
  #follow;
  #ring = new RingBuffer();
  #from = 0; // index of the first event that is drawn
  #to = 0; // index after the last
  #toMessages = 0; // messages before #to
  #limit = LIMIT;
  #newestFirst = false;
  #hasOlder = false; // the line shows how many
  #wasHeld = false; // drawing has waited for the reader
  #hasHole = false; // rows from before that wait are still there
  /** @type {WeakMap<Element, Facts>} */
  #facts = new WeakMap();
  #onDraw;
  /** @type {number | null} */
  #frame = null;
  #due = 0;
  #isPaused = false;
  #isSelecting = false;
  #end = Infinity; // while paused or text is selected, events from here on wait
  /** @type {WeakSet<FeedItem> | null} */
  #late = null; // the events that came during the hold
  #calmFrom = 0; // events before this one came in a flood

  /**
   * @param {Record<"list" | "older" | "earlier", HTMLElement>} places
   * @param {Rows} rows
   * @param {Words} words
   * @param {import("./autoscroll.js").Autoscroll} follow
   * @param {(rows: Iterable<HTMLElement>) => void} onDraw
   */
  constructor({ list, older, earlier }, rows, words, follow, onDraw) {
    this.#list = list;
    this.#older = older;
    this.#earlier = earlier;
    this.#rows = rows;
    this.#words = words;
    this.#follow = follow;
    this.#onDraw = onDraw;
    earlier.addEventListener("click", () => this.#showEarlier());
  }

  get newestFirst() {
    return this.#newestFirst;
  }

  set newestFirst(newestFirst) {
    this.#newestFirst = newestFirst;
    this.#follow.newestFirst = newestFirst;
    this.show(this.#ring);
  }

  get isPaused() {
    return this.#isPaused;
  }

  set isPaused(isPaused) {
    this.#isPaused = isPaused;
    this.#hold();
  }

  get isSelecting() {
    return this.#isSelecting;
  }

  // Holds the feed: selected text would be lost with its row, or move away from the pointer.
  set isSelecting(isSelecting) {
    this.#isSelecting = isSelecting;
    this.#hold();
  }

  // New events are held, and drawn in order afterwards.
  #hold() {
    const isHeld = this.#isPaused || this.#isSelecting;
    if (isHeld === this.#follow.isPaused) return;
    this.#end = isHeld ? this.#ring.end : Infinity;
    this.#late = isHeld ? new WeakSet() : null;
    this.#wasHeld ||= !isHeld && this.#to < this.#ring.end;
    this.#follow.isPaused = isHeld;
  }

  // Call with events that have just been added to the ring.
  /** @type {(events: FeedItem[]) => void} */
  add(events) {
    for (const event of events) this.#late?.add(event);
    this.schedule();
  }

  // Shows another ring: all rows are drawn anew.
  /** @type {(ring: RingBuffer) => void} */
  show(ring) {
    this.#ring = ring;
    this.#calmFrom = 0;
    const late = this.#late;
    if (late) this.#end = ring.find((event) => late.has(event));
    this.#follow.toEnd();
    this.#follow.miss(ring.total - ring.before(this.#end));
    this.#restart();
    this.#writeOlder();
    this.schedule();
  }

  // Call when another pattern of a message came late.
  /** @type {(event: Message) => void} */
  retag(event) {
    const row = [...this.#list.children].findLast((child) => this.eventOf(child) === event);
    if (row) this.#rows.retag(row, event);
  }

  /** @type {(row: Element) => FeedItem | undefined} */
  eventOf(row) {
    return this.#facts.get(row)?.event;
  }

  schedule() {
    if (this.#due === 0 && this.#to < this.#last) return this.#draw(); // the first rows are drawn at once
    if (this.#frame !== null) return;
    const wait = this.#due - ticks();
    const ask = () => (this.#frame = requestAnimationFrame(() => this.#draw()));
    if (wait > 0) this.#frame = setTimeout(ask, wait);
    else ask();
  }

  // Layout takes longer than building rows, so a long draw is followed by a long pause.
  #draw() {
    const began = ticks();
    this.#frame = null;
    const changed = this.#showOlder() || this.#trim(SPARE) || this.#advance() || this.#trim(0) || this.#fill();
    if (changed) this.#writeOlder();
    this.#onDraw(/** @type {Iterable<HTMLElement>} */ (this.#list.children));
    if (!changed) return;
    const ended = ticks();
    this.#due = ended + REST * (ended - began);
    this.schedule();
  }

  // Rows that a reader has scrolled to are not removed: at the limit, new events wait.
  #advance() {
    if (this.#to >= this.#last) return false;
    const room = this.#room;
    this.#wasHeld ||= room <= 0;
    if (room <= 0) return false;
    this.#skip();
    if (this.#last - this.#to > FRESH_LIMIT) this.#calmFrom = this.#last;
    const isCalm = this.#to >= this.#calmFrom;
    const rows = this.#build(this.#to, Math.min(this.#to + room, this.#last), 1);
    this.#to += rows.length;
    this.#toMessages = this.#ring.before(this.#to);
    this.#setLive(isCalm);
    if (isCalm) rows.forEach((row) => row.classList.add("is-fresh"));
    this.#put(rows);
    this.#wasHeld ||= this.#to < this.#last && this.#room <= 0; // also if the reader returns before the next draw
    this.#follow.keep();
    return true;
  }

  get #last() {
    return Math.min(this.#ring.end, this.#end);
  }

  get #room() {
    if (this.#follow.atEnd) return STEP;
    if (this.#newestFirst) return 0;
    return Math.min(STEP, LIMIT - this.#list.childElementCount);
  }

  // Too many events to draw them all: continues with the newest.
  #skip() {
    const { atEnd } = this.#follow;
    const isNear = this.#to >= this.#ring.start && (!atEnd || this.#last - this.#to <= LIMIT);
    if (!isNear && atEnd && !this.#wasHeld) this.#restart();
    else if (!isNear) this.#leaveHole();
    this.#wasHeld &&= !atEnd;
  }

  #restart() {
    this.#list.replaceChildren();
    this.#begin();
    this.#hasHole = this.#wasHeld = false;
  }

  // Keeps the rows being read, followed by rows that count the events that were dropped or not drawn.
  #leaveHole() {
    const read = this.#toMessages;
    const fallen = Math.max(0, this.#ring.before(this.#ring.start) - read);
    this.#begin();
    this.#notice("fell_out", read, fallen);
    this.#notice("skipped", read + fallen, this.#toMessages - read - fallen);
    this.#hasHole = true;
  }

  #begin() {
    this.#limit = LIMIT;
    this.#from = this.#to = Math.max(this.#ring.start, this.#last - STEP);
    this.#toMessages = this.#ring.before(this.#to);
  }

  /** @type {(type: "fell_out" | "skipped", before: number, n: number) => void} */
  #notice(type, before, n) {
    if (n <= 0) return;
    const row = this.#rows.build({ type, n });
    this.#facts.set(row, { index: -1, before });
    this.#put([row]);
  }

  // Earlier rows, when there is nothing newer to draw.
  #fill() {
    const room = Math.min(STEP, this.#limit - this.#list.childElementCount, this.#from - this.#ring.start);
    if (room <= 0 || this.#hasHole) return false;
    const rows = this.#build(this.#from - 1, this.#from - room - 1, -1);
    this.#from -= rows.length;
    this.#setLive(false);
    if (this.#newestFirst) this.#list.append(...rows);
    else this.#follow.hold(() => this.#list.prepend(...rows.reverse()));
    return true;
  }

  /** @type {(index: number, end: number, step: number) => HTMLElement[]} */
  #build(index, end, step) {
    const rows = [];
    const late = ticks() + BUDGET;
    for (; index !== end && (rows.length === 0 || ticks() < late); index += step) {
      const event = this.#ring.at(index);
      const row = this.#rows.build(event);
      this.#facts.set(row, { event, index, before: this.#ring.before(index) });
      rows.push(row);
    }
    return rows;
  }

  /** @type {(rows: HTMLElement[]) => void} */
  #put(rows) {
    if (this.#newestFirst) this.#list.prepend(...rows.reverse());
    else this.#list.append(...rows);
  }

  /** @type {(isLive: boolean) => void} */
  #setLive(isLive) {
    const value = isLive ? "polite" : "off";
    const log = this.#list.parentElement;
    if (log && log.ariaLive !== value) log.ariaLive = value;
  }

  // Removes excess rows once there are more than `spare`. In a draw of its own, in which the visible rows stay in place:
  // removed in a draw that adds rows, they would shift all others.
  /** @type {(spare: number) => boolean} */
  #trim(spare) {
    let excess = this.#list.childElementCount - this.#limit;
    if (!this.#follow.atEnd || excess <= spare) return false;
    for (; excess > 0; excess--) {
      this.#from = Math.max(this.#from, this.#factsOfOldest.index + 1);
      this.#oldest?.remove();
    }
    this.#hasHole &&= this.#factsOfOldest.index < this.#from;
    this.#follow.keep();
    return true;
  }

  // Valid only if there are rows.
  get #factsOfOldest() {
    return /** @type {Facts} */ (this.#facts.get(/** @type {Element} */ (this.#oldest)));
  }

  get #oldest() {
    return this.#newestFirst ? this.#list.lastElementChild : this.#list.firstElementChild;
  }

  // Writes the line that counts events older than the rows.
  #writeOlder() {
    const n = this.#oldest ? this.#factsOfOldest.before : this.#toMessages;
    const hasEarlier = this.#from > this.#ring.start || this.#hasHole;
    this.#hasOlder = n > 0;
    this.#older.textContent = n ? this.#words.say("older", { n }) : "";
    this.#earlier.hidden = !hasEarlier;
  }

  // The line is above the rows, unless the newest are first; it appears in a draw of its own, so that no row shifts.
  #showOlder() {
    const line = /** @type {HTMLElement} */ (this.#older.parentElement);
    if (line.hidden !== this.#hasOlder) return false;
    const show = () => (line.hidden = !this.#hasOlder);
    if (this.#newestFirst) show();
    else this.#follow.hold(show);
    return true;
  }

  #showEarlier() {
    if (this.#hasHole) this.#restart();
    this.#limit = Math.max(this.#list.childElementCount, LIMIT) + EARLIER;
    this.schedule();
  }
}
