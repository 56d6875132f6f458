// Keeps one feed open for the selection and reports its state. Knows no DOM.
// Events: "state" (a FeedState), "events" (messages and gaps to show), "problem" (a sentence), and two that the server
// sends about a channel's log: "following", "acknowledged".

import { now } from "../lib/clock.js";
import { Emitter } from "../lib/emitter.js";
import { nameOf, writeQuery } from "./channel_names.js";
import { isMessage } from "./events.js";
import { Outage } from "./outage.js";
import { PatternMerge } from "./pattern_merge.js";
import { Socket } from "./socket.js";
import { StreamPositions } from "./stream_positions.js";
import { Subscriptions } from "./subscriptions.js";
import { attempt } from "./unreadable.js";

const BAD_REQUEST = 400;
const NOT_LOGGED_IN = 401;

export class Connection extends Emitter {
  #url;
  #socket;
  #subscriptions = new Subscriptions();
  #outage = new Outage();
  #joiner = new PatternMerge();
  /** @type {StreamPositions & PastOfTopics & { state?(refusals: Map<string, string>): Partial<FeedState> }} */
  positions = new StreamPositions();
  /** @type {(event: FeedEvent) => FeedEvent | null} */
  translate = (event) => event; // turns events of another source into ours; null if there is nothing more to do
  #since;
  /** @type {string | null} */
  #refusal = null;
  #status = 0; // HTTP status of a refusal
  #wasLive = false;
  #lastAt = 0; // time of the last message
  /** @type {number | null} */
  #confirmedAt = null; // time of the last confirmation by Redis
  /** @type {ShownEvent[] | null} */
  #held = []; // events received before listen(); then null
  #problem = ""; // the last, kept until listen()

  // `since`: from where recorded channels are shown on the first visit.
  // `heartbeat`: seconds between two heartbeats of the server.
  /** @param {URL} url @param {string | null} since @param {number} heartbeat */
  constructor(url, since, heartbeat) {
    super();
    this.#url = url;
    this.#socket = new Socket(() => this.#address(), heartbeat);
    this.#since = since;
    this.#on("open", () => this.#askChanges());
    this.#on("batch", (events) => this.#receiveBatch(events));
    this.#on("lost", (loss) => this.#lost(loss));
    this.#on("why", (why) => this.#explained(why));
  }

  // Actions

  // Call once the page is ready: emits the state and the events held so far, then all that follow.
  listen() {
    const held = this.#held ?? [];
    this.#held = null;
    if (this.#problem) this.#complain(this.#problem);
    this.#report();
    this.#show(held);
  }

  /** @type {(names: Name[]) => void} */
  select(names) {
    this.#subscriptions.want(names);
    this.positions.keep(names);
    if (this.#subscriptions.isEmpty) this.#rest();
    else if (this.#socket.isOpen) this.#askChanges();
    else if (!this.#socket.isAlive) this.#socket.open();
    this.#show(this.#settle());
    this.#report();
  }

  // Call when the network or the visitor is back: reconnects at once.
  wake() {
    if (!this.#subscriptions.isEmpty) this.#socket.wake();
  }

  // Socket

  /** @type {(type: string, listener: (detail: any) => void) => void} */
  #on(type, listener) {
    this.#socket.addEventListener(type, ({ detail }) => listener(detail));
  }

  #address() {
    const url = new URL(this.#url);
    this.#subscriptions.askAll();
    writeQuery(url.searchParams, this.#subscriptions.names);
    this.positions.write(url.searchParams, this.#subscriptions.names);
    if (this.#since) url.searchParams.set("since", this.#since);
    return url;
  }

  // Names chosen while the socket was still opening are not in its address.
  #askChanges() {
    const changes = this.#subscriptions.askChanges();
    if (changes) this.#socket.send(changes);
  }

  /** @type {(loss: { lastSent: number, reason: string, refused: boolean }) => void} */
  #lost({ lastSent, reason, refused }) {
    if (refused && this.#givesUpSince(reason)) return;
    this.#subscriptions.forget();
    this.#joiner.forget();
    this.#outage.serverLost({ at: now(), lastSent, wasLive: this.#wasLive, reason });
    this.#refusal = refused ? reason : null;
    this.#status = 0;
    this.#report();
  }

  /** @type {(why: { what: string, reason: string, refused: boolean, status: number }) => void} */
  #explained({ what, reason, refused, status }) {
    if (status === BAD_REQUEST && this.#givesUpSince(reason)) return;
    this.#outage.explain(what, reason, status);
    this.#refusal = refused ? this.#refusal ?? reason : null;
    this.#status = status;
    if (status === NOT_LOGGED_IN) this.#show(this.#outage.lasts());
    this.#report();
  }

  // A link's `since` may be invalid: then the feed opens without it.
  /** @type {(reason: string) => boolean} */
  #givesUpSince(reason) {
    if (!this.#since || this.#wasLive) return false;
    this.#since = null;
    this.#complain(reason);
    this.#socket.open();
    return true;
  }

  /** @type {(reason: string) => void} */
  #complain(reason) {
    this.#problem = reason;
    if (!this.#held) this.emit("problem", reason);
  }

  // An outage that is not over leaves its gap now: the server cannot report it any more.
  #rest() {
    this.#socket.close();
    const gap = this.#outage.end(now(), this.#wasLive);
    if (gap) this.#show([this.#dated(gap)]);
    this.#refusal = null;
    this.#wasLive = false;
  }

  // Events of the server

  /** @type {(events: FeedEvent[]) => void} */
  #receiveBatch(events) {
    this.#show(events.flatMap((event) => attempt(event, () => this.#receive(this.translate(event)), [])));
    this.#joiner.sent();
    if (!events.every(isMessage)) this.#report();
  }

  // Returns what the feed has to show for an event.
  /** @type {(event: FeedEvent | null) => ShownEvent[]} */
  #receive(event) {
    if (!event) return [];
    if (isMessage(event)) {
      if (!event.past) this.#lastAt = event.at;
      if (event.shard !== undefined) event.channel = event.shard;
      this.positions.take(event);
      return this.#joiner.take(event);
    }
    if (event.type === "acknowledged") {
      this.emit("acknowledged", event);
      return [];
    }
    this.#joiner.forget();
    switch (event.type) {
      case "gap": return [event.reason === "redis" ? this.#dated(event) : event];
      case "following": this.#followed(event); return [];
      case "stopped": this.positions.stop(event); return [];
      case "unrecorded": this.positions.end(event); return [];
      case "subscribe": case "psubscribe": case "ssubscribe": return this.#confirmed(event);
      case "unsubscribe": case "punsubscribe": case "sunsubscribe": this.#subscriptions.withdraw(/** @type {Name} */ (nameOf(event))); return [];
      case "reconnecting": this.#redisLost(event); return [];
      case "refused": return this.#refused(event);
      case "error": this.#complain(event.error); return [];
      default: console.warn("Unknown event", event); return [];
    }
  }

  /** @type {(event: Following) => void} */
  #followed(event) {
    this.positions.begin(event);
    this.emit("following", event);
  }

  /** @type {(event: Confirmation) => ShownEvent[]} */
  #confirmed(event) {
    this.#refusal = null;
    this.#confirmedAt = event.at;
    this.#subscriptions.confirm(/** @type {Name} */ (nameOf(event)));
    return this.#settle();
  }

  /** @type {(event: Refused) => ShownEvent[]} */
  #refused(event) {
    const name = nameOf(event);
    if (name) this.#subscriptions.refuse(name, event.error);
    else this.#refusal = event.error;
    return this.#settle();
  }

  /** @type {(event: Reconnecting) => void} */
  #redisLost(event) {
    this.#subscriptions.forget(true);
    this.#refusal = null;
    this.#outage.redisLost(event, this.#lastAt);
  }

  // Once all names are confirmed the outage is over; it may leave a gap.
  /** @type {() => ShownEvent[]} */
  #settle() {
    if (this.#state.name !== "live") return [];
    this.#wasLive = true;
    const gap = this.#outage.end(this.#confirmedAt);
    return gap && !this.positions.covers(this.#subscriptions.names) ? [this.#dated(gap)] : [];
  }

  // A gap may begin before the last message received, but the connection was lost after it.
  /** @type {(gap: Gap) => Gap} */
  #dated(gap) {
    return { ...gap, lost: Math.max(gap.from, Math.min(this.#lastAt, gap.to)) };
  }

  // Reporting

  get #state() {
    const subscriptions = this.#subscriptions;
    if (subscriptions.isEmpty) return { name: "idle" };
    if (this.#refusal !== null) return { name: "refused", reason: this.#refusal, status: this.#status };
    if (subscriptions.isLive) return { name: "live" };
    if (subscriptions.isRefused) return { name: "refused", reason: [...subscriptions.refusals.values()][0] };
    if (this.#outage.current) return { name: "reconnecting", ...this.#outage.current };
    return { name: "connecting" };
  }

  #report() {
    const { confirmed, refusals } = this.#subscriptions;
    const { keys: recorded, stopped } = this.positions;
    this.emit("state", { ...this.#state, confirmed, refusals, recorded, stopped, ...this.positions.state?.(refusals) });
  }

  /** @type {(events: ShownEvent[]) => void} */
  #show(events) {
    if (this.#held) this.#held.push(...events);
    else if (events.length) this.emit("events", events);
  }
}
