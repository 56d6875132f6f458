// The views at the top of the rail. A view is an address: it is opened in the page, stored in the browser under a name,
// shared as a link, and exported in a file.

import { toDate } from "../lib/format.js";
import { copy } from "../ui/clipboard.js";
import { element } from "../ui/dom.js";
import { Menu } from "../ui/menu.js";
import { keepingTrouble } from "../ui/preferences.js";
import { shortTime } from "../ui/timestamps.js";
import { addressOf, asked, write } from "../ui/url_state.js";
import { inform, ViewDialog } from "./view_dialog.js";
import { chosenText, handViews, readViews } from "./view_file.js";
import { addViews, dropView, hasRoom, keepView, keptView, keptViews } from "./view_list.js";
import { PANES_LIMIT, VIEWS_LIMIT, viewOf } from "./view_query.js";
import { ViewRail } from "./view_rail.js";

const RANGES = ["", "15m", "1h"]; // values in the address
const KEPT_ONLY = ["view_rename", "view_drop"];
const SECONDS = /^\d{9,}(\.\d+)?$/;
const SAID_FOR = 6_000; // milliseconds

/** @typedef {import("./view_query.js").View} View */

export class Views {
  #place;
  #words;
  #limits;
  #page;
  #rail;
  #dialog;
  #said = element("p", "views__said");
  #opened = ""; // the name of the view opened last
  /** @type {import("./view_rail.js").Listed | null} */
  #chosen = null; // the view whose menu is open
  #since = asked().get("since");
  /** @type {number | undefined} */
  #silence;

  // `page` has show(), called when the address has another view, showFeed(), isRecorded() and loadPanes().
  /**
   * @param {HTMLElement} place
   * @param {Words} words
   * @param {{ maxName: number, maxSelection: number }} limits
   * @param {{ show(): void, showFeed(): void, isRecorded(): boolean, loadPanes(): Promise<import("./panes.js").Panes> }} page
   */
  constructor(place, words, limits, page) {
    this.#place = place;
    this.#words = words;
    this.#limits = limits;
    this.#page = page;
    this.#dialog = new ViewDialog(words);
    const list = element("ul", "views__list");
    const [one, items] = this.#buildMenu(["view_beside", "view_link", ...KEPT_ONLY]);
    const [all] = this.#buildMenu(["views_wall", "views_export", "views_import"]);
    const keep = this.#button("view_save");
    const more = Object.assign(this.#button("views_more"), { ariaHasPopup: "menu" });
    keep.addEventListener("click", () => this.#keep());
    more.addEventListener("click", () => all.open(more));
    this.#said.role = "status";
    place.append(this.#said, keep, more, list);
    this.#rail = new ViewRail(list, words, {
      open: (view) => this.#open(view),
      more: (button, view) => {
        this.#chosen = view;
        /** @type {HTMLElement} */ (items[0].parentElement).ariaLabel = button.ariaLabel;
        for (const item of items) item.hidden = !view.isKept && KEPT_ONLY.includes(item.value);
        one.open(button);
      },
    });
    addEventListener("popstate", () => this.#returned());
    addEventListener("storage", () => this.#rail.follow());
    this.#rail.draw();
    if (asked().getAll("pane").length >= PANES_LIMIT) this.#say("panes_full", { max: PANES_LIMIT });
  }

  // Another `since` needs a page load. Panes stay.
  /** @type {(view: import("./view_rail.js").Listed) => void} */
  #open({ name, query, isKept }) {
    const shown = asked();
    const next = viewOf(query);
    if (isKept) this.#opened = name;
    for (const pane of shown.getAll("pane")) next.append("pane", pane);
    if (next.get("since") !== shown.get("since")) return location.assign(addressOf(next));
    write(next, "pushState");
    this.#page.show();
  }

  #returned() {
    if (this.#since !== asked().get("since")) return location.reload();
    dispatchEvent(new Event("address"));
    this.#page.show();
  }

  /** @type {(action: string) => unknown} */
  #do(action) {
    switch (action) {
      case "views_wall": return this.#toWall();
      case "views_export": return this.#export();
      case "views_import": return this.#import();
    }
    const chosen = /** @type {import("./view_rail.js").Listed} */ (this.#chosen);
    const kept = keptView(chosen.name);
    if (action === "view_beside") return this.#beside(chosen);
    if (action === "view_link") return this.#share(chosen.query);
    if (!kept) return undefined; // another tab has deleted it
    return action === "view_rename" ? this.#rename(kept) : this.#drop(kept);
  }

  /** @type {(view: { name: string, query: URLSearchParams }) => Promise<void>} */
  async #beside({ name, query }) {
    const panes = await this.#page.loadPanes().catch(() => null);
    if (!panes) return this.#say("not_loaded");
    if (!panes.hasRoom) return this.#say("panes_full", { max: PANES_LIMIT });
    panes.add({ name, query: viewOf(query) });
    this.#page.showFeed();
  }

  #toWall() {
    const query = asked();
    query.set("wall", "1");
    if (this.#rail.current) query.set("name", this.#rail.current);
    location.assign(addressOf(query));
  }

  // One view

  async #keep() {
    const shown = asked();
    const since = shown.get("since") ?? "";
    const answer = await this.#dialog.ask("view_save", {
      name: this.#opened, since, ranges: this.#ranges(since), check: ({ name }) => this.#question(name),
    });
    if (!answer) return;
    if (!keptView(answer.name) && !hasRoom()) return this.#say("views_full", { max: VIEWS_LIMIT });
    shown.set("since", answer.since);
    this.#opened = answer.name;
    keepView({ name: answer.name, query: String(viewOf(shown)) });
    this.#changed("view_saved");
  }

  /** @type {(since: string) => [string, string][]} */
  #ranges(since) {
    if (!this.#page.isRecorded()) return [["", ""]];
    const from = SECONDS.test(since) ? shortTime(toDate(Number(since))) : since;
    /** @type {[string, string][]} */
    const ranges = RANGES.map((range) => [range, this.#words.say(`range_${range || "live"}`)]);
    return RANGES.includes(since) ? ranges : [...ranges, [since, this.#words.say("range_from", { since: from })]];
  }

  /** @type {(name: string) => Said | null} */
  #question(name) {
    return keptView(name) ? ["view_exists", { name }] : null;
  }

  /** @type {(view: View) => Promise<void>} */
  async #rename(view) {
    const answer = await this.#dialog.ask("view_rename", {
      name: view.name, check: ({ name }) => (name === view.name ? null : this.#question(name)),
    });
    if (!answer) return;
    keepView({ ...view, name: answer.name }, view.name);
    if (this.#opened === view.name) this.#opened = answer.name;
    this.#changed("view_saved");
  }

  /** @type {(view: View) => void} */
  #drop(view) {
    const at = keptViews().findIndex(({ name }) => name === view.name);
    dropView(view.name);
    this.#rail.drop(view, at);
  }

  /** @type {(query: URLSearchParams) => Promise<void>} */
  async #share(query) {
    const isCopied = await copy(addressOf(viewOf(query)).href);
    this.#say(isCopied ? "copied" : "not_copied");
  }

  // All views

  #export() {
    if (keptViews().length) handViews(keptViews());
    else this.#say("views_export_none");
  }

  async #import() {
    const { views, problem } = readViews(await chosenText(), this.#limits);
    if (problem) return this.#explain(problem);
    const n = addViews(views);
    if (n === null) return this.#explain(["views_full", { max: VIEWS_LIMIT }]);
    this.#changed();
    return this.#explain(["views_imported", { n, same: views.length - n }]);
  }

  // Notes

  /** @type {(word?: string) => void} */
  #changed(word = "") {
    this.#rail.forget();
    this.#rail.draw();
    const said = keepingTrouble() || word;
    if (said) this.#say(said);
  }

  // Shows a note that disappears by itself.
  /** @type {(word: string, values?: Record<string, any>) => void} */
  #say(word, values) {
    clearTimeout(this.#silence);
    this.#said.textContent = this.#said.title = this.#words.say(word, values);
    this.#silence = setTimeout(() => (this.#said.textContent = ""), SAID_FOR);
  }

  // Shows a sentence that has to be read.
  /** @type {(said: Said) => void} */
  #explain([word, values]) {
    inform(this.#words.say("views_import"), this.#words.say(word, values), this.#words.say("view_close"));
  }

  /** @type {(word: string) => HTMLButtonElement} */
  #button(word) {
    const button = element("button", `views__button ${word}`);
    button.ariaLabel = button.title = this.#words.say(word);
    return button;
  }

  /** @type {(words: string[]) => [Menu, HTMLButtonElement[]]} */
  #buildMenu(words) {
    const menu = Object.assign(element("div", "menu"), { role: "menu", popover: "auto", ariaLabel: this.#words.say("views_more") });
    const items = words.map((word) => Object.assign(element("button", "", this.#words.say(word)), { role: "menuitem", value: word }));
    menu.append(...items);
    this.#place.append(menu);
    return [new Menu(menu, ({ value }) => this.#do(value)), items];
  }
}
