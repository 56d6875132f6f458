// A message as a command for a POSIX shell that publishes the same bytes again. Pure.

import { toBase64 } from "../lib/bytes.js";
import { byteLength, shellQuote } from "../lib/format.js";
import { channelKind } from "../stream/channel_names.js";

const ARGUMENT_LIMIT = 100_000; // bytes; Linux takes 131,072 in one argument
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/; // a NUL cannot be an argument, and an escape cannot be pasted safely

const encoder = new TextEncoder();

/** @type {(redisCli: string[], message: Message) => string} */
export function redisCommand(redisCli, { type, channel, channel_base64: bytes, data, encoding }) {
  const name = bytes === undefined ? shellQuote(channel) : `"$(${unpacked(bytes)})"`;
  const pipe = pipeFor(data, encoding);
  const verb = channelKind(type) === "shard" ? "SPUBLISH" : "PUBLISH";
  if (pipe) return `${pipe} | ${shell([...redisCli, "-x", verb])} ${name}`;
  return `${shell([...redisCli, verb])} ${name} ${shellQuote(data)}`;
}

// Only for text: a form cannot encode other bytes.
/** @type {(url: string, message: Message) => string} */
export function curlCommand(url, { type, channel, data, kafka }) {
  const fields = Object.entries({ [channelKind(type)]: channel, ...kafka?.fields });
  const command = ["curl", ...fields.flatMap(([name, text]) => ["--data-urlencode", `${name}=${text}`]), "--data-urlencode"];
  const pipe = pipeFor(data);
  if (pipe) return `${pipe} | ${shell([...command, "message@-", url])}`;
  return shell([...command, `message=${data}`, url]);
}

// Data that cannot be an argument is passed by standard input; empty if it can.
/** @type {(data: string, encoding?: string) => string} */
function pipeFor(data, encoding) {
  if (encoding === "base64") return unpacked(data);
  if (CONTROL.test(data)) return unpacked(toBase64(encoder.encode(data)));
  return byteLength(data) > ARGUMENT_LIMIT ? shell(["printf", "%s", data]) : "";
}

/** @type {(base64: string) => string} */
function unpacked(base64) {
  return `${shell(["printf", "%s", base64])} | base64 -d`;
}

/** @type {(words: string[]) => string} */
function shell(words) {
  return words.map(shellQuote).join(" ");
}
