// Fills a row with what its message is: text, JSON, an alert or bytes, in the view that is wanted.

import { alertIn } from "./alert.js";
import { fromBase64, gunzip, hexDump, isGzip, toText } from "./bytes.js";
import { card, severityMark } from "./card.js";
import { element, rowButton } from "./dom.js";
import { base64Length, beginning, byteLength, size } from "./format.js";
import { parse } from "./json.js";
import { later } from "./later.js";
import { decode } from "./msgpack.js";
import { showTools } from "./tools.js";
import { READ_LIMIT } from "./severity.js";
import { paint, Trees } from "./tree.js";

export const VIEWS = ["wrapped", "line", "tree", "raw"];

const FOLD_CHARACTERS = 2_000;
const FOLD_LINES = 12;
const LINE_CHARACTERS = 400;
const PAINT_LIMIT = 10_000; // characters
const HEX_STEPS = [128, 512]; // bytes; then by
const HEX_STEP = 16_384;
const WIDE = matchMedia("(min-width: 34rem)"); // room for 16 bytes a line

export class Bodies {
  #view = VIEWS[0]; // of the whole feed
  #words;
  #trees;
  #views = new WeakMap(); // of one message, where it has its own
  #read = new WeakMap(); // what took long to read
  #unfolders = new WeakMap();
  #unpacking = Promise.resolve();

  constructor(words) {
    this.#words = words;
    this.#trees = new Trees(words);
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
    const view = this.viewOf(event);
    const content = this.#content(body, event);
    const shown = view === "raw" ? asWritten(event, content) : content;
    body.replaceChildren(...this.#marks(event, shown, view), ...this.#parts(shown, view));
    describe(body.parentElement, content, view);
    if (event.encoding) body.parentElement.classList.toggle("row--hex", shown.text === undefined);
  }

  // The person asked for all of it, or for more.
  unfold(button) {
    this.#unfolders.get(button)?.();
  }

  // What it is

  #content(body, event) {
    const known = this.#read.get(event);
    if (known) return known;
    if (event.encoding === "base64") return this.#packed(body, event);
    if (event.data.length <= READ_LIMIT) return readText(event.data);
    if (mayBeJson(event.data)) later(() => this.#learn(body, event, readText(event.data)));
    return { text: event.data };
  }

  #packed(body, event) {
    const bytes = fromBase64(event.data);
    if (event.truncated) return { bytes };
    if (isGzip(bytes)) later(() => this.#unpack(body, event, bytes));
    else if (bytes.length > READ_LIMIT) later(() => this.#learn(body, event, unpacked(bytes)));
    else return unpacked(bytes);
    return { bytes };
  }

  // One after the other: each may become large.
  #unpack(body, event, bytes) {
    this.#unpacking = this.#unpacking.then(async () => {
      if (!body.isConnected) return;
      const found = await gunzip(bytes);
      if (found) this.#learn(body, event, readUnpacked(found, bytes));
    });
  }

  #learn(body, event, content) {
    this.#read.set(event, content);
    if (!body.isConnected) return;
    this.fill(body, event);
    body.dispatchEvent(new Event("grow", { bubbles: true }));
  }

  // How it is shown

  #marks(event, { format, isCut, alert }, view) {
    const isBinary = event.encoding === "base64";
    const marks = [];
    if (event.data === "") marks.push(this.#words.say("empty_message"));
    if (isBinary) marks.push(this.#words.say("binary", { size: this.#size(event.size ?? base64Length(event.data)) }));
    if (event.truncated) marks.push(this.#words.say("truncated", this.#sizes(event, isBinary)));
    if (format) marks.push(this.#words.say(isCut ? "decoded_part" : "decoded", { format }));
    const made = marks.map((mark) => element("span", "mark", mark));
    if (alert?.severity && (view === "tree" || !isCard(alert))) made.push(severityMark(alert.severity, this.#words));
    return made;
  }

  #parts(content, view) {
    const { text, bytes, isJson, alert } = content;
    if (text === "") return [];
    if (text === undefined) return this.#hex(bytes, view);
    if (isJson && view === "tree") return [this.#trees.build(text)];
    if (alert && isCard(alert)) return [card(alert, text, this.#words)];
    return view === "line" ? [this.#line(content)] : this.#text(content);
  }

  #line({ text, isJson }) {
    return this.#data(beginning(text, LINE_CHARACTERS, FOLD_LINES), isJson);
  }

  #text({ text, isJson }) {
    const shown = beginning(text, FOLD_CHARACTERS, FOLD_LINES);
    const data = this.#data(shown, isJson);
    if (shown.length === text.length) return [data];
    const button = this.#unfoldButton("show_all", byteLength(text));
    this.#unfolders.set(button, () => {
      data.replaceWith(this.#data(text, isJson));
      button.remove();
    });
    return [data, button];
  }

  #data(text, isJson) {
    const data = element("p", "row__data", text);
    data.dir = "auto";
    if (isJson && text.length <= PAINT_LIMIT) later(() => data.isConnected && paint(data));
    return data;
  }

  #hex(bytes, view) {
    const perLine = WIDE.matches ? 16 : 8;
    if (view === "line") return [element("p", "row__data hex", hexDump(bytes.subarray(0, perLine), perLine))];
    const dump = element("p", "row__data hex");
    const button = this.#unfoldButton("show_more", bytes.length);
    let shown = 0;
    const show = () => {
      shown = HEX_STEPS.find((step) => step > shown) ?? shown + HEX_STEP;
      dump.textContent = hexDump(bytes.subarray(0, shown), perLine);
      if (shown >= bytes.length) button.remove();
    };
    this.#unfolders.set(button, show);
    show();
    return shown < bytes.length ? [dump, button] : [dump];
  }

  #unfoldButton(word, bytes) {
    return rowButton("row__unfold", this.#words.say(word, { size: this.#size(bytes) }));
  }

  #sizes({ data, size: whole }, isBinary) {
    const shown = isBinary ? base64Length(data) : byteLength(data);
    return { shown: this.#size(shown), size: this.#size(whole) };
  }

  #size(bytes) {
    return size(bytes, this.#words.language);
  }
}

function describe(row, { isJson, alert }, view) {
  row.dataset.view = view;
  if (isJson) row.dataset.json = "";
  showTools(row);
  if (alert?.severity) row.dataset.severity = alert.severity;
}

function asWritten({ data, encoding }, { bytes }) {
  return encoding === "base64" ? { bytes } : { text: data };
}

function readText(text) {
  const value = parse(text);
  return { text, isJson: value !== undefined, alert: text.length <= READ_LIMIT ? alertIn(value) : null };
}

function unpacked(bytes) {
  const text = decode(bytes);
  return text === null ? { bytes } : { bytes, text, isJson: true, format: "MessagePack" };
}

function readUnpacked({ bytes, isCut }, packed) {
  const text = toText(bytes, isCut);
  if (text !== null) return { ...readText(text), bytes: packed, format: "gzip", isCut };
  const inner = unpacked(bytes);
  return inner.text === undefined ? { bytes: packed } : { ...inner, bytes: packed, format: "gzip, MessagePack", isCut };
}

function mayBeJson(text) {
  return /^\s*[[{]/.test(text) && /[\]}]\s*$/.test(text.slice(-100));
}

function isCard({ title, text }) {
  return title !== "" || text !== "";
}
