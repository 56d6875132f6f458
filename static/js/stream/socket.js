// Keeps one WebSocket open: reconnects with jitter, detects silence, asks why it was refused. Knows no DOM.
// Events: "open", "batch" (parsed frame), "lost" ({lastSent, reason, refused}), "why" ({what, reason, refused, status}).

import { now, setServerTime, Stopwatch } from "../lib/clock.js";
import { Emitter } from "../lib/emitter.js";
import { retryDelay, whyNot } from "./backoff.js";
import { split } from "./feed_address.js";

const HEALTHY_AFTER = 10; // seconds
const LATE = 25; // seconds that a heartbeat may be late
const WATCH_INTERVAL = 5_000; // milliseconds
const REFUSED_DELAY = 30_000; // milliseconds
const ATTEMPTS_BEFORE_BLAMING_A_PROXY = 3;
const POLICY_VIOLATION = 1008;

export class Socket extends Emitter {
  #address;
  #silenceLimit;
  /** @type {URL | null} */
  #url = null;
  /** @type {object | null} */
  #first = null;
  /** @type {WebSocket | null} */
  #socket = null;
  #life = new AbortController();
  /** @type {number | undefined} */
  #timer;
  #attempt = 0;
  /** @type {Stopwatch | null} */
  #opened = null;
  #silence = new Stopwatch();
  /** @type {number | null} */
  #sentAt = null;

  // `address` is called at every attempt, since the selection may have changed.
  // `heartbeat`: seconds between two heartbeats of the server.
  /** @param {() => URL} address @param {number} heartbeat */
  constructor(address, heartbeat) {
    super();
    this.#address = address;
    this.#silenceLimit = heartbeat + LATE;
    setInterval(() => this.#watch(), WATCH_INTERVAL);
  }

  get isAlive() {
    return this.#socket !== null;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  open() {
    this.close();
    this.#life = new AbortController();
    ({ url: this.#url, first: this.#first } = split(this.#address()));
    this.#silence = new Stopwatch();
    this.#socket = new WebSocket(withScheme(this.#url, "ws"));
    this.#on("open", () => this.#begin());
    this.#on("message", ({ data }) => this.#receive(data));
    this.#on("close", (event) => this.#closed(event));
  }

  close() {
    clearTimeout(this.#timer);
    this.#life.abort();
    this.#socket?.close();
    this.#socket = this.#opened = null;
  }

  /** @type {(message: object) => void} */
  send(message) {
    this.#socket?.send(JSON.stringify(message));
  }

  // After a sleep the socket may be dead although the browser shows it as open.
  wake() {
    this.#watch();
    if (!this.isAlive) this.open();
  }

  /** @type {(type: string, listener: (event: any) => void) => void} */
  #on(type, listener) {
    this.#socket?.addEventListener(type, listener, { signal: this.#life.signal });
  }

  #begin() {
    this.#opened = this.#silence = new Stopwatch();
    if (this.#first) this.send(this.#first);
    this.emit("open");
  }

  // A frame may have waited in a frozen page or on a slow line, and the server may be gone since: the time at which
  // it was sent counts, and events of the past do not.
  /** @type {(data: string) => void} */
  #receive(data) {
    this.#silence = new Stopwatch();
    /** @type {(FeedEvent & { at?: number, past?: boolean })[]} */
    const events = JSON.parse(data);
    const at = events.findLast(({ at, past }) => at !== undefined && !past)?.at;
    if (at !== undefined) setServerTime((this.#sentAt = at));
    if (events.at(-1)?.type !== "heartbeat") this.emit("batch", events);
  }

  /** @type {(event: CloseEvent) => void} */
  #closed({ code, reason }) {
    const neverOpened = this.#opened === null;
    const isRefused = code === POLICY_VIOLATION;
    this.#lose(reason, isRefused);
    if (neverOpened || isRefused) this.#askWhy(isRefused);
  }

  #watch() {
    if (this.isAlive && this.#silence.seconds > this.#silenceLimit) this.#lose("", false);
  }

  /** @type {(reason: string, refused: boolean) => void} */
  #lose(reason, refused) {
    if (this.#opened && this.#opened.seconds > HEALTHY_AFTER) this.#attempt = 0;
    this.close();
    this.#retry(refused);
    this.emit("lost", { lastSent: this.#sentAt ?? now(), reason, refused });
  }

  /** @type {(refused: boolean) => void} */
  #retry(refused) {
    clearTimeout(this.#timer);
    const delay = refused ? REFUSED_DELAY : retryDelay(this.#attempt++);
    this.#timer = setTimeout(() => this.open(), delay);
  }

  // The next attempt aborts the request. After a refusal, only another refusal is reported.
  /** @type {(isRefused: boolean) => Promise<void>} */
  async #askWhy(isRefused) {
    this.#life = new AbortController();
    const { signal } = this.#life;
    const { answers, refused, reason, status } = await whyNot(withScheme(/** @type {URL} */ (this.#url), "http"), signal);
    if (signal.aborted || (isRefused && !refused)) return;
    const blocked = answers && this.#attempt >= ATTEMPTS_BEFORE_BLAMING_A_PROXY;
    if (refused) this.#retry(refused);
    this.emit("why", { what: blocked ? "proxy" : "server", reason, refused, status });
  }
}

/** @type {(address: URL, scheme: string) => URL} */
function withScheme(address, scheme) {
  const url = new URL(address);
  url.protocol = url.protocol.replace(/^http/, scheme);
  return url;
}
