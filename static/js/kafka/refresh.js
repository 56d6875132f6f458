// Asks again and again while somebody looks: never twice at a time, and not while the page is hidden.

const LIMIT = 10_000; // milliseconds for an answer

export class Refresh {
  #ask;
  #pause;
  /** @type {AbortController | null} */
  #turn = null; // from the start to the stop
  #isAsking = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  // `ask(signal)` must not raise; `pause` is in milliseconds, between an answer and the next question.
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

// What the server says of a topic; with `error`, a sentence, and its status where it does not. `path` is "" or "/groups".
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
