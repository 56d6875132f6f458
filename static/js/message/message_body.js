// Fills a row with its message: text, JSON, an alert or bytes, in the chosen view.

import { Deferred } from "../lib/deferred.js";
import { abridged, beginning, byteLength, size } from "../lib/format.js";
import { later } from "../lib/idle_queue.js";
import { attempt, isOdd, setOdd } from "../stream/unreadable.js";
import { element, rowButton } from "../ui/dom.js";
import { card, severityMark } from "./alert_card.js";
import { alertIn } from "./alert_parser.js";
import { paint } from "./json_colors.js";
import { keyspaceEvent } from "./keyspace_event.js";
import { marksOf } from "./marks.js";
import { mayBeJson, plain, readJson } from "./plain_text.js";
import { showTools } from "./row_buttons.js";
import { READ_LIMIT } from "./severity.js";

export const VIEWS = ["wrapped", "line", "tree", "raw"];

/** @typedef {typeof import("./binary_view.js")} BinaryView */

/** @type {Deferred<BinaryView>} */
const binaryViews = new Deferred("../message/binary_view.js");
/** @type {Deferred<typeof import("./json_tree.js")>} */
const trees = new Deferred("../message/json_tree.js");
const FOLD_CHARACTERS = 2_000;
const FOLD_LINES = 12;
const LINE_CHARACTERS = 400;
const PAINT_LIMIT = 10_000; // characters

export class MessageBodies {
  #view = VIEWS[0]; // of all rows
  #words;
  /** @type {BinaryView | null} */
  #binary = null; // loaded with the first message that needs it, as the next
  /** @type {import("./json_tree.js").JsonTrees | null} */
  #trees = null;
  /** @type {WeakMap<Message, string>} */
  #views = new WeakMap(); // of messages with a view of their own
  /** @type {WeakMap<Message, Content>} */
  #read = new WeakMap(); // content that was slow to read
  /** @type {WeakMap<Message, number>} */
  #unfolded = new WeakMap(); // how often the button for more was pressed
  #unpacking = Promise.resolve();

  /** @param {Words} words */
  constructor(words) {
    this.#words = words;
  }

  /** @type {(event: Message) => string} */
  viewOf(event) {
    return this.#views.get(event) ?? this.#view;
  }

  /** @type {(view: string) => void} */
  setView(view) {
    this.#view = view;
    this.#views = new WeakMap();
  }

  /** @type {(event: Message, view: string) => void} */
  setViewOf(event, view) {
    this.#views.set(event, view);
  }

  /** @type {(body: HTMLElement, event: Message) => void} */
  fill(body, event) {
    this.#unfolded.delete(event);
    if (isOdd(event) || !attempt(event, () => this.#fill(body, event))) this.#fillAsItCame(body, event);
  }

  /** @type {(body: HTMLElement, event: Message) => boolean} */
  #fill(body, event) {
    const view = this.viewOf(event);
    const content = this.#content(body, event);
    if (content.isJson && view === "tree" && !this.#trees) {
      this.#await(body, event, trees.arrive(), ({ JsonTrees }) => (this.#trees ??= new JsonTrees(this.#words)));
    }
    const shown = view === "raw" ? asWritten(event, content) : content;
    body.replaceChildren(...this.#marks(event, shown, view), ...this.#parts(event, shown, view));
    const row = rowOf(body);
    describe(row, content, view);
    if (content.event) row.querySelector(".row__name").textContent = view === "raw" ? event.channel : content.event;
    if (event.encoding) row.classList.toggle("row--hex", shown.text === undefined);
    return true;
  }

  // Shows the data without parsing it.
  /** @type {(body: HTMLElement, event: Message) => void} */
  #fillAsItCame(body, event) {
    const row = rowOf(body);
    delete row.dataset.json;
    delete row.dataset.severity;
    row.classList.remove("row--hex");
    row.dataset.odd = "";
    body.replaceChildren(element("span", "mark", this.#words.say("odd")), ...this.#text(event, event.data));
    describe(row, {}, "raw");
  }

  // Reading

  /** @type {(body: HTMLElement, event: Message) => Content} */
  #content(body, event) {
    const known = this.#read.get(event);
    if (known) return known;
    if (event.encoding === "base64") return this.#packed(body, event);
    const keyspace = keyspaceEvent(event);
    if (keyspace) return keyspace;
    if (event.data.length <= READ_LIMIT) return readText(event.data);
    if (mayBeJson(event.data) && /[\]}]["\s]*$/.test(event.data.slice(-100))) this.#later(event, () => this.#learn(body, event, readText(event.data)));
    return { text: plain(event.data) };
  }

  /** @type {(body: HTMLElement, event: Message) => Content} */
  #packed(body, event) {
    const binary = this.#binary;
    if (!binary) return this.#await(body, event, binaryViews.arrive(), (loaded) => (this.#binary = loaded));
    const bytes = binary.fromBase64(event.data);
    const keyspace = keyspaceEvent(event);
    if (keyspace) return { ...keyspace, bytes, text: binary.escaped(bytes) };
    if (event.truncated) return { bytes };
    if (bytes.length <= READ_LIMIT && !binary.isGzip(bytes)) return binary.unpacked(bytes);
    this.#later(event, () => this.#unpack(body, event, () => binary.unzipped(bytes, readText)));
    return { bytes };
  }

  // One after the other: each may become large.
  /** @type {(body: HTMLElement, event: Message, unpack: () => Promise<Content>) => void} */
  #unpack(body, event, unpack) {
    this.#unpacking = this.#unpacking.then(async () => {
      if (!body.isConnected) return;
      this.#learn(body, event, await unpack());
    }).catch((error) => setOdd(event, error));
  }

  // Until the module is loaded, the row shows marks only.
  /** @type {<Module>(body: HTMLElement, event: Message, module: Promise<Module>, keep: (module: Module) => void) => Content} */
  #await(body, event, module, keep) {
    module.then((loaded) => {
      keep(loaded);
      this.#refill(body, event);
    }).catch((error) => setOdd(event, error));
    return {};
  }

  /** @type {(body: HTMLElement, event: Message, content: Content) => void} */
  #learn(body, event, content) {
    this.#read.set(event, content);
    this.#refill(body, event);
  }

  /** @type {(body: HTMLElement, event: Message) => void} */
  #refill(body, event) {
    if (!body.isConnected) return;
    let times = this.#unfolded.get(event) ?? 0;
    this.fill(body, event);
    while (times-- > 0) body.querySelector(".row__unfold")?.click();
    body.dispatchEvent(new Event("grow", { bubbles: true }));
  }

  /** @type {(event: Message, job: () => void) => void} */
  #later(event, job) {
    later(() => attempt(event, job));
  }

  // Showing

  /** @type {(event: Message, content: Content, view: string) => HTMLElement[]} */
  #marks(event, content, view) {
    const made = marksOf(event, content, this.#words).map((mark) => element("span", "mark", mark));
    const { alert } = content;
    if (alert?.severity && (view === "tree" || !isCard(alert))) made.push(severityMark(alert.severity, this.#words));
    return made;
  }

  /** @type {(event: Message, content: Content, view: string) => HTMLElement[]} */
  #parts(event, content, view) {
    const { text, bytes, isJson, alert } = content;
    if (text === "") return [];
    if (text === undefined) return bytes ? this.#hex(event, bytes, view === "line") : [];
    if (isJson && view === "tree" && this.#trees) return [this.#trees.build(text, (work) => attempt(event, work))];
    if (alert && isCard(alert)) return [card(alert, text, this.#words)];
    if (view === "line") return [this.#data(event, abridged(text, LINE_CHARACTERS, FOLD_LINES), isJson)];
    return this.#text(event, text, isJson);
  }

  /** @type {(event: Message, text: string, isJson?: boolean) => HTMLElement[]} */
  #text(event, text, isJson) {
    const shown = beginning(text, FOLD_CHARACTERS, FOLD_LINES);
    const data = this.#data(event, shown, isJson);
    if (shown.length === text.length) return [data];
    const button = this.#unfoldButton(event, "show_all", byteLength(text), () => {
      data.replaceWith(this.#data(event, text, isJson));
      button.remove();
    });
    return [data, button];
  }

  /** @type {(event: Message, text: string, isJson?: boolean) => HTMLElement} */
  #data(event, text, isJson) {
    const data = element("p", "row__data", text);
    data.dir = "auto";
    if (isJson && text.length <= PAINT_LIMIT) this.#later(event, () => data.isConnected && paint(data));
    return data;
  }

  /** @type {(event: Message, bytes: Uint8Array, isLine: boolean) => HTMLElement[]} */
  #hex(event, bytes, isLine) {
    const { line, dump } = /** @type {BinaryView} */ (this.#binary);
    if (isLine) return line(bytes);
    const button = this.#unfoldButton(event, "show_more", bytes.length, () => more());
    const { parts, more } = dump(bytes, button);
    return parts;
  }

  /** @type {(event: Message, word: string, bytes: number, unfold: () => void) => HTMLElement} */
  #unfoldButton(event, word, bytes, unfold) {
    const button = rowButton("row__unfold", this.#words.say(word, { size: this.#size(bytes) }));
    button.addEventListener("click", () => {
      this.#unfolded.set(event, (this.#unfolded.get(event) ?? 0) + 1);
      attempt(event, unfold);
    });
    return button;
  }

  /** @type {(bytes: number) => string} */
  #size(bytes) {
    return size(bytes, this.#words.language);
  }
}

/** @type {(body: HTMLElement) => HTMLElement} */
function rowOf(body) {
  return /** @type {HTMLElement} */ (body.parentElement);
}

/** @type {(row: HTMLElement, content: Content, view: string) => void} */
function describe(row, { isJson, alert }, view) {
  row.dataset.view = view;
  if (isJson) row.dataset.json = "";
  showTools(row);
  if (alert?.severity) row.dataset.severity = alert.severity;
}

/** @type {(event: Message, content: Content) => Content} */
function asWritten({ data, encoding }, { bytes }) {
  return encoding === "base64" ? { bytes } : { text: data };
}

// Detects the kind of a text; the caller limits its length.
/** @type {(whole: string) => Content} */
export function readText(whole) {
  const { text, value, isQuoted } = readJson(whole);
  const alert = text.length <= READ_LIMIT ? alertIn(value) : null;
  return { text, isJson: value !== undefined, alert, isQuoted, hasCodes: whole.includes("\x1b") };
}

/** @type {(alert: Alert) => boolean} */
function isCard({ title, text }) {
  return title !== "" || text !== "";
}
