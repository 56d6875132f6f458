// Publishes what is in the form to a topic of Kafka, or to a channel and a topic: a request and an answer for each.

import { config, limits, selection } from "../stream/boot.js";
import { nameProblem } from "../stream/channel_names.js";
import { element } from "../ui/dom.js";
import { Words } from "../ui/i18n.js";
import { kafkaSays, redisSays } from "./topic_answer.js";
import { TopicFields } from "./topic_fields.js";

const ANSWER_LIMIT = 20_000; // milliseconds; the server waits for Kafka more than once
const NOT_CONFIRMED = 409;

/**
 * @typedef {"redis" | "kafka"} Side
 * @typedef {Record<string, string>} Fields
 * @typedef {[side: Side, fields: Fields]} Request
 */

/** @type {(id: string) => any} */
const find = (id) => document.getElementById(id);
const form = find("publish");
const { channel, kind, message, csrf, "publish-button": button } = form.elements;
const answer = find("answer"); // shared with the form that knows channels: it has a sentence and a note
const lines = element("span", "answers");
const words = new Words(config.words, document.documentElement.lang);
const fields = new TopicFields(form, selection.names);
let isSending = false;
let isOfTwo = false; // what was sent last
/** @type {Request[]} */
let failed = []; // of the last

answer.append(lines);
find("publish-to").addEventListener("change", clear);
document.addEventListener("republish", () => {
  fields.to = "channel";
  clear();
}, true);
document.addEventListener("submit", submitted, true); // before the form that knows channels

/** @type {(event: SubmitEvent) => Promise<void>} */
async function submitted(event) {
  if (event.target !== form || fields.to === "channel") return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (isSending) return;
  const problem = whatIsWrong();
  if (problem) return complain(...problem);
  if (!message.value && !(await isMeant(words.say("confirm_empty")))) return complain(words.say("not_confirmed"), message);
  clear();
  await send(read());
}

/** @type {() => [sentence: string, field: HTMLElement] | null} */
function whatIsWrong() {
  if (fields.to === "both") {
    const wrong = channel.value ? nameProblem(channel.value, limits.maxName) : /** @type {Said} */ (["channel_empty"]);
    if (wrong) return [words.say(...wrong), channel];
  }
  const wrong = fields.problem();
  return wrong && [words.say(wrong[0]), wrong[1]]; // how large a message may be, the server says
}

/** @type {(sentence: string, field: HTMLElement) => void} */
function complain(sentence, field) {
  clear();
  say("kafka", "failed", sentence);
  field.focus();
}

/** @type {() => Request[]} */
function read() {
  const text = message.value;
  isOfTwo = fields.to === "both";
  /** @type {Request[]} */
  const requests = isOfTwo ? [["redis", { [kind.checked ? "shard" : "channel"]: channel.value, message: text }]] : [];
  return [...requests, ["kafka", { ...fields.read(), message: text }]];
}

// One after the other: each may ask whether it is meant. What is typed meanwhile stays.
/** @type {(requests: Request[]) => Promise<void>} */
async function send(requests) {
  setSending(true);
  failed = [];
  for (const request of requests) if (!(await one(...request))) failed.push(request);
  setSending(false);
  if (!failed.length && message.value === requests[0][1].message) empty();
  if (!document.activeElement?.matches("input, textarea, select")) message.focus();
}

function empty() {
  message.value = "";
  message.dispatchEvent(new Event("input", { bubbles: true }));
}

// The dialog of confirm.js: to import it from there makes the scripts of pages without Kafka larger.
/** @type {(sentence: string) => Promise<boolean>} */
function isMeant(sentence) {
  const dialog = find("confirm");
  dialog.querySelector("p").textContent = sentence;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** @type {(now: boolean) => void} */
function setSending(now) {
  isSending = now;
  button.ariaDisabled = String(now); // a button that is disabled loses the focus
}

// Says in its own place what became of it, and whether it was published.
/** @type {Record<Side, (reply: any, words: Words) => import("./topic_answer.js").Told>} */
const SAYS = { redis: redisSays, kafka: kafkaSays };
/** @type {(side: Side, fields: Fields) => Promise<boolean>} */
async function one(side, fields) {
  const reply = await post(side, fields);
  const [state, sentence] = SAYS[side](reply, words);
  if (reply.error === undefined) {
    say(side, state, sentence);
    return true;
  }
  const again = Object.assign(element("button", "link", words.say("send_again")), { type: "button" });
  again.addEventListener("click", () => isSending || send(failed));
  say(side, state, named(side, fields, sentence), " ", again);
  return false;
}

// Beside another answer it says of what it is.
/** @type {(side: Side, fields: Fields, sentence: string) => string} */
function named(side, { topic, channel, shard }, said) {
  const name = topic ?? channel ?? shard;
  return !isOfTwo || said.includes(name) ? said : words.say(`${side}_failed`, { name, said });
}

/** @type {(side: Side, state: string, ...said: (string | Node)[]) => void} */
function say(side, state, ...said) {
  const line = element("span", "answers__line");
  line.append(...said);
  Object.assign(line.dataset, { side, state });
  const former = lines.querySelector(`[data-side=${side}]`);
  if (former) former.replaceWith(line);
  else lines.append(line);
  answer.dataset.state = "both";
  lines.scrollIntoView({ block: "nearest" });
}

function clear() {
  lines.replaceChildren();
  delete answer.dataset.state;
  for (const place of [...answer.children].slice(0, 2)) place.textContent = "";
}

/** @type {(side: Side, fields: Fields) => Promise<any>} */
async function post(side, fields) {
  const reply = await ask(side, fields);
  if (reply.status !== NOT_CONFIRMED) return reply;
  const name = fields.topic ?? fields.channel ?? fields.shard;
  if (!(await isMeant(words.say("confirm", { channel: name })))) return { error: words.say("not_confirmed") };
  return ask(side, { ...fields, confirmed: "1" });
}

/** @type {(side: Side, fields: Fields) => Promise<any>} */
async function ask(side, fields) {
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(csrf ? { ...fields, csrf: csrf.value } : fields),
      signal: AbortSignal.timeout(ANSWER_LIMIT),
    });
    const { status } = answer;
    const reply = await answer.json().catch(() => ({}));
    const isWhole = answer.ok ? (side === "redis" ? "receivers" : "offset") in reply : "error" in reply;
    return isWhole ? { ...reply, status } : { error: words.say("strange_answer", { status: String(status) }) };
  } catch {
    return { error: words.say("no_answer") };
  }
}
