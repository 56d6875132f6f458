// Shows the selection as chips, each with its standing at Redis and a button that removes it.

import { tint } from "./format.js";
import { keyOf } from "./names.js";

export class Chips {
  #list;
  #template;
  #selection;
  #words;
  #chips = new Map();
  #onEmpty;

  constructor(list, template, selection, words, onEmpty) {
    this.#list = list;
    this.#template = template.content.firstElementChild;
    this.#selection = selection;
    this.#words = words;
    this.#onEmpty = onEmpty;
    selection.addEventListener("change", () => this.#draw());
  }

  show({ confirmed, refusals }) {
    for (const [key, chip] of this.#chips) {
      const error = refusals.get(key);
      const state = error === undefined ? "waiting" : "refused";
      chip.dataset.state = confirmed.has(key) ? "confirmed" : state;
      this.#explain(chip, error);
    }
  }

  flash(name) {
    const chip = this.#chips.get(keyOf(name));
    chip.classList.remove("is-flashing");
    requestAnimationFrame(() => chip.classList.add("is-flashing"));
    chip.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #draw() {
    const before = this.#chips;
    const names = this.#selection.names;
    this.#chips = new Map(names.map((name) => [keyOf(name), before.get(keyOf(name)) ?? this.#build(name)]));
    for (const [key, chip] of before) if (!this.#chips.has(key)) chip.remove();
    const added = [...this.#chips].filter(([key]) => !before.has(key)).map(([, chip]) => chip);
    this.#list.append(...added);
  }

  #build(name) {
    const chip = document.importNode(this.#template, true);
    const button = chip.querySelector(".chip__remove");
    Object.assign(chip.dataset, { kind: name.kind, state: "waiting", tint: tint(name.name) });
    chip.querySelector(".chip__name").textContent = name.name;
    chip.querySelector(".chip__kind").hidden = name.kind !== "pattern";
    button.ariaLabel = this.#words.say(`remove_${name.kind}`, { name: name.name });
    button.addEventListener("click", () => this.#remove(chip, name));
    return chip;
  }

  // The keyboard's place moves to the neighbour.
  #remove(chip, name) {
    const neighbour = chip.nextElementSibling ?? chip.previousElementSibling;
    this.#selection.remove(name);
    if (neighbour) neighbour.querySelector(".chip__remove").focus();
    else this.#onEmpty();
  }

  #explain(chip, error) {
    const sentence = error === undefined ? "" : this.#words.say("chip_refused", { error });
    chip.title = sentence;
    chip.querySelector(".chip__problem").textContent = sentence;
  }
}
