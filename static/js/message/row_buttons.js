// A row's buttons, and its time in full. Added when idle or needed: in a flood they would cost more than the message.

import { fullTime } from "../ui/timestamps.js";

/** @type {DocumentFragment} */
let buttons;

/** @type {(template: HTMLTemplateElement) => void} */
export function setTools(template) {
  buttons = template.content;
}

/** @type {(row: HTMLElement) => void} */
export function equip(row) {
  if (row.lastElementChild?.childElementCount) return;
  row.lastElementChild?.append(buttons.cloneNode(true));
  const time = /** @type {HTMLTimeElement} */ (row.firstElementChild);
  if (time.dateTime) time.title = fullTime(new Date(time.dateTime));
  showTools(row);
}

/** @type {(row: HTMLElement) => void} */
export function showTools(row) {
  const toggle = /** @type {HTMLElement | null | undefined} */ (row.lastElementChild?.firstElementChild);
  if (!toggle) return;
  toggle.hidden = row.dataset.json === undefined;
  toggle.ariaPressed = String(row.dataset.view === "tree");
}
