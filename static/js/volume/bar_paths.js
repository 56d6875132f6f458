// Stacks the counts of bars as rectangles. Pure.

/** @typedef {import("./volume_counts.js").Bar} Bar */

const LEAST = 5; // messages of the highest bar, so that a single one does not look like a flood
const SEEN = 2; // pixels at least, for kinds that must be noticed
const SERIOUS = 3; // the first of these kinds: a warning
const WIDE = 4; // pixels of a bar, from which there is a pixel between two

// The SVG path of each kind's rectangles, in pixels from the top left.
/** @type {(bars: Bar[], width: number, height: number) => string[]} */
export function paths(bars, width, height) {
  const kinds = bars[0]?.counts.length ?? 0;
  const drawn = Array.from({ length: kinds }, () => "");
  const most = Math.max(LEAST, ...bars.map(({ counts }) => counts.reduce((sum, n) => sum + n, 0)));
  bars.forEach(({ counts }, at) => {
    const [left, right] = [edge(at, bars.length, width), edge(at + 1, bars.length, width)];
    const wide = Math.max(1, right - left - (width / bars.length >= WIDE ? 1 : 0));
    let top = height;
    heights(counts, most, height).forEach((high, kind) => {
      top -= high;
      if (high) drawn[kind] += `M${left} ${top}h${wide}v${high}h${-wide}z`;
    });
  });
  return drawn;
}

// The heights of a bar's kinds, in whole pixels. Serious kinds get theirs first.
/** @type {(counts: number[], most: number, height: number) => number[]} */
function heights(counts, most, height) {
  const found = counts.map(() => 0);
  let room = height;
  for (let kind = counts.length - 1; kind >= 0; kind--) {
    const least = counts[kind] && (kind >= SERIOUS ? SEEN : 1);
    found[kind] = Math.min(room, Math.max(least, Math.round((counts[kind] / most) * height)));
    room -= found[kind];
  }
  return found;
}

/** @type {(at: number, bars: number, width: number) => number} */
export function edge(at, bars, width) {
  return Math.round((at / bars) * width);
}
