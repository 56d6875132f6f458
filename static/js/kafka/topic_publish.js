// Lets the form publish to a topic of Kafka, or to a channel and a topic, with a result for each. Sending, confirming
// and storing drafts remain the form's work.

import { config, selection } from "../stream/boot.js";
import { spoken } from "../stream/channel_names.js";
import { element } from "../ui/dom.js";
import { Words } from "../ui/i18n.js";
import { kafkaSays, redisSays } from "./topic_answer.js";
import { TopicFields } from "./topic_fields.js";

/**
 * @typedef {"redis" | "kafka"} Side
 * @typedef {import("../publish/publish_form.js").Send} Send
 * @typedef {import("../publish/publish_form.js").Answer} Answer
 */

/** @type {Record<Side, (reply: any, words: Words) => import("./topic_answer.js").Result>} */
const SAYS = { redis: redisSays, kafka: kafkaSays };

const form = /** @type {PublishElement} */ (/** @type {unknown} */ (document.getElementById("publish")));
const { publisher } = form;
const words = new Words(config.words, document.documentElement.lang);
const fields = new TopicFields(form, selection.names);
const lines = element("span", "answers");
/** @type {Side[] | null} */
let again = null; // the destinations that failed, when they are retried

const ofChannel = { problem: publisher.problem.bind(publisher), deliver: publisher.deliver.bind(publisher), where: publisher.where.bind(publisher) };
const unsent = publisher.extra.draft;
if (unsent.to) fields.draft = unsent;
Object.assign(publisher, { extra: fields, problem, deliver, where });
const { "publish-to": to, "publish-button": button } = form.elements;
to.addEventListener("change", () => button.disabled || publisher.say("", "")); // the reason for a disabled form stays

function problem() {
  const wrong = ofChannel.problem();
  if (wrong && (fields.to !== "topic" || wrong[1] !== form.elements.channel)) return wrong;
  const own = fields.to === "channel" ? null : fields.problem();
  return own && [words.say(own[0]), own[1]];
}

/** @type {(draft: Draft) => string} */
function where(draft) {
  const topic = spoken({ kind: "topic", name: draft.topic ?? "" }, words);
  if (draft.tombstone) return `${topic}, ${words.say("no_value")}`;
  if (draft.to === "topic") return topic;
  return draft.to === "both" ? `${ofChannel.where(draft)}, ${topic}` : ofChannel.where(draft);
}

// One after the other: each may need a confirmation. Resolves to whether the text was published: a tombstone has none.
/** @type {(sent: Draft, send: Send) => Promise<boolean>} */
async function deliver(sent, send) {
  if (!sent.to) return ofChannel.deliver(sent, send);
  if (!again) lines.replaceChildren();
  publisher.say("done", "", lines);
  /** @type {Side[]} */
  const sides = again ?? (sent.to === "both" ? ["redis", "kafka"] : ["kafka"]);
  /** @type {Side[]} */
  const failed = [];
  const times = Number(form.elements["publish-times"].value);
  for (const side of sides) {
    const answer = await sendTo(side, sent, send);
    if (answer.error === undefined) announce(side, sent, answer);
    else failed.push(side);
    showResult(side, sent, answer, () => publisher.publish(sent, times), failed);
  }
  return !failed.length && !sent.tombstone;
}

/** @type {(side: Side, sent: Draft, send: Send) => Promise<Answer>} */
async function sendTo(side, { kind, channel, message, to, topic, ...given }, send) {
  const data = given.tombstone ? "" : message;
  const answer = await (side === "redis" ? send({ kind, channel, message }) : send({ kind: "topic", channel: topic, message: data }, given));
  return answer.n === 0 && answer.error === undefined ? { error: words.say("not_confirmed") } : answer; // stopped before the first
}

// The receivers of a topic are not counted.
/** @type {(side: Side, sent: Draft, answer: Answer) => void} */
function announce(side, sent, { receivers, tabs, n, at_least: isAtLeast = side === "kafka" }) {
  const message = sent.tombstone ? "" : n === undefined ? sent.message : sent.message.replaceAll("{n}", String(n));
  publisher.emit("published", { ...sent, message, receivers, tabs, isAtLeast });
}

/** @type {(side: Side, sent: Draft, answer: Answer, resend: () => Promise<void>, failed: Side[]) => void} */
function showResult(side, sent, answer, resend, failed) {
  const { n, error } = answer;
  const [state, said] = SAYS[side]({ ...answer, tombstone: sent.tombstone }, words);
  if (error === undefined) return say(side, state, said, n === undefined ? "" : element("small", "", words.say("burst_done", { n })));
  const name = /** @type {string} */ (side === "redis" ? sent.channel : sent.topic);
  const whole = sent.to !== "both" || said.includes(name) ? said : words.say(`${side}_failed`, { name, said });
  if (n) return say(side, state, whole, element("small", "", words.say("burst_broken", { n })));
  const resender = Object.assign(element("button", "link", words.say("send_again")), { type: "button" });
  resender.addEventListener("click", async () => {
    if (button.disabled || button.ariaDisabled === "true") return;
    again = failed;
    await resend();
    again = null;
  });
  say(side, state, whole, resender);
}

/** @type {(side: Side, state: string, said: string, more: string | Node) => void} */
function say(side, state, said, more) {
  const line = element("span", "answers__line", `${said} `);
  line.append(more);
  Object.assign(line.dataset, { side, state });
  const former = lines.querySelector(`[data-side=${side}]`);
  if (former) former.replaceWith(line);
  else lines.append(line);
  lines.scrollIntoView({ block: "nearest" });
}
