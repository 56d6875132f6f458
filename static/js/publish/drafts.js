// Templates and recently published messages, stored in the browser: each fills the form.

import { abridged } from "../lib/format.js";
import { nameOf } from "../stream/channel_names.js";
import { change, get, keepingTrouble } from "../ui/preferences.js";

const SENT_LIMIT = 20;
const TEMPLATE_LIMIT = 100;
const LENGTH_LIMIT = 20_000; // characters; a browser stores five million in all
const SHOWN = 120; // characters

/**
 * @typedef {"templates" | "sent"} Kind
 * @typedef {Partial<Draft> | null} Unsure a stored value: another program may have written it
 */

export class Drafts {
  #dialog;
  #template;
  #words;
  #form;
  #problem = ""; // why the last was not stored

  /**
   * @param {HTMLDialogElement} dialog
   * @param {HTMLElement} opener
   * @param {HTMLTemplateElement} template
   * @param {import("./publish_form.js").PublishForm} form
   * @param {Words} words
   */
  constructor(dialog, opener, template, form, words) {
    this.#dialog = dialog;
    this.#template = /** @type {HTMLElement} */ (template.content.firstElementChild);
    this.#words = words;
    this.#form = form;
    opener.addEventListener("click", () => this.#open());
    dialog.querySelector(".drafts__save").addEventListener("submit", (event) => this.#save(event));
    addEventListener("storage", () => dialog.open && this.#redraw());
  }

  get channels() {
    return [...drafts("templates"), ...drafts("sent")].flatMap(({ channel }) => channel ?? []);
  }

  /** @type {(published: import("./receipts.js").Sent) => void} */
  remember({ receivers, tabs, isAtLeast, ...sent }) {
    this.#problem = this.#tooLong(sent.message);
    if (this.#problem) return;
    change("sent", [], (/** @type {Unsure[]} */ all) => [sent, ...all.filter((other) => !isSame(other, sent))].slice(0, SENT_LIMIT));
  }

  #open() {
    this.#draw();
    this.#dialog.showModal();
  }

  /** @type {(event: SubmitEvent & { target: HTMLElement }) => void} */
  #save(event) {
    event.preventDefault();
    const form = /** @type {FormOf<{ template: HTMLInputElement }>} */ (event.target);
    const name = (form.elements.template.value = form.elements.template.value.trim());
    const draft = { name, ...this.#form.read() };
    if (!name) {
      form.reportValidity();
      return;
    }
    this.#problem = this.#tooLong(name + draft.message) || this.#isFull(name);
    if (!this.#problem) {
      change("templates", [], (/** @type {Unsure[]} */ all) => [draft, ...all.filter((other) => other?.name !== name)]);
      form.reset();
    }
    this.#draw();
  }

  /** @type {(text: string) => string} */
  #tooLong({ length }) {
    return length > LENGTH_LIMIT ? this.#words.say("draft_long", { max: LENGTH_LIMIT }) : "";
  }

  /** @type {(name: string) => string} */
  #isFull(name) {
    const others = drafts("templates").filter((other) => other.name !== name);
    return others.length >= TEMPLATE_LIMIT ? this.#words.say("templates_full", { max: TEMPLATE_LIMIT }) : "";
  }

  #draw() {
    for (const kind of /** @type {const} */ (["templates", "sent"])) {
      const items = drafts(kind).map((draft) => this.#build(kind, draft));
      this.#dialog.querySelector(`[data-drafts="${kind}"]`).replaceChildren(...items);
    }
    const trouble = keepingTrouble();
    this.#dialog.querySelector("[role=status]").textContent = trouble ? this.#words.say(trouble) : this.#problem;
  }

  // The focused element may have been replaced.
  #redraw() {
    const isIn = document.activeElement?.closest(".drafts");
    this.#draw();
    if (isIn) this.#dialog.querySelector(".dialog__close").focus();
  }

  /** @type {(kind: Kind, draft: Draft) => HTMLElement} */
  #build(kind, draft) {
    const item = /** @type {HTMLElement} */ (this.#template.cloneNode(true));
    const [use, remove] = item.querySelectorAll("button");
    const [name, channel, text] = use.children;
    name.textContent = draft.name ?? "";
    channel.textContent = this.#form.where(draft);
    text.textContent = abridged(draft.message.replace(/\s+/g, " "), SHOWN, 1);
    remove.ariaLabel = remove.title = this.#words.say("forget", { name: draft.name ?? text.textContent });
    use.addEventListener("click", () => this.#use(draft));
    remove.addEventListener("click", () => this.#forget(kind, draft));
    return item;
  }

  /** @type {(draft: Draft) => void} */
  #use(draft) {
    this.#dialog.close();
    this.#form.fill(draft);
  }

  /** @type {(kind: Kind, draft: Draft) => void} */
  #forget(kind, draft) {
    change(kind, [], (/** @type {Unsure[]} */ all) => all.filter((other) => !isSame(other, draft)));
    this.#redraw();
  }
}

// The valid ones: another program may have written there.
/** @type {(kind: Kind) => Draft[]} */
function drafts(kind) {
  return get(kind, []).filter((/** @type {Unsure} */ draft) => typeof nameOf(draft ?? {})?.name === "string" && typeof draft?.message === "string");
}

/** @type {(one: Unsure, other: Draft) => boolean} */
function isSame(one, other) {
  return sorted(one) === sorted(other);
}

/** @type {(draft: Unsure) => string} */
function sorted(draft) {
  return JSON.stringify(Object.entries({ ...draft, kind: draft?.kind === "shard" }).sort()); // earlier versions stored no kind
}
