// The panes beside the page's own feed. Each is this page again, in a frame.

import { element } from "../ui/dom.js";
import { isWall } from "../ui/page_kind.js";
import { addressOf, asked, keep } from "../ui/url_state.js";
import { paneText, readPanes } from "./pane_query.js";
import { PANES_LIMIT } from "./view_query.js";

/**
 * @typedef {import("./pane_query.js").Pane} Pane
 * @typedef {{ pane: Pane, place: HTMLElement, frame: HTMLIFrameElement, isLost: boolean }} Made lost: it could not be loaded
 */

export class Panes {
  #page;
  #words;
  #place = element("div", "panes");
  #switch = element("nav", "switch");
  /** @type {Made[]} */
  #panes = [];
  #shown = 0; // on a small screen, the one that is shown; 0: the page's own feed

  /** @param {HTMLElement} page @param {Words} words */
  constructor(page, words) {
    this.#page = page;
    this.#words = words;
    this.#switch.ariaLabel = words.say("panes");
    this.#switch.addEventListener("click", ({ target }) => {
      const button = target.closest("button"); // a translated text is in elements of its own
      if (button) this.#show(Number(button.value));
    });
    page.append(this.#switch, this.#place);
    addEventListener("popstate", () => this.#keep()); // going back changes the view, but not the panes
    for (const pane of readPanes(asked())) this.#build(pane);
    this.#draw();
  }

  get hasRoom() {
    return this.#panes.length < PANES_LIMIT - 1;
  }

  /** @type {(pane: Pane) => void} */
  add(pane) {
    this.#build(pane);
    this.#keep();
    this.#show(this.#panes.length);
  }

  // Call when the server is back: loads panes again that could not be loaded.
  revive() {
    for (const { frame, pane, isLost } of this.#panes) if (isLost) frame.src = addressOf(pane.query).href;
  }

  /** @type {(pane: Pane) => void} */
  #build(pane) {
    const name = pane.name || this.#words.say("pane_unnamed", { n: this.#panes.length + 2 });
    const place = element("section", "pane");
    const head = element("div", "pane__head");
    const frame = element("iframe", "pane__frame");
    const alone = element("a", "link", this.#words.say("pane_alone"));
    const close = element("button", "dialog__close");
    place.ariaLabel = frame.title = name;
    close.ariaLabel = close.title = this.#words.say("pane_close", { name });
    const made = { pane, place, frame, isLost: false };
    close.addEventListener("click", () => this.#close(made));
    frame.name = isWall ? "wall-pane" : "pane";
    frame.src = alone.href = addressOf(pane.query).href;
    frame.addEventListener("load", () => this.#follow(made, alone));
    head.append(Object.assign(element("h2", "", name), { translate: !pane.name }), alone, close);
    place.append(head, frame);
    this.#place.append(place);
    this.#panes.push(made);
  }

  // A change within a pane is kept in this page's address, and so survives a reload.
  /** @type {(made: Made, alone: HTMLAnchorElement) => void} */
  #follow(made, alone) {
    const { frame, pane } = made;
    made.isLost = !frame.contentDocument?.getElementById("status");
    frame.classList.add("is-loaded"); // browsers draw a frame before its styles are loaded
    const inner = made.isLost ? null : frame.contentWindow;
    inner?.addEventListener("address", () => {
      const { hash, search } = inner.location;
      pane.query = new URLSearchParams(hash.startsWith("#?") ? hash.slice(1) : search);
      alone.href = addressOf(pane.query).href;
      this.#keep();
    });
  }

  /** @type {(made: Made) => void} */
  #close(made) {
    const at = this.#panes.indexOf(made);
    this.#panes.splice(at, 1);
    made.place.remove();
    this.#keep();
    this.#show(0);
    const next = this.#panes[at] ?? this.#panes[at - 1];
    (next?.place.querySelector("button") ?? this.#page.querySelector(".feed__body > .feed__log")).focus();
  }

  #keep() {
    keep({ pane: this.#panes.map(({ pane }) => paneText(pane)) });
  }

  /** @type {(at: number) => void} */
  #show(at) {
    this.#shown = at;
    this.#draw();
  }

  #draw() {
    if (this.#panes.length) document.documentElement.dataset.panes = String(this.#panes.length);
    else delete document.documentElement.dataset.panes;
    const names = [this.#words.say("pane_own"), ...this.#panes.map(({ frame }) => frame.title)];
    this.#switch.replaceChildren(...names.map((name, at) => {
      const button = Object.assign(element("button", "", name), { value: String(at) });
      button.ariaPressed = String(at === this.#shown);
      return button;
    }));
    this.#page.dataset.beside = this.#shown ? "shown" : "";
    for (const [at, { place }] of this.#panes.entries()) place.classList.toggle("is-shown", at + 1 === this.#shown);
  }
}
