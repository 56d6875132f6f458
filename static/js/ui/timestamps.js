// Formats times as the visitor chose: local or UTC, of 12 or 24 hours, or how long ago.

import { now } from "../lib/clock.js";
import { toDate } from "../lib/format.js";
import { lazily } from "../lib/lazy.js";
import { chosen } from "./appearance.js";
import { setText } from "./dom.js";

const REFRESH = 5_000; // milliseconds
/** @type {[unit: Intl.RelativeTimeFormatUnit, seconds: number][]} */
const STEPS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

const language = document.documentElement.lang || undefined;
const day = inZone({ month: "short", day: "numeric" });
const dayOfYear = inZone({ dateStyle: "medium" });
const short = inZone({ dateStyle: "short", timeStyle: "medium" });
const relative = lazily(() => new Intl.RelativeTimeFormat(language, { style: "narrow", numeric: "auto" }));

/** @type {(date: Date) => string} */
export function rowTime(date) {
  return chosen("times") === "relative" ? ago(now() - +date / 1000) : timesOfDay([date], true)[0];
}

// Times shown together: with their dates unless all are of today, and with offsets if the clocks changed between them.
/** @type {(dates: Date[], isPrecise?: boolean) => string[]} */
export function timesOfDay(dates, isPrecise) {
  const today = wall(toDate(now()));
  const areToday = dates.every((date) => isSame(wall(date), today, "day"));
  const isChanged = !isUtc() && new Set(dates.map((date) => date.getTimezoneOffset())).size > 1;
  /** @type {(date: Date) => string} */
  const format = (date) => (areToday ? "" : `${dateOf(date, today)}, `) + clock(date, isPrecise);
  return dates.map((date) => format(date) + (isChanged ? ` ${offset(date)}` : ""));
}

// Calls `redraw` when times already shown have to be written again: regularly if they are relative, and at midnight; but
// not while `waits()`.
/** @type {(redraw: () => void, waits: () => boolean) => void} */
export function keepTimes(redraw, waits) {
  let shown = wall(toDate(now()));
  setInterval(() => {
    if (document.hidden || waits()) return;
    const today = wall(toDate(now()));
    if (chosen("times") === "relative" || !isSame(shown, today, "day")) redraw();
    shown = today;
  }, REFRESH);
}

/** @type {(list: Element) => void} */
export function redrawTimes(list) {
  for (const time of /** @type {NodeListOf<HTMLTimeElement>} */ (list.querySelectorAll("time[datetime]"))) {
    const date = new Date(time.dateTime);
    setText(time, rowTime(date));
    if (time.title) time.title = fullTime(date);
  }
}

// "Monday, November 23, 2026 at 22:00:00 GMT-3"
export const fullTime = inZone({ dateStyle: "full", timeStyle: "long" });

// "11/23/26, 22:00:00"
/** @type {(date: Date) => string} */
export function shortTime(date) {
  return short(date) + label();
}

// "22:00", and at midnight the day that begins.
/** @type {(date: Date) => string} */
export function axisTime(date) {
  const time = wall(date).slice(11, 16);
  if (time === "00:00") return day(date);
  return chosen("clock") === "12" ? clock(date).replace(/:\d\d (..).*/, " $1") : time;
}

// Seconds by which the chosen clock is ahead of UTC.
/** @type {(date: Date) => number} */
export function zoneOffset(date) {
  return isUtc() ? 0 : date.getTimezoneOffset() * -60;
}

// The last time at which the chosen clock showed this time of day.
/** @type {(hours: any, minutes: any, seconds?: any) => Date} */
export function lastTime(hours, minutes, seconds = 0) {
  const date = toDate(now());
  const utc = isUtc() ? "UTC" : "";
  date[`set${utc}Hours`](hours, minutes, seconds, 0);
  if (date.getTime() > now() * 1000) date[`set${utc}Date`](date[`get${utc}Date`]() - 1);
  return date;
}

// "America/Sao_Paulo, GMT-3"
export function zone() {
  return `${Intl.DateTimeFormat().resolvedOptions().timeZone}, ${offset()}`;
}

/** @type {(date?: Date) => string} */
function offset(date) {
  const parts = new Intl.DateTimeFormat(language, { timeZoneName: "shortOffset" }).formatToParts(date);
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
}

// "5s ago"
/** @type {(seconds: number) => string} */
export function ago(seconds) {
  const [unit, size] = STEPS.find(([, size]) => seconds >= size) ?? ["second", 1];
  return relative().format(-Math.max(0, Math.floor(seconds / size)), unit);
}

function isUtc() {
  return chosen("zone") === "utc";
}

function label() {
  return isUtc() ? " UTC" : "";
}

/** @type {(options: Intl.DateTimeFormatOptions) => (date: Date) => string} */
function inZone(options) {
  /** @type {Record<string, Intl.DateTimeFormat>} */
  const made = {};
  return (date) => {
    const timeZone = isUtc() ? "UTC" : undefined;
    const hourCycle = chosen("clock") === "12" ? "h12" : "h23";
    return (made[timeZone + hourCycle] ??= new Intl.DateTimeFormat(language, { ...options, timeZone, hourCycle })).format(date);
  };
}

// The chosen clock's date and time, as an ISO text.
/** @type {(date: Date) => string} */
function wall(date) {
  return new Date(+date - (isUtc() ? 0 : date.getTimezoneOffset() * 60_000)).toISOString();
}

/** @type {(some: string, other: string, what: "year" | "day") => boolean} */
function isSame(some, other, what) {
  const end = { year: -20, day: -14 }[what];
  return some.slice(0, end) === other.slice(0, end);
}

/** @type {(date: Date, today: string) => string} */
function dateOf(date, today) {
  return (isSame(wall(date), today, "year") ? day : dayOfYear)(date);
}

/** @type {(date: Date, isPrecise?: boolean) => string} */
function clock(date, isPrecise) {
  const time = wall(date).slice(-13, isPrecise ? -1 : -5);
  if (chosen("clock") !== "12") return time + label();
  const hours = Number(time.slice(0, 2));
  return `${String(hours % 12 || 12).padStart(2, "0")}${time.slice(2)} ${hours < 12 ? "AM" : "PM"}${label()}`;
}
