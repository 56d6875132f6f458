// Tells a message's time as its person chose: of 12 or 24 hours, or how long ago.

import { chosen } from "./appearance.js";
import { preciseClock } from "./format.js";
import { lazily } from "./lazily.js";

const REFRESH = 5_000; // milliseconds
const STEPS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

const language = document.documentElement.lang || undefined;
const full = lazily(() => new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" }));
const relative = lazily(() => new Intl.RelativeTimeFormat(language, { style: "narrow", numeric: "auto" }));

export function rowTime(date) {
  if (chosen("times") === "relative") return ago((Date.now() - date) / 1000);
  return chosen("clock") === "12" ? twelve(date) : preciseClock(date);
}

// Rows that are there already tell theirs anew: now, and as time goes by.
export function keepTimes(list) {
  retell(list);
  setInterval(() => document.hidden || (chosen("times") === "relative" && retell(list)), REFRESH);
}

export function retell(list) {
  for (const time of list.querySelectorAll("time[datetime]")) {
    const text = rowTime(new Date(time.dateTime));
    if (time.textContent !== text) time.textContent = text;
  }
}

// "Monday, November 23, 2026 at 10:00:00 PM GMT-3"
export function fullTime(date) {
  return full().format(date);
}

// "America/Sao_Paulo, GMT-3"
export function zone() {
  const parts = new Intl.DateTimeFormat(language, { timeZoneName: "shortOffset" }).formatToParts();
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return `${timeZone}, ${parts.find(({ type }) => type === "timeZoneName").value}`;
}

function ago(seconds) {
  const [unit, size] = STEPS.find(([, size]) => seconds >= size) ?? ["second", 1];
  return relative().format(-Math.max(0, Math.floor(seconds / size)), unit);
}

function twelve(date) {
  const hours = date.getHours();
  const [, ...rest] = preciseClock(date).split(":");
  return `${String(hours % 12 || 12).padStart(2, "0")}:${rest.join(":")} ${hours < 12 ? "AM" : "PM"}`;
}
