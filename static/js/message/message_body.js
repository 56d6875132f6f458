// Fills a row with what its message is: text, JSON, an alert or bytes, in the view that is wanted.

import { Deferred } from "../lib/deferred.js";
import { abridged, base64Length, beginning, byteLength, size } from "../lib/format.js";
import { later } from "../lib/idle_queue.js";
import { attempt, isOdd, setOdd } from "../stream/unreadable.js";
import { element, rowButton } from "../ui/dom.js";
import { card, severityMark } from "./alert_card.js";
import { alertIn } from "./alert_parser.js";
import { paint } from "./json_colors.js";
import { mayBeJson, plain, readJson } from "./plain_text.js";
import { showTools } from "./row_buttons.js";
import { READ_LIMIT } from "./severity.js";

export const VIEWS = ["wrapped", "line", "tree", "raw"];

const binaryViews = new Deferred("./binary_view.js", import.meta.url);
const trees = new Deferred("./json_tree.js", import.meta.url);
const FOLD_CHARACTERS = 2_000;
const FOLD_LINES = 12;
const LINE_CHARACTERS = 400;
const PAINT_LIMIT = 10_000; // characters
const INVISIBLE = /[\0-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\xad\u200b\u2028-\u202e\u2060-\u2069]|.\ufeff|^\s+$/;

/**
 * What a message is: `text` as it is read, or `bytes`.
 *
 * @typedef {{ text?: string, bytes?: Uint8Array, isJson?: boolean, alert?: any, format?: string, isCut?: boolean }} Content
 */

export class MessageBodies {
  #view = VIEWS[0]; // of the whole feed
  #words;
  #binary = null; // modules that only some feeds need
  #trees = null;
  #views = new WeakMap(); // of one message, where it has its own
  #read = new WeakMap(); // what took long to read
  #unfolded = new WeakMap(); // how often the person asked for more of it
  #unpacking = Promise.resolve();

  constructor(words) {
    this.#words = words;
  }

  viewOf(event) {
    return this.#views.get(event) ?? this.#view;
  }

  setView(view) {
    this.#view = view;
    this.#views = new WeakMap();
  }

  setViewOf(event, view) {
    this.#views.set(event, view);
  }

  fill(body, event) {
    this.#unfolded.delete(event);
    if (isOdd(event) || !attempt(event, () => this.#fill(body, event))) this.#fillAsItCame(body, event);
  }

  #fill(body, event) {
    const view = this.viewOf(event);
    const content = this.#content(body, event);
    if (content.isJson && view === "tree" && !this.#trees) {
      this.#await(body, event, trees.arrive(), ({ JsonTrees }) => (this.#trees ??= new JsonTrees(this.#words)));
    }
    const shown = view === "raw" ? asWritten(event, content) : content;
    body.replaceChildren(...this.#marks(event, shown, view), ...this.#parts(event, shown, view));
    describe(body.parentElement, content, view);
    if (event.encoding) body.parentElement.classList.toggle("row--hex", shown.text === undefined);
    return true;
  }

  // Nothing of it is read any more.
  #fillAsItCame(body, event) {
    const row = body.parentElement;
    delete row.dataset.json;
    delete row.dataset.severity;
    row.classList.remove("row--hex");
    row.dataset.odd = "";
    body.replaceChildren(element("span", "mark", this.#words.say("odd")), ...this.#text(event, { text: event.data }));
    describe(row, {}, "raw");
  }

  // What it is

  #content(body, event) {
    const known = this.#read.get(event);
    if (known) return known;
    if (event.encoding === "base64") return this.#packed(body, event);
    if (event.data.length <= READ_LIMIT) return readText(event.data);
    if (mayBeJson(event.data) && /[\]}]["\s]*$/.test(event.data.slice(-100))) this.#later(event, () => this.#learn(body, event, readText(event.data)));
    return { text: plain(event.data) };
  }

  #packed(body, event) {
    if (!this.#binary) return this.#await(body, event, binaryViews.arrive(), (binary) => (this.#binary = binary));
    const bytes = this.#binary.fromBase64(event.data);
    if (event.truncated) return { bytes };
    if (bytes.length <= READ_LIMIT && !this.#binary.isGzip(bytes)) return this.#binary.unpacked(bytes);
    this.#later(event, () => this.#unpack(body, event, bytes));
    return { bytes };
  }

  // One after the other: each may become large.
  #unpack(body, event, bytes) {
    this.#unpacking = this.#unpacking.then(async () => {
      if (!body.isConnected) return;
      const content = await this.#binary.unzipped(bytes, readText);
      this.#learn(body, event, content);
    }).catch((error) => setOdd(event, error));
  }

  // Until the module is there, the row shows no more than what it is.
  #await(body, event, module, keep) {
    module.then((loaded) => {
      keep(loaded);
      this.#refill(body, event);
    }).catch((error) => setOdd(event, error));
    return {};
  }

  #learn(body, event, content) {
    this.#read.set(event, content);
    this.#refill(body, event);
  }

  #refill(body, event) {
    if (!body.isConnected) return;
    let times = this.#unfolded.get(event);
    this.fill(body, event);
    while (times-- > 0) body.querySelector(".row__unfold")?.click();
    body.dispatchEvent(new Event("grow", { bubbles: true }));
  }

  #later(event, job) {
    later(() => attempt(event, job));
  }

  // How it is shown

  #marks(event, { text, format, isCut, alert, isQuoted, hasCodes }, view) {
    const isBinary = event.encoding === "base64";
    const marks = [];
    if (event.data === "") marks.push(this.#words.say("empty_message"));
    if (isBinary) marks.push(this.#words.say("binary", { size: this.#size(event.size ?? base64Length(event.data)) }));
    if (event.truncated) marks.push(this.#words.say("truncated", this.#sizes(event, isBinary)));
    if (!isBinary && INVISIBLE.test(text)) marks.push(this.#words.say("invisible"));
    if (format) marks.push(this.#words.say(isCut ? "decoded_part" : "decoded", { format }));
    if (isQuoted) marks.push(this.#words.say("quoted"));
    if (hasCodes) marks.push(this.#words.say("coded"));
    const made = marks.map((mark) => element("span", "mark", mark));
    if (alert?.severity && (view === "tree" || !isCard(alert))) made.push(severityMark(alert.severity, this.#words));
    return made;
  }

  #parts(event, content, view) {
    const { text, bytes, isJson, alert } = content;
    if (text === "") return [];
    if (text === undefined) return bytes ? this.#hex(event, bytes, view === "line") : [];
    if (isJson && view === "tree" && this.#trees) return [this.#trees.build(text, (work) => attempt(event, work))];
    if (alert && isCard(alert)) return [card(alert, text, this.#words)];
    return view === "line" ? [this.#line(event, content)] : this.#text(event, content);
  }

  #line(event, { text, isJson }) {
    return this.#data(event, abridged(text, LINE_CHARACTERS, FOLD_LINES), isJson);
  }

  /**
   * @param {any} event
   * @param {Content} content
   */
  #text(event, { text, isJson }) {
    const shown = beginning(text, FOLD_CHARACTERS, FOLD_LINES);
    const data = this.#data(event, shown, isJson);
    if (shown.length === text.length) return [data];
    const button = this.#unfoldButton(event, "show_all", byteLength(text), () => {
      data.replaceWith(this.#data(event, text, isJson));
      button.remove();
    });
    return [data, button];
  }

  #data(event, text, isJson) {
    const data = element("p", "row__data", text);
    data.dir = "auto";
    if (isJson && text.length <= PAINT_LIMIT) this.#later(event, () => data.isConnected && paint(data));
    return data;
  }

  #hex(event, bytes, isLine) {
    if (isLine) return this.#binary.line(bytes);
    const button = this.#unfoldButton(event, "show_more", bytes.length, () => dump.more());
    const dump = this.#binary.dump(bytes, button);
    return dump.parts;
  }

  #unfoldButton(event, word, bytes, unfold) {
    const button = rowButton("row__unfold", this.#words.say(word, { size: this.#size(bytes) }));
    button.addEventListener("click", () => {
      this.#unfolded.set(event, (this.#unfolded.get(event) ?? 0) + 1);
      attempt(event, unfold);
    });
    return button;
  }

  #sizes({ data, size: whole }, isBinary) {
    const shown = isBinary ? base64Length(data) : byteLength(data);
    return { shown: this.#size(shown), size: this.#size(whole) };
  }

  #size(bytes) {
    return size(bytes, this.#words.language);
  }
}

/**
 * @param {HTMLElement} row
 * @param {Content} content
 */
function describe(row, { isJson, alert }, view) {
  row.dataset.view = view;
  if (isJson) row.dataset.json = "";
  showTools(row);
  if (alert?.severity) row.dataset.severity = alert.severity;
}

function asWritten({ data, encoding }, { bytes }) {
  return encoding === "base64" ? { bytes } : { text: data };
}

function readText(whole) {
  const { text, value, isQuoted } = readJson(whole);
  const alert = text.length <= READ_LIMIT ? alertIn(value) : null;
  return { text, isJson: value !== undefined, alert, isQuoted, hasCodes: whole.includes("\x1b") };
}

function isCard({ title, text }) {
  return title !== "" || text !== "";
}
