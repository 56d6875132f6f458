// Reads the recorded past, or lets the server search it: a log page by page, several channels in order of time.
// Knows no DOM.

import { connection } from "../stream/boot.js";
import { isMessage } from "../stream/events.js";

const PAGE = 2_000; // messages in one request
const WEIGHT = 1_000_000; // characters, after which the rest of a page is requested again

// The messages and gaps from `since` to the end of the logs; with a filter, matches and the numbers searched.
/** @type {(names: Name[], since: string, signal: AbortSignal, filter?: string) => AsyncGenerator<PastEvent | Searched, undefined>} */
export async function* past(names, since, signal, filter) {
  const { readTopic = read } = connection.positions;
  const logs = names.map(({ kind, name }) => (kind === "topic" ? readTopic : filter ? find : read)(name, since, signal, filter));
  const heads = await Promise.all(logs.map((log) => log.next()));
  for (;;) {
    const times = heads.map(({ value }) => value?.at ?? Infinity);
    const first = times.indexOf(Math.min(...times));
    const event = heads[first]?.value;
    if (!event) return;
    yield event;
    heads[first] = await logs[first].next();
  }
}

// Gaps after a page's last message are dropped: the next page begins there and has them again.
/** @type {(channel: string, since: string | undefined, signal: AbortSignal) => AsyncGenerator<PastEvent, undefined>} */
async function* read(channel, since, signal) {
  while (since) {
    const lines = await readPage(channel, since, PAGE, signal);
    const last = lines.findLastIndex(isMessage);
    yield* last < 0 ? lines : lines.slice(0, last + 1);
    since = lines.filter(isMessage).at(-1)?.id;
  }
}

/** @type {(channel: string, since: string, signal: AbortSignal, filter?: string) => AsyncGenerator<PastEvent | Searched, undefined>} */
async function* find(channel, since, signal, filter = "") {
  while (since) {
    const lines = await ask({ channel, since, filter, limit: String(PAGE) }, Infinity, signal);
    const { searched: n, at, more } = lines.pop() ?? {};
    if (n === undefined) throw new Error("");
    yield* lines.map(toEvent);
    if (n) yield { type: "searched", n, at };
    since = more;
  }
}

/** @type {(channel: string, since: string, limit: number, signal?: AbortSignal) => Promise<PastEvent[]>} */
export async function readPage(channel, since, limit, signal) {
  return (await ask({ channel, since, limit: String(limit) }, WEIGHT, signal)).map(toEvent);
}

// A message by its id, and `events`: up to `many` before it, itself, and up to `many` after it. Null if the log does not
// have it. Throws as readPage does.
/** @type {(channel: string, id: string, many: number) => Promise<{ event: Message, events: PastEvent[] } | null>} */
export async function readAround(channel, id, many) {
  const before = (await ask({ channel, since: String(many + 1), until: id }, Infinity)).map(toEvent);
  const event = before.filter(isMessage).at(-1);
  return event?.id === id ? { event, events: before.concat(await readPage(channel, id, many)) } : null;
}

/** @type {(line: any) => PastEvent} */
function toEvent(line) {
  return { type: "message", patterns: [], past: true, at: line.to, ...line };
}

// Throws an Error with the server's sentence, or an empty one if it did not answer.
/** @type {(query: Record<string, string>, weight: number, signal?: AbortSignal, path?: string) => Promise<any[]>} */
export async function ask(query, weight, signal, path = "channels/messages") {
  const url = `${path}?${new URLSearchParams(query)}`;
  const asked = fetch(new URL(url, document.baseURI), { headers: { Accept: "application/json" }, signal });
  const text = await asked.then((answer) => readLines(answer, weight)).catch(() => '{"error":""}');
  const lines = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const failed = lines.find(({ error }) => error !== undefined);
  if (failed) throw new Error(failed.error);
  return lines;
}

/** @type {(answer: Response, weight: number) => Promise<string>} */
async function readLines({ body }, weight) {
  const reader = /** @type {NonNullable<typeof body>} */ (body).pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let part; text.lastIndexOf("\n") < weight && (part = (await reader.read()).value); ) text += part;
  reader.cancel();
  return text.slice(0, text.lastIndexOf("\n") + 1) || text;
}
