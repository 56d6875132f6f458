// Sends a request about one channel to the server.

const ANSWER_LIMIT = 10_000; // milliseconds

// The response's JSON; with `error`, a sentence, if it was refused (`isFinal`: retrying is useless) or did not come.
/** @type {(method: string, what: string, query: Record<string, string>, words: import("./i18n.js").Words, body?: object) => Promise<any>} */
export async function askServer(method, what, query, words, body) {
  const url = new URL(`channels/${what}?${new URLSearchParams(query)}`, document.baseURI);
  const { csrf } = /** @type {any} */ (document.forms).publish.elements;
  const headers = { Accept: "application/json", ...(csrf && { "X-CSRF-Token": csrf.value }) };
  const options = { method, headers, body: JSON.stringify(body), signal: AbortSignal.timeout(ANSWER_LIMIT) };
  return fetch(url, options).then(async (answer) => {
    const said = await answer.json();
    if (answer.ok) return said;
    const isFinal = answer.status < 500 && answer.status !== 429;
    return { ...said, error: said.error ?? words.say("no_channels"), isFinal };
  }).catch(() => ({ error: words.say("no_channels") }));
}
