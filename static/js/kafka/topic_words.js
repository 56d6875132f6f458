// The words and styles of dialogs about topics, loaded with the first of them.

import { config } from "../stream/boot.js";
import { addSheet } from "../ui/dom.js";

/** @type {Promise<unknown> | null} */
let asked = null;

// Throws if the server does not answer; the next call tries again.
/** @type {() => Promise<unknown>} */
export function loadTopicParts() {
  asked ??= Promise.all([fetchWords(), addSheet(new URL("topics_later.css", import.meta.url).href)]).catch((error) => {
    asked = null;
    throw error;
  });
  return asked;
}

async function fetchWords() {
  const answer = await fetch(new URL(`topic_words.${document.documentElement.lang}.json`, import.meta.url));
  if (!answer.ok) throw new Error("");
  Object.assign(config.words, await answer.json());
}
