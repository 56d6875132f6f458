// What is missing since when, and the gap it leaves in the feed. All times are the server's, in Unix seconds.

// What was on its way to us when the socket broke was published before what we last heard was sent.
const IN_FLIGHT = 1; // seconds

export class Outage {
  /** @type {{ what: string, since: number, reason: string } | null} */
  #current = null;
  /** @type {number | null} */
  #gapFrom = null;
  /** @type {number | null} */
  #redisLostAt = null;
  #isTold = false;

  get current() {
    return this.#current;
  }

  /** @type {(loss: { at: number, lastHeard: number, wasLive: boolean, reason: string }) => void} */
  serverLost({ at, lastHeard, wasLive, reason }) {
    const since = this.#current?.what === "redis" ? at : this.#current?.since ?? at;
    this.#current = { what: "server", since, reason: reason || this.#lastReason };
    if (wasLive) this.#gapFrom ??= this.#redisLostAt ?? lastHeard - IN_FLIGHT;
  }

  // It was lost after the last message that came, `lastAt`.
  /** @type {(event: Reconnecting, lastAt: number) => void} */
  redisLost({ from, detail }, lastAt) {
    this.#current = { what: "redis", since: Math.max(from, lastAt), reason: detail };
    this.#redisLostAt ??= from;
  }

  /** @type {(what: string, reason: string) => void} */
  explain(what, reason) {
    if (this.#current) this.#current = { ...this.#current, what, reason: reason || this.#lastReason };
  }

  // Nobody knows whether it will be over: what it leaves in the feed for now, once.
  /** @type {() => Gap[]} */
  lasts() {
    const from = this.#isTold ? null : this.#gapFrom;
    this.#isTold ||= from !== null;
    return from === null ? [] : [{ type: "gap", from, to: from, reason: "lasts" }];
  }

  // The server said why before it went; an attempt that fails after that says nothing new.
  get #lastReason() {
    return this.#current?.what === "server" ? this.#current.reason : "";
  }

  // Over, since Redis has confirmed `at`: the gap that the server cannot know of, since the feed's socket was
  // not there, or null. It never ends before it begins, though the clock were set back or another server's.
  /** @type {(at?: number | null) => Gap | null} */
  end(at) {
    const from = this.#gapFrom;
    const reason = this.#redisLostAt === null ? "server" : "redis"; // without the server there was no Redis either
    /** @type {Gap | null} */
    const gap = from === null ? null : { type: "gap", from, to: Math.max(from, at ?? from), reason };
    this.#current = this.#gapFrom = this.#redisLostAt = null;
    this.#isTold = false;
    return gap;
  }
}
