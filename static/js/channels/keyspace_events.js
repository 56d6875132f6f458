// The dialog for keyspace events: which to watch, whether Redis publishes them, and the command that makes it do so.
// The choice becomes channels and patterns of the selection, as if they had been typed.

import { shellQuote } from "../lib/format.js";
import { looksLikePattern } from "../stream/channel_names.js";
import { askServer } from "../ui/ask_server.js";
import { copy } from "../ui/clipboard.js";
import { element, setText } from "../ui/dom.js";

const REFRESH = 3_000; // milliseconds
const SETTING = "notify-keyspace-events";

/**
 * The server's response: the setting's `flags`, or the `reason` why they are unknown; or an error.
 *
 * @typedef {{ letter: string, name: string, events: string[], in_a: boolean }} EventClass
 * @typedef {{
 *   error?: string, flags: string | null, reason?: string, has_config?: boolean, note?: string,
 *   database: number, databases: number, classes: EventClass[],
 * }} Answer
 */

export class KeyspaceEvents {
  #selection;
  #redisCli;
  #words;
  #watched;
  #dialog = element("dialog", "dialog");
  #form = element("form", "keyspace settings dialog__scroll");
  #database = element("select", "");
  #kind = element("select", "");
  #keys = element("input", "");
  #classes = element("fieldset", "keyspace__classes");
  #state = element("p", "dialog__state");
  #command = element("code", "command__text");
  #copy = element("button", "button command__copy");
  #names = element("p", "keyspace__names");
  #watch = element("button", "button button--main");
  /** @type {Answer | null} */
  #answer = null; // the last without an error
  /** @type {number | undefined} */
  #timer;

  /** @param {PageSelection} selection @param {string[]} redisCli @param {Words} words @param {() => void} watched */
  constructor(selection, redisCli, words, watched) {
    this.#selection = selection;
    this.#redisCli = redisCli;
    this.#words = words;
    this.#watched = watched;
    this.#build();
    this.#dialog.addEventListener("close", () => clearTimeout(this.#timer));
    this.#form.addEventListener("submit", (event) => this.#submitted(event));
    this.#form.addEventListener("input", ({ target }) => this.#changed(target));
    this.#copy.addEventListener("click", () => this.#copied());
  }

  open() {
    this.#dialog.showModal();
    this.#refresh();
  }

  #build() {
    const words = this.#words;
    const head = element("div", "dialog__head");
    const title = Object.assign(element("h2", "", words.say("keyspace")), { id: "keyspace-title" });
    const close = element("button", "dialog__close");
    close.ariaLabel = close.title = words.say("view_close");
    close.addEventListener("click", () => this.#dialog.close());
    head.append(title, close);
    this.#dialog.setAttribute("aria-labelledby", title.id);
    this.#kind.append(new Option(words.say("keyspace_event"), "event"), new Option(words.say("keyspace_space"), "space"));
    Object.assign(this.#keys, { value: "*", required: true, autocapitalize: "none", autocomplete: "off", spellcheck: false });
    for (const said of [this.#state, this.#names]) said.role = "status";
    const command = element("p", "command");
    command.append(this.#command, Object.assign(this.#copy, { type: "button" }));
    const answers = element("div", "dialog__answers");
    this.#watch.textContent = words.say("watch");
    answers.append(this.#watch);
    this.#form.append(
      labelled(words.say("fact_database"), this.#database), labelled(words.say("keyspace_kind"), this.#kind),
      labelled(words.say("keyspace_keys"), this.#keys), this.#classes, this.#state, command, this.#names, answers,
    );
    this.#dialog.append(head, this.#form);
    document.body.append(this.#dialog);
  }

  // Not repeated if Redis does not allow the query.
  async #refresh() {
    /** @type {Answer} */
    const answer = await askServer("GET", "keyspace-events", {}, this.#words);
    if (!answer.error) {
      if (!this.#answer) this.#fill(answer);
      this.#answer = answer;
    }
    this.#draw(answer.error);
    clearTimeout(this.#timer);
    if (this.#dialog.open && answer.flags !== null) this.#timer = setTimeout(() => this.#refresh(), REFRESH);
  }

  /** @type {(answer: Answer) => void} */
  #fill({ database, databases, classes }) {
    const numbers = Array.from({ length: databases }, (_, n) => new Option(String(n)));
    this.#database.replaceChildren(...numbers, new Option(this.#words.say("keyspace_all"), "*"));
    this.#database.value = String(database);
    const all = { letter: "A", name: this.#words.say("keyspace_any"), in_a: true };
    const boxes = [all, ...classes].map(({ letter, name, in_a }) => {
      const box = Object.assign(element("input", ""), { type: "checkbox", value: letter, checked: in_a });
      const label = element("label", "");
      label.append(box, element("kbd", "", letter), ` ${name}`);
      return label;
    });
    this.#classes.replaceChildren(element("legend", "", this.#words.say("keyspace_events")), ...boxes);
  }

  // Choosing

  get #byKey() {
    return this.#kind.value === "space";
  }

  // The checkboxes, without the one for all.
  get #boxes() {
    return /** @type {HTMLInputElement[]} */ ([...this.#classes.querySelectorAll("input")]).slice(1);
  }

  // A keyspace channel has all events of a key that Redis publishes.
  get #chosen() {
    const boxes = this.#boxes;
    return (this.#answer?.classes ?? []).filter((one, at) => (this.#byKey ? one.in_a : boxes[at].checked));
  }

  get #hasAll() {
    return this.#chosen.filter((one) => one.in_a).length === this.#answer?.classes.filter((one) => one.in_a).length;
  }

  /** @type {() => Name[]} */
  #chosenNames() {
    const events = this.#hasAll ? ["*"] : this.#chosen.flatMap((one) => one.events);
    return (this.#byKey ? [this.#keys.value] : events).map((name) => {
      const whole = `__key${this.#kind.value}@${this.#database.value}__:${name}`;
      return { kind: looksLikePattern(whole) ? "pattern" : "channel", name: whole };
    });
  }

  /** @param {EventTarget | null} target */
  #changed(target) {
    const boxes = this.#boxes.filter((_, at) => this.#answer?.classes[at].in_a);
    const all = this.#classes.querySelector("input");
    if (target === all) for (const box of boxes) box.checked = all.checked;
    const n = boxes.filter((box) => box.checked).length;
    if (all) Object.assign(all, { checked: n === boxes.length, indeterminate: n > 0 && n < boxes.length });
    this.#draw();
  }

  // The setting at Redis

  /** @type {(error?: string) => void} */
  #draw(error) {
    const names = this.#chosenNames();
    const { note = "" } = this.#answer ?? {};
    const [sentence, command] = error || !this.#answer ? [error ?? "", ""] : this.#setting(this.#answer);
    for (const [place, text] of /** @type {[Element, string][]} */ ([
      [this.#state, `${note} ${sentence}`.trim()], [this.#command, command], [this.#names, names.map(({ name }) => name).join("  ")],
    ])) setText(place, text);
    this.#copy.textContent = this.#words.say("copy_command");
    this.#classes.hidden = this.#byKey;
    /** @type {HTMLElement} */ (this.#keys.parentElement).hidden = !this.#byKey;
    this.#watch.disabled = !this.#answer || !names.length;
  }

  // A sentence, and the command or setting to use, if any. The command replaces the setting, so it repeats what is set.
  /** @type {(answer: Answer) => [string, string]} */
  #setting({ flags, reason = "", has_config, classes }) {
    const wanted = [this.#byKey ? "K" : "E", ...this.#chosen.map(({ letter }) => letter)];
    const inA = classes.filter((one) => one.in_a).map(({ letter }) => letter);
    const set = new Set(flags?.replace("A", inA.join("")));
    const missing = wanted.filter((letter) => !set.has(letter));
    if (flags !== null && !missing.length) return [this.#words.say("keyspace_on"), ""];
    const value = shortened(new Set([...set, ...missing]), inA);
    if (flags === null && !has_config) return [reason, `${SETTING} ${value}`];
    const command = [...this.#redisCli, "CONFIG", "SET", SETTING, value].map(shellQuote).join(" ");
    const letters = missing.join(" ");
    const sentence = flags === null ? `${reason} ${this.#words.say("keyspace_set")}` : this.#words.say(flags ? "keyspace_part" : "keyspace_off", { letters });
    return [sentence, command];
  }

  async #copied() {
    this.#copy.textContent = this.#words.say((await copy(this.#command.textContent ?? "")) ? "copied" : "not_copied");
  }

  /** @param {Event} event */
  #submitted(event) {
    event.preventDefault();
    for (const name of this.#chosenNames()) {
      const problem = this.#selection.add(name);
      if (problem) return void (this.#state.textContent = this.#words.say(...problem));
    }
    this.#dialog.close();
    this.#watched();
  }
}

/** @type {(text: string, field: HTMLElement) => HTMLElement} */
function labelled(text, field) {
  const label = element("label", "");
  label.append(element("span", "", text), field);
  return label;
}

// Letters that A stands for are replaced by it.
/** @type {(letters: Set<string>, inA: string[]) => string} */
function shortened(letters, inA) {
  if (!inA.every((letter) => letters.has(letter))) return [...letters].join("");
  return [...letters, "A"].filter((letter) => !inA.includes(letter)).join("");
}
