// Demonstrates late joining: two sockets, opened at the same moment, of which one requests the log.
// Event of the dialog: "arrived", when the live one has subscribed.

import { now } from "../lib/clock.js";
import { isMessage } from "../stream/events.js";
import { split } from "../stream/feed_address.js";
import { hasSelection } from "../ui/dom.js";

const LIMIT = 200; // rows a lane

export class LateJoinDemo {
  #dialog;
  #rows;
  /** @type {string[]} */
  #channels = [];
  /** @type {WebSocket[]} */
  #sockets = [];
  #isRecorded = false;

  /** @param {HTMLDialogElement} dialog @param {import("../message/row.js").Rows} rows */
  constructor(dialog, rows) {
    this.#dialog = dialog;
    this.#rows = rows;
    dialog.querySelector(".button").addEventListener("click", () => this.#join());
    dialog.addEventListener("close", () => {
      this.#leave();
      this.#cover(false);
    });
  }

  // `isRecorded`: whether any of the channels is recorded.
  /** @type {(channels: string[], isRecorded: boolean) => void} */
  open(channels, isRecorded) {
    this.#channels = channels;
    this.#isRecorded = isRecorded;
    this.#dialog.show();
    this.#cover(true);
  }

  // Covers the feed.
  /** @type {(isOpen: boolean) => void} */
  #cover(isOpen) {
    this.#dialog.parentElement?.toggleAttribute("data-lanes", isOpen);
  }

  #join() {
    this.#leave();
    this.#sockets = [...this.#dialog.querySelectorAll("ol")].map((list) => this.#listen(list));
  }

  #leave() {
    for (const socket of this.#sockets.splice(0)) socket.close();
  }

  // The list's `data-since` says from where to read the log.
  /** @type {(list: HTMLElement) => WebSocket} */
  #listen(list) {
    const address = new URL("feed", document.baseURI.replace("http", "ws"));
    const query = new URLSearchParams(/** @type {Record<string, string>} */ (list.dataset));
    for (const name of this.#channels) query.append("channel", name);
    address.search = String(query);
    const { url, first } = split(address);
    const socket = new WebSocket(url);
    if (first) socket.addEventListener("open", () => socket.send(JSON.stringify(first)));
    /** @type {(events: FeedEvent[]) => void} */
    const show = (events) => this.#sockets.includes(socket) && this.#show(list, events);
    const waiting = new Set(this.#channels);
    socket.addEventListener("message", ({ data }) => {
      /** @type {FeedEvent[]} */
      const events = JSON.parse(data);
      show(events);
      for (const event of events) if (event.type === "subscribe" && waiting.delete(event.channel ?? "") && !waiting.size) this.#arrived(list);
    });
    socket.addEventListener("close", () => {
      const at = now();
      show([{ type: "gap", from: at, to: at, reason: "server" }]);
    });
    list.replaceChildren();
    return socket;
  }

  // Adds a notice to the live list, and to the other if nothing is recorded: neither has earlier messages.
  /** @type {(list: HTMLElement) => void} */
  #arrived(list) {
    const isLive = list.dataset.since === undefined;
    const type = isLive ? "lane_nothing" : "lane_unrecorded";
    if (isLive || !this.#isRecorded) list.append(this.#rows.build({ type, n: 0 }));
    if (isLive) this.#dialog.dispatchEvent(new Event("arrived"));
  }

  /** @type {(list: HTMLElement, events: FeedEvent[]) => void} */
  #show(list, events) {
    /** @type {(FeedItem | Push)[]} */
    const shown = events.filter((event) => isMessage(event) || event.type === "gap");
    let n = shown.splice(0, shown.length - LIMIT).filter(isMessage).length;
    if (n) shown.unshift({ type: "older", n });
    list.append(...shown.map((event) => this.#rows.build(/** @type {FeedItem} */ ({ patterns: [], ...event }))));
    if (hasSelection(list)) return;
    n = 0;
    for (const row of /** @type {HTMLElement[]} */ ([...list.children]).slice(0, -LIMIT)) {
      n += Number(row.dataset.messages);
      row.remove();
    }
    if (n) list.prepend(this.#rows.build({ type: "older", n }));
    /** @type {HTMLElement} */ (list.parentElement).scrollTop = list.scrollHeight;
  }
}
