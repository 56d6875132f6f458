// Where this page is in the log of each recorded channel; on return the server makes whole what came after. Pure.

import { keyOf } from "./names.js";

export class Positions {
  #places = new Map();

  // Everything up to this id was shown; what comes without an id from now on is counted until it gets one.
  begin({ channel, epoch, id }) {
    this.#places.set(channel, { epoch, id, pending: 0, next: null });
  }

  take({ type, channel, id }) {
    const place = this.#places.get(channel);
    if (!place || type !== "message") return;
    const known = id ?? place.next;
    place.next = null;
    if (known) place.id = known;
    else place.pending++;
  }

  // What a recorder says of messages that came without an id.
  number(event) {
    const place = this.#places.get(event.channel);
    if (!place) return;
    if (event.next) {
      place.next = event.id;
      return;
    }
    if (event.break) return this.begin(event);
    place.id = lastOf(event);
    place.pending = Math.max(0, place.pending - event.count);
  }

  // From the first word on; it is said again and again, until one has no error.
  stop(event) {
    const place = this.#places.get(event.channel);
    if (place) place.stopped = event.error ? place.stopped ?? event : undefined;
  }

  // It is live only from now on.
  end({ channel }) {
    this.#places.delete(channel);
  }

  // The log cannot make whole what lies before.
  interrupt({ channel }) {
    const place = this.#places.get(channel);
    if (place) place.pending = 0;
  }

  // The keys of the names that are recorded.
  get keys() {
    return new Set(this.stopped.keys());
  }

  // Why and since when they are not, by key; undefined where they are.
  get stopped() {
    return new Map([...this.#places].map(([name, { stopped }]) => [keyOf({ kind: "channel", name }), stopped]));
  }

  keep(names) {
    for (const channel of this.#places.keys()) if (!names.some((name) => isChannel(name, channel))) this.#places.delete(channel);
  }

  // Whether nothing of these names can be missing without the server saying so.
  covers(names) {
    return names.every(({ kind, name }) => kind === "channel" && this.#places.has(name));
  }

  // One for each channel, in their order.
  write(query, names) {
    for (const { kind, name } of names) if (kind === "channel") query.append("after", this.#say(this.#places.get(name)));
  }

  #say(place) {
    if (!place) return "";
    place.next = null; // what was announced has not come
    return `${place.epoch}.${place.id}.${place.pending}`;
  }
}

function isChannel({ kind, name }, channel) {
  return kind === "channel" && name === channel;
}

function lastOf({ id, count }) {
  const [moment, number] = id.split("-");
  return `${moment}-${Number(number) + count - 1}`;
}
