// The settings dialog: every choice is stored in the browser at once. Events: "change", "open", "test", "lesson".

import { Emitter } from "../lib/emitter.js";
import { keyOf, spoken } from "../stream/channel_names.js";
import { chosen, DEFAULTS } from "../ui/appearance.js";
import { change, get, keepingTrouble, set } from "../ui/preferences.js";
import { zone } from "../ui/timestamps.js";
import { keep } from "../ui/url_state.js";

/** @type {Record<string, string | boolean>} */
const NOTIFICATIONS = { desktop: false, sound: false, quiet_from: "", quiet_to: "" };

export class SettingsDialog extends Emitter {
  #dialog;
  /** @type {FormOf<Record<string, HTMLInputElement>>} */
  #form;
  #level;
  #selection;
  #words;
  #showOutside;
  #refusal = "";

  // `show(sentence)` shows a refusal while the dialog is closed.
  /**
   * @param {HTMLDialogElement} dialog
   * @param {HTMLElement} opener
   * @param {HTMLTemplateElement} levelTemplate
   * @param {PageSelection} selection
   * @param {Words} words
   * @param {(sentence: string) => void} show
   */
  constructor(dialog, opener, levelTemplate, selection, words, show) {
    super();
    this.#dialog = dialog;
    this.#form = /** @type {any} */ (dialog.querySelector(".settings"));
    this.#level = /** @type {Element} */ (levelTemplate.content.firstElementChild);
    this.#selection = selection;
    this.#words = words;
    this.#showOutside = show;
    opener.addEventListener("click", () => this.#open());
    this.#form.addEventListener("change", ({ target }) => this.#changed(/** @type {HTMLInputElement} */ (target)));
    this.#form.elements.test.addEventListener("click", () => this.emit("test"));
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.elements.lesson?.addEventListener("click", () => {
      dialog.close();
      this.emit("lesson");
    });
    addEventListener("storage", () => this.#follow());
  }

  // Reverts a choice that the browser refuses, and shows why.
  /** @type {(name: string, sentence: string) => void} */
  refuse(name, sentence) {
    set(name, NOTIFICATIONS[name]);
    this.#form.elements[name].checked = false;
    this.#refusal = sentence;
    if (this.#dialog.open) this.say(sentence);
    else this.#showOutside(sentence);
  }

  /** @type {(sentence: string) => void} */
  say(sentence) {
    this.#dialog.querySelector("[role=status]").textContent = sentence;
  }

  #open() {
    this.#drawLevels();
    this.#showAll();
    this.#sayTrouble();
    this.#dialog.showModal();
    this.dispatchEvent(new Event("open"));
  }

  // Call when another tab has changed a setting.
  #follow() {
    this.#showAll();
    this.emit("change");
  }

  #sayTrouble() {
    const trouble = keepingTrouble();
    this.say(trouble ? this.#words.say(trouble) : this.#refusal);
  }

  // A field with the focus is not overwritten.
  #showAll() {
    for (const name of /** @type {(keyof typeof DEFAULTS)[]} */ (Object.keys(DEFAULTS))) this.#show(name, chosen(name));
    for (const [name, value] of Object.entries(NOTIFICATIONS)) this.#show(name, get(name, value));
    this.#levels.forEach(showLevel);
    this.#showZone();
  }

  #showZone() {
    const sentence = this.#words.say(chosen("zone") === "utc" ? "zone_utc" : "zone_local", { zone: zone() });
    this.#dialog.querySelector(".settings__zone").textContent = sentence;
  }

  /** @type {(name: string, value: string | boolean) => void} */
  #show(name, value) {
    const control = this.#form.elements[name];
    if (control === document.activeElement) return;
    if (control.type === "checkbox") control.checked = Boolean(value);
    else control.value = String(value);
  }

  /** @type {(control: HTMLInputElement) => void} */
  #changed(control) {
    const { name, type } = control;
    if (control.dataset.key !== undefined) this.#setLevel(control);
    else set(name, type === "checkbox" ? control.checked : control.value);
    if (name === "density") keep({ rows: control.value });
    this.#showZone();
    this.#refusal = "";
    this.#sayTrouble();
    this.emit("change", name);
  }

  // The least severity that notifies, for each name of the selection

  #drawLevels() {
    const names = this.#selection.names.map((name) => this.#buildLevel(keyOf(name), spoken(name, this.#words)));
    const all = this.#buildLevel("", this.#words.say("all_channels"));
    all.querySelector("[value='']").remove();
    this.#dialog.querySelector(".levels").replaceChildren(all, ...names);
  }

  /** @type {(key: string, name: string) => HTMLElement} */
  #buildLevel(key, name) {
    const item = /** @type {HTMLElement} */ (this.#level.cloneNode(true));
    const select = item.querySelector("select");
    item.querySelector("bdi").textContent = name;
    select.dataset.key = key;
    showLevel(select);
    return item;
  }

  get #levels() {
    return [.../** @type {NodeListOf<HTMLSelectElement>} */ (this.#form.querySelectorAll("[data-key]"))];
  }

  // Whether no name notifies. Valid while the dialog is open.
  get isNever() {
    const [all, ...names] = this.#levels.map(({ value }) => value);
    return (names.length ? names : [all]).every((level) => (level || all) === "never");
  }

  /** @type {(control: HTMLInputElement) => void} */
  #setLevel({ dataset: { key = "" }, value }) {
    change("levels", {}, ({ [key]: _, ...others }) => (value ? { ...others, [key]: value } : others));
  }
}

/** @type {(select: HTMLSelectElement) => void} */
function showLevel(select) {
  const { key = "" } = select.dataset;
  select.value = get("levels", {})[key] ?? (key ? "" : "every");
}
