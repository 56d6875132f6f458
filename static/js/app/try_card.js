// The card with four things to try. The browser stores which are done and whether the card was closed.

import { element } from "../ui/dom.js";
import { change, get } from "../ui/preferences.js";

const KEY = "lesson";
const NOBODY = "nobody.listens"; // a channel

/** @typedef {"tab" | "publish" | "nobody" | "late"} Step */

export class TryCard {
  #rail;
  #welcome;
  #words;
  #on;
  /** @type {Map<Step, HTMLElement>} */
  #ticks = new Map();
  #card;
  #link;

  /**
   * @param {{ rail: HTMLElement, welcome: HTMLElement }} places
   * @param {Words} words
   * @param {{ publish(): void, late(): void, show(part: string): void }} on
   */
  constructor({ rail, welcome }, words, on) {
    this.#rail = rail;
    this.#welcome = welcome;
    this.#words = words;
    this.#on = on;
    this.#card = this.#build();
    this.#link = this.#button("try", () => this.#reveal());
    this.#link.className = "button";
    addEventListener("storage", () => this.#draw());
    if (!get(KEY, {}).closed) this.#offer();
    this.#draw();
  }

  get isOpen() {
    return this.#card.isConnected;
  }

  /** @type {(step: Step) => boolean} */
  has(step) {
    return Boolean(get(KEY, {})[step]);
  }

  /** @type {(step: Step) => void} */
  tick(step) {
    if (this.has(step)) return;
    this.#keep(step, true);
    this.#draw();
  }

  // Call when the visitor requests the card.
  open() {
    this.#keep("closed", false);
    this.#rail.append(this.#card);
    this.#reveal();
  }

  // Shows the card if the rail has room for it, else a link to it in the empty feed.
  #offer() {
    this.#rail.append(this.#card);
    const names = this.#rail.querySelector(".chips");
    const isFull = names.checkVisibility() && [names, this.#rail].some((one) => one.scrollHeight > one.clientHeight);
    if (isFull) this.#card.remove();
    else this.#welcome.append(this.#link);
  }

  #reveal() {
    this.#on.show("channels");
    this.#card.scrollIntoView({ block: "nearest" });
    this.#card.querySelector("a").focus();
  }

  #close() {
    this.#keep("closed", true);
    this.#card.remove();
    this.#link.remove();
  }

  /** @type {(name: string, value: boolean) => void} */
  #keep(name, value) {
    change(KEY, {}, (all) => ({ ...all, [name]: value }));
  }

  // Drawing

  #draw() {
    for (const [step, tick] of this.#ticks) {
      tick.ariaLabel = this.#words.say(this.has(step) ? "try_done" : "try_open");
      tick.dataset.state = this.has(step) ? "done" : "open";
    }
    if (get(KEY, {}).closed) this.#card.remove();
  }

  #build() {
    const card = element("section", "try");
    const title = Object.assign(element("h3", "try__title", this.#words.say("try")), { id: "try-title" });
    card.setAttribute("aria-labelledby", title.id);
    const close = Object.assign(element("button", "dialog__close try__close"), { title: this.#words.say("try_close") });
    close.ariaLabel = close.title;
    close.addEventListener("click", () => this.#close());
    const steps = element("ol", "try__steps");
    const tab = Object.assign(element("a", "link", this.#words.say("try_tab")), { href: location.href, target: "_blank" });
    tab.addEventListener("click", () => (tab.href = location.href));
    steps.append(
      this.#step("tab", tab),
      this.#step("publish", this.#button("try_publish", () => this.#on.publish())),
      this.#step("nobody", this.#button("try_nobody", () => this.#fill())),
      this.#step("late", this.#button("try_late", () => this.#on.late())),
    );
    card.append(title, close, steps, element("p", "try__more", this.#words.say("try_recording")), element("p", "try__more", this.#words.say("try_kafka")));
    return card;
  }

  /** @type {(step: Step, action: HTMLElement) => HTMLElement} */
  #step(step, action) {
    const tick = element("span", "try__tick");
    tick.setAttribute("role", "img");
    this.#ticks.set(step, tick);
    const item = element("li", "");
    item.append(tick, action, element("small", "", this.#words.say(`try_${step}_why`)));
    return item;
  }

  /** @type {(word: string, act: () => void) => HTMLElement} */
  #button(word, act) {
    const button = Object.assign(element("button", "link", this.#words.say(word)), { type: "button" });
    button.addEventListener("click", act);
    return button;
  }

  // Fills the form as a row's own button does.
  #fill() {
    document.dispatchEvent(new CustomEvent("republish", { detail: { channel: NOBODY, message: this.#words.say("try_sample") } }));
  }
}
