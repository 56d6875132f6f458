// Where this page is in the log of each recorded channel; on return the server makes whole what came after. Pure.

import { keyOf } from "./channel_names.js";

/** @typedef {{ epoch?: string, id?: string, since?: number, stopped?: Stopped }} Place */

export class StreamPositions {
  /** @type {Map<string, Place>} */
  #places = new Map();

  // Everything up to this id was shown; without one, nobody knows. `since` is a moment up to which that is so, if it
  // is earlier than the id's.
  /** @type {(event: Following) => void} */
  begin({ channel, epoch, id, since }) {
    this.#places.set(channel, { ...this.#places.get(channel), epoch, id, since });
  }

  /** @type {(event: Push) => void} */
  take({ type, channel, id }) {
    const place = this.#places.get(channel);
    if (place && id && type === "message") Object.assign(place, { id, since: undefined });
  }

  // Since the first word; it is said again and again, perhaps with a better reason, until one has no error.
  /** @type {(event: Stopped) => void} */
  stop(event) {
    const { channel, error } = event;
    const place = this.#places.get(channel);
    this.#places.set(channel, { ...place, stopped: error ? { ...event, from: place?.stopped?.from ?? event.from } : undefined });
  }

  // It is live only from now on.
  /** @type {(event: { channel: string }) => void} */
  end({ channel }) {
    this.#places.delete(channel);
  }

  // The keys of the names that are recorded.
  get keys() {
    return new Set(this.stopped.keys());
  }

  // Why and since when they are not, by key; undefined where they are.
  get stopped() {
    return new Map([...this.#places].map(([name, { stopped }]) => [keyOf({ kind: "channel", name }), stopped]));
  }

  /** @type {(names: Name[]) => void} */
  keep(names) {
    for (const channel of this.#places.keys()) if (!names.some((name) => isChannel(name, channel))) this.#places.delete(channel);
  }

  // Whether nothing of these names can be missing without the server saying so.
  /** @type {(names: Name[]) => boolean} */
  covers(names) {
    return names.every(({ kind, name }) => kind === "channel" && this.#places.get(name)?.id);
  }

  // One for each channel, in their order.
  /** @type {(query: URLSearchParams, names: Name[]) => void} */
  write(query, names) {
    for (const { kind, name } of names) if (kind === "channel") query.append("after", this.#say(this.#places.get(name)));
  }

  /** @param {Place} [place] */
  #say({ epoch, id, since } = {}) {
    if (!id) return "";
    return `${epoch}.${id}${since === undefined ? "" : `.${Math.round(1000 * since)}`}`;
  }
}

/** @type {(name: Name, channel: string) => boolean} */
function isChannel({ kind, name }, channel) {
  return kind === "channel" && name === channel;
}
