// Headers as typed: one a line, `name: value`; without a colon a header has no value. Pure.

/** @typedef {{ name: string, value?: string | null }} Header */

/** @type {(text: string) => Header[]} */
export function readHeaders(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  return lines.map((line) => {
    const [, name, value] = /** @type {RegExpMatchArray} */ (line.match(/^([^:]*)(?::(.*))?$/));
    return { name: name.trim(), value: value?.trim() ?? null };
  });
}

/** @type {(headers: Header[]) => string} */
export function writeHeaders(headers) {
  return headers.map(({ name, value }) => (value == null ? name : `${name}: ${value}`)).join("\n");
}
