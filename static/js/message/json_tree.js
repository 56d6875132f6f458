// Shows JSON as a tree that folds. Values are always shown as written.

import { beginning } from "../lib/format.js";
import { members, roots } from "../lib/json_scanner.js";
import { element, rowButton } from "../ui/dom.js";

const STEP = 100; // members shown at once
const OPEN_DEPTH = 2; // deeper branches start folded, as do
const OPEN_MEMBERS = 20; // branches with more members, and
const OPEN_BUDGET = 60; // those after so many members in all
const FLAT_DEPTH = 12; // no deeper indentation
const PREVIEW = 60; // characters
const VALUE_LIMIT = 1_000; // characters

/**
 * A part of the tree: its depth, how many members may still be open, and `run` for deferred work.
 *
 * @typedef {import("../lib/json_scanner.js").Value} Value
 * @typedef {{ key: Value | null, value: Value }} Member
 * @typedef {{ name: string | number, parent: Path | null }} Path by names as they are written, or numbers
 * @typedef {{ path: Path, kind: string, written: string }} Field of an object or a list only its bracket
 * @typedef {(node: HTMLElement, field: Field) => void} Equip
 * @typedef {{
 *   depth: number, budget: { left: number }, run: (work: () => void) => void, path: Path | null, equip?: Equip
 * }} Place
 * @typedef {{ text: string, rest: Iterator<Member>, left: number, at: number }} Branch
 */

export class JsonTrees {
  #words;

  /** @param {Words} words */
  constructor(words) {
    this.#words = words;
  }

  // `run` runs deferred work; `equip` is called with each member's node, once it is made.
  /** @type {(text: string, run: Place["run"], equip?: Equip) => HTMLElement} */
  build(text, run, equip) {
    const list = element("ul", "tree");
    const all = [...roots(text)];
    const rest = all.map((value) => ({ key: null, value })).values();
    const depth = all.length > 1 ? 1 : 0; // of several texts, only some are open
    const place = { depth, budget: { left: OPEN_BUDGET }, run, path: null, equip };
    this.#extend(list, { text, rest, left: all.length, at: 0 }, place, true);
    return list;
  }

  /** @type {(text: string, member: Member, at: number, place: Place, isRoot?: boolean) => HTMLElement} */
  #node(text, { key, value }, at, outer, isRoot) {
    const node = element("li", "tree__node");
    const path = isRoot ? null : { name: key ? text.slice(key.start, key.end) : at, parent: outer.path };
    const place = { ...outer, path };
    if (value.count) this.#addBranch(node, text, key, value, place);
    else node.append(...this.#name(text, key), this.#leaf(text, value, place));
    if (path) place.equip?.(node, { path, kind: value.kind, written: text.slice(value.start, value.count ? value.start + 1 : value.end) });
    return node;
  }

  /** @type {(text: string, key: Value | null) => (HTMLElement | string)[]} */
  #name(text, key) {
    return key ? [element("span", "json-key", text.slice(key.start, key.end)), ": "] : [];
  }

  /** @type {(text: string, value: Value, place: Place) => HTMLElement} */
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

  /** @type {(node: HTMLElement, text: string, key: Value | null, value: Value, place: Place) => void} */
  #addBranch(node, text, key, value, place) {
    const { depth, budget, run } = place;
    const toggle = rowButton("tree__toggle");
    const shown = element("span", "tree__preview");
    toggle.append(...this.#name(text, key), shown, " ", element("span", "tree__count", String(value.count)));
    node.append(toggle);
    /** @type {HTMLElement | null} */
    let branch = null;
    /** @type {(isOpen: boolean, spend: Place["budget"]) => void} */
    const open = (isOpen, spend) => {
      toggle.ariaExpanded = String(isOpen);
      shown.textContent = isOpen ? text[value.start] : preview(text, value);
      if (isOpen && !branch) node.append(branch = this.#branch(text, value, { ...place, budget: spend }));
      if (branch) branch.hidden = !isOpen;
    };
    onClick(toggle, run, () => open(toggle.ariaExpanded !== "true", { left: OPEN_BUDGET }));
    open(depth === 0 || isSmall(value, depth, budget), budget);
  }

  /** @type {(text: string, value: Value, place: Place) => HTMLElement} */
  #branch(text, value, place) {
    const { depth } = place;
    const list = element("ul", depth < FLAT_DEPTH ? "tree__branch" : "tree__branch tree__branch--flat");
    const branch = { text, rest: members(text, value.start), left: value.count ?? 0, at: 0 };
    this.#extend(list, branch, { ...place, depth: depth + 1 });
    return list;
  }

  /** @type {(list: HTMLElement, branch: Branch, place: Place, areRoots?: boolean) => void} */
  #extend(list, branch, place, areRoots) {
    const shown = Math.min(STEP, branch.left);
    place.budget.left -= shown;
    for (let i = 0; i < shown; i++) list.append(this.#node(branch.text, branch.rest.next().value, branch.at++, place, areRoots));
    branch.left -= shown;
    if (branch.left) list.append(this.#moreNode(list, branch, place, areRoots));
  }

  /** @type {(list: HTMLElement, branch: Branch, place: Place, areRoots?: boolean) => HTMLElement} */
  #moreNode(list, branch, place, areRoots) {
    const node = element("li", "tree__node");
    const more = rowButton("row__unfold", this.#words.say("show_rest", { n: branch.left }));
    onClick(more, place.run, () => {
      node.remove();
      this.#extend(list, branch, place, areRoots);
    });
    node.append(more);
    return node;
  }
}

/** @type {(button: HTMLElement, run: Place["run"], work: () => void) => void} */
function onClick(button, run, work) {
  button.addEventListener("click", () => run(work));
}

/** @type {(value: Value, depth: number, budget: Place["budget"]) => boolean} */
function isSmall({ count = 0 }, depth, budget) {
  return depth < OPEN_DEPTH && count <= OPEN_MEMBERS && count <= budget.left;
}

/** @type {(text: string, value: Value) => string} */
function preview(text, { start, end }) {
  const shown = beginning(text.slice(start, Math.min(end, start + PREVIEW)), PREVIEW, 1);
  return shown.length < end - start ? `${shown}…` : shown;
}
