// Acknowledges a message for this visitor, or gives it back, and updates every place that shows who has it.

import { Emitter } from "../lib/emitter.js";
import { get, set } from "../ui/preferences.js";
import { Acknowledgements } from "./acknowledgements.js";
import { askName, takerName } from "./ask_name.js";
import { sentenceOf, TakenRows } from "./taken_rows.js";

// Event: "change".
export class Acknowledge extends Emitter {
  #by = ""; // the name in the request under way: the socket may report it before the response
  #kept;
  #words;
  #say;
  #rows;

  /**
   * @param {{
   *   connection: EventTarget, state: FeedState, feed: EventTarget, place: HTMLElement, rows: Rows,
   *   say(sentence: string): void
   * }} page `say` shows a note that disappears by itself
   * @param {Words} words
   */
  constructor({ connection, state, feed, place, rows, say }, words) {
    super();
    this.#words = words;
    this.#say = say;
    this.#kept = new Acknowledgements(connection, words);
    this.#rows = new TakenRows(place, rows, words, (event) => this.#kept.of(event));
    this.#kept.addEventListener("problem", ({ detail }) => say(detail));
    this.#kept.addEventListener("change", () => {
      this.#rows.draw();
      this.emit("change");
    });
    feed.addEventListener("draw", () => this.#kept.isEmpty || this.#rows.draw());
    this.#kept.setState(state);
  }

  // Call when times are to be written anew.
  redraw() {
    this.#rows.draw(true);
    this.emit("change");
  }

  // Whether a message can be taken, whether it is, and a sentence about that, or an empty one.
  /** @type {(event: Message) => { isKept: boolean, isTaken: boolean, sentence: string }} */
  stateOf(event) {
    const isKept = Acknowledgements.isKept(event);
    const one = this.#kept.of(event);
    const sentence = one ? sentenceOf(this.#words, one) : isKept ? "" : this.#words.say("take_live");
    return { isKept, isTaken: Boolean(one), sentence };
  }

  // Takes a message that nobody has; gives back one that this visitor has.
  /** @type {(event: Message) => Promise<void>} */
  async toggle(event) {
    const one = this.#kept.of(event);
    if (!one) await this.take(event);
    else if (one.by === this.#name) await this.giveBack(event);
    else this.#say(sentenceOf(this.#words, one));
  }

  /** @type {(event: Message) => Promise<void>} */
  async take(event) {
    if (!Acknowledgements.isKept(event)) return this.#say(this.#words.say("take_live"));
    const by = this.#name || (await askName(this.#words));
    if (!by) return;
    this.#by = by;
    const problem = await this.#kept.take(event, by);
    this.#by = "";
    if (problem) return this.#say(problem);
    if (!this.#kept.you) set("by", by);
  }

  /** @type {(event: Message) => Promise<void>} */
  async giveBack(event) {
    const problem = await this.#kept.giveBack(event);
    if (problem) this.#say(problem);
  }

  get #name() {
    return this.#kept.you || this.#by || takerName(get("by", ""));
  }
}
