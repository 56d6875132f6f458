// Topics outside the feed: the state of their chips, and a command to publish to one.

import { shellQuote, toDate } from "../lib/format.js";
import { config } from "../stream/boot.js";
import { keyOf, looksLikePattern } from "../stream/channel_names.js";
import { element } from "../ui/dom.js";
import { Words } from "../ui/i18n.js";
import { timesOfDay } from "../ui/timestamps.js";
import { matched, topicOf, topicsOf } from "./topic_names.js";

const SAMPLE_MESSAGE = "Olá, assinantes!";

const words = new Words(config.words, document.documentElement.lang);
/** @type {import("./topic_about.js").TopicAbout | undefined} */
let about;
const welcome = document.querySelector("#welcome p");
const nothingIsKept = welcome.textContent;

/** @type {(state: FeedState, names: Name[]) => void} */
export function showTopics({ refusals, away }, names) {
  const chips = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#chips [data-kind=topic]"));
  for (const chip of chips) {
    const name = chip.querySelector(".chip__name").title;
    if (looksLikePattern(name)) showGlob(chip, name, away);
    else {
      offerAbout(chip, topicOf(name));
      showTopic(chip, refusals.get(chip.dataset.key ?? ""), awayOf(name, away));
    }
  }
  const hasOthers = names.some(({ kind }) => kind !== "topic");
  welcome.textContent = hasOthers ? nothingIsKept : words.say("topic_welcome");
  const [topic] = hasOthers ? [] : names.flatMap(({ name }) => topicsOf(name));
  if (topic) suggest(topic);
}

// The outage of a topic; for a partition also that of its topic.
/** @type {(name: string, away?: Map<string, Away>) => Away | undefined} */
function awayOf(name, away) {
  return away?.get(keyOf({ kind: "topic", name })) ?? away?.get(keyOf({ kind: "topic", name: topicOf(name) }));
}

// Shows how many topics a glob matches, and which; and those that are unavailable.
/** @type {(chip: HTMLElement, glob: string, away?: Map<string, Away>) => void} */
function showGlob(chip, glob, away) {
  const { topics, left_out: leftOut = [], error } = matched.get(glob) ?? { topics: [] };
  const own = awayOf(glob, away);
  const absent = topics.flatMap((topic) => awayOf(topic, away) ?? []);
  const tag = chip.querySelector(".chip__recorded");
  chip.dataset.recording = own || absent.length || error ? "stopped" : "off";
  tag.hidden = false;
  chip.querySelector("[data-of=topic]").hidden = !own; // the tag shows the number instead
  tag.textContent = own ? words.say("away_since", { time: timesOfDay([toDate(own.from)])[0] }) : words.say("glob_topics", { n: topics.length });
  const said = [own?.error, error && `${error} ${leftOut.join(", ")}`, ...new Set(absent.map(({ error }) => error))].filter(Boolean).join(" ");
  chip.querySelector(".chip__problem").textContent = said;
  chip.title = [said, topics.join(", ")].filter(Boolean).join("\n");
}

// While Kafka is away the chip looks like a channel whose recording has stopped.
/** @type {(chip: HTMLElement, error?: string, away?: Away) => void} */
function showTopic(chip, error, away) {
  const values = { error: error ?? away?.error, time: away && timesOfDay([toDate(away.from)])[0] };
  const tag = chip.querySelector(".chip__recorded");
  chip.dataset.recording = away ? "stopped" : "off";
  tag.hidden = !away;
  tag.textContent = away ? words.say("away_since", values) : "";
  const said = error === undefined ? away && words.say("topic_away", values) : words.say("topic_refused", values);
  chip.title = chip.querySelector(".chip__problem").textContent = said ?? "";
}

// Adds a button, in the place of a channel's menu.
/** @type {(chip: HTMLElement, name: string) => void} */
function offerAbout(chip, name) {
  if (chip.querySelector(".chip__about")) return;
  const button = element("button", "chip__about");
  button.ariaLabel = button.title = words.say("about_topic", { name });
  button.ariaHasPopup = "dialog";
  button.tabIndex = chip.querySelector("button").tabIndex;
  button.addEventListener("click", () => openAbout(name));
  chip.querySelector(".chip__hide").after(button);
}

/** @type {(topic: string) => Promise<void>} */
async function openAbout(topic) {
  try {
    const { TopicAbout } = await import("./topic_about.js");
    await (about ??= new TopicAbout(words)).open(topic);
  } catch {
    document.dispatchEvent(new Event("unloaded"));
  }
}

/** @type {(topic: string) => void} */
function suggest(topic) {
  const url = new URL("publish", document.baseURI).href;
  const command = ["curl", "--data-urlencode", `topic=${topic}`, "--data-urlencode", `message=${SAMPLE_MESSAGE}`, url];
  document.querySelector("#welcome code").textContent = command.map(shellQuote).join(" ");
}
