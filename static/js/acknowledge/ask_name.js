// Asks for the name that others see beside a taken message.

import { element } from "../ui/dom.js";

const LIMIT = 64; // characters

// The name as the server takes it: visible, with plain blanks. Empty if nothing remains or it is too long.
/** @type {(name: string) => string} */
export function takerName(name) {
  const seen = name.replace(/[\s\p{Z}]+/gu, " ").replace(/\p{C}/gu, "").trim();
  return [...seen].length > LIMIT ? "" : seen;
}

// Empty if the dialog is dismissed.
/** @type {(words: Words) => Promise<string>} */
export function askName(words) {
  const dialog = element("dialog", "dialog dialog--small taker");
  const title = Object.assign(element("h2", "", words.say("take_who")), { id: "taker-title" });
  const form = Object.assign(element("form", "taker__form"), { method: "dialog", autocomplete: "off" });
  const name = words.say("take_name");
  const field = Object.assign(element("input", ""), { required: true, maxLength: LIMIT, ariaLabel: name, placeholder: name });
  const close = Object.assign(element("button", "button", words.say("take_not")), { type: "button" });
  const yes = Object.assign(element("button", "button button--main", words.say("take")), { value: "yes" });
  form.append(field, element("p", "dialog__state", words.say("take_seen")), close, yes);
  dialog.append(title, form);
  dialog.setAttribute("aria-labelledby", title.id);
  document.body.append(dialog);
  close.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", (event) => {
    field.value = takerName(field.value);
    if (field.reportValidity()) return;
    event.preventDefault();
  });
  dialog.showModal();
  field.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue && field.value);
    }, { once: true });
  });
}
