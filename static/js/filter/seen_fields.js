// The fields and values of the messages, from a sample read within some milliseconds. Knows no DOM.

import { parseFilter } from "../feed/filter_grammar.js";
import { ticks } from "../lib/clock.js";
import { normal, plain, readJson } from "../message/plain_text.js";
import { severityOf } from "../message/severity.js";

const NEWEST = 200; // messages of the sample, and
const EARLIER = 200; // spread over all others
const LONGEST = 16_000; // characters of a message that is parsed
const BUDGET = 25; // milliseconds, after at least
const LEAST = 40; // messages
const MOST_FIELDS = 200;
const MOST_VALUES = 50; // of a field
const MOST_MEMBERS = 50; // of an object or a list
const LONGEST_VALUE = 60; // characters
const DEEPEST = 5;
const LONGEST_TEXT = 500; // characters in which words are counted
const PAIR = /(?<![\p{L}\p{N}_.=/?&-])([\p{L}_][\p{L}\p{N}_.-]*)=(?:"([^"]*)"|([^\s"',;&=]+))/gu;
const WORD = /(?<![\p{L}\p{N}_.=-])\p{L}{4,20}(?![\p{L}\p{N}_=.])/gu;
export const SAYS = ["title", "message", "text", "msg"];

/**
 * @typedef {Map<string, number>} Tally how often it was seen
 * @typedef {{ n: number, numbers: number[], isInJson: boolean, isLeaf: boolean, values: Tally }} Seen of a field
 */

export class SeenFields {
  /** @type {Map<string, Seen>} */
  fields = new Map();
  /** @type {Tally} */
  channels = new Map();
  /** @type {Tally} */
  words = new Map();
  levels = new Set();
  events;
  /** @type {Map<string, boolean>} */
  #names = new Map();

  // `kept`: the stored messages, the oldest first.
  /** @param {Message[]} kept */
  constructor(kept) {
    const sample = sampleOf(kept);
    const end = ticks() + BUDGET;
    const read = sample.findIndex((event, n) => (n >= LEAST && ticks() > end) || this.#read(event));
    this.events = read === -1 ? sample : sample.slice(0, read);
  }

  // The most frequent first, then those with fewer values.
  get names() {
    return [...this.fields].sort(([, a], [, b]) => b.n - a.n || a.values.size - b.values.size).map(([name]) => name);
  }

  // The values of a field, the most frequent first.
  /** @type {(field: string) => string[]} */
  valuesOf(field) {
    return byFrequency(this.fields.get(field)?.values ?? new Map());
  }

  // The median, if most values are numbers.
  /** @type {(field: string) => number | undefined} */
  middleOf(field) {
    const seen = this.fields.get(field);
    if (!seen || seen.numbers.length * 2 <= seen.n) return undefined;
    return seen.numbers.toSorted((a, b) => a - b)[Math.floor(seen.numbers.length / 2)];
  }

  /** @type {(event: Message) => void} */
  #read({ channel, data, encoding }) {
    count(this.channels, channel);
    if (encoding || data.length > LONGEST) return;
    const { text, value } = readJson(data);
    const level = severityOf(data);
    if (level) this.levels.add(level);
    if (value === undefined) this.#readText(text);
    else this.#walk(value, "", 0);
  }

  /** @type {(text: string) => void} */
  #readText(text) {
    const said = plain(text).slice(0, LONGEST_TEXT);
    for (const [, name, quoted, bare] of said.matchAll(PAIR)) this.#note(name, quoted ?? bare, false);
    this.#count(said);
  }

  /** @type {(said: string) => void} */
  #count(said) {
    for (const [word] of said.slice(0, LONGEST_TEXT).matchAll(WORD)) count(this.words, word.toLowerCase());
  }

  // Elements of a list count as values, as in the filter.
  /** @type {(value: any, path: string, depth: number) => void} */
  #walk(value, path, depth) {
    if (Array.isArray(value)) {
      if (depth < DEEPEST) for (const item of value.slice(0, MOST_MEMBERS)) this.#walk(item, path, depth + 1);
      return;
    }
    if (path) this.#note(path, value, true);
    if (value === null || typeof value !== "object" || depth === DEEPEST) return;
    for (const key of Object.keys(value).slice(0, MOST_MEMBERS)) {
      if (SAYS.includes(key) && typeof value[key] === "string") this.#count(value[key]);
      this.#walk(value[key], path ? `${path}.${key}` : key, depth + 1);
    }
  }

  /** @type {(name: string, value: unknown, isInJson: boolean) => void} */
  #note(name, value, isInJson) {
    const seen = this.fields.get(name) ?? this.#begin(name);
    if (!seen) return;
    seen.n += 1;
    seen.isInJson ||= isInJson;
    if (typeof value === "object" && value !== null) return;
    seen.isLeaf = true;
    if (typeof value === "number") seen.numbers.push(value);
    const text = String(value);
    const isExact = typeof value !== "number" || !Number.isInteger(value) || Number.isSafeInteger(value);
    if (!isExact || !text || text.length > LONGEST_VALUE || /[\r\n]/.test(text)) return;
    if (seen.values.size < MOST_VALUES || seen.values.has(text)) count(seen.values, text);
  }

  // Begins a field, if the filter can name it.
  /** @type {(name: string) => Seen | undefined} */
  #begin(name) {
    if (this.fields.size === MOST_FIELDS || this.#names.has(name) || this.#names.size > 2 * MOST_FIELDS) return undefined;
    this.#names.set(name, true);
    if (name === "channel" || !isField(name)) return undefined;
    /** @type {Seen} */
    const seen = { n: 0, numbers: [], isInJson: false, isLeaf: false, values: new Map() };
    this.fields.set(name, seen);
    return seen;
  }
}

/** @type {(tally: Tally) => string[]} */
export function byFrequency(tally) {
  return [...tally].sort(([, n], [, other]) => other - n).map(([name]) => name);
}

/** @type {(name: string) => boolean} */
function isField(name) {
  if (name.length > LONGEST_VALUE) return false;
  try {
    const node = parseFilter(`${normal(name)}:x`);
    return node?.kind === "compare" && node.field === normal(name);
  } catch {
    return false;
  }
}

// The newest messages, and some of all others.
/** @type {(kept: Message[]) => Message[]} */
function sampleOf(kept) {
  const others = kept.slice(0, -NEWEST);
  const step = Math.max(1, Math.ceil(others.length / EARLIER));
  const newest = kept.slice(-NEWEST).reverse();
  return [...newest, ...others.filter((_, n) => n % step === 0)];
}

/** @type {(tally: Tally, name: string) => void} */
function count(tally, name) {
  tally.set(name, (tally.get(name) ?? 0) + 1);
}
