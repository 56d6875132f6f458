// A row's buttons, and its time in full. They come when there is time or need: in a flood they would cost
// more than the message.

import { fullTime } from "../ui/timestamps.js";

let buttons;

export function setTools(template) {
  buttons = template.content;
}

export function equip(row) {
  if (row.lastElementChild.childElementCount) return;
  row.lastElementChild.append(buttons.cloneNode(true));
  const [time] = row.children;
  if (time.dateTime) time.title = fullTime(new Date(time.dateTime));
  showTools(row);
}

export function showTools(row) {
  const toggle = row.lastElementChild.firstElementChild;
  if (!toggle) return;
  toggle.hidden = row.dataset.json === undefined;
  toggle.ariaPressed = row.dataset.view === "tree";
}
