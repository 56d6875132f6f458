// The list of the views in the rail: two that are always there, and those that were kept. Each is a link.

import { element } from "../ui/dom.js";
import { addressOf, asked } from "../ui/url_state.js";
import { keptViews, restoreView } from "./view_list.js";
import { isSameView } from "./view_query.js";

const OWN = ["views_all", "views_problems"]; // their names
const PROBLEMS = "severity>=warning";

/** @typedef {import("./view_query.js").View} View */

export class ViewRail {
  /** @type {HTMLElement} */
  #list;
  #words;
  #on;
  /** @type {{ view: View, at: number } | null} */
  #dropped = null;

  // `on` has open(query, name) and more(button, name).
  /**
   * @param {HTMLElement} list
   * @param {Words} words
   * @param {{ open(query: URLSearchParams, name: string): void, more(button: HTMLElement, name: string): void }} on
   */
  constructor(list, words, on) {
    this.#list = list;
    this.#words = words;
    this.#on = on;
    list.addEventListener("click", (event) => this.#clicked(event));
    addEventListener("address", () => this.mark());
  }

  draw() {
    const rows = OWN.map((word) => this.#row(this.#words.say(word)));
    for (const { name } of keptViews()) {
      const row = this.#row(name);
      row.append(this.#more(name));
      rows.push(row);
    }
    if (this.#dropped) rows.splice(OWN.length + this.#dropped.at, 0, this.#undo(this.#dropped));
    this.#list.replaceChildren(...rows);
    document.documentElement.style.setProperty("--Views", String(rows.length - OWN.length));
    this.mark();
  }

  // Where each leads to, and which one is shown: of several, the one with a name of its own.
  mark() {
    const shown = asked();
    const queries = this.#queries;
    let current = queries.findIndex((query, at) => at >= OWN.length && isSameView(query, shown));
    if (current < 0) current = queries.findIndex((query) => isSameView(query, shown));
    for (const [at, link] of this.#links.entries()) {
      if (queries[at]) link.href = addressOf(queries[at]).href;
      link.ariaCurrent = at === current ? "true" : null;
    }
  }

  // It can be had back, in its place, until the list is drawn for something else.
  /** @type {(view: View, at: number) => void} */
  drop(view, at) {
    this.#dropped = { view, at };
    this.draw();
    this.#list.querySelector("button.link").focus();
  }

  forget() {
    this.#dropped = null;
  }

  // All that is watched, and what of it is wrong; then those that were kept.
  get #queries() {
    const [all, problems] = [asked(), asked()];
    for (const part of ["filter", "highlight", "hide", "only", "message"]) all.delete(part);
    for (const part of ["highlight", "message"]) problems.delete(part);
    problems.set("filter", PROBLEMS);
    return [all, problems, ...keptViews().map(({ query }) => new URLSearchParams(query))];
  }

  get #links() {
    return [...this.#list.querySelectorAll("a")];
  }

  /** @type {(name: string) => HTMLElement} */
  #row(name) {
    const row = element("li", "view");
    row.append(Object.assign(element("a", "view__link", name), { title: name }));
    return row;
  }

  /** @type {(name: string) => HTMLElement} */
  #more(name) {
    const more = element("button", "views__button");
    more.ariaLabel = more.title = this.#words.say("view_actions", { name });
    more.ariaHasPopup = "menu";
    more.addEventListener("click", () => this.#on.more(more, name));
    return more;
  }

  /** @type {(dropped: { view: View, at: number }) => HTMLElement} */
  #undo({ view, at }) {
    const row = element("li", "view");
    const button = element("button", "link", this.#words.say("undo"));
    button.addEventListener("click", () => {
      restoreView(view, at);
      this.forget();
      this.draw();
      this.#links[OWN.length + at].focus();
    });
    row.append(element("span", "view__link", this.#words.say("view_dropped", { name: view.name })), button);
    return row;
  }

  // In another tab, the browser opens it.
  /** @param {MouseEvent & { target: HTMLElement }} event */
  #clicked(event) {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const at = this.#links.indexOf(link);
    this.#on.open(this.#queries[at], keptViews()[at - OWN.length]?.name ?? "");
  }
}
