// The buttons over the feed, and its keyboard shortcuts.

import { get, set } from "../ui/preferences.js";
import { Shortcuts } from "../ui/shortcuts.js";
import { asked, keep } from "../ui/url_state.js";

export class Toolbar {
  #feed;
  #rows;
  #log;
  #section;
  #buttons;
  #words;
  #detail;
  #more;

  // `detail` is the open message, with its row: see detail.js.
  /**
   * @param {Record<"section" | "log" | "more" | "pause" | "clear" | "order" | "help", HTMLElement>
   *   & { keys: HTMLDialogElement }} places
   * @param {import("./feed.js").Feed} feed
   * @param {Rows} rows
   * @param {import("./filter_bar.js").FilterBar} filter
   * @param {import("./row_actions.js").RowActions} actions
   * @param {Words} words
   * @param {{
   *   isOpen: boolean, hasFocus: boolean, event: Message | null, row: HTMLElement | null,
   *   enter(row: HTMLElement): void, move(row: HTMLElement): void, leave(): void, close(): void
   * }} detail
   * @param {{ write(): void, acknowledge?: (event: Message) => void }} lead `write` to the field of a new message
   */
  constructor({ section, log, keys, more, ...buttons }, feed, rows, filter, actions, words, detail, { write, acknowledge }) {
    this.#feed = feed;
    this.#rows = rows;
    this.#log = log;
    this.#section = section;
    this.#buttons = buttons;
    this.#words = words;
    this.#detail = detail;
    this.#more = more;
    buttons.pause.addEventListener("click", () => this.#pause());
    buttons.clear.addEventListener("click", () => feed.clear());
    buttons.order.addEventListener("click", () => {
      this.#turn(!feed.newestFirst);
      set("newestFirst", feed.newestFirst);
      keep({ order: feed.newestFirst ? "newest" : "oldest" });
    });
    buttons.help.addEventListener("click", () => keys.showModal());
    more.addEventListener("click", ({ target }) => target.closest("button:not([popovertarget])") && this.#close());
    more.addEventListener("change", () => this.#close());
    feed.addEventListener("pause", () => this.#show());
    this.load();
    new Shortcuts(keys, {
      " ": () => this.#pause(),
      "/": () => filter.focus(),
      j: () => this.#move(1),
      k: () => this.#move(-1),
      c: () => this.#copy(actions),
      ...(acknowledge && { a: () => this.#act(acknowledge) }),
      Enter: (target) => this.#open(target),
      p: () => {
        detail.close();
        write();
      },
      Escape: (target) => this.#leave(target),
    });
  }

  // Reads the address, or else the last choice.
  load() {
    const order = asked().get("order") ?? (get("newestFirst", false) ? "newest" : "");
    this.#turn(order === "newest");
    keep({ order });
  }

  #close() {
    if (this.#more.matches(":popover-open")) this.#more.hidePopover();
  }

  #pause() {
    this.#feed.isPaused = !this.#feed.isPaused;
  }

  /** @type {(newestFirst: boolean) => void} */
  #turn(newestFirst) {
    if (newestFirst !== this.#feed.newestFirst) this.#feed.newestFirst = newestFirst;
    this.#show();
  }

  #show() {
    const { isPaused, newestFirst } = this.#feed;
    this.#section.dataset.order = newestFirst ? "newest" : "oldest";
    this.#section.dataset.state = isPaused ? "paused" : "";
    this.#buttons.pause.textContent = this.#words.say(isPaused ? "resume" : "pause");
    this.#buttons.order.ariaPressed = String(newestFirst);
  }

  // Rows

  get #row() {
    return document.activeElement?.closest(".row") ?? this.#detail.row;
  }

  // If the focus is in the detail, only the detail moves on.
  /** @type {(step: 1 | -1) => void} */
  #move(step) {
    const rows = /** @type {HTMLElement[]} */ ([...this.#log.querySelectorAll(".row")]);
    const at = rows.indexOf(/** @type {HTMLElement} */ (this.#row));
    const row = at === -1 ? this.#seen(rows, step) : rows[at + step];
    if (!row) return;
    if (this.#detail.hasFocus) return this.#detail.move(row);
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  // The row to begin with: the first visible one, or the last.
  /** @type {(rows: HTMLElement[], step: number) => HTMLElement | undefined} */
  #seen(rows, step) {
    const { top, bottom } = this.#log.getBoundingClientRect();
    /** @type {(row: HTMLElement) => boolean} */
    const isSeen = (row) => row.getBoundingClientRect().bottom > top && row.getBoundingClientRect().top < bottom;
    return step > 0 ? rows.find(isSeen) : rows.findLast(isSeen);
  }

  // The open message, or the one of the focused row.
  get #event() {
    return this.#detail.event ?? (this.#row && this.#rows.eventOf(this.#row));
  }

  /** @type {(act: (event: Message) => void) => false | void} */
  #act(act) {
    const event = this.#event;
    if (!event) return false;
    act(event);
  }

  /** @type {(actions: import("./row_actions.js").RowActions) => Promise<false | void>} */
  async #copy(actions) {
    const event = this.#event;
    if (!event || String(getSelection())) return false; // a selection is copied by the browser's own keys
    await actions.copy(event.data);
  }

  /** @type {(row: HTMLElement) => false | void} */
  #open(row) {
    if (!row.matches(".row")) return false;
    this.#detail.enter(row);
  }

  // Moves the focus from the detail to its row; from a row or the filter to the feed.
  /** @type {(target: Element) => false | void} */
  #leave(target) {
    if (this.#detail.isOpen && !target.closest(".filter")) return this.#detail.leave();
    if (!target.closest(".row, .filter")) return false;
    this.#log.focus({ preventScroll: true });
  }
}
