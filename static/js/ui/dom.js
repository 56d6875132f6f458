// Makes elements. Text is never parsed as HTML.

/** @template {keyof HTMLElementTagNameMap} Tag @param {Tag} tag @param {string} className @param {string} [text] */
export function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

// An unchanged text is not written again: a screen reader would repeat it.
/** @type {(place: Element, text: string) => void} */
export function setText(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

// The mark of a name that is not UTF-8.
/** @type {(words: import("./i18n.js").Words) => HTMLElement} */
export function notText(words) {
  return Object.assign(element("span", "mark", words.say("not_text")), { title: words.say("not_text_why") });
}

/** @type {(href: string) => Promise<unknown>} */
export function addSheet(href) {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
  document.head.append(link);
  return new Promise((done, fail) => Object.assign(link, { onload: done, onerror: fail }));
}

// In the Tab order only while its row is the current one: see roving_focus.js.
/** @type {(className: string, text?: string) => HTMLButtonElement} */
export function rowButton(className, text = "") {
  return Object.assign(element("button", className, text), { tabIndex: -1 });
}

/** @type {(place: Node) => boolean} */
export function hasSelection(place) {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && selection.getRangeAt(0).intersectsNode(place);
}

// Trims typed text, visibly. Text that a script has set is kept as it is.
/** @type {(input: HTMLInputElement) => void} */
export function trimTyped(input) {
  input.addEventListener("change", () => (input.value = input.value.trim()));
}
