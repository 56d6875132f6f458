// Checks a JSON text and indents it token by token: no digit and no letter of a value is changed. Pure.

const SPACE = /[ \t\n\r]*/y;
const TOKEN =
  /[{}[\]:,]|"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\u0000-\u001f]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y;
const DEEPEST = 20; // from here on no deeper indentation: a hostile text would grow without bounds
/** @type {Record<string, string>} */
const CLOSING = { "{": "}", "[": "]" };

// Only what begins like one is meant to be JSON.
/** @type {(text: string) => boolean} */
export function looksLikeJson(text) {
  return /^\s*[[{]/.test(text);
}

// {indented}, or {line, column} of the place where it stops being JSON.
/** @type {(text: string) => { indented?: string, line?: number, column?: number }} */
export function indent(text) {
  /** @type {string[]} */
  const open = [];
  let out = "";
  let next = "value";
  for (let at = skip(text, 0); ; at = skip(text, at)) {
    if (next === "end") return at === text.length ? { indented: out } : place(text, at);
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0];
    const step = token && read(token, next, open);
    if (!step) return place(text, at);
    out += step.written;
    next = step.next;
    at += token.length;
  }
}

// What to write for a token, and what may come after it; undefined where it may not stand here.
/** @type {(token: string, next: string, open: string[]) => { written: string, next: string } | false | undefined} */
function read(token, next, open) {
  const before = next === "first value" || next === "first key" ? newLine(open) : "";
  if (token === CLOSING[open.at(-1)]) return close(token, next, open);
  if (next.endsWith("key")) return token[0] === '"' && { written: before + token, next: "colon" };
  if (next === "colon") return token === ":" && { written: ": ", next: "value" };
  if (next === "comma") return token === "," && { written: `,${newLine(open)}`, next: open.at(-1) === "{" ? "key" : "value" };
  if (":,]}".includes(token)) return undefined;
  if (!(token in CLOSING)) return { written: before + token, next: open.length ? "comma" : "end" };
  open.push(token);
  return { written: before + token, next: token === "{" ? "first key" : "first value" };
}

/** @type {(token: string, next: string, open: string[]) => { written: string, next: string } | undefined} */
function close(token, next, open) {
  if (next !== "comma" && !next.startsWith("first")) return undefined;
  open.pop();
  return { written: next === "comma" ? newLine(open) + token : token, next: open.length ? "comma" : "end" };
}

/** @type {(open: string[]) => string} */
function newLine(open) {
  return `\n${"  ".repeat(Math.min(open.length, DEEPEST))}`;
}

/** @type {(text: string, at: number) => number} */
function skip(text, at) {
  SPACE.lastIndex = at;
  return at + SPACE.exec(text)[0].length;
}

/** @type {(text: string, at: number) => { line: number, column: number }} */
function place(text, at) {
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: before.at(-1).length + 1 };
}
