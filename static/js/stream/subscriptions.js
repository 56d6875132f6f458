// The names that the page subscribes to, and how Redis or Kafka replied to each. Knows no socket.

import { keyOf } from "./channel_names.js";

export class Subscriptions {
  /** @type {Map<string, Name>} */
  #wanted = new Map();
  /** @type {Map<string, Name>} */
  #asked = new Map();
  /** @type {Set<string>} */
  #confirmed = new Set();
  /** @type {Map<string, string>} */
  #refusals = new Map();

  get names() {
    return [...this.#wanted.values()];
  }

  get isEmpty() {
    return this.#wanted.size === 0;
  }

  get isLive() {
    return this.#confirmed.size > 0 && this.#confirmed.size + this.#refusals.size === this.#wanted.size;
  }

  get isRefused() {
    return !this.isEmpty && this.#refusals.size === this.#wanted.size;
  }

  get refusals() {
    return new Map(this.#refusals);
  }

  get confirmed() {
    return new Set(this.#confirmed);
  }

  /** @type {(names: Name[]) => void} */
  want(names) {
    this.#wanted = new Map(names.map((name) => [keyOf(name), name]));
    for (const key of this.#confirmed) if (!this.#wanted.has(key)) this.#confirmed.delete(key);
    for (const key of this.#refusals.keys()) if (!this.#wanted.has(key)) this.#refusals.delete(key);
  }

  // A new socket's address has all names.
  askAll() {
    this.forget();
    this.#asked = new Map(this.#wanted);
  }

  // The message that changes the subscriptions of an open socket, or null.
  askChanges() {
    const added = without(this.#wanted, this.#asked);
    const gone = without(this.#asked, this.#wanted);
    this.#asked = new Map(this.#wanted);
    if (added.length + gone.length === 0) return null;
    return {
      ...changes("subscribe", added),
      ...changes("unsubscribe", gone),
    };
  }

  /** @type {(name: Name) => void} */
  confirm(name) {
    const key = keyOf(name);
    if (!this.#wanted.has(key)) return;
    this.#refusals.delete(key);
    this.#confirmed.add(key);
  }

  /** @type {(name: Name) => void} */
  withdraw(name) {
    this.#confirmed.delete(keyOf(name));
  }

  /** @type {(name: Name, error: string) => void} */
  refuse(name, error) {
    const key = keyOf(name);
    if (!this.#wanted.has(key)) return;
    this.#confirmed.delete(key);
    this.#refusals.set(key, error);
  }

  // `isRedisAlone`: topics keep their state.
  forget(isRedisAlone = false) {
    for (const [key, { kind }] of this.#wanted) {
      if (isRedisAlone && kind === "topic") continue;
      this.#confirmed.delete(key);
      this.#refusals.delete(key);
    }
  }
}

/** @type {(names: Map<string, Name>, others: Map<string, Name>) => Name[]} */
function without(names, others) {
  return [...names].filter(([key]) => !others.has(key)).map(([, name]) => name);
}

/** @type {(verb: string, names: Name[]) => Record<string, string[]>} */
function changes(verb, names) {
  const kinds = Map.groupBy(names, ({ kind }) => (kind === "channel" ? "" : kind[0]) + verb);
  return Object.fromEntries([...kinds].map(([verb, names]) => [verb, names.map(({ name }) => name)]));
}
