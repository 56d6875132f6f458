// Adds a step to the card of things to try, if there is Kafka: two workers of one group beside Redis's broadcast.

import { config } from "../stream/boot.js";
import { element } from "../ui/dom.js";
import { Words } from "../ui/i18n.js";
import { change, get } from "../ui/preferences.js";

const KEY = "lesson"; // the preference of the other steps

/** @type {import("./share_lesson.js").ShareLesson | undefined} */
let lesson;

/** @type {(card: Element) => void} */
export function addStep(card) {
  const words = new Words(config.words, document.documentElement.lang);
  const tick = element("span", "try__tick");
  tick.role = "img";
  const draw = () => {
    const isDone = Boolean(get(KEY, {}).share);
    tick.ariaLabel = words.say(isDone ? "try_done" : "try_open");
    tick.dataset.state = isDone ? "done" : "open";
  };
  const button = Object.assign(element("button", "link", words.say("try_share")), { type: "button" });
  button.addEventListener("click", () => open(words, () => {
    change(KEY, {}, (all) => ({ ...all, share: true }));
    draw();
  }));
  const item = element("li", "");
  item.append(tick, button, element("small", "", words.say("try_share_why")));
  card.querySelector("ol").append(item);
  addEventListener("storage", draw);
  draw();
}

/** @type {(words: Words, shared: () => void) => Promise<void>} */
async function open(words, shared) {
  try {
    const { ShareLesson } = await import("./share_lesson.js");
    await (lesson ??= new ShareLesson(words, shared)).open();
  } catch {
    document.dispatchEvent(new Event("unloaded"));
  }
}
