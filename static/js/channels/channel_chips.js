// Shows the selection as chips: colour, subscription state, rate; with buttons to show one alone, hide and remove.

import { now } from "../lib/clock.js";
import { rounded, toDate } from "../lib/format.js";
import { colourName, keyOf, keysOf, keyspaceParts, spoken } from "../stream/channel_names.js";
import { assignColour, applyColour } from "../ui/channel_color.js";
import { element, setText } from "../ui/dom.js";
import { isPlain } from "../ui/shortcuts.js";
import { timesOfDay } from "../ui/timestamps.js";
import { asked, keep } from "../ui/url_state.js";
import { grouped, prefixOf } from "./name_groups.js";

/** @type {[unit: "hour" | "minute" | "second", seconds: number][]} */
const UNITS = [["hour", 3600], ["minute", 60], ["second", 1]];

export class ChannelChips {
  #list;
  #template;
  #selection;
  #words;
  /** @type {Map<string, HTMLElement>} */
  #chips = new Map();
  /** @type {Map<string, Name>} */
  #names = new Map();
  /** @type {Map<string, HTMLElement>} */
  #headings = new Map(); // of groups, by their prefix
  #solo = ""; // the key of the one shown alone
  /** @type {Set<string>} */
  #hidden = new Set();
  #on;

  // `on` has empty(), hidden(test, or null if all are shown), peek(name or null) and
  // more(button, channel, whether it is recorded).
  /**
   * @param {HTMLElement} list
   * @param {HTMLTemplateElement} template
   * @param {PageSelection} selection
   * @param {Words} words
   * @param {{
   *   empty(): void,
   *   hidden(test: ((event: Message) => boolean) | null): void,
   *   peek(name: Name | null): void,
   *   more(button: HTMLElement, channel: string, isRecorded: boolean): void,
   * }} on
   */
  constructor(list, template, selection, words, on) {
    this.#list = list;
    this.#template = /** @type {HTMLElement} */ (template.content.firstElementChild);
    this.#selection = selection;
    this.#words = words;
    this.#on = on;
    this.load();
    selection.addEventListener("change", () => this.#draw());
    list.addEventListener("keydown", (event) => this.#pressed(event));
    list.addEventListener("focusin", ({ target }) => this.#reach(target.closest(".chip")));
    list.addEventListener("mouseover", ({ target }) => this.#peek(target.closest(".chip")));
    for (const type of ["mouseleave", "focusout"]) list.addEventListener(type, () => this.#peek(null));
  }

  // Reads from the address which chips are hidden.
  load() {
    this.#solo = asked().get("only") ?? "";
    this.#hidden = new Set(asked().getAll("hide"));
  }

  /** @type {(state: FeedState) => void} */
  show({ confirmed, refusals, stopped }) {
    for (const [key, chip] of this.#chips) {
      const error = refusals.get(key);
      const state = error === undefined ? "waiting" : "refused";
      chip.dataset.state = confirmed.has(key) ? "confirmed" : state;
      if (chip.dataset.kind === "channel") this.#showRecording(chip, key, stopped);
      this.#explain(chip, error);
    }
  }

  // Call once a second.
  /** @type {(rates: MessageRates) => void} */
  tick(rates) {
    for (const [key, chip] of this.#chips) {
      const rate = rates.now(key);
      const seen = rates.lastSeen(key);
      setText(chip.querySelector(".chip__rate"), this.#pace(rate, seen));
      const [time] = seen ? timesOfDay([toDate(seen)]) : [];
      chip.querySelector(".chip__solo").title = this.#words.say(seen ? "chip_seen" : "chip_unseen", { time });
    }
  }

  /** @type {(name: Name) => void} */
  flash(name) {
    const chip = this.#chips.get(keyOf(name));
    if (!chip) return;
    chip.classList.remove("is-flashing");
    requestAnimationFrame(() => chip.classList.add("is-flashing"));
    chip.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // Drawing

  #draw() {
    const before = this.#chips;
    const names = this.#selection.names;
    this.#names = new Map(names.map((name) => [keyOf(name), name]));
    this.#chips = new Map(names.map((name) => [keyOf(name), before.get(keyOf(name)) ?? this.#build(name)]));
    for (const [key, chip] of before) if (!this.#chips.has(key)) chip.remove();
    this.#arrange(names);
    if (!this.#chips.has(this.#solo)) this.#solo = "";
    for (const key of this.#hidden) if (!this.#chips.has(key)) this.#hidden.delete(key);
    this.#showHidden();
    this.#reach(this.#list.querySelector(".is-reached") ?? this.#all[0]);
  }

  // Elements in the right place are not moved, so that they keep the focus.
  /** @type {(names: Name[]) => void} */
  #arrange(names) {
    const former = this.#headings;
    this.#headings = new Map();
    const items = grouped(names).flatMap(({ prefix, names }) => {
      const chips = names.map((name) => /** @type {HTMLElement} */ (this.#chips.get(keyOf(name))));
      chips.forEach((chip) => chip.classList.toggle("is-grouped", prefix !== ""));
      if (!prefix) return chips;
      const heading = former.get(prefix) ?? Object.assign(element("li", "chips__group", prefix), { ariaHidden: "true" });
      this.#headings.set(prefix, heading);
      return [heading, ...chips];
    });
    for (const [prefix, heading] of former) if (!this.#headings.has(prefix)) heading.remove();
    items.forEach((item, at) => this.#list.children[at] === item || this.#list.insertBefore(item, this.#list.children[at] ?? null));
  }

  /** @type {(name: Name) => HTMLElement} */
  #build(name) {
    const chip = /** @type {HTMLElement} */ (this.#template.cloneNode(true));
    const [solo, more, hide, remove] = ["solo", "more", "hide", "remove"].map((what) => chip.querySelector(`.chip__${what}`));
    Object.assign(chip.dataset, { key: keyOf(name), kind: name.kind, state: "waiting" });
    assignColour(colourName(name));
    applyColour(chip, colourName(name));
    const prefix = prefixOf(name);
    const events = name.kind === "shard" ? null : keyspaceParts(name.name);
    const title = chip.querySelector(".chip__name");
    title.title = name.name;
    title.append(element("span", "chip__prefix", prefix), name.name.slice(prefix.length));
    const tag = chip.querySelector(`[data-of=${name.kind === "channel" ? "pattern" : name.kind}]`);
    tag.hidden = name.kind === "channel";
    if (events) {
      title.textContent = `db${events.database} ${events.rest}`;
      tag.textContent = this.#words.say(`keyspace_${events.kind}`);
      tag.hidden = false;
    }
    solo.ariaLabel = this.#words.say("solo", { name: spoken(name, this.#words) });
    hide.ariaLabel = hide.title = this.#words.say("hide", { name: spoken(name, this.#words) });
    remove.ariaLabel = remove.title = this.#words.say(`remove_${name.kind}`, { name: name.name });
    more?.addEventListener("click", () => this.#on.more(more, name.name, chip.dataset.recording !== "off"));
    solo.addEventListener("click", () => this.#toggleSolo(keyOf(name)));
    hide.addEventListener("click", () => this.#toggleHidden(keyOf(name)));
    remove.addEventListener("click", () => this.#remove(chip, name));
    return chip;
  }

  /** @type {(chip: HTMLElement, key: string, stopped: FeedState["stopped"]) => void} */
  #showRecording(chip, key, stopped) {
    const stop = stopped.get(key);
    const state = stop ? "stopped" : stopped.has(key) ? "on" : "off";
    const values = { name: this.#names.get(key)?.name, time: stop && timesOfDay([toDate(stop.from)])[0], error: stop?.error };
    const [tag, more] = [chip.querySelector(".chip__recorded"), chip.querySelector(".chip__more")];
    chip.dataset.recording = state;
    tag.hidden = state === "off";
    setText(tag, this.#words.say(stop ? "recorded_until" : "recorded", values));
    if (more) more.ariaLabel = more.title = this.#words.say(`recording_${state}`, values);
  }

  /** @type {(chip: HTMLElement, error?: string) => void} */
  #explain(chip, error) {
    const sentence = error === undefined ? "" : this.#words.say("chip_refused", { error });
    chip.title = sentence;
    chip.querySelector(".chip__problem").textContent = sentence;
  }

  /** @type {(rate: number, seen?: number) => string} */
  #pace(rate, seen) {
    if (rate) return this.#words.say("per_second", { n: rounded(rate) });
    return seen ? this.#age(Math.max(0, now() - seen)) : "";
  }

  /** @type {(seconds: number) => string} */
  #age(seconds) {
    const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ["second", 1];
    const options = /** @type {const} */ ({ style: "unit", unit, unitDisplay: "narrow" });
    return new Intl.NumberFormat(this.#words.language, options).format(Math.floor(seconds / size));
  }

  // Showing and hiding

  /** @type {(key: string) => void} */
  #toggleSolo(key) {
    this.#solo = this.#solo === key ? "" : key;
    this.#hidden.delete(key);
    this.#showHidden();
  }

  /** @type {(key: string) => void} */
  #toggleHidden(key) {
    if (!this.#hidden.delete(key)) this.#hidden.add(key);
    if (this.#solo === key) this.#solo = "";
    this.#showHidden();
  }

  #showHidden() {
    for (const [key, chip] of this.#chips) {
      chip.classList.toggle("is-hidden", this.#isHidden(key));
      chip.querySelector(".chip__solo").ariaPressed = String(this.#solo === key);
      chip.querySelector(".chip__hide").ariaPressed = String(this.#hidden.has(key));
    }
    keep({ hide: [...this.#hidden], only: this.#solo });
    const isAny = this.#solo || this.#hidden.size > 0;
    this.#on.hidden(isAny ? (event) => keysOf(event).every((key) => this.#isHidden(key)) : null);
  }

  /** @type {(key: string) => boolean} */
  #isHidden(key) {
    return this.#hidden.has(key) || (this.#solo !== "" && this.#solo !== key);
  }

  // Moves the focus to a neighbour.
  /** @type {(chip: Element, name: Name) => void} */
  #remove(chip, name) {
    const neighbour = this.#beside(chip, 1) ?? this.#beside(chip, -1);
    this.#selection.remove(name);
    if (neighbour) neighbour.querySelector(".chip__remove").focus();
    else this.#on.empty();
  }

  // Keyboard: one chip is in the Tab order; arrows move to the others.

  /** @type {(event: KeyboardEvent & { target: HTMLElement }) => void} */
  #pressed(event) {
    const chip = event.target.closest(".chip");
    if (!chip || !isPlain(event)) return;
    const [before, after] = [this.#beside(chip, -1), this.#beside(chip, 1)];
    /** @type {Record<string, Element | undefined>} */
    const neighbours = {
      ArrowRight: after, ArrowLeft: before, ArrowDown: after, ArrowUp: before,
      Home: this.#all[0], End: this.#all[this.#all.length - 1],
    };
    const next = neighbours[event.key];
    const name = this.#nameOf(chip);
    if (event.key === "Delete" && name) this.#remove(chip, name);
    if (!next) return;
    event.preventDefault();
    (next.querySelector(`.${event.target.className}`) ?? next.querySelector("button")).focus();
  }

  get #all() {
    return /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll(".chip")]);
  }

  /** @type {(chip: Element, step: number) => HTMLElement | undefined} */
  #beside(chip, step) {
    const all = this.#all;
    return all[all.indexOf(/** @type {HTMLElement} */ (chip)) + step];
  }

  /** @type {(chip: Element | null) => void} */
  #reach(chip) {
    for (const other of this.#all) {
      other.classList.toggle("is-reached", other === chip);
      for (const button of other.querySelectorAll("button")) button.tabIndex = other === chip ? 0 : -1;
    }
    if (chip?.contains(document.activeElement)) this.#peek(chip);
  }

  /** @type {(chip: Element | null) => void} */
  #peek(chip) {
    this.#on.peek(chip && this.#nameOf(chip));
  }

  /** @type {(chip: Element) => Name | null} */
  #nameOf(chip) {
    return this.#names.get(/** @type {HTMLElement} */ (chip).dataset.key ?? "") ?? null;
  }
}
