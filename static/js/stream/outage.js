// One outage: what is unreachable, since when, and the gap it leaves. Times are the server's, in Unix seconds.

// Messages lost in flight may have been published before the last frame was sent.
const IN_FLIGHT = 1; // seconds

export class Outage {
  /** @type {{ what: string, since: number, reason: string, status?: number } | null} status: of the answer over HTTP that gave the reason */
  #current = null;
  /** @type {number | null} */
  #gapFrom = null;
  /** @type {number | null} */
  #redisLostAt = null;
  #isShown = false;

  get current() {
    return this.#current;
  }

  /** @type {(loss: { at: number, lastSent: number, wasLive: boolean, reason: string }) => void} */
  serverLost({ at, lastSent, wasLive, reason }) {
    const since = this.#current?.what === "redis" ? at : this.#current?.since ?? at;
    this.#current = { ...this.#current, what: "server", since, reason: reason || this.#lastReason };
    if (wasLive) this.#gapFrom ??= this.#redisLostAt ?? lastSent - IN_FLIGHT;
  }

  // Redis was lost after the last message received, at `lastAt`.
  /** @type {(event: Reconnecting, lastAt: number) => void} */
  redisLost({ from, detail }, lastAt) {
    this.#current = { what: "redis", since: Math.max(from, lastAt), reason: detail };
    this.#redisLostAt ??= from;
  }

  /** @type {(what: string, reason: string, status: number) => void} */
  explain(what, reason, status) {
    if (this.#current) this.#current = { ...this.#current, what, reason: reason || this.#lastReason, status: reason ? status : 0 };
  }

  // The outage may never end: a gap without an end, returned once.
  /** @type {() => Gap[]} */
  lasts() {
    const from = this.#isShown ? null : this.#gapFrom;
    this.#isShown ||= from !== null;
    return from === null ? [] : [{ type: "gap", from, to: from, reason: "lasts" }];
  }

  // The reason that the server gave when it closed; failed attempts add none.
  get #lastReason() {
    return this.#current?.what === "server" ? this.#current.reason : "";
  }

  // Ends the outage; Redis confirmed at `at`. Returns the gap that the server cannot know of, since the socket was
  // closed, or null. With `wasLive` the page closes it now, so that the server cannot report an outage of Redis either.
  // A gap never ends before it begins, even if the clock was set back or is another server's.
  /** @type {(at: number | null, wasLive?: boolean) => Gap | null} */
  end(at, wasLive) {
    const from = this.#gapFrom ?? (wasLive ? this.#redisLostAt : null);
    const reason = this.#redisLostAt === null ? "server" : "redis"; // an outage of Redis includes one of the server
    /** @type {Gap | null} */
    const gap = from === null ? null : { type: "gap", from, to: Math.max(from, at ?? from), reason };
    this.#current = this.#gapFrom = this.#redisLostAt = null;
    this.#isShown = false;
    return gap;
  }
}
