// Pure: a channel's log and its connection may both report a part of the same gap. Parts that touch are merged into the
// event of the first, until the next message of the channel.

export class GapMerge {
  /** @type {Map<string, Gap>} */
  #last = new Map();

  // Returns what to show for one gap of a channel.
  /** @type {(gap: Gap & { channel: string }) => ShownEvent[]} */
  take(gap) {
    const last = this.#last.get(gap.channel);
    if (!last || last.reason !== gap.reason || "missing" in gap || gap.from > last.to || gap.to < last.from) {
      this.#last.set(gap.channel, gap);
      return [gap];
    }
    last.from = Math.min(last.from, gap.from);
    last.to = Math.max(last.to, gap.to);
    return [{ type: "also", event: last }];
  }

  // Call for each message: the next gap of its channel is one of its own.
  /** @type {(channel: string) => void} */
  forget(channel) {
    this.#last.delete(channel);
  }
}
