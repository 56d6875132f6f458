// One consumer group: its members, its lag, and the lag's history while the dialog is open.

import { toDate } from "../lib/format.js";
import { element } from "../ui/dom.js";
import { timesOfDay } from "../ui/timestamps.js";
import { LagHistory, ranges, sumOf } from "./lag_history.js";
import { makeTable, verbatim } from "./tables.js";

/** @typedef {{ client: string, host: string, partitions: number[] }} Member */
/** @typedef {{ group: string, state: string, members: Member[], partitions: import("./lag_history.js").Progress[] }} Group */

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [240, 32];
const FEW = 12; // partitions shown at first

export class GroupSection {
  #words;
  #history = new LagHistory();
  #said = element("p", "");
  #chart = document.createElementNS(SVG, "svg");
  #line = document.createElementNS(SVG, "path");
  #members = element("ul", "members");
  #table;

  /** @param {Group} group @param {Words} words */
  constructor({ group, partitions }, words) {
    this.#words = words;
    this.place = element("section", "group");
    const title = element("h4", "");
    title.append(verbatim(group));
    this.#chart.setAttribute("viewBox", `-2 -2 ${WIDTH + 4} ${HEIGHT + 4}`);
    this.#chart.setAttribute("preserveAspectRatio", "none");
    this.#chart.setAttribute("role", "img");
    this.#chart.append(this.#line);
    const head = ["partition", "member", "committed", "next", "lag"].map((what) => words.say(`about_${what}`));
    this.#table = makeTable(words.say("about_lag_of", { name: group }), head);
    const details = Object.assign(element("details", ""), { open: partitions.length <= FEW });
    details.append(element("summary", "", words.say("about_each")), this.#table.table);
    this.place.append(title, this.#said, this.#chart, this.#members, details);
  }

  /** @type {(group: Group, at: number) => void} */
  show({ group, state, members, partitions }, at) {
    const words = this.#words;
    const { lag, unknown } = sumOf(partitions);
    this.#history.add(at, lag);
    const parts = [this.#state(state), words.say("about_members", { n: members.length }), this.#lag(lag, unknown)];
    this.#said.textContent = parts.join(" · ");
    this.#draw(group, lag);
    this.#members.replaceChildren(...members.map((member) => this.#member(member)));
    const owners = new Map(members.flatMap((member) => member.partitions.map((one) => [one, member.client])));
    this.#table.fill(partitions.map(({ partition, committed, high, lag }) => [
      String(partition), verbatim(owners.get(partition) ?? "–"), this.#number(committed, "about_nothing"), this.#number(high), this.#number(lag),
    ]));
  }

  /** @type {(state: string) => string} */
  #state(state) {
    const known = ["stable", "empty", "preparing_rebalancing", "completing_rebalancing", "dead"];
    return known.includes(state) ? this.#words.say(`about_${state}`) : state;
  }

  /** @type {(lag: number | null, unknown: number) => string} */
  #lag(lag, unknown) {
    const words = this.#words;
    if (lag === null) return words.say("about_lag_unknown");
    const said = words.say("about_lag_sum", { n: lag });
    return unknown ? `${said}, ${words.say("about_unknown_of", { n: unknown })}` : said;
  }

  /** @type {(group: string, lag: number | null) => void} */
  #draw(group, lag) {
    this.#line.setAttribute("d", this.#history.path(WIDTH, HEIGHT));
    const [time] = timesOfDay([toDate(this.#history.since)]);
    const said = this.#words.say(lag === null ? "about_chart_unknown" : "about_chart", { name: group, time, n: lag ?? 0, most: this.#history.most });
    this.#chart.setAttribute("aria-label", said);
  }

  /** @type {(member: Member) => HTMLElement} */
  #member({ client, host, partitions }) {
    const item = element("li", "");
    const has = partitions.length ? this.#words.say("about_has", { n: partitions.length, which: ranges(partitions) }) : this.#words.say("about_waits");
    item.append(verbatim(client), " (", verbatim(host), `): ${has}`);
    return item;
  }

  /** @type {(value: number | null, none?: string) => string} */
  #number(value, none = "about_unknown") {
    return value === null ? this.#words.say(none) : value.toLocaleString(this.#words.language);
  }
}
