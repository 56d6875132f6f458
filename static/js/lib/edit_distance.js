// The edit distance of two words: letters inserted, deleted, replaced or swapped. Pure.

// Exact up to `most`; beyond that, some larger number.
/** @type {(one: string, other: string, most: number) => number} */
export function editDistance(one, other, most) {
  if (Math.abs(one.length - other.length) > most) return most + 1;
  /** @type {number[]} */
  let before = [];
  let last = Array.from({ length: other.length + 1 }, (_, n) => n);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + Number(!isSame));
      const isTurned = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (isTurned) row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    if (Math.min(...row) > most) return most + 1;
    [before, last] = [last, row];
  }
  return last[other.length];
}

// The nearest candidate, if one is near enough for its length.
/** @type {(word: string, candidates: Iterable<string>) => string | null} */
export function nearest(word, candidates) {
  let most = Math.min(3, Math.floor(word.length / 3) + Number(word.length === 2));
  let found = null;
  const lower = word.toLowerCase();
  for (const candidate of candidates) {
    const distance = editDistance(lower, candidate.toLowerCase(), most);
    if (distance > most || candidate === word) continue;
    most = distance - 1;
    found = candidate;
  }
  return found;
}
