// Adds a button to the channel browser: watch all topics that match the search, if it is a glob.

import { config, selection } from "../stream/boot.js";
import { looksLikePattern } from "../stream/channel_names.js";
import { element } from "../ui/dom.js";
import { Words } from "../ui/i18n.js";

const GLOB = /^[\w.*?[\]^\\-]+$/;

const words = new Words(config.words, document.documentElement.lang);
const button = Object.assign(element("button", "button"), { type: "button" });

/** @type {(search: HTMLInputElement) => void} */
export function offer(search) {
  /** @type {Name} */
  const name = { kind: "topic", name: search.value };
  const isOffered = looksLikePattern(name.name) && GLOB.test(name.name) && !selection.has(name);
  if (!isOffered) return button.remove();
  button.textContent = words.say("glob_watch", { glob: name.name });
  button.onclick = () => {
    if (!selection.add(name)) button.remove();
  };
  search.form?.append(button);
}
