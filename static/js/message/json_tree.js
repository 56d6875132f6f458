// Shows JSON as a tree that folds. What it shows is always the text as written.

import { beginning } from "../lib/format.js";
import { members, roots } from "../lib/json_scanner.js";
import { element, rowButton } from "../ui/dom.js";

const STEP = 100; // members shown at once
const OPEN_DEPTH = 2; // deeper ones wait to be opened, as do
const OPEN_MEMBERS = 20; // longer ones and
const OPEN_BUDGET = 60; // whatever comes after so many members
const FLAT_DEPTH = 12; // from here on no deeper indentation
const PREVIEW = 60; // characters
const VALUE_LIMIT = 1_000; // characters

export class JsonTrees {
  #words;

  constructor(words) {
    this.#words = words;
  }

  // What is done later is done by `run`.
  build(text, run) {
    const list = element("ul", "tree");
    const all = [...roots(text)];
    const rest = all.map((value) => ({ key: null, value })).values();
    const depth = all.length > 1 ? 1 : 0; // of many, only as many are open as there is room for
    this.#extend(list, { text, rest, left: all.length }, { depth, budget: { left: OPEN_BUDGET }, run });
    return list;
  }

  #node(text, { key, value }, place) {
    const node = element("li", "tree__node");
    if (value.count) this.#addBranch(node, text, key, value, place);
    else node.append(...this.#name(text, key), this.#leaf(text, value, place));
    return node;
  }

  #name(text, key) {
    return key ? [element("span", "json-key", text.slice(key.start, key.end)), ": "] : [];
  }

  #leaf(text, { kind, start, end }, { run }) {
    const whole = text.slice(start, end);
    const shown = beginning(whole, VALUE_LIMIT, 1);
    const leaf = element("span", `tree__value json-${kind}`, shown);
    if (shown.length === whole.length) return leaf;
    const place = element("span", "", "");
    const more = rowButton("row__unfold", this.#words.say("show_rest", { n: whole.length - shown.length }));
    onClick(more, run, () => place.replaceChildren(element("span", leaf.className, whole)));
    place.append(leaf, "… ", more);
    return place;
  }

  // Branches

  #addBranch(node, text, key, value, { depth, budget, run }) {
    const toggle = rowButton("tree__toggle");
    const shown = element("span", "tree__preview");
    toggle.append(...this.#name(text, key), shown, " ", element("span", "tree__count", String(value.count)));
    node.append(toggle);
    let branch = null;
    const open = (isOpen, spend) => {
      toggle.ariaExpanded = isOpen;
      shown.textContent = isOpen ? text[value.start] : preview(text, value);
      if (isOpen && !branch) node.append(branch = this.#branch(text, value, { depth, budget: spend, run }));
      if (branch) branch.hidden = !isOpen;
    };
    onClick(toggle, run, () => open(toggle.ariaExpanded !== "true", { left: OPEN_BUDGET }));
    open(depth === 0 || isSmall(value, depth, budget), budget);
  }

  #branch(text, value, { depth, budget, run }) {
    const list = element("ul", depth < FLAT_DEPTH ? "tree__branch" : "tree__branch tree__branch--flat");
    this.#extend(list, { text, rest: members(text, value.start), left: value.count }, { depth: depth + 1, budget, run });
    return list;
  }

  #extend(list, branch, place) {
    const shown = Math.min(STEP, branch.left);
    place.budget.left -= shown;
    for (let i = 0; i < shown; i++) list.append(this.#node(branch.text, branch.rest.next().value, place));
    branch.left -= shown;
    if (branch.left) list.append(this.#moreNode(list, branch, place));
  }

  #moreNode(list, branch, place) {
    const node = element("li", "tree__node");
    const more = rowButton("row__unfold", this.#words.say("show_rest", { n: branch.left }));
    onClick(more, place.run, () => {
      node.remove();
      this.#extend(list, branch, place);
    });
    node.append(more);
    return node;
  }
}

function onClick(button, run, work) {
  button.addEventListener("click", () => run(work));
}

function isSmall({ count }, depth, budget) {
  return depth < OPEN_DEPTH && count <= OPEN_MEMBERS && count <= budget.left;
}

function preview(text, { start, end }) {
  const shown = beginning(text.slice(start, Math.min(end, start + PREVIEW)), PREVIEW, 1);
  return shown.length < end - start ? `${shown}…` : shown;
}
