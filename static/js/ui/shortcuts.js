// Keyboard shortcuts, ignored while typing. On a keyboard that is not Latin, a key's position counts.

import { get, set } from "./preferences.js";

const TYPING = "input, textarea, select, [contenteditable]";
const PRESSABLE = "button, a, summary, [role=button]";
const COMPOSED = 229; // the code of a key that an input method handles

// Neither a shortcut of the browser nor part of a composed character.
/** @type {(event: KeyboardEvent) => boolean} */
export function isPlain(event) {
  const { ctrlKey, altKey, metaKey, isComposing, keyCode } = event;
  return !(ctrlKey || altKey || metaKey || isComposing || keyCode === COMPOSED || event.getModifierState("AltGraph"));
}

export class Shortcuts {
  /** @type {Record<string, (target: HTMLElement) => unknown>} */
  #actions;
  #dialog;
  #isLatin = true; // whether the last letter pressed was

  // `actions`: functions by key.
  /** @param {HTMLDialogElement} dialog @param {Record<string, (target: HTMLElement) => unknown>} actions */
  constructor(dialog, actions) {
    this.#actions = { ...actions, "?": () => dialog.showModal() };
    this.#dialog = dialog;
    const act = dialog.querySelector("input");
    act.checked = get("keys", true);
    act.addEventListener("change", () => set("keys", act.checked));
    addEventListener("storage", () => (act.checked = get("keys", true)));
    document.addEventListener("keydown", (event) => this.#pressed(event));
  }

  /** @type {(event: KeyboardEvent) => void} */
  #pressed(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const key = this.#keyOf(event);
    if (key === "?" && this.#dialog.open) return this.#dialog.close();
    if (!Object.hasOwn(this.#actions, key) || this.#isMeantOtherwise(event, key)) return;
    if (key !== "Escape" && (target.closest(TYPING) || !get("keys", true))) return;
    if (key === " " && target.closest(PRESSABLE)) return;
    if (this.#actions[key](target) !== false) event.preventDefault();
  }

  // A Cyrillic or Greek letter counts as the Latin one in its position, and so does the slash.
  /** @type {(event: KeyboardEvent) => string} */
  #keyOf({ key, code, shiftKey }) {
    const isLetter = /^\p{L}$/u.test(key);
    if (isLetter) this.#isLatin = /\p{Script=Latin}/u.test(key);
    if (this.#isLatin) return key;
    if (code === "Slash") return shiftKey ? "?" : "/";
    const isSmall = key === key.toLowerCase() && !shiftKey;
    return isLetter && isSmall ? code.replace(/^Key(.)$/, (_, letter) => letter.toLowerCase()) : key;
  }

  /** @type {(event: KeyboardEvent, key: string) => unknown} */
  #isMeantOtherwise(event, key) {
    const isHeld = event.repeat && key !== "j" && key !== "k";
    const isCovered = document.querySelector("dialog[open], :popover-open");
    return !isPlain(event) || isHeld || event.defaultPrevented || isCovered;
  }
}
