// Reads a topic's past, or lets the server search it: page by page. A search ends after MOST messages and can be
// continued; its progress is on the button that stops it.

import { ask, past } from "../history/history_reader.js";
import { toDate } from "../lib/format.js";
import { config, selection } from "../stream/boot.js";
import { looksLikePattern } from "../stream/channel_names.js";
import { Words } from "../ui/i18n.js";
import { shortTime } from "../ui/timestamps.js";
import { toGap, toMessage } from "./kafka_record.js";
import { pastOf } from "./topic_names.js";

const PAGE = 2_000; // messages in one request
const MOST = 200_000; // messages of one search
const ALL = " "; // a filter that every message passes

/** @typedef {{ topic: string, name: string, n: number, of: number, at: number, stop: AbortController, run: AbortSignal }} Search n: searched, of at most `of`, up to the time `at` */

const words = new Words(config.words, document.documentElement.lang);
const form = /** @type {HTMLFormElement & { elements: { since: HTMLInputElement, stop: HTMLButtonElement } }} */ (document.getElementById("replay"));
/** @type {Set<Search>} */
const searches = new Set();

/** @type {{ run?: AbortSignal, since?: string, times: number[], places: Map<string, string> }} */
let left = { times: [], places: new Map() }; // where the last search stopped, by topic; `since` is the form's text for it

form.elements.stop.addEventListener("click", () => searches.forEach(({ stop }) => stop.abort()));

// The messages and gaps from `since` on; with a filter, matches and the numbers searched.
/** @type {(name: string, since: string, signal: AbortSignal, filter?: string) => AsyncGenerator<PastEvent | Searched, undefined>} */
export async function* readTopic(name, since, signal, filter) {
  if (looksLikePattern(name)) return yield* past(pastOf(name).map((name) => ({ kind: "topic", name })), since, signal, filter);
  const [topic, partition] = name.split(":");
  if (partition === undefined || pastOf(name).length) yield* readOne({ topic, partition }, since, signal, filter);
}

/** @type {(place: { topic: string, partition?: string }, since: string, signal: AbortSignal, filter?: string) => AsyncGenerator<PastEvent | Searched, undefined>} */
async function* readOne({ topic, partition }, since, signal, filter) {
  const stop = new AbortController();
  const search = { topic, name: `${topic}:${partition}`, n: 0, of: 0, at: 0, stop, run: signal };
  if (filter) begin(search);
  const until = AbortSignal.any([signal, stop.signal]);
  for (let next = filter ? goOn(search, since) : since; next && !signal.aborted; ) {
    const query = { since: next, filter: filter || ALL, ...(partition && { partition }) };
    const { events, searched: n, at = search.at, left = search.of - search.n, more } = await readPage(topic, query, until).catch((error) => {
      if (!stop.signal.aborted) throw error;
      return { events: [], searched: 0, more: next }; // nothing is known about the page that was being read
    });
    yield* events;
    search.n += n;
    search.of = search.n + (more ? left : 0);
    search.at = Math.max(search.at, at);
    next = more;
    const isOver = Boolean(more) && (stop.signal.aborted || search.n >= MOST);
    if (isOver) next = "";
    if (filter) showProgress();
    if (filter && (n || isOver)) yield { type: "searched", n, at, said: isOver ? leaveOff(search, more) : undefined };
  }
  end(search);
}

/** @type {(topic: string, query: Record<string, string>, signal: AbortSignal) => Promise<any>} */
async function readPage(topic, query, signal) {
  const lines = await ask({ ...query, limit: String(PAGE) }, Infinity, signal, pathOf(topic));
  const result = lines.pop();
  if (result?.searched === undefined) throw new Error("");
  return { ...result, events: toEvents(lines) };
}

/** @type {(topic: string) => string} */
export function pathOf(topic) {
  return `topics/${encodeURIComponent(topic)}/messages`;
}

// A line without a time gets that of its neighbours.
/** @type {(lines: any[]) => PastEvent[]} */
export function toEvents(lines) {
  let at = lines.find((line) => line.at !== undefined)?.at ?? 0;
  return lines.map((line) => {
    if (line.type === "gap") return { ...toGap(line), from: at, to: at, at };
    at = line.at ?? at;
    return /** @type {PastEvent} */ (toMessage({ past: true, time: line.at, ...line, at }));
  });
}

// A search

/** @type {(search: Search) => void} */
function begin(search) {
  searches.add(search);
  search.run.addEventListener("abort", () => end(search));
}

// With several names the form has only a time, but each topic continues from its own place.
/** @type {(search: Search, since: string) => string} */
function goOn({ name, run }, since) {
  return since === left.since && run !== left.run ? left.places.get(name) ?? since : since;
}

/** @type {(search: Search) => void} */
function end(search) {
  searches.delete(search);
  form.elements.stop.hidden = !searches.size;
}

function showProgress() {
  const { stop } = form.elements;
  const [n, of] = [...searches].reduce(([n, of], one) => [n + one.n, of + one.of], [0, 0]);
  stop.hidden = !searches.size;
  stop.textContent = words.say("search_stop", { n, of });
}

// The next search begins where this one has ended: at an offset of one topic, or for several names at the earliest
// time.
/** @type {(search: Search, more: string) => string} */
function leaveOff({ topic, name, n, of, at, run }, more) {
  if (left.run !== run) left = { run, times: [], places: new Map() };
  left.places.set(name, more);
  if (at) left.times.push(at);
  const { since } = form.elements;
  const isOne = selection.names.length === 1 && !looksLikePattern(selection.names[0].name);
  if (isOne || left.times.length) since.value = isOne ? more : String(Math.min(...left.times));
  left.since = since.value;
  return words.say("search_part", { topic, n, of, time: shortTime(toDate(at)) });
}
