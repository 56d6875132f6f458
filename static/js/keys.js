// One key, one deed; never while somebody types.

import { get, set } from "./preferences.js";

const TYPING = "input, textarea, select, [contenteditable]";
const PRESSABLE = "button, a, summary, [role=button]";

export class Keys {
  #deeds;

  // `deeds` by the key that does them.
  constructor(dialog, deeds) {
    this.#deeds = { ...deeds, "?": () => dialog.showModal() };
    const act = dialog.querySelector("input");
    act.checked = get("keys", true);
    act.addEventListener("change", () => set("keys", act.checked));
    document.addEventListener("keydown", (event) => this.#pressed(event));
  }

  #pressed(event) {
    const { key, target } = event;
    if (!Object.hasOwn(this.#deeds, key) || this.#isMeantOtherwise(event)) return;
    if (key !== "Escape" && (target.closest(TYPING) || !get("keys", true))) return;
    if (key === " " && target.closest(PRESSABLE)) return;
    if (this.#deeds[key](target) !== false) event.preventDefault();
  }

  #isMeantOtherwise({ ctrlKey, altKey, metaKey, isComposing, repeat, key, defaultPrevented }) {
    const isHeld = repeat && key !== "j" && key !== "k";
    const isCovered = document.querySelector("dialog[open], :popover-open");
    return ctrlKey || altKey || metaKey || isComposing || isHeld || defaultPrevented || isCovered;
  }
}
