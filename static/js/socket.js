// Keeps one WebSocket open: tries again with jitter, notices silence, finds out why not. Knows no DOM.
// Events: "open", "batch" (parsed frame), "lost" ({lastHeard, reason, refused}), "why" ({what, reason, refused}).

import { retryDelay, whyNot } from "./retry.js";

const HEALTHY_AFTER = 10_000; // milliseconds
const SILENCE_LIMIT = 45_000; // milliseconds; the server's heartbeat comes every 20 seconds
const WATCH_INTERVAL = 5_000; // milliseconds
const REFUSED_DELAY = 30_000; // milliseconds
const ATTEMPTS_BEFORE_BLAMING_A_PROXY = 3;
const POLICY_VIOLATION = 1008;

export class Socket extends EventTarget {
  #address;
  #url = null;
  #socket = null;
  #life = new AbortController();
  #timer = null;
  #attempt = 0;
  #openedAt = null;
  #lastHeard = 0;
  #freshUntil = 0;
  #shortestWay = Infinity;

  // `address` is asked at every attempt, since the selection may have changed.
  constructor(address) {
    super();
    this.#address = address;
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
    this.#url = this.#address();
    this.#lastHeard = Date.now();
    this.#socket = new WebSocket(withScheme(this.#url, "ws"));
    this.#on("open", () => this.#opened());
    this.#on("message", ({ data }) => this.#heard(data));
    this.#on("close", (event) => this.#closed(event));
  }

  close() {
    clearTimeout(this.#timer);
    this.#life.abort();
    this.#socket?.close();
    this.#socket = this.#openedAt = null;
  }

  send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  // A laptop that slept holds a socket that is dead without knowing it.
  wake() {
    this.#watch();
    if (!this.isAlive) this.open();
  }

  #on(type, listener) {
    this.#socket.addEventListener(type, listener, { signal: this.#life.signal });
  }

  #opened() {
    this.#openedAt = this.#lastHeard = this.#freshUntil = Date.now();
    this.#shortestWay = Infinity; // one of the two clocks may have been set since
    this.#emit("open");
  }

  #heard(data) {
    this.#lastHeard = Date.now();
    const events = JSON.parse(data);
    const { type, at } = events.at(-1);
    if (at !== undefined) this.#age(at);
    if (type !== "heartbeat") this.#emit("batch", events);
  }

  // What is heard may have waited long, in a page that was frozen or on a slow line, and the
  // server may be gone since. Its time says how long: by more than the quickest one took.
  #age(at) {
    const way = this.#lastHeard - at * 1000;
    this.#shortestWay = Math.min(this.#shortestWay, way);
    this.#freshUntil = at * 1000 + this.#shortestWay;
  }

  #closed({ code, reason }) {
    const neverOpened = this.#openedAt === null;
    this.#lose(reason, code === POLICY_VIOLATION);
    if (neverOpened) this.#askWhy();
  }

  #watch() {
    if (this.isAlive && Date.now() - this.#lastHeard > SILENCE_LIMIT) this.#lose("", false);
  }

  #lose(reason, refused) {
    if (this.#openedAt && Date.now() - this.#openedAt > HEALTHY_AFTER) this.#attempt = 0;
    this.close();
    this.#retry(refused);
    this.#emit("lost", { lastHeard: this.#freshUntil / 1000, reason, refused });
  }

  #retry(refused) {
    clearTimeout(this.#timer);
    const delay = refused ? REFUSED_DELAY : retryDelay(this.#attempt++);
    this.#timer = setTimeout(() => this.open(), delay);
  }

  // A retry that comes first ends the question.
  async #askWhy() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    const { answers, refused, reason } = await whyNot(withScheme(this.#url, "http"), signal);
    if (signal.aborted) return;
    const blocked = answers && this.#attempt >= ATTEMPTS_BEFORE_BLAMING_A_PROXY;
    if (refused) this.#retry(refused);
    this.#emit("why", { what: blocked ? "proxy" : "server", reason, refused });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function withScheme(address, scheme) {
  const url = new URL(address);
  url.protocol = url.protocol.replace(/^http/, scheme);
  return url;
}
