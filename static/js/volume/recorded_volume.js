// Requests how many messages were recorded over time. Knows no DOM.

/** @typedef {{ from: number, to: number, counts: number[], gaps: [from: number, to: number][] }} Volume */

// From the first message to the last, of all names together, in so many parts; null if nothing is recorded.
// Throws an Error with the server's sentence, or an empty one if it did not answer.
/** @type {(names: Name[], parts: number, signal: AbortSignal) => Promise<Volume | null>} */
export async function recordedVolume(names, parts, signal) {
  const spans = await askAll(names, {}, signal);
  const found = spans.filter(({ counts }) => counts.length);
  if (!found.length) return null;
  const [from, to] = [Math.min(...found.map(({ from }) => from)), Math.max(...found.map(({ to }) => to))];
  const query = { since: from.toFixed(3), until: to.toFixed(3), parts: String(parts) };
  const volumes = await askAll(names, query, signal);
  const counts = Array.from({ length: parts }, (_, part) => volumes.reduce((sum, { counts: n }) => sum + (n[part] ?? 0), 0));
  return { from, to, counts, gaps: volumes.flatMap(({ gaps }) => gaps) };
}

/** @type {(names: Name[], query: Record<string, string>, signal: AbortSignal) => Promise<Volume[]>} */
function askAll(names, query, signal) {
  return Promise.all(names.map((name) => ask(name, query, signal)));
}

/** @type {(of: Name, query: Record<string, string>, signal: AbortSignal) => Promise<Volume>} */
async function ask({ kind, name }, query, signal) {
  const of = kind === "topic" ? `topics/${encodeURIComponent(name)}` : "channels";
  const url = new URL(`${of}/volume?${new URLSearchParams({ channel: name, ...query })}`, document.baseURI);
  const asked = fetch(url, { headers: { Accept: "application/json" }, signal });
  const answer = await asked.then((answer) => answer.json()).catch(() => ({ error: "" }));
  if (answer.error !== undefined) throw new Error(answer.error);
  return answer;
}
