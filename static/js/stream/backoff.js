// When to try again, and why the last attempt failed. Knows no socket.

const FIRST_DELAY = 500; // milliseconds
const LONGEST_DELAY = 20_000; // milliseconds
const ANSWER_LIMIT = 10_000; // milliseconds
const ALL_IS_WELL = 204;
const REFUSALS = [400, 401, 403, 404, 413, 414, 431];

// Full jitter: after a restart a thousand pages do not come back in the same instant.
/** @type {(attempt: number) => number} */
export function retryDelay(attempt) {
  return Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt);
}

// A browser hides why a WebSocket was not accepted; the same address over HTTP gives the reason.
/** @type {(url: URL, signal: AbortSignal) => Promise<{ answers: boolean, refused: boolean, reason: string, status: number }>} */
export async function whyNot(url, signal) {
  const answer = await ask(url, signal);
  if (!answer) return { answers: false, refused: false, reason: "", status: 0 };
  const { error } = await answer.json().catch(() => ({}));
  const answers = answer.status === ALL_IS_WELL;
  return { answers, refused: REFUSALS.includes(answer.status), reason: answers ? "" : error ?? "", status: answer.status };
}

/** @type {(url: URL, signal: AbortSignal) => Promise<Response | null>} */
function ask(url, signal) {
  const headers = { Accept: "application/json", "Arauto-Asks-Why": "socket" };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_LIMIT)]);
  return fetch(url, { headers, cache: "no-store", signal: limit }).catch(() => /** @type {null} */ (null));
}
