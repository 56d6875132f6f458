// Plays the recorded past in the feed, from a chosen point and at a chosen pace, and searches it.

import { noFilter, readFilter } from "../feed/filter_query.js";
import { ticks } from "../lib/clock.js";
import { Deferred } from "../lib/deferred.js";
import { toDate } from "../lib/format.js";
import { isMessage } from "../stream/events.js";
import { lastTime, shortTime } from "../ui/timestamps.js";
import { keep } from "../ui/url_state.js";

/** @type {Deferred<typeof import("./history_reader.js")>} */
const reader = new Deferred("../history/history_reader.js");
const CLOCK = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/;
const POINT = /^(first|\d+[smhd]|[\d.:,-]+)$/;
const TICK = 100; // milliseconds
const BUDGET = 12; // milliseconds of work in a row

/** @typedef {import("../volume/scrubber.js").Scrubber} Scrubber */

export class Replay {
  #form;
  #parts;
  #feed;
  #filter;
  #words;
  /** @type {Name[]} */
  #names = [];
  #loadScrubber;
  /** @type {Scrubber | null} */
  #scrubber = null;
  #at = 0; // the time up to which the past is shown
  #isSearch = false; // the past shows the results of a search
  #run = new AbortController();
  /** @type {PastEvent[]} */
  #given = []; // events to show once there is a name

  // `compare` opens the late-join demo.
  /**
   * @param {ReplayElement} form
   * @param {import("../feed/feed.js").Feed} feed
   * @param {import("../feed/filter_bar.js").FilterBar} filter
   * @param {Words} words
   * @param {() => Promise<Scrubber>} loadScrubber
   * @param {() => Promise<void>} compare
   */
  constructor(form, feed, filter, words, loadScrubber, compare) {
    this.#form = form;
    this.#parts = form.elements;
    this.#feed = feed;
    this.#filter = filter;
    this.#words = words;
    this.#loadScrubber = loadScrubber;
    const { open, search, lanes, live } = this.#parts;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { value } = this.#parts.since;
      const since = this.#point(value.trim() || "first");
      if (since) this.#play(since);
      else {
        this.#run.abort(); // a run still under way would overwrite the sentence
        this.#complain({ message: this.#words.say("since_bad", { text: value }) });
      }
    });
    lanes.addEventListener("click", () => compare().catch((error) => this.#complain(error)));
    live.addEventListener("click", () => this.#leave());
    open.addEventListener("click", () => (form.hidden ? this.#open() : this.#leave()));
    search.addEventListener("click", () => this.#search());
    filter.addEventListener("change", () => {
      this.#offer();
      if (this.#isSearch) this.#search();
    });
    feed.addEventListener("draw", () => this.#count());
  }

  // Call with the recorded names and topics.
  /** @type {(names: Name[]) => void} */
  offer(names) {
    const isNew = JSON.stringify(names) !== JSON.stringify(this.#names);
    this.#names = names;
    this.#offer();
    if (!names.length) return this.#leave();
    if (this.#given.length) return this.show(this.#given);
    if (isNew && !this.#form.hidden) this.#showVolume().catch(() => {});
    if (isNew && this.#isSearch) this.#search();
  }

  // Shows events that were already read in place of the live feed.
  /** @type {(events: PastEvent[]) => void} */
  show(events) {
    this.#given = this.#names.length ? [] : events;
    if (this.#given.length) return;
    this.#isSearch = false;
    this.#open();
    this.#feed.startPast();
    this.#feed.addPast(events);
    this.#showTime(events[events.length - 1].at);
    this.#say("");
  }

  #offer() {
    const { open, search } = this.#parts;
    open.hidden = !this.#names.length;
    search.hidden = open.hidden || !this.#filter.query?.test;
  }

  async #open() {
    this.#run.abort();
    const { signal } = (this.#run = new AbortController());
    this.#show(true);
    try {
      const end = await this.#showVolume();
      if (signal.aborted) return; // left, moved or played in between
      if (end === null) this.#say(this.#words.say("past_none"));
      else if (end !== undefined && !this.#feed.isPast) this.#showTime(end);
    } catch (error) {
      if (!signal.aborted) this.#complain(/** @type {Error} */ (error));
    }
  }

  // Resolves to the end of the recording; null if there is none, undefined if the form was closed.
  async #showVolume() {
    const scrubber = await this.#loadScrubber();
    if (this.#form.hidden) return undefined;
    if (!this.#scrubber) {
      scrubber.addEventListener("scrub", ({ detail }) => {
        this.#run.abort();
        this.#showTime(detail);
      });
      scrubber.addEventListener("go", ({ detail }) => this.#play(String(detail)));
    }
    this.#scrubber = scrubber;
    const end = await scrubber.open(this.#names);
    if (this.#feed.isPast) scrubber.moveTo(this.#at);
    return end;
  }

  /** @type {(isOpen: boolean) => void} */
  #show(isOpen) {
    this.#form.hidden = !isOpen;
    this.#parts.open.ariaExpanded = String(isOpen);
  }

  #search() {
    if (this.#form.hidden) this.#open();
    this.#play(this.#point(this.#parts.since.value.trim()) || "first", readFilter(this.#filter.text));
  }

  #leave() {
    this.#run.abort();
    this.#isSearch = false;
    this.#say("");
    if (this.#feed.isPast) keep({ since: "" });
    this.#feed.endPast();
    if (this.#form.contains(document.activeElement)) this.#parts.open.focus();
    this.#show(false);
    this.#scrubber?.close();
  }

  // A point in the server's syntax, or empty. An id belongs to one log: for several names its time is used.
  /** @type {(text: string) => string} */
  #point(text) {
    const clock = text.match(CLOCK);
    if (clock) return String(lastTime(.../** @type {[string, string, string?]} */ (clock.slice(1))).getTime() / 1000);
    if (!POINT.test(text)) return "";
    return this.#names.length > 1 ? text.replace(/^(\d+)(\d{3})-\d+$/, "$1.$2") : text;
  }

  // With a query, shows only matches, as fast as possible.
  /** @type {(since: string, query?: Query | null) => Promise<void>} */
  async #play(since, query = null) {
    const { test, search, served } = query ?? noFilter();
    this.#isSearch = query !== null;
    this.#run.abort();
    const { signal } = (this.#run = new AbortController());
    if (search) this.#bind(search, signal);
    const counts = { n: 0, found: 0 };
    let said;
    try {
      const { past } = await reader.load();
      const events = past(this.#names, since, signal, served);
      let { value: next } = await events.next();
      if (!next) return this.#say(this.#words.say("past_none"));
      this.#feed.startPast();
      this.#say("");
      if (!query) keep({ since });
      let { at } = next;
      let before = ticks();
      while (next && !signal.aborted) {
        const now = ticks();
        const pace = (!query && parseInt(this.#parts.speed.value, 10)) || 0;
        const batch = [];
        if (!this.#feed.isPaused) {
          at += (pace * (now - before)) / 1000;
          while (next && (!pace || next.at <= at) && ticks() < now + BUDGET) {
            if (next.type === "searched") {
              counts.n += next.n;
              said = next.said;
            } else batch.push(next);
            if (!served && isMessage(next)) counts.n++;
            at = Math.max(at, next.at);
            next = (await events.next()).value;
          }
        }
        before = now;
        for (let rest = batch.filter(isMessage); search && rest.length; rest = rest.filter((event) => !search.knows(event))) {
          await search.learn(rest);
        }
        if (signal.aborted) return;
        const found = batch.filter((event) => served || !test || !isMessage(event) || test(event));
        counts.found += found.filter(isMessage).length;
        this.#feed.addPast(found);
        this.#showTime(at, query ? this.#words.say("searched", counts) : "");
        await new Promise((done) => setTimeout(done, pace || this.#feed.isPaused ? TICK : 0));
      }
      if (next) return;
      this.#showTime(at);
      this.#say(said ?? this.#words.say(query ? "searched" : "past_end", counts));
    } catch (error) {
      if (!signal.aborted) this.#complain(/** @type {Error} */ (error));
    } finally {
      search?.end();
    }
  }

  // The search ends with the run; if it fails, the run ends.
  /** @type {(search: NonNullable<Query["search"]>, signal: AbortSignal) => void} */
  #bind(search, signal) {
    signal.addEventListener("abort", () => search.end());
    search.onFail = (words) => {
      this.#run.abort();
      this.#complain({ message: this.#words.say(...words) });
    };
  }

  /** @type {(seconds: number, more?: string) => void} */
  #showTime(seconds, more = "") {
    this.#at = seconds;
    this.#scrubber?.moveTo(seconds);
    this.#form.querySelector("time").textContent = `${shortTime(toDate(seconds))} ${more}`;
  }

  // Shows the number of live messages stored since the past is shown.
  #count() {
    const { isPast, held } = this.#feed;
    const { live } = this.#parts;
    live.hidden = !isPast;
    this.#form.closest(".feed")?.toggleAttribute("data-past", isPast);
    /** @type {HTMLElement} */ (live.lastElementChild).textContent = held ? `(${this.#words.say("new", { n: held })})` : "";
  }

  // The message is the server's sentence, or empty if it did not answer.
  /** @type {(error: { message: string }) => void} */
  #complain({ message }) {
    this.#say(message || this.#words.say("no_channels"), true);
  }

  /** @type {(text: string, isProblem?: boolean) => void} */
  #say(text, isProblem = false) {
    this.#form.querySelector("p").textContent = text;
    this.#parts.since.ariaInvalid = String(isProblem);
  }
}
