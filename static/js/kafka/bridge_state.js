// Shows the state of the bridge between channels and topics, and what it has missed; refreshed while its part is open.

import { toDate } from "../lib/format.js";
import { element } from "../ui/dom.js";
import { timesOfDay } from "../ui/timestamps.js";

const REFRESH = 3_000; // milliseconds
const ANSWER_LIMIT = 5_000; // milliseconds

/**
 * @typedef {{ rule: string, sentence: string, trouble: string }} Rule
 * @typedef {{ rule: string, from: number, to: number, sentence: string }} Span
 * @typedef {{ sentence?: string, error?: string, rules?: Rule[], spans?: Span[] }} State
 */

/** @type {(details: HTMLDetailsElement) => Promise<void>} */
export async function showBridge(details) {
  if (!details.open) return;
  if (details.offsetParent) draw(/** @type {HTMLElement} */ (details.lastElementChild), await ask());
  setTimeout(() => showBridge(details), REFRESH);
}

/** @type {() => Promise<State>} */
async function ask() {
  try {
    const options = { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(ANSWER_LIMIT) };
    return await (await fetch(new URL("bridge", document.baseURI), options)).json();
  } catch {
    return {}; // the page's status shows that the server is away
  }
}

/** @type {(body: HTMLElement, state: State) => void} */
function draw(body, { sentence = "", error = "", rules = [], spans = [] }) {
  const list = element("ul", "");
  list.append(...rules.map((one) => item(one.rule, `${one.sentence} ${one.trouble}`.trim())));
  const missed = element("ul", "bridge__missed");
  missed.append(...spans.toReversed().map((one) => item(one.rule, one.sentence, [one.from, one.to])));
  body.replaceChildren(element("p", "", `${sentence} ${error}`.trim()), list, missed);
}

/** @type {(rule: string, sentence: string, span?: number[]) => HTMLElement} */
function item(rule, sentence, span) {
  const made = element("li", "");
  made.append(Object.assign(element("bdi", "", rule), { translate: false }), element("br", ""));
  made.append(span ? `${timesOfDay(span.map(toDate), true).join(" – ")}: ` : "", sentence);
  return made;
}
