// The dialog that asks for a view's name, and from when its messages are shown.

import { element } from "../ui/dom.js";
import { trimmedName } from "./view_query.js";

/** @typedef {{ name: string, since: string }} Answer */

export class ViewDialog {
  #words;
  #dialog = element("dialog", "dialog dialog--small");
  #title = element("h2", "");
  #form = element("form", "naming");
  #name = element("input", "");
  #since = element("select", "");
  #range = element("label", "");
  #said = element("p", "dialog__state");
  #button = element("button", "button button--main");
  /** @type {(answer: Answer) => Said | null} */
  #check = () => null;
  /** @type {(answer: Answer | null) => void} */
  #answer = () => {};
  #meant = ""; // the name that has to be confirmed

  /** @param {Words} words */
  constructor(words) {
    this.#words = words;
    this.#title.id = "naming-title";
    this.#dialog.setAttribute("aria-labelledby", this.#title.id);
    const label = element("label", "", words.say("view_name"));
    Object.assign(this.#name, { required: true, maxLength: 60, autocomplete: "off" });
    label.append(this.#name);
    this.#range.append(words.say("view_range"), this.#since);
    this.#said.role = "status";
    const cancel = Object.assign(element("button", "button", words.say("view_cancel")), { type: "button" });
    cancel.addEventListener("click", () => this.#dialog.close());
    const answers = element("div", "dialog__answers");
    answers.append(cancel, this.#button);
    this.#form.append(label, this.#range, this.#said, answers);
    this.#dialog.append(this.#title, this.#form);
    this.#form.addEventListener("submit", (event) => this.#submitted(event));
    this.#name.addEventListener("input", () => this.#ask(null));
    this.#dialog.addEventListener("close", () => this.#answer(null));
    document.body.append(this.#dialog);
  }

  // Resolves to the answer, or null. `ranges`: values of `since` with their labels. If `check` returns a question (a
  // word's key and values), the visitor has to confirm the name once.
  /**
   * @param {string} title a word's key
   * @param {{
   *   name: string, since?: string, ranges?: [since: string, label: string][], check: (answer: Answer) => Said | null,
   * }} what
   * @returns {Promise<Answer | null>}
   */
  ask(title, { name, since = "", ranges = [], check }) {
    this.#check = check;
    this.#title.textContent = this.#words.say(title);
    this.#name.value = name;
    this.#since.replaceChildren(...ranges.map(([value, label]) => new Option(label, value)));
    this.#since.value = since;
    this.#range.hidden = ranges.length < 2;
    this.#ask(null);
    this.#dialog.showModal();
    this.#name.select();
    return new Promise((resolve) => (this.#answer = resolve));
  }

  /** @type {(question: Said | null) => void} */
  #ask(question) {
    this.#meant = question ? this.#name.value : "";
    this.#said.textContent = question ? this.#words.say(...question) : "";
    this.#button.textContent = this.#words.say(question ? "view_replace" : "view_keep");
  }

  /** @param {Event} event */
  #submitted(event) {
    event.preventDefault();
    const name = (this.#name.value = this.#meant || trimmedName(this.#name.value));
    if (!name) return this.#name.reportValidity();
    const answer = { name, since: this.#since.value };
    const question = this.#meant === name ? null : this.#check(answer);
    if (question) return this.#ask(question);
    this.#answer(answer);
    this.#dialog.close();
  }
}

// Shows a sentence that has to be read.
/** @type {(title: string, sentence: string, close: string) => void} */
export function inform(title, sentence, close) {
  const dialog = element("dialog", "dialog dialog--small");
  const form = Object.assign(element("form", "dialog__answers"), { method: "dialog" });
  form.append(element("button", "button button--main", close));
  dialog.append(element("h2", "", title), element("p", "", sentence), form);
  dialog.ariaLabel = title;
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
