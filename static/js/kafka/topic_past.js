// Reads what a topic keeps, or has the server search it: a page at a time, and of a search so many messages until
// somebody lets it go on. Says how far it is where it can be stopped.

import { ask, past } from "../history/history_reader.js";
import { toDate } from "../lib/format.js";
import { config, selection } from "../stream/boot.js";
import { looksLikePattern } from "../stream/channel_names.js";
import { Words } from "../ui/i18n.js";
import { shortTime } from "../ui/timestamps.js";
import { toGap, toMessage } from "./kafka_record.js";
import { pastOf } from "./topic_names.js";

const PAGE = 2_000; // messages asked for at a time
const MOST = 200_000; // messages of one search
const ALL = " "; // a filter that everything passes

/** @typedef {{ topic: string, n: number, of: number, at: number, isStopped: boolean }} Search how many of at most how many, up to when */

const words = new Words(config.words, document.documentElement.lang);
const form = /** @type {HTMLFormElement & { elements: { since: HTMLInputElement, stop: HTMLButtonElement } }} */ (document.getElementById("replay"));
/** @type {Set<Search>} */
const searches = new Set();

form.elements.stop.addEventListener("click", () => searches.forEach((search) => (search.isStopped = true)));

// The messages and gaps from `since` on; with a filter what passes, and how many were searched.
/** @type {(name: string, since: string, signal: AbortSignal, filter?: string) => AsyncGenerator<PastEvent | Searched, undefined>} */
export async function* readTopic(name, since, signal, filter) {
  if (looksLikePattern(name)) return yield* past(pastOf(name).map((name) => ({ kind: "topic", name })), since, signal, filter);
  const [topic, partition] = name.split(":");
  if (partition === undefined || pastOf(name).length) yield* readOne({ topic, partition }, since, signal, filter);
}

/** @type {(place: { topic: string, partition?: string }, since: string, signal: AbortSignal, filter?: string) => AsyncGenerator<PastEvent | Searched, undefined>} */
async function* readOne({ topic, partition }, since, signal, filter) {
  const search = { topic, n: 0, of: 0, at: 0, isStopped: false };
  if (filter) begin(search, signal);
  for (let next = since; next && !signal.aborted; ) {
    const { events, searched: n, at = 0, left = 0, more } = await readPage(topic, { since: next, filter: filter || ALL, ...(partition && { partition }) }, signal);
    yield* events;
    search.n += n;
    search.of = search.n + left;
    search.at = Math.max(search.at, at);
    next = more;
    const isOver = Boolean(more) && (search.isStopped || search.n >= MOST);
    if (isOver) next = "";
    if (filter) tell();
    if (filter && n) yield { type: "searched", n, at, said: isOver ? leaveOff(search, more) : undefined };
  }
  end(search);
}

/** @type {(topic: string, query: Record<string, string>, signal: AbortSignal) => Promise<any>} */
async function readPage(topic, query, signal) {
  const lines = await ask({ ...query, limit: String(PAGE) }, Infinity, signal, pathOf(topic));
  const told = lines.pop();
  if (told?.searched === undefined) throw new Error("");
  return { ...told, events: toEvents(lines) };
}

/** @type {(topic: string) => string} */
export function pathOf(topic) {
  return `topics/${encodeURIComponent(topic)}/messages`;
}

// What has no time of its own has that of its neighbours.
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

/** @type {(search: Search, signal: AbortSignal) => void} */
function begin(search, signal) {
  searches.add(search);
  signal.addEventListener("abort", () => end(search));
}

/** @type {(search: Search) => void} */
function end(search) {
  searches.delete(search);
  form.elements.stop.hidden = !searches.size;
}

function tell() {
  const { stop } = form.elements;
  const [n, of] = [...searches].reduce(([n, of], one) => [n + one.n, of + one.of], [0, 0]);
  stop.hidden = !searches.size;
  stop.textContent = words.say("search_stop", { n, of });
}

// The next search begins where this one has ended: an offset is that of one topic, a time that of several names.
/** @type {(search: Search, more: string) => string} */
function leaveOff({ topic, n, of, at }, more) {
  form.elements.since.value = selection.names.length > 1 || looksLikePattern(selection.names[0].name) ? String(at) : more;
  return words.say("search_part", { topic, n, of, time: shortTime(toDate(at)) });
}
