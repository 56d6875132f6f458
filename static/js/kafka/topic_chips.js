// What a page says of topics beside its rows: how each stands at Kafka, and how to publish to one.

import { shellQuote, toDate } from "../lib/format.js";
import { config } from "../stream/boot.js";
import { element } from "../ui/dom.js";
import { Words } from "../ui/i18n.js";
import { timesOfDay } from "../ui/timestamps.js";

const SAMPLE_MESSAGE = "Olá, assinantes!";

const words = new Words(config.words, document.documentElement.lang);
/** @type {import("./topic_about.js").TopicAbout | undefined} */
let about;
const welcome = document.querySelector("#welcome p");
const nothingIsKept = welcome.textContent;

/** @type {(standing: Standing, names: Name[]) => void} */
export function showTopics({ refusals, away }, names) {
  const chips = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#chips [data-kind=topic]"));
  for (const chip of chips) offerAbout(chip);
  for (const chip of chips) showTopic(chip, refusals.get(chip.dataset.key ?? ""), away?.get(chip.dataset.key ?? ""));
  const hasOthers = names.some(({ kind }) => kind !== "topic");
  welcome.textContent = hasOthers ? nothingIsKept : words.say("topic_welcome");
  if (!hasOthers) suggest(names[0].name);
}

// While Kafka is away it looks like one whose recording has stopped.
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

// Beside what each chip has: its place is that of a channel's menu.
/** @type {(chip: HTMLElement) => void} */
function offerAbout(chip) {
  if (chip.querySelector(".chip__about")) return;
  const name = chip.querySelector(".chip__name").title;
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
