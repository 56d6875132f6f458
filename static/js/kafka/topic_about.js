// A dialog about one topic: its partitions, its retention, and its consumer groups with their lag.

import { now } from "../lib/clock.js";
import { size, toDate } from "../lib/format.js";
import { element, setText } from "../ui/dom.js";
import { timesOfDay } from "../ui/timestamps.js";
import { GroupSection } from "./group_section.js";
import { askTopic, Refresh } from "./refresh.js";
import { makeDialog, makeTable } from "./tables.js";
import { loadTopicParts } from "./topic_words.js";

/** @typedef {{ partition: number, low: number | null, high: number | null, leader: number | null, replicas: number[], in_sync: number[] }} Partition */
/** @typedef {{ partitions: Partition[], cleanup: string | null, retention_ms: number | null, retention_bytes: number | null }} Facts */
/** @typedef {{ groups: import("./group_section.js").Group[], refused: number, cut: boolean }} Groups */

const PAUSE = 3_000; // milliseconds between two requests
/** @type {[unit: string, ms: number][]} */
const UNITS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000], ["second", 1_000], ["millisecond", 1]];

export class TopicAbout {
  #words;
  #topic = "";
  /** @type {ReturnType<typeof makeDialog> | null} */
  #parts = null;
  #refresh = new Refresh((signal) => this.#look(signal), PAUSE);
  #kept = element("p", "");
  #groups = element("div", "groups");
  #others = element("p", "dialog__state"); // groups that are not shown
  #partitions = element("div", "");
  /** @type {ReturnType<typeof makeTable> | null} */
  #table = null;
  /** @type {Map<string, GroupSection>} */
  #sections = new Map();
  /** @type {Record<string, number>} */
  #times = {}; // when the facts and groups shown were read

  /** @param {Words} words */
  constructor(words) {
    this.#words = words;
  }

  // Throws if the words cannot be loaded.
  /** @type {(topic: string) => Promise<void>} */
  async open(topic) {
    await loadTopicParts();
    const words = this.#words;
    this.#parts ??= makeDialog("topic-about", words, () => this.#refresh.stop());
    const { dialog, title, scroll, state } = this.#parts;
    this.#topic = topic;
    this.#times = {};
    this.#sections.clear();
    title.textContent = words.say("about_title", { name: topic });
    state.textContent = words.say("about_asking");
    for (const place of [this.#kept, this.#groups, this.#others, this.#partitions]) place.replaceChildren();
    const head = ["partition", "first", "next", "messages", "leader", "in_sync"].map((what) => words.say(`about_${what}`));
    this.#table = makeTable(words.say("about_partitions"), head);
    this.#partitions.append(this.#table.table);
    scroll.replaceChildren(
      this.#kept, element("h3", "", words.say("about_groups")), this.#groups, this.#others,
      element("h3", "", words.say("about_partitions")), this.#partitions,
    );
    if (!dialog.open) dialog.showModal();
    this.#refresh.start();
  }

  /** @type {(signal: AbortSignal) => Promise<void>} */
  async #look(signal) {
    const topic = this.#topic;
    const [facts, groups] = await Promise.all(["", "/groups"].map((path) => askTopic(topic, path, signal, this.#words)));
    if (topic !== this.#topic || !this.#parts?.dialog.open) return;
    if (!facts.error) this.#showFacts(facts);
    if (!groups.error) this.#showGroups(groups);
    this.#showState(facts.error ?? groups.error, [facts.error && "facts", groups.error && "groups"].filter(Boolean));
  }

  // Shows an error, and from when the data is that could not be refreshed.
  /** @type {(error: string | undefined, failed: string[]) => void} */
  #showState(error, failed) {
    const { state } = /** @type {ReturnType<typeof makeDialog>} */ (this.#parts);
    const old = failed.map((what) => this.#times[what]).filter(Boolean);
    const time = old.length ? timesOfDay([toDate(Math.min(...old))])[0] : "";
    const said = error === undefined ? "" : time ? `${error} ${this.#words.say("about_old", { time })}` : error;
    setText(state, said);
  }

  /** @type {(facts: Facts) => void} */
  #showFacts(facts) {
    this.#times.facts = now();
    this.#kept.textContent = `${this.#words.say("about_has_partitions", { n: facts.partitions.length })} ${this.#retention(facts)}`;
    this.#table?.fill(facts.partitions.map((one) => this.#row(one)));
  }

  /** @type {(partition: Partition) => (string | Node)[]} */
  #row({ partition, low, high, leader, replicas, in_sync: inSync }) {
    const words = this.#words;
    const number = (/** @type {number | null} */ value) => (value === null ? words.say("about_unknown") : value.toLocaleString(words.language));
    const count = low === null || high === null ? null : high - low;
    const synced = element("span", "", words.say("about_in_sync_of", { n: inSync.length, all: replicas.length }));
    if (inSync.length < replicas.length) synced.append(" ", element("span", "mark", words.say("about_too_few")));
    return [String(partition), number(low), number(high), number(count), leader === null ? words.say("about_leaderless") : String(leader), synced];
  }

  // The topic's retention settings as sentences.
  /** @type {(facts: Facts) => string} */
  #retention({ cleanup, retention_ms: ms, retention_bytes: bytes }) {
    const words = this.#words;
    if (cleanup === null) return words.say("about_kept_unknown");
    const said = [];
    if (cleanup.includes("compact")) said.push(words.say("about_compact"));
    if (cleanup.includes("delete")) said.push(ms === null ? words.say("about_kept_forever") : words.say("about_kept_for", { time: duration(ms, words.language) }));
    if (bytes !== null) said.push(words.say("about_kept_bytes", { size: size(bytes, words.language) }));
    return said.join(" ");
  }

  /** @type {(groups: Groups) => void} */
  #showGroups({ groups, refused, cut }) {
    const words = this.#words;
    const at = (this.#times.groups = now());
    const names = new Set(groups.map(({ group }) => group));
    for (const [name, section] of this.#sections) {
      if (names.has(name)) continue;
      section.place.remove();
      this.#sections.delete(name);
    }
    groups.forEach((group, place) => {
      const section = this.#sections.get(group.group) ?? new GroupSection(group, words);
      this.#sections.set(group.group, section);
      section.show(group, at);
      if (this.#groups.children[place] !== section.place) this.#groups.insertBefore(section.place, this.#groups.children[place] ?? null);
    });
    this.#others.textContent = [
      !groups.length && !refused && !cut && words.say("about_no_groups"), refused && words.say("about_refused", { n: refused }), cut && words.say("about_cut"),
    ].filter(Boolean).join(" ");
  }
}

// In the largest unit that gives a whole number.
/** @type {(ms: number, language: string) => string} */
export function duration(ms, language) {
  const [unit, size] = UNITS.find(([, size]) => ms >= size && ms % size === 0) ?? UNITS[4];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(ms / size);
}
