// The filter's parser: its text -> a tree of conditions. docs/filter.md specifies the grammar. Pure.

/**
 * @typedef {{ kind: "all" | "any", of: Node[] } | { kind: "not", of: Node } | { kind: "text", text: string }
 *   | { kind: "regex", source: string, flags: string } | { kind: "has", field: string }
 *   | Comparison & { kind: "compare", values: Value[] }} Node
 * @typedef {{ field: string, sign: string }} Comparison
 * @typedef {{ text: string, isLiteral: boolean }} Value
 */

export const NAME = String.raw`[\p{L}_$@][\p{L}\p{N}_$@.-]*(?:\[\d+\][\p{L}\p{N}_$@.-]*)*`;
const REGEX = /\/((?:\\.|[^\\/])+)\/([dgimsuvy]*)(?=[\s)|]|$)/uy;
const HAS = new RegExp(`has:(${NAME})`, "uy");
const OR_HAS = new RegExp(`[|](${NAME})`, "uy");
// Spaces are allowed around a sign that cannot be text: before a number or severity, on both sides of an equals sign.
const FIELDS = [
  `(${NAME})\\s*([<>]=?)\\s*(?=-?\\.?\\d)`,
  String.raw`(severity)\s*([<>]=?)\s*(?=\p{L})`,
  `(${NAME})\\s+(!=|==?)\\s+(?=[^\\s)|])`,
  `(${NAME})([<>]=?|!=|:|==?)(?!//)`,
].map((form) => new RegExp(form, "uy"));
const QUOTED = /["“”„]([^"“”„]*)["“”„]?/y; // up to the end if it is not closed
const SPACE = /\s+/y;
const OR = /\s*(?:\||OR(?=[\s()|]|$))/y;
const AND = /\s*AND(?=[\s()|]|$)/y;
const NOT = /NOT(?=[\s()|]|$)\s*|[-!](?=[^\s)|-])/y;
const OPEN = /\(/y;
const CLOSE = /\s*\)/y;
const STRAY = /\s*\)(?=[\s)|]|$)/y;
const DEEPEST = 100; // brackets within brackets

// A syntax error: the key of a sentence, and its values.
export class Problem extends Error {
  /** @param {Said} words */
  constructor(...words) {
    super(words[0]);
    this.words = words;
  }
}

// Null if the text has no terms. Throws a Problem. Quotes and brackets need not be closed, and an operator without a
// term is ignored.
/** @type {(text: string) => Node | null} */
export function parseFilter(text) {
  const reader = new Reader(text);
  const terms = [];
  while (!reader.isAtEnd) terms.push(reader.any());
  return joined("all", terms);
}

/** @type {(kind: "all" | "any", nodes: (Node | null)[]) => Node | null} */
function joined(kind, nodes) {
  const of = nodes.filter((node) => node !== null);
  return of.length > 1 ? { kind, of } : of[0] ?? null;
}

class Reader {
  #text;
  #at = 0;
  #depth = 0; // of nested brackets
  /** @type {Comparison | null} */
  #meant = null; // the field and sign that each text is a value for

  /** @param {string} text */
  constructor(text) {
    this.#text = text;
  }

  get isAtEnd() {
    this.#take(SPACE);
    return this.#at === this.#text.length;
  }

  /** @returns {Node | null} */
  any() {
    const nodes = [this.#all()];
    while (this.#take(OR)) nodes.push(this.#all());
    return joined("any", nodes);
  }

  /** @returns {Node | null} */
  #all() {
    /** @type {(Node | null)[]} */
    const nodes = [];
    while (!this.#isOver()) nodes.push(this.#one());
    return joined("all", nodes);
  }

  #isOver() {
    while (this.#take(AND) || (!this.#depth && this.#take(STRAY)));
    return this.isAtEnd || this.#sees(OR) || (this.#depth > 0 && this.#sees(CLOSE));
  }

  /** @returns {Node | null} */
  #one() {
    let isNegated = false;
    while (this.#take(NOT)) isNegated = !isNegated;
    const of = this.#isOver() ? null : this.#take(OPEN) ? this.#group() : this.#term();
    return of && isNegated ? { kind: "not", of } : of;
  }

  /** @returns {Node | null} */
  #group() {
    if (this.#depth++ === DEEPEST) throw new Problem("filter_deep");
    const node = this.any();
    this.#take(CLOSE);
    this.#depth -= 1;
    return node;
  }

  /** @returns {Node | null} */
  #term() {
    if (this.#meant) return this.#compared([this.#value()], this.#meant);
    const regex = this.#take(REGEX);
    if (regex) return { kind: "regex", source: regex[1], flags: regex[2] };
    const has = this.#take(HAS);
    if (has) return this.#fields(has[1]);
    for (const form of FIELDS) {
      const field = this.#take(form);
      if (field) return this.#comparison(field[1], field[2].replace("==", "="));
    }
    const text = this.#value()?.text;
    return text ? { kind: "text", text } : null;
  }

  /** @type {(first: string) => Node | null} */
  #fields(first) {
    const names = [first];
    for (let more; (more = this.#take(OR_HAS)); ) names.push(more[1]);
    return joined("any", names.map((field) => ({ kind: "has", field })));
  }

  // Without a value it is a text, such as ERROR:, or the beginning of a term.
  /** @type {(field: string, sign: string) => Node | null} */
  #comparison(field, sign) {
    const meant = { field, sign: sign.replace("!", "") };
    const of = this.#take(OPEN) ? this.#values(meant) : this.#compared(this.#alternatives(), meant);
    if (!of) return joined("any", [{ kind: "has", field }, { kind: "text", text: field + sign }]);
    return sign === "!=" ? { kind: "not", of } : of;
  }

  // In brackets, where each text is a value of the field.
  /** @type {(meant: Comparison) => Node | null} */
  #values(meant) {
    this.#meant = meant;
    const node = this.#group();
    this.#meant = null;
    return node;
  }

  #alternatives() {
    const values = [this.#value()];
    while (this.#take(/\|(?=[^\s|])/y)) values.push(this.#value());
    return values;
  }

  /** @type {(values: (Value | null)[], meant: Comparison) => Node | null} */
  #compared(values, meant) {
    const given = values.filter((value) => value !== null);
    return given.length ? { kind: "compare", ...meant, values: given } : null;
  }

  // In quotes, or up to a space, a | or the closing bracket; null if there is none.
  /** @returns {Value | null} */
  #value() {
    const quoted = this.#take(QUOTED);
    if (quoted) return { text: quoted[1], isLiteral: true };
    const from = this.#at;
    for (let open = 0; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text[this.#at];
      if (/[\s|]/.test(character)) break;
      if (character === ")" && open === 0 && this.#depth) break;
      open = Math.max(0, open + Number(character === "(") - Number(character === ")"));
    }
    return this.#at > from ? { text: this.#text.slice(from, this.#at), isLiteral: false } : null;
  }

  /** @param {RegExp} what sticky */
  #take(what) {
    what.lastIndex = this.#at;
    const found = what.exec(this.#text);
    if (found) this.#at = what.lastIndex;
    return found;
  }

  /** @param {RegExp} what sticky */
  #sees(what) {
    what.lastIndex = this.#at;
    return what.test(this.#text);
  }
}
