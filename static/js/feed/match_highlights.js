// Highlights matches in the rows without changing them, with the CSS Custom Highlight API.

import { setOdd } from "../stream/unreadable.js";

const PLACES = ".row__channel, .row__body";
const OURS = ".mark, .severity, .row__unfold"; // text of the page, not of the message
const LIMIT = 100; // marks a row; a regex that matches everything marks enough with these

export class MatchHighlights {
  #highlight = globalThis.Highlight && new Highlight();
  /** @type {Map<Element, StaticRange[]>} */
  #ranges = new Map();
  /** @type {Query["marks"]} */
  #marks = [];
  #list;
  #eventOf;
  #observer = new MutationObserver((changes) => this.#remark(changes));

  /** @param {HTMLElement} list @param {(row: Element) => object | undefined} eventOf */
  constructor(list, eventOf) {
    this.#list = list;
    this.#eventOf = eventOf;
    if (this.#highlight) CSS.highlights.set("found", this.#highlight);
  }

  // Each mark has find(text, limit): the places in a text that its normalize() returned, perhaps as a promise.
  /** @param {Query["marks"]} marks */
  set marks(marks) {
    this.#marks = marks;
    this.#highlight?.clear();
    this.#ranges.clear();
    this.#observer.disconnect();
    if (marks.length) this.#observer.observe(this.#list, { childList: true, subtree: true });
  }

  // Call after drawing.
  /** @type {(rows: Iterable<Element>) => void} */
  show(rows) {
    if (!this.#highlight || this.#marks.length === 0) return;
    for (const row of this.#ranges.keys()) if (!row.isConnected) this.#forget(row);
    for (const row of rows) if (!this.#ranges.has(row)) this.#mark(row);
  }

  // Rows have changed the view of their message.
  /** @type {(changes: MutationRecord[]) => void} */
  #remark(changes) {
    const places = changes.map(({ target }) => /** @type {Element} */ (target).closest(".row__body"));
    for (const row of new Set(places.map((place) => place?.closest(".row")))) {
      if (!row || !this.#ranges.has(row)) continue;
      this.#forget(row);
      this.#mark(row);
    }
  }

  /** @type {(row: Element) => void} */
  #forget(row) {
    this.#ranges.get(row)?.forEach((range) => this.#highlight?.delete(range));
    this.#ranges.delete(row);
  }

  /** @type {(row: Element) => void} */
  #mark(row) {
    this.#markFound(row).catch((error) => setOdd(this.#eventOf(row) ?? row, error));
  }

  // A result that comes after the row was marked again is dropped.
  /** @type {(row: Element) => Promise<void>} */
  async #markFound(row) {
    /** @type {StaticRange[]} */
    const own = [];
    this.#ranges.set(row, own);
    const found = await Promise.all([...row.querySelectorAll(PLACES)].map((place) => this.#find(place)));
    if (this.#ranges.get(row) !== own) return;
    own.push(...found.flat().slice(0, LIMIT));
    own.forEach((range) => this.#highlight?.add(range));
  }

  /** @type {(place: Element) => Promise<StaticRange[]>} */
  async #find(place) {
    const text = new Text(place);
    const found = this.#marks.map(async ({ find, normalize }) => {
      const form = text.form(normalize);
      return text.ranges(await find(form.text, LIMIT), form);
    });
    return (await Promise.all(found)).flat();
  }
}

/** @type {(node: Node) => number} */
function isPublished({ parentElement }) {
  return parentElement?.matches(OURS) ? NodeFilter.FILTER_SKIP : NodeFilter.FILTER_ACCEPT;
}

// The text of an element, over all its nodes, and its normalized form.
class Text {
  #whole = "";
  /** @type {{ node: Node, start: number }[]} */
  #nodes = [];

  /** @param {Element} place */
  constructor(place) {
    const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT, isPublished);
    while (walker.nextNode()) {
      this.#nodes.push({ node: walker.currentNode, start: this.#whole.length });
      this.#whole += walker.currentNode.nodeValue ?? "";
    }
  }

  // If normalizing changes the text, `origins` has the range of each character in the original.
  /** @type {(normalize: (text: string) => string) => { text: string, origins: Places | null }} */
  form(normalize) {
    const text = normalize(this.#whole);
    return { text, origins: text === this.#whole ? null : originsIn(this.#whole, normalize) };
  }

  /** @type {(places: Places, form: { origins: Places | null }) => StaticRange[]} */
  ranges(places, { origins }) {
    return places.map(([index, length]) => {
      const last = index + length - 1;
      return origins ? this.#range(origins[index][0], origins[last][1]) : this.#range(index, last + 1);
    });
  }

  // Every character found has a node.
  /** @type {(from: number, to: number) => StaticRange} */
  #range(from, to) {
    const [first, last] = [from, to - 1].map((at) => this.#nodes.findLast(({ start }) => start <= at) ?? this.#nodes[0]);
    return new StaticRange({
      startContainer: first.node, startOffset: from - first.start,
      endContainer: last.node, endOffset: to - last.start,
    });
  }
}

/** @type {(text: string, normalize: (text: string) => string) => Places} */
function originsIn(text, normalize) {
  return [...new Intl.Segmenter().segment(text)].flatMap(({ segment, index }) =>
    new Array(normalize(segment).length).fill([index, index + segment.length]));
}
