// The last five minutes above the feed: bars of messages by severity, the rate, and the age of the last critical one;
// also as a sentence and a table for screen readers. May show one channel of the selection instead.

import { now } from "../lib/clock.js";
import { rounded } from "../lib/format.js";
import { colourName, keyOf } from "../stream/channel_names.js";
import { isMessage } from "../stream/events.js";
import { applyColour } from "../ui/channel_color.js";
import { element, setText } from "../ui/dom.js";
import { ago } from "../ui/timestamps.js";
import { Scrubber } from "./scrubber.js";
import { SeverityReader } from "./severity_reader.js";
import { KINDS, SECONDS, stepFor, total, VolumeCounts } from "./volume_counts.js";
import { VolumePlot } from "./volume_plot.js";
import { VolumeTable } from "./volume_table.js";

const LEVELS = ["critical", "error", "warning", "info"]; // counted separately on a phone
const ROW = 30; // seconds of a row of the table; only past ones are shown, so that nothing changes while it is read

export class VolumeStrip {
  scrubber;
  #place;
  #rates;
  #selection;
  #words;
  #counts = new VolumeCounts();
  #reader = new SeverityReader();
  #plot;
  #table;
  #levels = element("i", "volume__levels");
  /** @type {Name | null} */
  #name = null;
  /** @type {number | undefined} */
  #lostSince;

  /** @param {HTMLElement} place @param {MessageRates} rates @param {PageSelection} selection @param {Words} words */
  constructor(place, rates, selection, words) {
    this.#place = place;
    this.#rates = rates;
    this.#selection = selection;
    this.#words = words;
    this.#plot = new VolumePlot(place, words);
    this.#table = new VolumeTable(place.querySelector("table"), words);
    place.querySelector(".volume__now > b").after(this.#levels);
    this.scrubber = new Scrubber(place, this.#plot, this.#table, words);
    this.scrubber.addEventListener("close", () => this.draw());
  }

  /** @type {(events: Iterable<FeedItem | ShownEvent>) => void} */
  add(events) {
    const at = now();
    for (const event of events) {
      if (event.type === "gap") this.#counts.addGap(event.lost ?? event.from, event.to);
      else if (isMessage(event) && !this.#selection.hasTwice(event)) this.#counts.add(event.at, this.#reader.kindOf(event), at);
    }
  }

  // A current outage is hatched, too.
  /** @type {(state: Pick<FeedState, "name" | "since">) => void} */
  setState({ name, since }) {
    this.#lostSince = name === "reconnecting" ? since : undefined;
  }

  // Unix seconds of the last critical message; 0: none has come.
  get lastCritical() {
    return this.#counts.lastCritical;
  }

  // Shows one name of the selection, or null: all together.
  /** @type {(name: Name | null) => void} */
  peek(name) {
    this.#name = name;
    const svg = this.#place.querySelector("svg");
    svg.removeAttribute("style");
    if (name) applyColour(svg, colourName(name));
    this.draw();
  }

  // Call once a second while the page is visible.
  draw() {
    this.#showLevels();
    if (this.scrubber.isOpen) return;
    const at = now();
    const step = stepFor(this.#plot.room);
    const bars = this.#bars(at, step);
    const gaps = this.#counts.gaps(bars[0].from);
    this.#plot.show({ bars, step, gaps: this.#lostSince ? [...gaps, [this.#lostSince, at]] : gaps });
    this.#table.show(this.#counts.bars(at, ROW).slice(0, -1), ROW, this.#counts.gaps(at - SECONDS));
    this.#showRate(this.#bars(at, 1).map(({ counts }) => total(counts)));
  }

  // The counts by severity of all messages, on a phone.
  #showLevels() {
    if (!this.#levels.checkVisibility()) return;
    const bars = this.#name || this.scrubber.isOpen ? [] : this.#counts.bars(now(), 1);
    const sums = LEVELS.map((kind) => total(bars.map(({ counts }) => counts[KINDS.indexOf(kind)])));
    const shown = total(sums) ? sums : [];
    if (String(shown) === this.#levels.dataset.counts) return;
    this.#levels.dataset.counts = String(shown);
    this.#levels.replaceChildren(...shown.map((n, at) => {
      const part = element("span", "severity", String(n));
      part.dataset.severity = LEVELS[at];
      return part;
    }));
  }

  // For one channel or pattern only numbers are known, not severities.
  /** @type {(at: number, step: number) => import("./volume_counts.js").Bar[]} */
  #bars(at, step) {
    if (!this.#name) return this.#counts.bars(at, step);
    const series = this.#rates.of(keyOf(this.#name));
    const end = Math.floor(at / step) * step + step;
    const first = Math.floor(at) + 1 - SECONDS;
    return Array.from({ length: SECONDS / step }, (_, bar) => {
      const from = end - SECONDS + bar * step;
      return { from, counts: [0, total(series.slice(Math.max(0, from - first), Math.max(0, from - first + step)))] };
    });
  }

  /** @type {(totals: number[]) => void} */
  #showRate(totals) {
    const rate = rounded(this.#rates.now(this.#name ? keyOf(this.#name) : undefined));
    const name = this.#name?.name;
    const { lastCritical } = this.#counts;
    const critical = lastCritical ? this.#words.say("volume_critical", { ago: ago(now() - lastCritical) }) : "";
    const [number, note] = ["b", "span"].map((tag) => this.#place.querySelector(`.volume__now > ${tag}`));
    const sentence = this.#words.say("volume", {
      name: name ?? this.#words.say("all_channels"), n: total(totals), now: rate, max: Math.max(...totals),
    });
    setText(number, this.#words.say("per_second", { n: rate }));
    setText(note, name ?? critical);
    setText(this.#place.querySelector(".volume__sentence"), critical && !name ? `${sentence}; ${critical}` : sentence);
  }
}
