// A worker for regular expressions: a slow one blocks only this worker, which can be stopped.

postMessage("ready");

// For each list in `texts`, whether a text in it matches. With a `limit`, the first matches: [index, length].
addEventListener("message", ({ data }) => {
  const { regex, texts, limit } = /** @type {{ regex: RegExp, texts: string[][], limit?: number }} */ (data);
  try {
    postMessage(texts.map((parts) => (limit ? places(regex, parts[0], limit) : parts.some((part) => regex.test(part)))));
  } catch {
    postMessage(null); // the expression is too large
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
