// Reads the recorded past: a log page by page, several channels in the order of time. Knows no DOM.

import { isMessage } from "../stream/events.js";

const PAGE = 2_000; // messages asked for at a time
const WEIGHT = 1_000_000; // characters, after which what is left of a page is asked for again

// The messages and gaps from `since` until the logs end.
/** @type {(channels: string[], since: string, signal: AbortSignal) => AsyncGenerator<PastEvent, undefined>} */
export async function* past(channels, since, signal) {
  const logs = channels.map((name) => read(name, since, signal));
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

// Gaps behind a page's last message come again with the next page, which begins there.
/** @type {(channel: string, since: string | undefined, signal: AbortSignal) => AsyncGenerator<PastEvent, undefined>} */
async function* read(channel, since, signal) {
  while (since) {
    const lines = await readPage(channel, since, PAGE, signal);
    const last = lines.findLastIndex(isMessage);
    yield* last < 0 ? lines : lines.slice(0, last + 1);
    since = lines.filter(isMessage).at(-1)?.id;
  }
}

// Throws an Error with the server's sentence, or without one where it did not answer.
/** @type {(channel: string, since: string, limit: number, signal?: AbortSignal) => Promise<PastEvent[]>} */
export async function readPage(channel, since, limit, signal) {
  const url = `channels/messages?${new URLSearchParams({ channel, since, limit: String(limit) })}`;
  const asked = fetch(new URL(url, document.baseURI), { headers: { Accept: "application/json" }, signal });
  const text = await asked.then(readLines).catch(() => '{"error":""}');
  const lines = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const failed = lines.find(({ error }) => error !== undefined);
  if (failed) throw new Error(failed.error);
  return lines.map((line) => ({ type: "message", patterns: [], past: true, at: line.to, ...line }));
}

/** @type {(answer: Response) => Promise<string>} */
async function readLines({ body }) {
  const reader = /** @type {NonNullable<typeof body>} */ (body).pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let part; text.lastIndexOf("\n") < WEIGHT && (part = (await reader.read()).value); ) text += part;
  reader.cancel();
  return text.slice(0, text.lastIndexOf("\n") + 1) || text;
}
