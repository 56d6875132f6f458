// The wall: this page and its panes, to be read from afar. No controls; over each feed its name, its rate, and the age
// of the last critical message and of the last one; across the top a clock or, in red, what is unreachable.

import { now } from "../lib/clock.js";
import { rounded, toDate } from "../lib/format.js";
import { readQuery } from "../stream/channel_names.js";
import { isMessage } from "../stream/events.js";
import { element, setText } from "../ui/dom.js";
import { isPane } from "../ui/page_kind.js";
import { ago, timesOfDay } from "../ui/timestamps.js";
import { addressOf, asked } from "../ui/url_state.js";
import { keepAwake } from "./wake_lock.js";

const FACTS = ["wall_rate", "wall_critical", "wall_last"];
const BAD = ["reconnecting", "refused"];

/**
 * @typedef {Pick<FeedState, "name" | "what" | "since" | "reason" | "status">} WallState the state of a feed
 * @typedef {{ feed: import("../feed/feed.js").Feed, rates: MessageRates, lastCritical: number }} Facts
 */

export class Wall {
  #words;
  #facts;
  #clock = element("time", "wall__clock");
  #outage = element("p", "wall__outage");
  /** @type {Map<Element | null, { of: string, state: WallState }>} */
  #states = new Map(); // by pane: two may have one name
  /** @type {HTMLElement[]} */
  #values = [];
  #name;

  /** @param {HTMLElement} page @param {Words} words @param {Facts} facts */
  constructor(page, words, facts) {
    this.#words = words;
    this.#facts = facts;
    this.#name = (isPane ? window.frameElement?.getAttribute("title") : asked().get("name")) || this.#selected();
    page.querySelector(".feed").prepend(this.#buildHead());
    addEventListener("keydown", (event) => this.#pressed(event), true);
    if (isPane) return;
    document.querySelector(".header").append(this.#buildBar());
    addEventListener("state", ({ detail }) => this.#note(detail.frame, detail.of, detail.state));
    for (const type of ["online", "offline"]) addEventListener(type, () => this.#showOutage());
    keepAwake();
  }

  // Call with the state of this page's feed.
  /** @type {(state: WallState) => void} */
  setState({ name, what, since, reason, status }) {
    const state = { name, what, since, reason, status };
    if (isPane) parent.dispatchEvent(new CustomEvent("state", { detail: { frame: window.frameElement, of: this.#name, state } }));
    else this.#note(null, "", state);
  }

  // Call once a second.
  tick() {
    const { feed, rates, lastCritical } = this.#facts;
    const last = rates.lastSeen("") ?? feed.live.findLast(isMessage)?.at; // messages of the past are not in the rates
    const values = [this.#words.say("per_second", { n: rounded(rates.now()) }), this.#age(lastCritical), this.#age(last)];
    for (const [at, text] of values.entries()) setText(this.#values[at], text);
    setText(this.#clock, timesOfDay([toDate(now())])[0]);
  }

  /** @type {(at: number | undefined) => string} */
  #age(at) {
    return at ? ago(now() - at) : this.#words.say("wall_none");
  }

  // The name of a feed without a view's name.
  #selected() {
    return readQuery(asked()).map(({ name }) => name).join(", ");
  }

  #buildHead() {
    const head = element("div", "wall__head");
    const list = element("dl", "wall__facts");
    for (const word of FACTS) {
      const [fact, value] = [element("div", ""), element("dd", "")];
      fact.append(element("dt", "", this.#words.say(word)), value);
      list.append(fact);
      this.#values.push(value);
    }
    head.append(Object.assign(element("h2", "wall__name", this.#name), { translate: false }), list);
    return head;
  }

  #buildBar() {
    const bar = element("div", "wall__bar");
    const leave = element("a", "wall__leave", "Esc");
    leave.href = away().href;
    leave.title = this.#words.say("wall_leave");
    leave.ariaLabel = `Esc: ${leave.title}`;
    this.#outage.role = "alert";
    bar.append(this.#outage, this.#clock, leave);
    return bar;
  }

  // A wall does not show that it is paused, so no key may pause it; Escape works wherever the focus is.
  /** @type {(event: KeyboardEvent) => void} */
  #pressed(event) {
    event.stopImmediatePropagation();
    if (event.key !== "Escape") return;
    event.preventDefault();
    parent.location.assign(isPane ? parent.document.querySelector(".wall__leave").getAttribute("href") ?? "" : away());
  }

  // What is unreachable

  /** @type {(frame: Element | null, of: string, state: WallState) => void} */
  #note(frame, of, state) {
    this.#states.set(frame, { of, state });
    this.#showOutage();
  }

  #showOutage() {
    const found = [...this.#states.values()].find(({ state }) => BAD.includes(state.name));
    const sentence = found ? this.#sentence(found.of, found.state) : "";
    setText(this.#outage, sentence);
    document.documentElement.toggleAttribute("data-outage", sentence !== "");
  }

  /** @type {(of: string, state: WallState) => string} */
  #sentence(of, { name, what, since, reason, status }) {
    const [time] = timesOfDay([toDate(since ?? now())]);
    if (name === "refused" || status) return [of, this.#words.say("wall_refused", { reason: reason ?? "" })].filter(Boolean).join(": ");
    if (!navigator.onLine) return this.#words.say("wall_network", { time });
    return this.#words.say(`wall_${what}`, { time });
  }
}

// A link to the same page with its controls.
function away() {
  const query = asked();
  for (const part of ["wall", "name"]) query.delete(part);
  return addressOf(query);
}
