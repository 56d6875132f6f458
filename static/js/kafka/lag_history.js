// The lag of a consumer group over the time that it was watched. Pure.

const MOST = 400; // moments

/** @typedef {{ partition: number, committed: number | null, high: number | null, lag: number | null }} Progress */

export class LagHistory {
  /** @type {{ at: number, lag: number | null }[]} */
  #moments = [];

  // `lag` is null if it is unknown.
  /** @type {(at: number, lag: number | null) => void} */
  add(at, lag) {
    this.#moments.push({ at, lag });
    this.#moments.splice(0, this.#moments.length - MOST);
  }

  get since() {
    return this.#moments[0].at;
  }

  get most() {
    return Math.max(0, ...this.#moments.map(({ lag }) => lag ?? 0));
  }

  // An SVG path of the known lags, in a box of this size; unknown ones leave a hole.
  /** @type {(width: number, height: number) => string} */
  path(width, height) {
    const { since, most } = this;
    const span = this.#moments[this.#moments.length - 1].at - since || 1;
    let isHole = true;
    return this.#moments.map(({ at, lag }) => {
      if (lag === null) {
        isHole = true;
        return "";
      }
      const place = `${round(((at - since) / span) * width)} ${round(height - (lag / (most || 1)) * height)}`;
      const step = isHole ? `M${place}h0` : `L${place}`; // a single moment is a dot
      isHole = false;
      return step;
    }).join("");
  }
}

// The sum of the known lags of all partitions, or null if none is known, and how many are unknown.
/** @type {(partitions: Progress[]) => { lag: number | null, unknown: number }} */
export function sumOf(partitions) {
  const known = partitions.flatMap(({ lag }) => lag ?? []);
  return { lag: known.length ? known.reduce((sum, lag) => sum + lag, 0) : null, unknown: partitions.length - known.length };
}

// "0–2, 5", for sorted numbers.
/** @type {(numbers: number[]) => string} */
export function ranges(numbers) {
  const starts = numbers.filter((one, at) => one !== numbers[at - 1] + 1);
  const ends = numbers.filter((one, at) => one + 1 !== numbers[at + 1]);
  return starts.map((start, at) => (start === ends[at] ? `${start}` : `${start}–${ends[at]}`)).join(", ");
}

/** @type {(value: number) => number} */
function round(value) {
  return Math.round(value * 10) / 10;
}
