// Draws bars over a span of time, hatched in gaps, with times below. A cursor is moved over them by pointer and keys; the
// bar under it is described in place of the times, so nothing moves. In the past, the cursor seeks.

import { toDate } from "../lib/format.js";
import { element, setText } from "../ui/dom.js";
import { isPlain } from "../ui/shortcuts.js";
import { shortTime, timesOfDay } from "../ui/timestamps.js";
import { edge, paths } from "./bar_paths.js";
import { axisTicks } from "./time_axis.js";
import { KINDS, total } from "./volume_counts.js";

/** @typedef {import("./volume_counts.js").Bar} Bar */
/** @typedef {{ bars: Bar[], step: number, gaps: [from: number, to: number][] }} Span `step`: the seconds of a bar */

const FAR = 10; // bars, by PageUp and PageDown
const LABEL = 70; // pixels for one time
const EDGE = 24; // pixels from either side, where a time would be cut
const NOW = 64; // pixels on the right, reserved for the word for now
const THIN = 3; // pixels of the shortest gap
const MARK = 2; // pixels of the line at the position

export class VolumePlot {
  // Called in the past to seek: `isOver` if the pointer was released. Null: the span is live.
  /** @type {((at: number, isOver: boolean) => void) | null} */
  onSeek = null;
  #slider;
  #axis;
  #value;
  #words;
  /** @type {Span} */
  #span = { bars: [], step: 1, gaps: [] };
  /** @type {number | null} */
  #hovered = null; // the time of the bar under the pointer
  /** @type {number | null} */
  #reached = null; // the same for the keyboard; in the past, the position counts instead
  /** @type {number | null} */
  #position = null; // up to where the past was played
  #label;

  /** @param {HTMLElement} place @param {Words} words */
  constructor(place, words) {
    this.#slider = place.querySelector("[role=slider]");
    this.#axis = place.querySelector(".volume__axis");
    this.#value = place.querySelector(".volume__value");
    this.#words = words;
    const slider = this.#slider;
    this.#label = slider.ariaLabel;
    slider.addEventListener("keydown", (event) => this.#pressed(event));
    slider.addEventListener("focus", () => this.#reach(this.#reached ?? Infinity));
    slider.addEventListener("blur", () => this.#leave());
    for (const type of /** @type {const} */ (["pointerdown", "pointermove", "pointerup"])) {
      slider.addEventListener(type, (event) => this.#pointed(event));
    }
    for (const type of /** @type {const} */ (["pointerleave", "pointercancel"])) {
      slider.addEventListener(type, () => this.#hover(null));
    }
    new ResizeObserver(() => this.#draw()).observe(slider);
  }

  // The number of bars that fit.
  get room() {
    return Math.floor(this.#slider.clientWidth / 4);
  }

  /** @type {(span: Span) => void} */
  show(span) {
    this.#span = span;
    this.#draw();
  }

  // Moves the position; null: the span is live.
  /** @type {(at: number | null) => void} */
  moveTo(at) {
    this.#position = at;
    this.#mark(this.#slider.clientWidth, this.#slider.clientHeight);
    if (this.#reached !== null) this.#moved();
    if (this.#slider !== document.activeElement) this.#sayPosition();
  }

  get #from() {
    return this.#span.bars[0]?.from ?? 0;
  }

  get #to() {
    return this.#from + this.#span.bars.length * this.#span.step;
  }

  // Drawing

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#slider;
    const { bars } = this.#span;
    if (!bars.length || !width) return;
    const svg = this.#slider.querySelector("svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const [gaps, ...kinds] = svg.querySelectorAll(":scope > path");
    gaps.setAttribute("d", this.#gaps(width, height));
    const drawn = paths(bars, width, height);
    kinds.forEach((path, kind) => path.setAttribute("d", drawn[kind] ?? ""));
    this.#write(width);
    this.#point(width, height);
    this.#mark(width, height);
    const ariaLabel = this.onSeek ? this.#words.say("volume_point") : this.#label;
    Object.assign(this.#slider, { ariaLabel, ariaValueMin: this.#from, ariaValueMax: this.#to - (this.onSeek ? 0 : this.#span.step) });
    this.#describe();
  }

  /** @type {(width: number, height: number) => string} */
  #gaps(width, height) {
    return this.#span.gaps.map(([from, to]) => {
      const [left, right] = [from, to].map((at) => Math.round(this.#place(at) * width));
      return `M${left} 0h${Math.max(THIN, right - left)}v${height}H${left}z`;
    }).join("");
  }

  // From 0 to 1.
  /** @type {(at: number) => number} */
  #place(at) {
    return Math.max(0, Math.min((at - this.#from) / (this.#to - this.#from), 1));
  }

  /** @type {(width: number) => void} */
  #write(width) {
    const labels = axisTicks(this.#from, this.#to, Math.floor(width / LABEL)).flatMap(({ at, text }) => {
      const left = this.#place(at) * width;
      const label = element("span", "", text);
      label.style.insetInlineStart = `${Math.round(left)}px`;
      return left < EDGE || left > width - (this.onSeek ? EDGE : NOW) ? [] : [label];
    });
    this.#axis.replaceChildren(...labels, element("b", "", this.onSeek ? "" : this.#words.say("volume_now")));
  }

  /** @type {(width: number, height: number) => void} */
  #mark(width, height) {
    const mark = this.#slider.querySelector("rect.volume__position");
    const at = this.#position;
    set(mark, { x: Math.round(this.#place(at ?? 0) * (width - MARK)), width: at === null ? 0 : MARK, height });
  }

  // The cursor

  /** @type {(width: number, height: number) => void} */
  #point(width, height) {
    const cursor = this.#slider.querySelector("rect.volume__cursor");
    const { bars } = this.#span;
    const at = this.#index;
    const left = edge(at, bars.length, width);
    const size = at < 0 ? 0 : Math.max(1, edge(at + 1, bars.length, width) - left);
    set(cursor, { x: left, width: size, height });
  }

  // The index of the bar under the cursor, or -1.
  get #index() {
    const reached = this.#reached === null ? null : this.#position ?? this.#reached;
    const at = this.#hovered ?? reached;
    return at === null ? -1 : this.#indexOf(at);
  }

  // The first bar if the time has left the span.
  /** @type {(at: number) => number} */
  #indexOf(at) {
    // Rounding may place a bar's beginning just before it.
    const index = Math.floor((at - this.#from) / this.#span.step + 1e-6);
    return Math.max(0, Math.min(index, this.#span.bars.length - 1));
  }

  /** @type {(event: PointerEvent) => void} */
  #pointed({ type, offsetX, pointerId, button }) {
    const { bars } = this.#span;
    if (!bars.length) return;
    const at = this.#from + Math.max(0, Math.min(offsetX / this.#slider.clientWidth, 1)) * (this.#to - this.#from);
    this.#hover(bars[this.#indexOf(at)].from);
    if (!this.onSeek) return;
    if (type === "pointerdown" && button === 0) this.#slider.setPointerCapture(pointerId);
    if (this.#slider.hasPointerCapture(pointerId)) this.onSeek(at, type === "pointerup");
  }

  /** @type {(at: number | null) => void} */
  #hover(at) {
    this.#hovered = at;
    this.#moved();
  }

  /** @type {(at: number) => void} */
  #reach(at) {
    const bar = this.#span.bars[this.#indexOf(at)];
    if (!bar) return;
    this.#reached = bar.from;
    this.#hovered = null;
    this.#moved();
    // Only here: announced each second, it would drown all else in a screen reader.
    if (this.onSeek) this.#sayPosition();
    else Object.assign(this.#slider, { ariaValueNow: bar.from, ariaValueText: this.sentence(bar) });
  }

  #sayPosition() {
    const at = this.#position;
    const bar = at === null ? undefined : this.#span.bars[this.#indexOf(at)];
    if (at === null || !bar) return;
    const n = this.#words.say("volume_n", { n: total(bar.counts) });
    Object.assign(this.#slider, { ariaValueNow: at, ariaValueText: `${shortTime(toDate(at))} · ${n}` });
  }

  #leave() {
    this.#reached = null;
    this.#moved();
  }

  #moved() {
    this.#point(this.#slider.clientWidth, this.#slider.clientHeight);
    this.#describe();
  }

  /** @type {(event: KeyboardEvent) => void} */
  #pressed(event) {
    const { bars } = this.#span;
    const at = this.#indexOf(this.#position ?? this.#reached ?? Infinity);
    /** @type {Record<string, number>} */
    const places = {
      ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1,
      PageDown: at - FAR, PageUp: at + FAR, Home: 0, End: bars.length - 1,
    };
    if (!isPlain(event) || !Object.hasOwn(places, event.key)) return;
    event.preventDefault();
    const reached = this.#from + Math.max(0, Math.min(places[event.key], bars.length - 1)) * this.#span.step;
    if (this.onSeek) {
      this.moveTo(reached);
      this.onSeek(reached, true);
    }
    this.#reach(reached);
  }

  #describe() {
    const bar = this.#span.bars[this.#index];
    this.#axis.hidden = Boolean(bar);
    setText(this.#value, bar ? this.sentence(bar) : "");
  }

  // The description of a bar.
  /** @type {(bar: Bar, span?: Span) => string} */
  sentence({ from, counts }, { step, gaps } = this.#span) {
    const to = from + step;
    const [begin, end] = timesOfDay([toDate(from), toDate(to)]);
    const said = [this.#words.say("volume_bar", { from: begin, to: end, n: total(counts) })];
    for (const kind of ["critical", "error", "warning", "info"]) {
      const n = counts[KINDS.indexOf(kind)];
      if (n) said.push(this.#words.say("volume_kind", { kind: this.#words.say(`severity_${kind}`), n }));
    }
    if (counts[0]) said.push(this.#words.say("volume_unread", { n: counts[0] }));
    if (gaps.some((gap) => gap[0] < to && gap[1] >= from)) said.push(this.#words.say("volume_gap"));
    return said.join(" · ");
  }
}

/** @type {(rectangle: Element, values: Record<string, number>) => void} */
function set(rectangle, values) {
  for (const [name, value] of Object.entries(values)) rectangle.setAttribute(name, String(value));
}
