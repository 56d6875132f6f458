// Templates and the last sends, kept in the browser: each fills the form.

import { abridged } from "../lib/format.js";
import { change, get, keepingTrouble } from "../ui/preferences.js";

const SENT_LIMIT = 20;
const TEMPLATE_LIMIT = 100;
const LENGTH_LIMIT = 20_000; // characters; a browser keeps five million for all of it
const SHOWN = 120; // characters

export class Drafts {
  #dialog;
  #template;
  #words;
  #form; // {read(), fill(draft)}
  #problem = ""; // why the last was not kept

  constructor(dialog, opener, template, form, words) {
    this.#dialog = dialog;
    this.#template = template.content.firstElementChild;
    this.#words = words;
    this.#form = form;
    opener.addEventListener("click", () => this.#open());
    dialog.querySelector(".drafts__save").addEventListener("submit", (event) => this.#save(event));
    addEventListener("storage", () => dialog.open && this.#redraw());
  }

  get channels() {
    return [...drafts("templates"), ...drafts("sent")].map(({ channel }) => channel);
  }

  remember({ channel, message }) {
    this.#problem = this.#tooLong(message);
    if (this.#problem) return;
    const sent = { channel, message };
    change("sent", [], (all) => [sent, ...all.filter((other) => !isSame(other, sent))].slice(0, SENT_LIMIT));
  }

  #open() {
    this.#draw();
    this.#dialog.showModal();
  }

  #save(event) {
    event.preventDefault();
    const name = event.target.elements.template.value.trim();
    const draft = { name, ...this.#form.read() };
    if (!name) return;
    this.#problem = this.#tooLong(name + draft.message) || this.#isFull(name);
    if (!this.#problem) {
      change("templates", [], (all) => [draft, ...all.filter((other) => other?.name !== name)]);
      event.target.reset();
    }
    this.#draw();
  }

  #tooLong({ length }) {
    return length > LENGTH_LIMIT ? this.#words.say("draft_long", { max: LENGTH_LIMIT }) : "";
  }

  #isFull(name) {
    const others = drafts("templates").filter((other) => other.name !== name);
    return others.length >= TEMPLATE_LIMIT ? this.#words.say("templates_full", { max: TEMPLATE_LIMIT }) : "";
  }

  #draw() {
    for (const kind of ["templates", "sent"]) {
      const items = drafts(kind).map((draft) => this.#build(kind, draft));
      this.#dialog.querySelector(`[data-drafts="${kind}"]`).replaceChildren(...items);
    }
    const trouble = keepingTrouble();
    this.#dialog.querySelector("[role=status]").textContent = trouble ? this.#words.say(trouble) : this.#problem;
  }

  // The place of the keyboard may have gone with what was drawn before.
  #redraw() {
    const isIn = document.activeElement.closest(".drafts");
    this.#draw();
    if (isIn) this.#dialog.querySelector(".dialog__close").focus();
  }

  #build(kind, draft) {
    const item = this.#template.cloneNode(true);
    const [use, remove] = item.querySelectorAll("button");
    const [name, channel, text] = use.children;
    name.textContent = draft.name ?? "";
    channel.textContent = draft.channel;
    text.textContent = abridged(draft.message.replace(/\s+/g, " "), SHOWN, 1);
    remove.ariaLabel = remove.title = this.#words.say("forget", { name: draft.name ?? text.textContent });
    use.addEventListener("click", () => this.#use(draft));
    remove.addEventListener("click", () => this.#forget(kind, draft));
    return item;
  }

  #use(draft) {
    this.#dialog.close();
    this.#form.fill(draft);
  }

  #forget(kind, draft) {
    change(kind, [], (all) => all.filter((other) => !isSame(other, draft)));
    this.#redraw();
  }
}

// Those that can be used: somebody else may have written there.
function drafts(kind) {
  return get(kind, []).filter((draft) => typeof draft?.channel === "string" && typeof draft.message === "string");
}

function isSame(one, other) {
  return one?.name === other.name && one?.channel === other.channel && one?.message === other.message;
}
