// The places and texts of the times below a span.

import { toDate } from "../lib/format.js";
import { axisTime, zoneOffset } from "../ui/timestamps.js";

const DAY = 86_400;
const STEPS = [60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, DAY, 2 * DAY, 7 * DAY, 28 * DAY];

// Whole minutes, hours or days of the chosen clock, at most `room` of them.
/** @type {(from: number, to: number, room: number) => { at: number, text: string }[]} */
export function axisTicks(from, to, room) {
  const step = STEPS.find((step) => (to - from) / step <= room) ?? (to - from) / Math.max(room, 1);
  const offset = zoneOffset(toDate(from));
  const found = [];
  for (let at = Math.ceil((from + offset) / step) * step - offset; at < to; at += step) {
    found.push({ at, text: axisTime(toDate(at)) });
  }
  return found;
}
