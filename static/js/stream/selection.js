// The channels, patterns and sharded channels this page listens to; keeps the address bar in step.
// Event: "change".

import { Emitter } from "../lib/emitter.js";
import { asked, write } from "../ui/url_state.js";
import { channelKey, keyOf, nameProblem, readQuery, same, writeQuery } from "./channel_names.js";

export class Selection extends Emitter {
  /** @type {(Name & { problem: Said })[]} */
  leftOut = []; // names in the address that are refused, each with its problem
  /** @type {Name[]} */
  #names = [];
  #limits;

  /** @param {{ maxName: number, maxSelection: number }} limits */
  constructor(limits) {
    super();
    this.#limits = limits;
  }

  get names() {
    return [...this.#names];
  }

  get channels() {
    return this.#names.filter(({ kind }) => kind === "channel").map(({ name }) => name);
  }

  // The first name that can be published to.
  get target() {
    return this.#names.find(({ kind }) => kind === "channel" || kind === "shard");
  }

  // Reads the address; without names in it, the server's defaults.
  /** @type {(defaults: string[]) => void} */
  load(defaults) {
    const found = readQuery(asked());
    this.#names = [];
    /** @type {Name[]} */
    const names = found.length ? found : defaults.map((name) => ({ kind: "channel", name }));
    this.leftOut = names.flatMap((name) => {
      const problem = this.#accept(name);
      return problem ? [{ ...name, problem }] : [];
    });
    this.#changed();
  }

  // For listeners that were added after load().
  announce() {
    this.emit("change");
  }

  /** @type {(name: Name) => boolean} */
  has(name) {
    return this.#names.some((other) => same(other, name));
  }

  // Whether a message that came by a pattern also comes by its channel.
  /** @type {(event: Message) => boolean} */
  hasTwice(event) {
    /** @type {Name} */
    const name = { kind: "channel", name: event.channel };
    return event.type === "pmessage" && this.has(name) && channelKey(event) === keyOf(name);
  }

  // Returns the problem with the name (a word's key and values), or null.
  /** @type {(name: Name) => Said | null} */
  add(name) {
    const problem = this.#accept(name);
    if (!problem) this.#changed();
    return problem;
  }

  /** @type {(name: Name) => void} */
  remove(name) {
    this.#names = this.#names.filter((other) => !same(other, name));
    this.#changed();
  }

  /** @type {(name: Name) => Said | null} */
  #accept(name) {
    if (this.has(name)) return null;
    const problem = nameProblem(name.name, this.#limits.maxName) ?? this.#fullProblem();
    if (!problem) this.#names.push(name);
    return problem;
  }

  /** @type {() => Said | null} */
  #fullProblem() {
    const max = this.#limits.maxSelection;
    return this.#names.length < max ? null : ["selection_full", { max }];
  }

  #changed() {
    const query = asked();
    writeQuery(query, this.#names);
    write(query);
    this.announce();
  }
}
