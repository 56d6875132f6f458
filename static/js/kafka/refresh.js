// Repeats a request while a dialog is open: one at a time, and not while the page is hidden.

const LIMIT = 10_000; // milliseconds for a response

export class Refresh {
  #ask;
  #pause;
  /** @type {AbortController | null} */
  #turn = null; // from the start to the stop
  #isAsking = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  // `ask(signal)` must not throw; `pause`: milliseconds between a response and the next request.
  /** @param {(signal: AbortSignal) => Promise<void>} ask @param {number} pause */
  constructor(ask, pause) {
    this.#ask = ask;
    this.#pause = pause;
    document.addEventListener("visibilitychange", () => this.#run());
  }

  start() {
    this.stop();
    this.#turn = new AbortController();
    this.#run();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#turn?.abort();
    this.#turn = null;
    this.#isAsking = false;
  }

  async #run() {
    const turn = this.#turn;
    if (!turn || this.#isAsking || document.hidden) return;
    clearTimeout(this.#timer);
    this.#isAsking = true;
    await this.#ask(AbortSignal.any([turn.signal, AbortSignal.timeout(LIMIT)]));
    if (turn !== this.#turn) return;
    this.#isAsking = false;
    this.#timer = setTimeout(() => this.#run(), this.#pause);
  }
}

// Requests a topic's facts (`path` "") or groups ("/groups"); after a failure `error` is a sentence, with the status.
/** @type {(topic: string, path: string, signal: AbortSignal, words: Words) => Promise<any>} */
export async function askTopic(topic, path, signal, words) {
  try {
    const answer = await fetch(new URL(`topics/${encodeURIComponent(topic)}${path}`, document.baseURI), { headers: { Accept: "application/json" }, signal });
    const said = await answer.json();
    return answer.ok ? said : { error: said.error ?? words.say("no_channels"), status: answer.status };
  } catch {
    return { error: words.say("no_channels") };
  }
}
