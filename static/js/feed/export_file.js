// Messages -> a file's text, in slices that keep the page responsive.

import { ticks } from "../lib/clock.js";
import { toDate } from "../lib/format.js";
import { channelKind, KINDS } from "../stream/channel_names.js";
import { attempt } from "../stream/unreadable.js";

const PIECE = 200; // messages between two checks of the clock
const BUDGET = 12; // milliseconds of work in a row
const COLUMNS = ["time", "channel", "patterns", "encoding", "data", "channel_base64", "truncated", "size", ...KINDS.slice(2), ...(KINDS[3] ? ["partition", "offset", "key", "key_base64"] : [])];
const BYTE_ORDER_MARK = "\uFEFF"; // without it spreadsheets guess the encoding

/**
 * @typedef {Pick<Message, "at" | "channel" | "data"> & Partial<Message>} Written
 * @typedef {{ type: string, row: (event: Written) => string, begin?: string, between?: string, end?: string }} Format
 */

/** @type {Record<string, Format>} */
export const FORMATS = {
  ndjson: { type: "application/x-ndjson", row: (event) => `${JSON.stringify(record(event))}\n` },
  csv: { type: "text/csv", begin: `${BYTE_ORDER_MARK}${COLUMNS}\r\n`, row: csvRow },
  json: { type: "application/json", begin: "[\n", row: (event) => JSON.stringify(record(event)), between: ",\n", end: "\n]\n" },
  txt: { type: "text/plain", row: textRow },
};

// A Blob of all messages; `onProgress` is called with the number done.
/** @type {(events: Message[], format: Format, onProgress: (done: number) => void) => Promise<Blob>} */
export async function write(events, { type, begin = "", row, between = "", end = "" }, onProgress) {
  /** @type {BlobPart[]} */
  const parts = [begin];
  let texts = [];
  let late = ticks() + BUDGET;
  for (let done = 0; done < events.length; done += PIECE) {
    const piece = events.slice(done, done + PIECE).map((event) => written(event, row)).join(between);
    texts.push(done && between ? between + piece : piece);
    if (ticks() < late) continue;
    // A Blob copies texts synchronously, but not other Blobs: ten megabytes at the end would be a long task.
    parts.push(new Blob(texts));
    texts = [];
    onProgress(done);
    await turn();
    late = ticks() + BUDGET;
  }
  return new Blob([...parts, ...texts, end], { type: `${type};charset=utf-8` });
}

// A message that cannot be formatted is exported with its channel and data only.
/** @type {(event: Message, row: Format["row"]) => string} */
function written(event, row) {
  const { type, channel, data, encoding } = event;
  return attempt(event, () => row(event)) ?? row({ type, at: 0, channel, data, encoding });
}

function turn() {
  return new Promise((done) => setTimeout(done));
}

/** @type {(event: Written) => Record<string, unknown> & { patterns?: string[] }} */
function record({ type, at, channel, channel_base64, patterns, data, encoding, truncated, size, kafka }) {
  return {
    time: time(at), [channelKind(type)]: channel, channel_base64, patterns: patterns?.length ? patterns : undefined, encoding,
    truncated, size: truncated && size, ...kafka, data,
  };
}

/** @type {(at: number) => string} */
function time(at) {
  return toDate(at).toISOString();
}

// A line of text, with the encoding, and with the size of truncated data.
/** @type {(event: Written) => string} */
function textRow({ type, at, channel, channel_base64: bytes, data, encoding, truncated, size }) {
  const name = bytes === undefined ? channel : `base64:${bytes}`;
  return `${time(at)} ${channelKind(type) === "channel" ? "" : `${channelKind(type)}:`}${name} ${encoding ? `${encoding}:` : ""}${data}${truncated ? `… (${size} B)` : ""}\n`;
}

/** @type {(event: Written) => string} */
function csvRow(event) {
  const { patterns = [], ...rest } = record(event);
  /** @type {Record<string, unknown>} */
  const values = { ...rest, patterns: patterns.join(" ") };
  return `${COLUMNS.map((column) => csvField(String(values[column] ?? "")))}\r\n`;
}

// A spreadsheet runs a cell that begins like a formula; an apostrophe makes it text. If it splits at another sign
// than the comma, cells begin in the middle of a field, and our quotes do not help.
/** @type {(text: string) => string} */
function csvField(text) {
  const safe = text.replace(/(?:^|[;|\t\r\n])[\s\x00-\x1f"]*(?=[=+\-@＝＋－＠])/g, "$&'").replace(/^(?=[\t\r\n])/, "'");
  return /[",;|\t\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
