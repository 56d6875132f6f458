// The tree of a message, with buttons for each field. One button is in the Tab order; arrows move to the others.

import { JsonTrees } from "../message/json_tree.js";
import { attempt } from "../stream/unreadable.js";
import { pathOf, termOf, withTerm } from "./field_term.js";

/** @typedef {import("./field_term.js").Field} Field */

/** @type {Record<string, [across: number, down: number]>} */
const STEPS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

export class Fields {
  #template;
  #filter;
  #actions;
  #words;
  #trees;
  /** @type {WeakMap<Element, Field>} */
  #fields = new WeakMap();

  /**
   * @param {HTMLTemplateElement} template
   * @param {import("../feed/filter_bar.js").FilterBar} filter
   * @param {import("../feed/row_actions.js").RowActions} actions
   * @param {Words} words
   */
  constructor(template, filter, actions, words) {
    this.#template = /** @type {HTMLElement} */ (template.content.firstElementChild);
    this.#filter = filter;
    this.#actions = actions;
    this.#words = words;
    this.#trees = new JsonTrees(words);
  }

  /** @type {(event: Message, text: string) => HTMLElement} */
  build(event, text) {
    /** @type {(work: () => void) => void} */
    const run = (work) => attempt(event, work);
    const tree = this.#trees.build(text, run, (node, field) => this.#equip(node, field, !event.encoding));
    tree.addEventListener("click", ({ target }) => run(() => this.#clicked(event, target)));
    tree.addEventListener("keydown", (pressed) => this.#pressed(tree, pressed));
    tree.addEventListener("focusin", ({ target }) => enter(tree, target));
    enter(tree, buttonsOf(tree)[0]);
    return tree;
  }

  // The filter does not search messages that are not text.
  /** @type {(node: HTMLElement, field: Field, isText: boolean) => void} */
  #equip(node, field, isText) {
    const tools = /** @type {HTMLElement} */ (this.#template.cloneNode(true));
    const path = pathOf(field.path);
    for (const button of tools.querySelectorAll("button")) {
      button.ariaLabel = button.title = this.#words.say(`field_${button.value}`, { field: path });
      button.tabIndex = -1;
      button.hidden = !isText && button.value !== "path";
    }
    this.#fields.set(tools, field);
    const toggle = node.querySelector(":scope > .tree__toggle");
    if (toggle) toggle.after(tools);
    else node.append(tools);
  }

  // On a touch screen nothing hovers: a tap on a field shows its buttons.
  /** @type {(event: Message, target: HTMLElement) => void} */
  #clicked(event, target) {
    const tools = target.closest(".field__tools");
    const button = /** @type {HTMLButtonElement | null} */ (tools && target.closest("button"));
    if (tools && button) this.#act(event, /** @type {Field} */ (this.#fields.get(tools)), button.value);
    const node = target.closest(".tree__node");
    for (const other of target.closest(".tree")?.querySelectorAll("[data-current]") ?? []) other.removeAttribute("data-current");
    node?.setAttribute("data-current", "");
  }

  /** @type {(event: Message, field: Field, action: string) => void} */
  #act(event, field, action) {
    if (action === "path") return void this.#actions.copy(pathOf(field.path));
    const term = termOf(event, field);
    if (term === null) this.#actions.say("field_unable");
    else this.#filter.text = withTerm(this.#filter.text, action === "out" ? `-${term}` : term);
  }

  /** @type {(tree: HTMLElement, event: KeyboardEvent & { target: HTMLElement }) => void} */
  #pressed(tree, event) {
    const step = STEPS[event.key];
    const tools = event.target.closest(".field__tools");
    if (!step || !tools) return;
    event.preventDefault();
    const [buttons, each] = [buttonsOf(tree), tools.querySelectorAll("button:not([hidden])").length];
    buttons[buttons.indexOf(/** @type {HTMLButtonElement} */ (event.target)) + step[0] + each * step[1]]?.focus();
  }
}

// The visible buttons, outside folded parts.
/** @type {(tree: Element) => HTMLButtonElement[]} */
function buttonsOf(tree) {
  return [...tree.querySelectorAll("button")].filter((button) => button.matches(".field__tools *") && !button.matches("[hidden], [hidden] *"));
}

/** @type {(tree: HTMLElement, button?: Element) => void} */
function enter(tree, button) {
  if (!button?.closest(".field__tools")) return;
  for (const other of buttonsOf(tree)) other.tabIndex = other === button ? 0 : -1;
}
