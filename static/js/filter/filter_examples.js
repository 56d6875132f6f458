// Example filters, made from the messages' fields and values, or else from common ones. Pure.

import { readFilter } from "../feed/filter_query.js";
import { RANKS } from "../message/alert_parser.js";
import { byFrequency, SAYS } from "./seen_fields.js";
import { valueWritten } from "./suggestions.js";

/** @typedef {import("./seen_fields.js").SeenFields} SeenFields */

const LONGEST = 36; // characters of an example

// Each with the key of its description.
/** @type {(seen: SeenFields) => { filter: string, word: string }[]} */
export function examplesOf(seen) {
  const [one = "disk", other = "memory"] = byFrequency(seen.words);
  const [first, second] = pairs(seen);
  return [
    { filter: short(one, "disk"), word: "filter_word" },
    { filter: level(seen), word: "filter_level" },
    { filter: short(first ?? "user.name=ana", "user.name=ana"), word: "filter_field" },
    { filter: number(seen), word: "filter_number" },
    { filter: channel(seen), word: "filter_channel" },
    { filter: short(`NOT ${second ?? first ?? one}`, `NOT ${one}`), word: "filter_not" },
    { filter: short(`${one} OR ${other}`, "disk OR memory"), word: "filter_or" },
    { filter: short(`has:${rare(seen) ?? "user"}`, "has:user"), word: "filter_has" },
    { filter: `/${one.slice(0, 3)}\\w+/i`, word: "filter_regex" },
  ];
}

/** @type {(filter: string, other: string) => string} */
function short(filter, other) {
  return filter.length <= LONGEST && !readFilter(filter).problem ? filter : other;
}

/** @type {(seen: SeenFields) => string} */
function level({ levels }) {
  const found = RANKS.filter((rank) => levels.has(rank));
  return `severity>=${found[Math.max(1, found.length - 2)] ?? found[0] ?? "warning"}`;
}

// Fields whose values repeat, the most frequent first.
/** @type {(seen: SeenFields) => string[]} */
function pairs(seen) {
  const names = [...seen.fields.keys()].filter((field) => field !== "severity" && !SAYS.includes(field));
  const found = names.filter((field) => seen.middleOf(field) === undefined).map((field) => {
    const [value = ""] = seen.valuesOf(field);
    const written = valueWritten(field, "=", value);
    const n = seen.fields.get(field)?.values.get(value) ?? 0;
    return { filter: `${field}=${written}`, n: written && value.length <= 20 && n > 1 ? n : 0 };
  });
  return found.filter(({ n }) => n).sort((a, b) => b.n - a.n).map(({ filter }) => filter);
}

/** @type {(seen: SeenFields) => string} */
function number(seen) {
  const [field] = [...seen.fields.keys()].filter((name) => seen.middleOf(name) !== undefined)
    .sort((a, b) => (seen.fields.get(b)?.values.size ?? 0) - (seen.fields.get(a)?.values.size ?? 0));
  return short(`${field ?? "ms"}>${field ? seen.middleOf(field) : 1_000}`, "ms>1000");
}

/** @type {(seen: SeenFields) => string} */
function channel({ channels }) {
  const [first = "news"] = byFrequency(channels);
  return short(`channel:${first.split(/[.:/]/)[0]}`, "channel:news");
}

/** @type {(seen: SeenFields) => string | undefined} */
function rare({ fields }) {
  const found = [...fields].filter(([, { isInJson }]) => isInJson).sort(([, { n }], [, { n: other }]) => n - other);
  return found[0]?.[0];
}
