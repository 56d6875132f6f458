// Shows in a row how many equal messages it stands for, and lists them on request.

import { beginning, toDate } from "../lib/format.js";
import { now } from "../lib/clock.js";
import { plain } from "../message/plain_text.js";
import { element, rowButton } from "../ui/dom.js";
import { ago, rowTime } from "../ui/timestamps.js";
import { MessageGroups } from "./message_groups.js";

const SHOWN = 200; // characters of each

/** @typedef {import("./message_groups.js").Group} Group */

export class GroupRows {
  #list;
  #feed;
  #words;
  #choose;
  /** @type {WeakMap<HTMLElement, Message>} */
  #events = new WeakMap(); // by item of a list

  /**
   * @param {HTMLElement} list of the rows
   * @param {import("./feed.js").Feed} feed
   * @param {Words} words
   * @param {(event: Message) => void} choose is called with one that is to be shown by itself
   */
  constructor(list, feed, words, choose) {
    this.#list = list;
    this.#feed = feed;
    this.#words = words;
    this.#choose = choose;
    feed.addEventListener("draw", () => this.draw());
  }

  makeGroups() {
    return new MessageGroups();
  }

  // Counts do not change while the feed is paused.
  draw() {
    if (this.#feed.isPaused) return;
    for (const row of /** @type {Iterable<HTMLElement>} */ (this.#list.children)) {
      const group = this.#feed.groupOf(row);
      if (group && (group.n > 1 || group.isResolved)) this.#show(row, group);
    }
  }

  /** @type {(row: HTMLElement, group: Group) => void} */
  #show(row, group) {
    const button = row.querySelector(".row__group") ?? this.#equip(row, group);
    const { n, at, isResolved } = group;
    const text = this.#words.say(isResolved ? "group_resolved" : "group_n", { n, ago: ago(now() - at) });
    if (button.textContent === text) return;
    button.textContent = text;
    row.classList.toggle("is-resolved", isResolved);
    if (button.ariaExpanded === "true") this.#fill(row, group);
  }

  /** @type {(row: HTMLElement, group: Group) => HTMLElement} */
  #equip(row, group) {
    const button = rowButton("row__group");
    button.ariaExpanded = "false";
    button.title = this.#words.say("group_open");
    button.addEventListener("click", () => this.#toggle(row, button, group));
    row.children[1].append(button);
    return button;
  }

  /** @type {(row: HTMLElement, button: HTMLElement, group: Group) => void} */
  #toggle(row, button, group) {
    const isOpen = button.ariaExpanded !== "true";
    button.ariaExpanded = String(isOpen);
    if (isOpen) {
      const list = element("ol", "row__members");
      list.ariaLive = "off";
      list.append(element("li", "")); // says how many older ones there are
      row.append(list);
      this.#fill(row, group);
    } else row.querySelector(".row__members")?.remove();
    row.dispatchEvent(new Event("grow", { bubbles: true }));
  }

  // Items that stay are not made anew: a reader may be at one of them.
  /** @type {(row: HTMLElement, group: Group) => void} */
  #fill(row, { n, members }) {
    const list = row.querySelector(".row__members");
    const isHere = list.contains(document.activeElement);
    const [older, ...items] = /** @type {HTMLElement[]} */ ([...list.children]);
    const stay = new Set(members);
    for (const item of items) if (!stay.delete(/** @type {Message} */ (this.#events.get(item)))) item.remove();
    list.append(...[...stay].map((event) => this.#item(event)));
    older.hidden = n <= members.length;
    older.textContent = older.hidden ? "" : this.#words.say("older", { n: n - members.length });
    if (isHere && !list.contains(document.activeElement)) list.querySelector("button").focus();
  }

  /** @type {(event: Message) => HTMLElement} */
  #item(event) {
    const item = element("li", "");
    const button = rowButton("row__member");
    const date = toDate(event.at);
    const time = Object.assign(element("time", "row__time", rowTime(date)), { dateTime: date.toISOString() });
    const text = beginning(plain(event.data.slice(0, 2 * SHOWN)), SHOWN, SHOWN).replace(/\s+/g, " ");
    button.append(time, " ", element("span", "row__member-text", text));
    button.addEventListener("click", () => this.#choose(event));
    item.append(button);
    this.#events.set(item, event);
    return item;
  }
}
