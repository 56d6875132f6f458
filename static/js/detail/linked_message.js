// Opens the message that the page's address names, with the recorded messages around it, or shows why it cannot.

import { readAround } from "../history/history_reader.js";
import { addressOf, asked } from "../ui/url_state.js";

const ID = /^\d{1,15}-\d{1,15}$/;
const MANY = 50; // messages on each side

// A link to a message of a log or topic; null if it has no id, or its channel's name is not text.
/** @type {(event: Message) => string | null} */
export function linkTo({ channel, channel_base64: bytes, id, kafka }) {
  if (id === undefined || bytes !== undefined) return kafka?.link ?? null;
  return addressOf(new URLSearchParams({ channel, message: id })).href;
}

/**
 * @param {string | undefined} channel
 * @param {{ say(sentence: string): Promise<void>, reveal(event: Message): Promise<void> }} detail
 * @param {import("../history/replay.js").Replay} replay
 * @param {Words} words
 */
export async function openLinked(channel, detail, replay, words) {
  const id = asked().get("message") ?? "";
  /** @type {(word: string, values?: object) => Promise<void>} */
  const fail = (word, values) => detail.say(words.say(word, values));
  if (channel === undefined) return fail("link_nowhere");
  if (!ID.test(id)) return fail("link_bad");
  try {
    const found = await readAround(channel, id, MANY);
    if (!found) return fail("link_gone", { channel });
    await detail.reveal(found.event);
    replay.show(found.events);
  } catch (error) {
    await detail.say(/** @type {Error} */ (error).message || words.say("no_channels"));
  }
}
