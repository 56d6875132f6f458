// Pure: the text of the filter -> which messages pass, and what in them is highlighted.
//
//   word  "two words"  /regex/i  channel:news.*  severity>=warning  user.id:42  total>100  -anything

import { escapeRegex, glob, hasLongPart, LONGEST } from "../lib/glob.js";
import { RANKS } from "../message/alert_parser.js";
import { comparable, readJson } from "../message/plain_text.js";
import { severityOf } from "../message/severity.js";
import { RegexSearch } from "./regex_search.js";

const TERM = new RegExp([
  "(?<not>-?)(?:",
  String.raw`/(?<regex>(?:\\.|[^\\/])+)/(?<flags>[dgimsuvy]*)(?=\s|$)`,
  String.raw`|(?<field>[\p{L}_$@][\p{L}\p{N}_$@.-]*)(?<sign>>=|<=|[:<>])(?!//)(?:"(?<quotedValue>[^"]*)"|(?<value>\S+))`,
  String.raw`|"(?<quoted>[^"]+)"|(?<word>\S+))`,
].join(""), "gu");

const DEEPEST = 500; // nested lists that are looked into
const COMPARE = {
  ":": (a, b) => a === b,
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
  ">=": (a, b) => a >= b,
  "<=": (a, b) => a <= b,
};

// Where the text cannot be understood there is a problem, a word's key and values, and everything passes.
// With a `search`, the test is only for messages that it knows.
export function readFilter(text) {
  try {
    const search = new RegexSearch();
    const terms = [...text.normalize().matchAll(TERM)].map(({ 0: written, groups }) => readTerm(groups, written, search));
    const marks = terms.flatMap(({ mark }) => mark ?? []);
    return { test: terms.length ? passes(terms) : null, marks, problem: null, search: search.isNeeded ? search : null };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return noFilter(error.words);
  }
}

export function noFilter(problem = null) {
  return { test: null, marks: [], problem, search: null };
}

class Problem extends Error {
  constructor(...words) {
    super(words[0]);
    this.words = words;
  }
}

function passes(terms) {
  return (event) => terms.every(({ test, isNegated }) => test(event) !== isNegated);
}

function readTerm(groups, written, search) {
  const isNegated = groups.not === "-";
  const value = groups.quotedValue ?? groups.value;
  if (groups.field === "channel" && groups.sign === ":") return { isNegated, test: channelTest(value) };
  if (groups.field === "severity") return { isNegated, test: severityTest(groups.sign, value) };
  if (groups.field) return { isNegated, test: fieldTest(groups.field.split("."), groups.sign, value) };
  const name = isNegated ? written.slice(1) : written;
  const text = groups.quoted ?? groups.word;
  const regex = groups.regex ? compile(groups.regex, groups.flags) : literal(text);
  const isQuick = text?.length <= LONGEST;
  const every = new RegExp(regex, `${regex.flags}g`);
  const find = isQuick ? (where, limit) => places(every, where, limit) : (...where) => search.find(every, name, ...where);
  return { isNegated, mark: isNegated ? undefined : { find }, test: isQuick ? textTest(regex) : search.add(regex, name) };
}

function compile(source, flags) {
  try {
    return new RegExp(source, flags.replace(/[gy]/g, ""));
  } catch {
    throw new Problem("regex_bad", { regex: `/${source}/${flags}` });
  }
}

function places(every, text, limit) {
  const found = [];
  for (const { 0: match, index } of text.matchAll(every)) if (found.push([index, match.length]) === limit) break;
  return found;
}

function literal(text) {
  return new RegExp(escapeRegex(text), "iu");
}

function globTest(value) {
  if (hasLongPart(value)) throw new Problem("glob_long", { n: LONGEST });
  return glob(value);
}

// Base64 is not what was published.
function textTest(regex) {
  return ({ channel, data, encoding }) => (!encoding && regex.test(comparable(data))) || regex.test(channel.normalize());
}

function channelTest(value) {
  const test = globTest(value);
  return ({ channel }) => test(channel.normalize());
}

function severityTest(sign, value) {
  const rank = RANKS.indexOf(value.toLowerCase());
  if (rank === -1) throw new Problem("severity_bad", { severity: value, ranks: RANKS.join(", ") });
  return ({ data, encoding }) => {
    const found = encoding ? -1 : RANKS.indexOf(severityOf(data));
    return found !== -1 && COMPARE[sign](found, rank);
  };
}

// JSON

function fieldTest(path, sign, value) {
  const name = path.at(-1);
  const isThere = (data) => data.includes(name) || data.includes("\\u");
  const test = sign === ":" ? equals(value) : compares(sign, Number(value));
  return ({ data, encoding }) => {
    return !encoding && isThere(data) && some(readJson(data).value, path, (found) => test(found, data));
  };
}

// JSON.parse rounds long numbers: of those the digits as published decide.
function equals(value) {
  const isLike = globTest(value);
  return (found, data) => {
    const isExact = typeof found !== "number" || Number.isSafeInteger(found);
    return (isExact && isLike(comparable(asText(found)))) || (Number(value) === found && data.includes(value));
  };
}

function compares(sign, value) {
  return (found) => typeof found !== "object" && found !== "" && COMPARE[sign](Number(found), value);
}

// An object is there, and nothing more.
function asText(found) {
  return typeof found === "object" && found !== null ? "" : String(found);
}

// In a list any element will do.
function some(value, path, test, depth = 0) {
  if (depth > DEEPEST) return false;
  if (Array.isArray(value) && !Object.hasOwn(value, path[0] ?? "")) return value.some((item) => some(item, path, test, depth + 1));
  if (path.length === 0) return test(value);
  if (value === null || typeof value !== "object") return false;
  const whole = path.join(".");
  if (path.length > 1 && Object.hasOwn(value, whole)) return some(value[whole], [], test, depth + 1);
  return Object.hasOwn(value, path[0]) && some(value[path[0]], path.slice(1), test, depth + 1);
}
