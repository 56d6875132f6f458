// The open message and its row. The panel that shows it is loaded when idle or needed.
// A click on a row opens its message; on a wide page the focus stays in the feed, and the panel follows it.

import { Deferred } from "../lib/deferred.js";
import { isSame } from "../stream/events.js";
import { hasSelection } from "../ui/dom.js";
import { asked, keep } from "../ui/url_state.js";

/** @typedef {import("./detail_panel.js").DetailPanel} DetailPanel */

const SECOND_CLICK = 250; // milliseconds to wait for a double click, which selects a word
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
  #isSought = false; // scroll to its row once that is drawn
  #hadSelection = false;
  /** @type {number | undefined} */
  #timer;

  // `make` gets the panel's module and makes the panel.
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

  // Whether the panel covers the feed.
  get #isSheet() {
    return getComputedStyle(this.#place).position === "fixed";
  }

  get hasFocus() {
    return this.#place.contains(document.activeElement);
  }

  // The open message's row, if it is drawn.
  get row() {
    return this.isOpen && this.#row?.isConnected ? this.#row : null;
  }

  // Opening

  // Opens a row's message and moves the focus to the panel.
  /** @type {(row: HTMLElement) => Promise<void>} */
  async enter(row) {
    await this.#open(this.#rows.eventOf(row), row);
    this.#panel.part?.focus();
  }

  // Opens the message that the page's address names.
  /** @type {(channel: string | undefined, replay: import("../history/replay.js").Replay, words: Words) => Promise<void>} */
  async openLinked(channel, replay, words) {
    (await this.#panel.arrive()).openLinked(channel, this, replay, words);
  }

  // Opens a message whose row may be drawn later, and scrolls to it.
  /** @type {(event: Message) => Promise<void>} */
  async reveal(event) {
    this.#isSought = true;
    await this.#open(event, null);
    if (this.#isSheet) this.#panel.part?.focus();
  }

  // Shows another message in the open panel, and scrolls to its row.
  /** @type {(event: Message) => void} */
  go(event) {
    this.#isSought = true;
    this.#choose(event, null);
    this.#panel.part?.show(event);
    this.#find();
  }

  // Shows a sentence in place of a message.
  /** @type {(sentence: string) => Promise<void>} */
  async say(sentence) {
    const panel = await this.#panel.arrive();
    this.#reveal(true);
    panel.say(sentence);
  }

  // Shows another row's message in the open panel, without moving the focus.
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
    row.focus({ preventScroll: true }); // if the panel is open, this shows the row's message
    if (this.isOpen) this.#follow(row);
    else this.#timer = setTimeout(() => this.#pressed(row), pointerType === "mouse" ? SECOND_CLICK : 0);
  }

  /** @type {(row: HTMLElement) => void} */
  #pressed(row) {
    if (this.#isSheet) this.enter(row);
    else this.#open(this.#rows.eventOf(row), row);
  }

  // Does nothing if another message was opened while the panel was loading.
  /** @type {(event: Message, row: HTMLElement | null) => Promise<void>} */
  async #open(event, row) {
    clearTimeout(this.#timer);
    this.#event = event;
    const panel = await this.#panel.arrive();
    if (this.#event !== event) return; // another one was opened
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

  // Finds the open message's row among rows drawn anew.
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

  // Closes the panel and returns the focus to the row.
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

  // An attribute of the root, for the styles: a :has() selector would search all rows on every change.
  /** @type {(isOpen: boolean) => void} */
  #reveal(isOpen) {
    this.#place.hidden = !isOpen;
    document.documentElement.toggleAttribute("data-detail", isOpen);
  }
}
