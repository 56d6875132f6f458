// Reads the severities that a filter selects from its text, and writes them into it. Pure.

import { same, termsOf, withTerm } from "../detail/field_term.js";
import { levelOf, RANKS } from "../message/alert_parser.js";

/** @typedef {import("../feed/filter_grammar.js").Node} Node */

const VALUE = String.raw`(?:"[^"]*"?|[^\s|()"]+)`;
const TERM = new RegExp(String.raw`(?<![^\s(])severity\s*(?:!=|==?|[<>]=?|:)\s*(?:\([^()]*\)|${VALUE}(?:\|${VALUE})*)`, "g");
/** @type {Record<string, (rank: number, asked: number) => boolean>} */
const PASSES = {
  ":": (rank, asked) => rank === asked,
  "=": (rank, asked) => rank === asked,
  ">": (rank, asked) => rank > asked,
  "<": (rank, asked) => rank < asked,
  ">=": (rank, asked) => rank >= asked,
  "<=": (rank, asked) => rank <= asked,
};

// Empty if the filter has no severities, or more than a list of them.
/** @type {(filter: string) => Set<string>} */
export function levelsIn(filter) {
  const [node, ...others] = termsOf(filter).filter(isSeverity);
  if (!node || others.length) return new Set();
  return new Set(RANKS.filter((_, rank) => passes(node, rank)));
}

/** @type {(node: Node, rank: number) => boolean} */
function passes(node, rank) {
  if (node.kind === "any") return node.of.some((one) => passes(one, rank));
  const asked = node.kind === "compare" ? node.values.map(({ text }) => RANKS.indexOf(levelOf(text))) : [];
  return node.kind === "compare" && asked.some((one) => one !== -1 && PASSES[node.sign](rank, one));
}

// All severities, or none, need no term.
/** @type {(filter: string, levels: Set<string>) => string} */
export function withLevels(filter, levels) {
  const term = termFor(RANKS.filter((level) => levels.has(level)));
  const had = termsOf(filter);
  const others = had.filter((node) => !isSeverity(node));
  if (others.length === had.length) return term ? withTerm(filter, term) : filter;
  const wanted = [...others, ...termsOf(term)];
  const found = [...filter.matchAll(TERM)].map(({ 0: { length }, index }) => {
    const [before, after] = [filter.slice(0, index), filter.slice(index + length)];
    return (term ? before + term + after : before.trimEnd() + after).trim();
  });
  return found.find((text) => hasAll(text, wanted)) ?? term;
}

/** @type {(levels: string[]) => string} */
function termFor(levels) {
  const [first] = levels;
  if (!first || levels.length === RANKS.length) return "";
  if (levels.length === 1) return `severity:${first}`;
  const isTop = levels.length === RANKS.length - RANKS.indexOf(first);
  return isTop ? `severity>=${first}` : `severity:${levels.join("|")}`;
}

/** @type {(text: string, wanted: unknown[]) => boolean} */
function hasAll(text, wanted) {
  const nodes = termsOf(text);
  return nodes.length === wanted.length && wanted.every((one) => nodes.some((node) => same(node, one)));
}

// Whether a node is about severities only.
/** @type {(node: Node) => boolean} */
function isSeverity(node) {
  return node.kind === "any" ? node.of.every(isSeverity) : node.kind === "compare" && node.field === "severity";
}
