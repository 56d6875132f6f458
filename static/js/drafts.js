// Templates and the last sends, kept in the browser: each fills the form.

import { beginning } from "./format.js";
import { get, set } from "./preferences.js";

const SENT_LIMIT = 20;
const TEMPLATE_LIMIT = 100;
const LENGTH_LIMIT = 20_000; // characters; a browser keeps five million for all of it
const SHOWN = 120; // characters

export class Drafts {
  #dialog;
  #template;
  #words;
  #form; // {read(), fill(draft)}

  constructor(dialog, opener, template, form, words) {
    this.#dialog = dialog;
    this.#template = template.content.firstElementChild;
    this.#words = words;
    this.#form = form;
    opener.addEventListener("click", () => this.#open());
    dialog.querySelector(".drafts__save").addEventListener("submit", (event) => this.#save(event));
  }

  get channels() {
    return [...get("templates", []), ...get("sent", [])].map(({ channel }) => channel);
  }

  remember({ channel, message }) {
    if (message.length > LENGTH_LIMIT) return;
    const others = get("sent", []).filter((sent) => sent.channel !== channel || sent.message !== message);
    set("sent", [{ channel, message }, ...others].slice(0, SENT_LIMIT));
  }

  #open() {
    this.#draw();
    this.#dialog.showModal();
  }

  #save(event) {
    event.preventDefault();
    const name = event.target.elements.template.value.trim();
    const draft = { name, ...this.#form.read() };
    if (!name || draft.message.length > LENGTH_LIMIT) return;
    const others = get("templates", []).filter((template) => template.name !== name);
    set("templates", [draft, ...others].slice(0, TEMPLATE_LIMIT));
    event.target.reset();
    this.#draw();
  }

  #draw() {
    for (const kind of ["templates", "sent"]) {
      const items = get(kind, []).map((draft, at) => this.#build(kind, draft, at));
      this.#dialog.querySelector(`[data-drafts="${kind}"]`).replaceChildren(...items);
    }
  }

  #build(kind, draft, at) {
    const item = document.importNode(this.#template, true);
    const [use, remove] = item.querySelectorAll("button");
    const [name, channel, text] = use.children;
    name.textContent = draft.name ?? "";
    channel.textContent = draft.channel;
    text.textContent = beginning(draft.message.replace(/\s+/g, " "), SHOWN, 1);
    remove.ariaLabel = remove.title = this.#words.say("forget", { name: draft.name ?? text.textContent });
    use.addEventListener("click", () => this.#use(draft));
    remove.addEventListener("click", () => this.#forget(kind, at));
    return item;
  }

  #use(draft) {
    this.#dialog.close();
    this.#form.fill(draft);
  }

  #forget(kind, at) {
    set(kind, get(kind, []).filter((_, other) => other !== at));
    this.#draw();
    this.#dialog.querySelector(".dialog__close").focus();
  }
}
