// Pure: turns values into text. Knows no page and no words.

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];
const SHELL_SAFE = /^[\w@%+=:,./-]+$/;

const encoder = new TextEncoder();
/** @type {Record<string, Intl.NumberFormat>} */
const sizeFormats = {};
const LAST = 8.64e15; // milliseconds: no date is later

/** @type {(text: string) => number} */
export function byteLength(text) {
  return encoder.encode(text).length;
}

/** @type {(data: string) => number} */
export function base64Length(data) {
  return (data.length / 4) * 3 - data.length + data.search(/=*$/);
}

// Always a valid date: an impossible time becomes the nearest one.
/** @type {(seconds: number) => Date} */
export function toDate(seconds) {
  return new Date(Math.max(-LAST, Math.min(seconds * 1000, LAST)) || 0);
}

/** @type {(bytes: number, language: string) => string} */
export function size(bytes, language) {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  return sizeFormat(power, language).format(bytes / 1000 ** power);
}

// Cached: making a format is slow.
/** @type {(power: number, language: string) => Intl.NumberFormat} */
function sizeFormat(power, language) {
  /** @type {Intl.NumberFormatOptions} */
  const options = { style: "unit", unit: UNITS[power], unitDisplay: power ? "short" : "long" };
  return (sizeFormats[`${language} ${power}`] ??=
    new Intl.NumberFormat(language, { ...options, maximumFractionDigits: 1 }));
}

// For two sizes that would look the same if rounded.
/** @type {(bytes: number, language: string) => string} */
export function exactSize(bytes, language) {
  return new Intl.NumberFormat(language, { style: "unit", unit: "byte", unitDisplay: "long" }).format(bytes);
}

// The beginning of a text, cut after so many characters or lines, never inside a surrogate pair.
/** @type {(text: string, maxCharacters: number, maxLines: number) => string} */
export function beginning(text, maxCharacters, maxLines) {
  let end = Math.min(text.length, maxCharacters);
  for (let line = 0, at = -1; line < maxLines; line++) {
    at = text.indexOf("\n", at + 1);
    if (at === -1 || at >= end) break;
    if (line === maxLines - 1) end = at;
  }
  const splitsPair = end < text.length && /[\uD800-\uDBFF]/.test(text[end - 1] ?? "");
  return text.slice(0, splitsPair ? end - 1 : end);
}

// The same, with an ellipsis if it was cut.
/** @type {(text: string, maxCharacters: number, maxLines: number) => string} */
export function abridged(text, maxCharacters, maxLines) {
  const shown = beginning(text, maxCharacters, maxLines);
  return shown.length < text.length ? `${shown}…` : shown;
}

// Single quotes: in zsh, the shell of macOS, an exclamation mark is not safe inside double ones.
/** @type {(argument: string) => string} */
export function shellQuote(argument) {
  return SHELL_SAFE.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

// A rate as it is shown.
/** @type {(rate: number) => number} */
export function rounded(rate) {
  return rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate);
}
