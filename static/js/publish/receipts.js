// Says at the row of a message that this page has published how many received it.

import { now } from "../lib/clock.js";
import { channelKind } from "../stream/channel_names.js";
import { isMessage } from "../stream/events.js";

const NEWEST = 500; // events, among which it is
const SPAN = 10; // seconds, in which it comes

/** @typedef {Draft & { receivers: number, tabs?: number | null, isAtLeast?: boolean }} Sent */

// It comes after `before`: what is the same and was there already is another one.
/** @type {(sent: Sent, before: any, feed: import("../feed/feed.js").Feed, rows: Rows, list: HTMLElement) => void} */
export function tellReceipt({ kind, channel, message, receivers }, before, feed, rows, list) {
  const end = now() + SPAN;
  const look = () => {
    const newest = feed.live.slice(-NEWEST);
    const event = /** @type {Message | undefined} */ (newest.slice(newest.indexOf(before) + 1).findLast((other) =>
      isMessage(other) && channelKind(other.type) === kind && other.channel === channel && other.data === message && other.receivers === undefined && other.at > end - 2 * SPAN));
    if (!event && now() < end) return;
    feed.removeEventListener("draw", look);
    if (!event) return;
    event.receivers = receivers;
    const row = /** @type {HTMLElement[]} */ ([...list.querySelectorAll(".row")]).findLast((other) => rows.eventOf(other) === event);
    if (row) rows.tellReceivers(row);
  };
  feed.addEventListener("draw", look);
  look();
}
