// Finds an alert in a JSON object by commonly used field names. Pure.

import { abridged } from "../lib/format.js";

/** @typedef {any} Published what is in a message: it may be anything */

const LEVELS = {
  critical: ["critical", "crit", "fatal", "emergency", "emerg", "alert", "panic", "disaster", "max", "urgent"],
  error: ["error", "err", "severe", "high", "major", "failure"],
  warning: ["warning", "warn", "medium", "moderate", "minor"],
  info: ["info", "information", "informational", "notice", "default", "low", "ok", "resolved", "none"],
  debug: ["debug", "trace", "verbose", "min"],
};
/** @type {Map<string, string>} */
const BY_WORD = new Map(Object.entries(LEVELS).flatMap(([level, words]) => words.map((word) => [word, level])));
const BY_PRIORITY = ["", "debug", "info", "info", "error", "critical"]; // ntfy's 1 to 5
const BY_TEN = ["", "debug", "debug", "info", "warning", "error", "critical"]; // 10 to 60, as loggers of Node count
const LEVEL_NAMES = ["severity", "level", "priority"];
const TEXT_NAMES = ["title", "message", "text", "msg"];
const LINK_NAMES = ["link", "url", "click"];
const ITEMS = ["pull_request", "issue", "discussion", "release", "workflow_run", "check_run", "check_suite"];
const ALERT_LIMIT = 10;

export const RANKS = ["debug", "info", "warning", "error", "critical"];

// Null if the value is no alert.
/** @type {(value: Published) => Alert | null} */
export function alertIn(value) {
  if (!isObject(value) || Array.isArray(value)) return null;
  if (isAlertmanager(value)) return fromAlertmanager(value);
  return isGitHub(value) ? fromGitHub(value) : byConvention(value);
}

// Only the alert's severity, or ""; cheaper for many messages.
/** @type {(value: Published) => string} */
export function severityIn(value) {
  if (!isObject(value) || Array.isArray(value)) return "";
  if (isAlertmanager(value)) return severityOfAlerts(value);
  return isGitHub(value) ? severityOfItem(itemOf(value)) : severitySaid(value);
}

/** @type {(value: Published) => Alert | null} */
function byConvention(value) {
  const severity = severitySaid(value);
  const title = string(value.title);
  const text = string(value.message) || string(value.text) || string(value.msg);
  if (!severity && !(title && text)) return null;
  const link = linkIn(value.link, value.url, value.click);
  const shown = [
    ...(severity ? LEVEL_NAMES : []), ...(link ? LINK_NAMES : []), "tags",
    ...TEXT_NAMES.filter((name) => typeof value[name] === "string"),
  ];
  return { severity, title, text, tags: tagsIn(value.tags), link, shown };
}

/** @type {(value: Published) => string} */
function severitySaid({ severity, level, priority }) {
  const said = word(severity) || word(level) || word(priority);
  return said || (BY_TEN[number(level) / 10] ?? "") || (BY_PRIORITY[number(priority)] ?? "");
}

/** @type {(given: Published) => string} */
function word(given) {
  return typeof given === "string" ? levelOf(given) : "";
}

// The severity for a word, or "".
/** @type {(given: string) => string} */
export function levelOf(given) {
  return BY_WORD.get(given.toLowerCase()) ?? "";
}

/** @type {(given: Published) => number} */
function number(given) {
  return typeof given === "number" || /^\d+$/.test(string(given)) ? Number(given) : NaN;
}

// Alertmanager, and Grafana, which has the same fields and more

/** @type {(value: Published) => boolean} */
function isAlertmanager({ alerts, status }) {
  return Array.isArray(alerts) && typeof status === "string" && alerts.every(isObject);
}

/** @type {(value: Published) => string} */
function severityOfAlerts({ alerts, status }) {
  return status === "resolved" ? "info" : highest(alerts);
}

/** @type {(value: Published) => Alert} */
function fromAlertmanager(value) {
  const { alerts, status, receiver, title, externalURL } = value;
  const names = new Set(alerts.map((/** @type {Published} */ { labels }) => string(labels?.alertname)).filter(Boolean));
  const [first = {}] = alerts;
  return {
    severity: severityOfAlerts(value),
    title: string(title) || [...names].join(", ") || status,
    text: [...alerts.slice(0, ALERT_LIMIT).map(alertLine), alerts.length > ALERT_LIMIT && "…"].filter(Boolean).join("\n"),
    tags: [status, alerts.length > 1 ? `× ${alerts.length}` : "", string(receiver)].filter(Boolean),
    link: linkIn(first.panelURL, first.dashboardURL, first.generatorURL, externalURL),
    shown: null,
  };
}

/** @type {(alert: Published) => string} */
function alertLine({ status, labels, annotations }) {
  const summary = string(annotations?.summary) || string(annotations?.description) || string(labels?.alertname);
  return [string(status), string(labels?.instance), summary].filter(Boolean).join(" · ");
}

/** @type {(alerts: Published[]) => string} */
function highest(alerts) {
  const levels = alerts.map(({ labels }) => RANKS.indexOf(word(labels?.severity)));
  return RANKS[Math.max(...levels)] ?? "warning"; // it fires, with an unknown severity
}

// GitHub

/** @type {(value: Published) => boolean} */
function isGitHub(value) {
  return string(value.repository?.full_name) !== "";
}

/** @type {(value: Published) => Published} */
function itemOf(value) {
  return ITEMS.map((name) => value[name]).find(isObject) ?? value.head_commit ?? {};
}

/** @type {(item: Published) => string} */
function severityOfItem({ conclusion }) {
  return conclusion === "failure" ? "error" : "";
}

/** @type {(value: Published) => Alert} */
function fromGitHub(value) {
  const repository = value.repository.full_name;
  const item = itemOf(value);
  const said = isObject(value.comment) ? value.comment : value.review ?? {};
  return {
    severity: severityOfItem(item),
    title: firstLine(string(item.title) || string(item.name) || string(item.message) || repository),
    text: string(said.body),
    tags: [repository, value.action, item.conclusion, value.ref, value.sender?.login].filter(isWord),
    link: linkIn(said.html_url, value.compare, item.html_url, item.url, value.repository.html_url),
    shown: null,
  };
}

/** @type {(text: string) => string} */
function firstLine(text) {
  return abridged(text, text.length, 1);
}

// Values

/** @type {(tags: Published) => string[]} */
function tagsIn(tags) {
  const list = typeof tags === "string" ? tags.split(",") : Array.isArray(tags) ? tags : [];
  return list.filter(isWord).map((tag) => tag.trim());
}

// The first safe link: http or https only.
/** @type {(...given: Published[]) => string} */
function linkIn(...given) {
  for (const link of given.filter(isWord)) {
    const url = URL.canParse(link) ? new URL(link) : null;
    if (url?.protocol === "https:" || url?.protocol === "http:") return url.href;
  }
  return "";
}

/** @type {(given: Published) => string} */
function string(given) {
  return typeof given === "string" ? given : "";
}

/** @type {(given: Published) => given is string} */
function isWord(given) {
  return typeof given === "string" && given !== "";
}

/** @type {(given: Published) => boolean} */
function isObject(given) {
  return typeof given === "object" && given !== null;
}
