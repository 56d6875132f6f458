// The message that is looked at more closely: which one that is, and its row. What shows it is loaded when there is
// time, or need.
// A click on a row opens it; on a wide page the focus stays in the feed, and what is shown goes with it.

import { Deferred } from "../lib/deferred.js";
import { isSame } from "../stream/events.js";
import { hasSelection } from "../ui/dom.js";
import { asked, keep } from "../ui/url_state.js";

/** @typedef {import("./detail_panel.js").DetailPanel} DetailPanel */

const SECOND_CLICK = 250; // milliseconds, in which it comes, and selects a word
const STOPS = "button, a, input, dialog";

export class Detail {
  #place;
  #log;
  #rows;
  /** @type {Deferred<DetailPanel>} */
  #panel;
  /** @type {Message | null} */
  #event = null;
  /** @type {HTMLElement | null} */
  #row = null;
  #isSought = false; // its row comes to be seen once it is drawn
  #hadSelection = false;
  /** @type {number | undefined} */
  #timer;

  // `make` gets the module of the panel, and makes the one that there is.
  /**
   * @param {HTMLElement} place
   * @param {{ section: HTMLElement, log: HTMLElement }} where of the rows
   * @param {import("../feed/feed.js").Feed} feed
   * @param {Rows} rows
   * @param {(module: typeof import("./detail_panel.js")) => DetailPanel} make
   */
  constructor(place, { section, log }, feed, rows, make) {
    this.#place = place;
    this.#log = log;
    this.#rows = rows;
    this.#panel = new Deferred("../detail/detail_panel.js", make);
    section.addEventListener("pointerdown", () => {
      clearTimeout(this.#timer);
      this.#hadSelection = hasSelection(section);
    });
    section.addEventListener("click", (event) => this.#clicked(event));
    log.addEventListener("focusin", ({ target }) => this.isOpen && target.matches(".row") && this.#follow(target));
    feed.addEventListener("draw", () => this.#find());
    document.addEventListener("republish", () => this.close(), { capture: true }); // the form takes the focus
    place.querySelector(".detail__close").addEventListener("click", () => this.leave());
  }

  get isOpen() {
    return !this.#place.hidden;
  }

  get event() {
    return this.#event;
  }

  // Whether it covers the feed.
  get #isSheet() {
    return getComputedStyle(this.#place).position === "fixed";
  }

  get hasFocus() {
    return this.#place.contains(document.activeElement);
  }

  // The row that is shown, while there is one.
  get row() {
    return this.isOpen && this.#row?.isConnected ? this.#row : null;
  }

  // Opening

  // The keyboard goes on in the panel.
  /** @type {(row: HTMLElement) => Promise<void>} */
  async enter(row) {
    await this.#open(this.#rows.eventOf(row), row);
    this.#panel.part?.focus();
  }

  // The message that the page's address names.
  /** @type {(channel: string | undefined, replay: import("../history/replay.js").Replay, words: Words) => Promise<void>} */
  async openLinked(channel, replay, words) {
    (await this.#panel.arrive()).openLinked(channel, this, replay, words);
  }

  // The message of a link: its row comes with what was recorded around it.
  /** @type {(event: Message) => Promise<void>} */
  async reveal(event) {
    this.#isSought = true;
    await this.#open(event, null);
    if (this.#isSheet) this.#panel.part?.focus();
  }

  // Another message while it is open, with its row where that is.
  /** @type {(event: Message) => void} */
  go(event) {
    this.#isSought = true;
    this.#choose(event, null);
    this.#panel.part?.show(event);
    this.#find();
  }

  // A sentence in place of a message.
  /** @type {(sentence: string) => Promise<void>} */
  async say(sentence) {
    const panel = await this.#panel.arrive();
    this.#reveal(true);
    panel.say(sentence);
  }

  // Another row while it is open; the focus stays where it is.
  /** @type {(row: HTMLElement) => void} */
  move(row) {
    this.#follow(row);
    row.scrollIntoView({ block: "nearest" });
  }

  /** @type {(event: PointerEvent & { target: HTMLElement }) => void} */
  #clicked({ target, pointerType }) {
    const row = /** @type {HTMLElement | null} */ (target.closest(".row"));
    if (!row || target.closest(STOPS) || this.#hadSelection || hasSelection(row)) return;
    row.tabIndex = -1;
    row.focus({ preventScroll: true }); // where it is open, that shows it
    if (this.isOpen) this.#follow(row);
    else this.#timer = setTimeout(() => this.#pressed(row), pointerType === "mouse" ? SECOND_CLICK : 0);
  }

  /** @type {(row: HTMLElement) => void} */
  #pressed(row) {
    if (this.#isSheet) this.enter(row);
    else this.#open(this.#rows.eventOf(row), row);
  }

  // What comes later than another act opens nothing any more.
  /** @type {(event: Message, row: HTMLElement | null) => Promise<void>} */
  async #open(event, row) {
    clearTimeout(this.#timer);
    this.#event = event;
    const panel = await this.#panel.arrive();
    if (this.#event !== event) return; // another one since
    this.#reveal(true);
    this.#choose(event, row);
    panel.show(event);
  }

  /** @type {(row: HTMLElement) => void} */
  #follow(row) {
    const event = this.#rows.eventOf(row);
    const isOther = event !== this.#event;
    this.#choose(event, row);
    if (isOther) this.#panel.part?.show(event);
  }

  // Its row

  /** @type {(event: Message | null, row: HTMLElement | null) => void} */
  #choose(event, row) {
    if (this.#row) this.#row.ariaCurrent = null;
    this.#event = event;
    this.#row = row;
    if (row) row.ariaCurrent = "true";
    if (asked().has("message") && event?.id !== asked().get("message")) keep({ message: "" });
  }

  // Rows are drawn anew, and what was read may be among them.
  #find() {
    const event = this.#event;
    if (!this.isOpen || !event || this.#row?.isConnected) return;
    const rows = /** @type {HTMLElement[]} */ ([...this.#log.querySelectorAll(".row")]);
    const row = rows.find((other) => isSame(this.#rows.eventOf(other), event));
    if (!row) return;
    this.#choose(event, row);
    if (this.#isSought) row.scrollIntoView({ block: "center" });
    this.#isSought = false;
  }

  // Closing

  // The focus goes back to the row.
  leave() {
    const { row } = this;
    this.close();
    if (row) row.tabIndex = -1;
    (row ?? this.#log).focus({ preventScroll: true });
  }

  close() {
    clearTimeout(this.#timer);
    this.#event = null;
    if (!this.isOpen) return;
    this.#reveal(false);
    this.#choose(null, null);
    this.#isSought = false;
  }

  // The styles go by the root: to look for an open panel in the page they would look through all rows, on every change.
  /** @type {(isOpen: boolean) => void} */
  #reveal(isOpen) {
    this.#place.hidden = !isOpen;
    document.documentElement.toggleAttribute("data-detail", isOpen);
  }
}
