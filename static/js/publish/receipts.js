// Shows the receivers of a message at its row, if this page has published it.

import { now } from "../lib/clock.js";
import { channelKind } from "../stream/channel_names.js";
import { isMessage } from "../stream/events.js";

const NEWEST = 500; // events in which the message is looked for
const SPAN = 10; // seconds to wait for it

/** @typedef {Draft & { receivers: number, tabs?: number | null, isAtLeast?: boolean }} Sent */

// Looks only after the event `before`: an equal message before it is another one.
/** @type {(sent: Sent, before: any, feed: import("../feed/feed.js").Feed, rows: Rows, list: HTMLElement) => void} */
export function showReceipt({ kind, channel, message, receivers }, before, feed, rows, list) {
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
    if (row) rows.showReceivers(row);
  };
  feed.addEventListener("draw", look);
  look();
}
