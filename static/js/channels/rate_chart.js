// Draws messages a second over the last five minutes, at most once a second, and says it as a sentence.

import { keyOf } from "../stream/channel_names.js";
import { wearColour } from "../ui/channel_color.js";
import { ALL, SECONDS } from "./message_rates.js";

export class RateChart {
  #place;
  #rates;
  #words;
  /** @type {Name | null} */
  #name = null;

  /** @param {HTMLElement} place @param {MessageRates} rates @param {Words} words */
  constructor(place, rates, words) {
    this.#place = place;
    this.#rates = rates;
    this.#words = words;
  }

  // One name of the selection, or null: everything together.
  /** @type {(name: Name | null) => void} */
  show(name) {
    this.#name = name;
    this.#canvas.removeAttribute("style");
    if (name) wearColour(this.#canvas, name.name);
    this.draw();
  }

  draw() {
    this.#place.hidden = false;
    const key = this.#name ? keyOf(this.#name) : ALL;
    const series = this.#rates.of(key);
    const now = this.#rates.now(key);
    this.#place.querySelector(".chart__now").textContent = this.#words.say("per_second", { n: rounded(now) });
    this.#canvas.ariaLabel = this.#canvas.title = this.#sentence(series, now);
    this.#bars(series);
  }

  /** @type {(series: number[], now: number) => string} */
  #sentence(series, now) {
    const n = series.reduce((sum, count) => sum + count, 0);
    const name = this.#name?.name ?? this.#words.say("all_channels");
    return this.#words.say("chart", { name, n, now: rounded(now), max: Math.max(...series) });
  }

  /** @type {(series: number[]) => void} */
  #bars(series) {
    const canvas = this.#canvas;
    const scale = devicePixelRatio;
    canvas.width = canvas.clientWidth * scale;
    canvas.height = canvas.clientHeight * scale;
    const context = canvas.getContext("2d");
    if (!context) return; // the numbers are written beside it
    const width = canvas.width / SECONDS;
    const max = Math.max(...series, 1);
    context.fillStyle = getComputedStyle(canvas).color;
    context.fillRect(0, canvas.height - scale, canvas.width, scale);
    series.forEach((n, i) => {
      const height = n ? Math.max((n / max) * canvas.height, 2 * scale) : 0;
      context.fillRect(i * width, canvas.height - height, Math.max(width, scale), height);
    });
  }

  get #canvas() {
    return this.#place.querySelector("canvas");
  }
}

/** @type {(rate: number) => number} */
export function rounded(rate) {
  return rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate);
}
