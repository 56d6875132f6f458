// Shows in the strip how much was recorded, and lets the visitor choose a point of it.
// Events: "scrub" (Unix seconds, while the pointer drags), "go" (the same, when it is released), "close".

import { ticks } from "../lib/clock.js";
import { Emitter } from "../lib/emitter.js";
import { recordedVolume } from "./recorded_volume.js";
import { total } from "./volume_counts.js";

const BARS = 200; // at most
const REFRESH = 5_000; // milliseconds, after which newly recorded messages are requested
const ROWS = 12; // of the table at most

export class Scrubber extends Emitter {
  isOpen = false;
  #place;
  #plot;
  #table;
  #words;
  /** @type {Name[]} */
  #names = [];
  #to = 0;
  #asked = 0;
  #run = new AbortController();

  /**
   * @param {HTMLElement} place
   * @param {import("./volume_plot.js").VolumePlot} plot
   * @param {import("./volume_table.js").VolumeTable} table
   * @param {Words} words
   */
  constructor(place, plot, table, words) {
    super();
    this.#place = place;
    this.#plot = plot;
    this.#table = table;
    this.#words = words;
  }

  // Resolves to the end of the recording; null if there is none, undefined if it was opened again or closed meanwhile.
  // Throws an Error with the server's sentence, if it has one.
  /** @type {(names: Name[]) => Promise<number | null | undefined>} */
  async open(names) {
    this.#run.abort();
    const { signal } = (this.#run = new AbortController());
    this.#names = names;
    this.isOpen = true;
    this.#asked = Infinity; // until there is an answer, however late
    try {
      const volume = await recordedVolume(names, Math.max(1, Math.min(this.#plot.room, BARS)), signal);
      if (signal.aborted) return undefined;
      this.#asked = ticks();
      if (volume) this.#show(volume);
      else this.close();
      return volume?.to ?? null;
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#asked = ticks();
      if (!this.#plot.onSeek) this.close(); // it shows the live span
      throw error;
    }
  }

  close() {
    this.#run.abort();
    this.isOpen = false;
    this.#plot.onSeek = null;
    this.#plot.moveTo(null);
    this.emit("close");
  }

  // Call with the time up to which the past was played; more may be recorded by now.
  /** @type {(at: number) => void} */
  moveTo(at) {
    if (!this.isOpen) return;
    this.#plot.moveTo(at);
    if (at > this.#to && ticks() > this.#asked + REFRESH) this.open(this.#names).catch(() => {});
  }

  // Only the number of recorded messages is known, not their severities.
  /** @type {(volume: import("./recorded_volume.js").Volume) => void} */
  #show({ from, to, counts, gaps }) {
    this.#to = to;
    this.#plot.onSeek = (at, isOver) => this.emit(isOver ? "go" : "scrub", at);
    const step = (to - from) / counts.length;
    const bars = counts.map((n, at) => ({ from: from + at * step, counts: [0, n] }));
    this.#plot.show({ bars, step, gaps });
    const many = Math.ceil(bars.length / ROWS);
    const rows = bars.filter((_, at) => at % many === 0).map((bar, row) => {
      return { ...bar, counts: [0, total(counts.slice(row * many, (row + 1) * many))] };
    });
    this.#table.show(rows, step * many, gaps);
    const n = total(counts);
    const [number, note] = ["b", "span"].map((tag) => this.#place.querySelector(`.volume__now > ${tag}`));
    number.textContent = this.#words.say("volume_n", { n });
    note.textContent = this.#words.say("volume_past");
    const whole = { bars: [{ from, counts: [0, n] }], step: to - from, gaps };
    this.#place.querySelector(".volume__sentence").textContent = this.#plot.sentence(whole.bars[0], whole);
  }
}
