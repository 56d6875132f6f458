// Opens the message that the page's address names by `at`, partition and offset of its one topic, with the messages
// around it in its partition; or shows why it cannot.

import { ask } from "../history/history_reader.js";
import { config, selection } from "../stream/boot.js";
import { Words } from "../ui/i18n.js";
import { asked } from "../ui/url_state.js";
import { topicOf } from "./topic_names.js";
import { pathOf, toEvents } from "./topic_past.js";

const PLACE = /^(\d{1,9}):(\d{1,15})$/;
const MANY = 50; // messages on each side

/** @type {NonNullable<PastOfTopics["openLinked"]>} */
export async function openAt(detail, replay) {
  const words = new Words(config.words, document.documentElement.lang);
  const at = asked().get("at") ?? "";
  const topics = selection.names.filter(({ kind }) => kind === "topic");
  const [, partition, offset] = at.match(PLACE)?.map(Number) ?? [];
  if (offset === undefined || topics.length !== 1) return detail.say(words.say("link_at_bad"));
  const topic = topicOf(topics[0].name);
  try {
    const query = { since: `${partition}:${Math.max(0, offset - MANY)}`, until: `${partition}:${offset + MANY + 1}` };
    const lines = await ask(query, Infinity, undefined, pathOf(topic));
    const events = toEvents(lines);
    const found = /** @type {Message | undefined} */ (events[lines.findIndex((line) => line.offset === offset && line.type === undefined)]);
    if (found) await detail.reveal(found);
    else await detail.say(missing(lines[0], { topic, at, offset }, words));
    if (events.length) replay.show(events);
  } catch (error) {
    await detail.say(/** @type {Error} */ (error).message || words.say("no_channels"));
  }
}

// A gap can only be the first line.
/** @type {(first: any, place: { topic: string, at: string, offset: number }, words: Words) => string} */
function missing(first, place, words) {
  const n = first?.type === "gap" ? first.offset + first.missing - place.offset : 0;
  return n > 0 ? words.say("link_at_gone", { ...place, n }) : words.say("link_at_none", place);
}
