// The position of this page in the log of each recorded channel; after a reconnect the server continues from it. Pure.

import { keyOf } from "./channel_names.js";

/** @typedef {{ epoch?: string, id?: string, since?: number, stopped?: Stopped }} Place */

export class StreamPositions {
  /** @type {Map<string, Place>} */
  #places = new Map();

  // Everything up to `id` was shown; without an id that is unknown. `since`: everything was shown only up to this
  // time, which is earlier than the id's.
  /** @type {(event: Following) => void} */
  begin({ channel, epoch, id, since }) {
    this.#places.set(channel, { ...this.#places.get(channel), epoch, id, since });
  }

  /** @type {(event: Push) => void} */
  take({ type, channel, id }) {
    const place = this.#places.get(channel);
    if (place && id && type === "message") Object.assign(place, { id, since: undefined });
  }

  // The event is repeated, perhaps with a better reason, until one without an error; the first has the time.
  /** @type {(event: Stopped) => void} */
  stop(event) {
    const { channel, error } = event;
    const place = this.#places.get(channel);
    this.#places.set(channel, { ...place, stopped: error ? { ...event, from: place?.stopped?.from ?? event.from } : undefined });
  }

  // The channel is no longer recorded.
  /** @type {(event: { channel: string }) => void} */
  end({ channel }) {
    this.#places.delete(channel);
  }

  // The keys of the names that are recorded.
  get keys() {
    return new Set(this.stopped.keys());
  }

  // By key, why and since when recording has stopped; undefined while it runs.
  get stopped() {
    return new Map([...this.#places].map(([name, { stopped }]) => [keyOf({ kind: "channel", name }), stopped]));
  }

  /** @type {(names: Name[]) => void} */
  keep(names) {
    for (const channel of this.#places.keys()) if (!names.some((name) => isChannel(name, channel))) this.#places.delete(channel);
  }

  // Whether the server reports every gap in these names.
  /** @type {(names: Name[]) => boolean} */
  covers(names) {
    return names.every(({ kind, name }) => kind === "channel" && this.#places.get(name)?.id);
  }

  // One parameter for each channel, in their order.
  /** @type {(query: URLSearchParams, names: Name[]) => void} */
  write(query, names) {
    for (const { kind, name } of names) if (kind === "channel") query.append("after", this.#format(this.#places.get(name)));
  }

  /** @param {Place} [place] */
  #format({ epoch, id, since } = {}) {
    if (!id) return "";
    return `${epoch}.${id}${since === undefined ? "" : `.${Math.round(1000 * since)}`}`;
  }
}

/** @type {(name: Name, channel: string) => boolean} */
function isChannel({ kind, name }, channel) {
  return kind === "channel" && name === channel;
}
