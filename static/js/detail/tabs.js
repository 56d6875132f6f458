// A WAI-ARIA tab list for one panel. Knows no view.

/** @type {Record<string, number>} */
const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

export class Tabs {
  #list;
  #panel;
  #onChange;
  #wanted = ""; // the visitor's choice; shown whenever it is offered

  /** @param {HTMLElement} list @param {HTMLElement} panel @param {() => void} onChange */
  constructor(list, panel, onChange) {
    this.#list = list;
    this.#panel = panel;
    this.#onChange = onChange;
    list.addEventListener("click", ({ target }) => this.#select(target.closest("button")));
    list.addEventListener("keydown", (event) => this.#pressed(event));
  }

  // Offers some tabs; the first is always offered.
  /** @type {(offered: Record<string, boolean | undefined>) => void} */
  offer(offered) {
    const had = this.#list.contains(document.activeElement);
    for (const tab of this.#all) tab.disabled = (offered[tab.value] ?? true) === false;
    this.#show();
    if (had) this.focus();
  }

  get chosen() {
    return this.#current.value;
  }

  focus() {
    this.#current.focus();
  }

  get #all() {
    return [...this.#list.querySelectorAll("button")];
  }

  get #current() {
    return this.#all.find((tab) => tab.value === this.#wanted && !tab.disabled) ?? this.#all[0];
  }

  /** @type {(tab?: HTMLButtonElement | null) => void} */
  #select(tab) {
    if (!tab || tab.disabled) return;
    this.#wanted = tab.value;
    this.#show();
    this.#onChange();
  }

  #show() {
    const current = this.#current;
    for (const tab of this.#all) {
      tab.ariaSelected = String(tab === current);
      tab.tabIndex = tab === current ? 0 : -1;
    }
    this.#panel.setAttribute("aria-labelledby", current.id);
  }

  /** @type {(event: KeyboardEvent) => void} */
  #pressed(event) {
    const tabs = this.#all.filter((tab) => !tab.disabled);
    const at = tabs.indexOf(this.#current);
    const tab = event.key in STEPS ? tabs.at((at + STEPS[event.key]) % tabs.length) : { Home: tabs[0], End: tabs.at(-1) }[event.key];
    if (!tab) return;
    event.preventDefault();
    this.#select(tab);
    tab.focus();
  }
}
