// Writes the feed's state as a sentence; CSS draws it from data-state.

import { toDate } from "../lib/format.js";
import { setText } from "../ui/dom.js";
import { timesOfDay } from "../ui/timestamps.js";

const NOT_LOGGED_IN = 401;
const TOO_LONG = [413, 414, 431];

/** @typedef {FeedState & { isPast: boolean }} Shown past: the feed shows the recorded past */

// Whether the session has ended, so that nothing on the page works any more.
/** @type {(state: Pick<FeedState, "name" | "status">) => boolean} */
export function isOver({ name, status }) {
  return name === "refused" && status === NOT_LOGGED_IN;
}

export class ConnectionStatus {
  #place;
  #words;

  /** @param {HTMLElement} place @param {Words} words */
  constructor(place, words) {
    this.#place = place;
    this.#words = words;
  }

  // An unchanged text is not written again: a screen reader would repeat it.
  /** @type {(state: Shown) => void} */
  show(state) {
    const text = this.#text(state);
    this.#place.dataset.state = state.name;
    this.#place.toggleAttribute("data-partly", state.isPast || state.refusals.size > 0 || state.partly !== undefined);
    this.#place.title = text;
    const login = this.#place.querySelector("a");
    if (login) login.hidden = !isOver(state);
    setText(this.#place.querySelector(".status__text"), text);
  }

  /** @type {(state: Shown) => string} */
  #text({ name, what, since, reason, status, refusals, partly, isPast }) {
    if (name === "live" && isPast) return this.#words.say("past");
    if (name === "live" && partly) return this.#words.say(...partly);
    if (name === "live" && refusals.size) return this.#words.say("status_live_but", { n: refusals.size });
    if (name === "refused" && reason) return this.#words.say("status_refused", { reason });
    if (name === "refused") return this.#words.say(TOO_LONG.includes(/** @type {number} */ (status)) ? "refused_long" : "refused_mute", { status });
    if (name !== "reconnecting") return this.#words.say(`status_${name}`);
    const [time] = timesOfDay([toDate(/** @type {number} */ (since))]);
    const sentence = this.#words.say(`lost_${what}`, { time });
    return reason ? `${sentence} ${reason}` : sentence;
  }
}
