// Counts messages per second and severity, and stores gaps. Pure.

/** @typedef {{ from: number, counts: number[] }} Bar the counts by kind, as in KINDS, or the first two of them */

export const SECONDS = 300;
// In stacking order. "unread": there were too many messages to parse.
export const KINDS = ["unread", "none", "info", "warning", "error", "critical"];

const STEPS = [1, 2, 3, 5, 10, 15, 20, 30]; // seconds of a bar
const GAPS_LIMIT = 100;

export class VolumeCounts {
  lastCritical = 0; // Unix seconds; 0: none has come
  #ring = new Uint32Array(SECONDS * KINDS.length);
  #newest = 0; // the current second
  /** @type {[from: number, to: number][]} */
  #gaps = [];

  // Adds a message of the time `at`, perhaps in the past. `now` may go back if the clock is set.
  /** @type {(at: number, kind: string, now: number) => void} */
  add(at, kind, now) {
    this.#goTo(Math.floor(now));
    const second = Math.min(Math.floor(at), this.#newest);
    if (kind === "critical") this.lastCritical = Math.max(this.lastCritical, Math.min(at, now));
    if (this.#has(second)) this.#ring[this.#place(second) + KINDS.indexOf(kind)]++;
  }

  /** @type {(from: number, to: number) => void} */
  addGap(from, to) {
    this.#gaps = [...this.#gaps, /** @type {[number, number]} */ ([from, to])].slice(-GAPS_LIMIT);
  }

  /** @type {(since: number) => [from: number, to: number][]} */
  gaps(since) {
    return this.#gaps.filter(([, to]) => to > since);
  }

  // The bars up to `now`, of `step` seconds each; they begin at multiples of `step`, so that bars do not change.
  /** @type {(now: number, step: number) => Bar[]} */
  bars(now, step) {
    const end = Math.floor(now / step) * step + step;
    const bars = [];
    for (let from = end - SECONDS; from < end; from += step) bars.push({ from, counts: this.#sum(from, from + step) });
    return bars;
  }

  /** @type {(from: number, to: number) => number[]} */
  #sum(from, to) {
    const counts = KINDS.map(() => 0);
    for (let second = from; second < to; second++) {
      if (this.#has(second)) counts.forEach((_, kind) => (counts[kind] += this.#ring[this.#place(second) + kind]));
    }
    return counts;
  }

  /** @type {(second: number) => boolean} */
  #has(second) {
    return second <= this.#newest && second > this.#newest - SECONDS;
  }

  /** @type {(second: number) => number} */
  #place(second) {
    return (second % SECONDS) * KINDS.length;
  }

  /** @type {(second: number) => void} */
  #goTo(second) {
    if (Math.abs(second - this.#newest) >= SECONDS) {
      this.#ring.fill(0);
      this.#newest = second; // after a clock that was set back, counting would otherwise stop
    }
    for (; this.#newest < second; ) this.#ring.fill(0, this.#place(++this.#newest), this.#place(this.#newest) + KINDS.length);
  }
}

// The seconds of a bar, so that the bars fit.
/** @type {(room: number) => number} */
export function stepFor(room) {
  return STEPS.find((step) => SECONDS / step <= room) ?? STEPS[STEPS.length - 1];
}

/** @type {(counts: number[]) => number} */
export function total(counts) {
  return counts.reduce((sum, n) => sum + n, 0);
}
