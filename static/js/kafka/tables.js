// Tables of partitions and groups, and their dialogs.

import { element } from "../ui/dom.js";

/** @typedef {string | Node} Cell */

// The first cell of a row is its heading.
/** @type {(caption: string, head: string[]) => { table: HTMLTableElement, fill(rows: Cell[][]): void }} */
export function makeTable(caption, head) {
  const table = element("table", "facts");
  table.append(element("caption", "visually-hidden", caption));
  const top = element("tr", "");
  top.append(...head.map((text) => Object.assign(element("th", "", text), { scope: "col" })));
  table.createTHead().append(top);
  const body = table.createTBody();
  let shown = "";
  return {
    table,
    // An unchanged table is not replaced: its text may be selected.
    fill(rows) {
      const text = JSON.stringify(rows.map((row) => row.map((cell) => (typeof cell === "string" ? cell : cell.textContent))));
      if (text === shown) return;
      shown = text;
      body.replaceChildren(...rows.map(makeRow));
    },
  };
}

/** @type {(cells: Cell[]) => HTMLElement} */
function makeRow([first, ...others]) {
  const row = element("tr", "");
  const heading = Object.assign(element("th", ""), { scope: "row" });
  heading.append(first);
  row.append(heading, ...others.map((cell) => {
    const made = element("td", "");
    made.append(cell);
    return made;
  }));
  return row;
}

// `close` is called whenever the dialog has been closed.
/** @type {(id: string, words: Words, close: () => void) => { dialog: HTMLDialogElement, title: HTMLElement, scroll: HTMLElement, state: HTMLElement }} */
export function makeDialog(id, words, close) {
  const dialog = Object.assign(element("dialog", "dialog"), { id });
  const title = Object.assign(element("h2", ""), { id: `${id}-title` });
  dialog.setAttribute("aria-labelledby", title.id);
  const head = element("div", "dialog__head");
  const button = Object.assign(element("button", "dialog__close"), { type: "button", title: words.say("about_close") });
  button.ariaLabel = button.title;
  button.addEventListener("click", () => dialog.close());
  head.append(title, button);
  const state = Object.assign(element("p", "dialog__state"), { role: "status" });
  const scroll = Object.assign(element("div", "dialog__scroll"), { tabIndex: 0, role: "region" });
  scroll.setAttribute("aria-labelledby", title.id);
  dialog.append(head, state, scroll);
  dialog.addEventListener("close", close);
  document.body.append(dialog);
  return { dialog, title, scroll, state };
}

// A name from Kafka, not to be translated.
/** @type {(text: string) => HTMLElement} */
export function verbatim(text) {
  return Object.assign(element("bdi", "verbatim", text), { translate: false });
}
