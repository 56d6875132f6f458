// The export menu: writes the file in the chosen format and downloads it.

import { now } from "../lib/clock.js";
import { Deferred } from "../lib/deferred.js";
import { toDate } from "../lib/format.js";

/** @type {Deferred<typeof import("./export_file.js")>} */
const exporter = new Deferred("../feed/export_file.js");

export class ExportMenu {
  #place;
  #events;
  #words;

  // `events` returns the messages that are shown.
  /** @param {HTMLElement} place @param {() => Message[]} events @param {Words} words */
  constructor(place, events, words) {
    this.#place = place;
    this.#events = events;
    this.#words = words;
    place.addEventListener("click", ({ target }) => {
      const { value } = /** @type {HTMLButtonElement} */ (target);
      if (value) this.#save(value);
    });
    place.addEventListener("toggle", () => this.#say("export_ready", this.#events().length));
  }

  /** @type {(extension: string) => Promise<void>} */
  async #save(extension) {
    const events = this.#events();
    const buttons = [...this.#place.querySelectorAll("button")];
    buttons.forEach((button) => (button.ariaDisabled = "true"));
    const blob = await this.#write(events, extension).catch(() => null);
    buttons.forEach((button) => (button.ariaDisabled = null));
    this.#say(blob ? "exported" : "not_loaded", events.length);
    if (blob) hand(blob, `arauto-${toDate(now()).toISOString().slice(0, 19).replaceAll(":", "-")}Z.${extension}`);
  }

  /** @type {(events: Message[], extension: string) => Promise<Blob>} */
  async #write(events, extension) {
    const { FORMATS, write } = await exporter.load();
    return write(events, FORMATS[extension], (n) => this.#say("exporting", n, events.length));
  }

  /** @type {(key: string, n: number, all?: number) => void} */
  #say(key, n, all = n) {
    this.#place.querySelector("[role=status]").textContent = this.#words.say(key, { n, all });
    const progress = this.#place.querySelector("progress");
    Object.assign(progress, { value: n, max: all || 1, hidden: key !== "exporting" });
  }
}

// Downloads a file under a name.
/** @type {(blob: Blob, download: string) => void} */
export function hand(blob, download) {
  const href = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href, download }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
