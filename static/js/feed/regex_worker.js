// A worker: what a regular expression does to a text of others may take for ever, and here it holds up nobody.

postMessage("ready");

// `texts` are lists: does it match one of them? With a `limit`, so many places in each: [index, length].
addEventListener("message", ({ data }) => {
  const { regex, texts, limit } = /** @type {{ regex: RegExp, texts: string[][], limit?: number }} */ (data);
  try {
    postMessage(texts.map((parts) => (limit ? places(regex, parts[0], limit) : parts.some((part) => regex.test(part)))));
  } catch {
    postMessage(null); // it is too large
  }
});

/** @type {(regex: RegExp, text: string, limit: number) => Places} */
function places(regex, text, limit) {
  /** @type {Places} */
  const found = [];
  for (const { 0: match, index } of text.matchAll(regex)) {
    if (match) found.push([index, match.length]);
    if (found.length === limit) break;
  }
  return found;
}
