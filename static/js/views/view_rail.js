// The list of views in the rail: two that are always there, and the stored ones. Each is a link.

import { element } from "../ui/dom.js";
import { addressOf, asked } from "../ui/url_state.js";
import { keptViews, restoreView } from "./view_list.js";
import { isSameView, viewOf } from "./view_query.js";

const OWN = ["views_all", "views_problems"]; // their names
const PROBLEMS = "severity>=warning";

/**
 * @typedef {import("./view_query.js").View} View
 * @typedef {{ name: string, query: URLSearchParams, isKept: boolean }} Listed
 */

export class ViewRail {
  /** @type {HTMLElement} */
  #list;
  #words;
  #on;
  #drawn = "";
  /** @type {{ view: View, at: number } | null} */
  #dropped = null;

  // `on` has open(view) and more(button, view).
  /**
   * @param {HTMLElement} list
   * @param {Words} words
   * @param {{ open(view: Listed): void, more(button: HTMLElement, view: Listed): void }} on
   */
  constructor(list, words, on) {
    this.#list = list;
    this.#words = words;
    this.#on = on;
    list.addEventListener("click", (event) => this.#clicked(event));
    addEventListener("address", () => this.mark());
  }

  // Another tab may have changed the views.
  follow() {
    if (this.#drawn !== JSON.stringify(keptViews())) this.draw();
  }

  // The focus stays with its view, or with Undo.
  draw() {
    const former = document.activeElement;
    const isHere = this.#list.contains(former);
    this.#drawn = JSON.stringify(keptViews());
    const rows = this.#views.map((view, at) => this.#row(view, at));
    if (this.#dropped) rows.splice(OWN.length + this.#dropped.at, 0, this.#undo(this.#dropped));
    this.#list.replaceChildren(...rows);
    document.documentElement.style.setProperty("--Views", String(rows.length - OWN.length));
    this.mark();
    if (!isHere) return;
    const places = /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll("a, button")]);
    (places.find((one) => labelOf(one) === labelOf(former)) ?? places[0]).focus();
  }

  // Updates the links, and marks the view that is shown; of several, the named one.
  mark() {
    const views = this.#views;
    const current = this.#currentOf(views);
    for (const [at, link] of this.#links.entries()) {
      if (views[at]) link.href = addressOf(viewOf(views[at].query)).href;
      link.ariaCurrent = current && views[at] === current ? "true" : null;
    }
  }

  // The name of the view that is shown, or undefined.
  get current() {
    return this.#currentOf(this.#views)?.name ?? "";
  }

  /** @type {(views: Listed[]) => Listed | undefined} */
  #currentOf(views) {
    const shown = asked();
    const same = views.filter(({ query }) => isSameView(query, shown));
    return same.find(({ isKept }) => isKept) ?? same[0];
  }

  // Can be undone until the list is drawn again.
  /** @type {(view: View, at: number) => void} */
  drop(view, at) {
    this.#dropped = { view, at };
    this.draw();
    this.#list.querySelector("button.link").focus();
  }

  forget() {
    this.#dropped = null;
  }

  // All messages, problems only, then the stored views.
  /** @returns {Listed[]} */
  get #views() {
    const [all, problems] = [asked(), asked()];
    for (const part of ["filter", "highlight", "hide", "only", "message"]) all.delete(part);
    for (const part of ["highlight", "message"]) problems.delete(part);
    problems.set("filter", PROBLEMS);
    const own = [all, problems].map((query, at) => ({ name: this.#words.say(OWN[at]), query, isKept: false }));
    const kept = keptViews().map(({ name, query }) => ({ name, query: new URLSearchParams(query), isKept: true }));
    return [...own, ...kept];
  }

  get #links() {
    return [...this.#list.querySelectorAll("a")];
  }

  // A name that somebody gave stays as it is in a browser that translates.
  /** @type {(view: Listed, at: number) => HTMLElement} */
  #row({ name, isKept }, at) {
    const row = element("li", "view");
    const more = element("button", "views__button");
    more.ariaLabel = more.title = this.#words.say("view_actions", { name });
    more.ariaHasPopup = "menu";
    more.addEventListener("click", () => this.#on.more(more, this.#views[at]));
    row.append(Object.assign(element("a", "view__link", name), { title: name, translate: !isKept }), more);
    return row;
  }

  /** @type {(dropped: { view: View, at: number }) => HTMLElement} */
  #undo({ view, at }) {
    const row = element("li", "view");
    const button = element("button", "link", this.#words.say("undo"));
    button.addEventListener("click", () => {
      restoreView(view, at);
      this.forget();
      this.draw();
      const place = this.#views.findIndex(({ name, isKept }) => isKept && name === view.name); // tabs may have changed it
      this.#links[place]?.focus();
    });
    row.append(element("span", "view__link", this.#words.say("view_dropped", { name: view.name })), button);
    return row;
  }

  // A click for another tab is left to the browser.
  /** @param {MouseEvent & { target: HTMLElement }} event */
  #clicked(event) {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.#on.open(this.#views[this.#links.indexOf(link)]);
  }
}

/** @type {(place: Element | null) => string} */
function labelOf(place) {
  return place?.ariaLabel ?? place?.textContent ?? "";
}
