// Adds Kafka's topics to the page before its feed opens. Loaded only if there is Kafka; the modules that show topics
// load with the first of them.

import { config, connection, selection } from "../stream/boot.js";
import { KINDS } from "../stream/channel_names.js";
import { TopicPositions } from "./topic_positions.js";

const positions = new TopicPositions();
connection.positions = positions;
connection.translate = (event) => positions.translate(event);
/** @type {FeedState} */
let feedState; // the newest, for modules that load meanwhile
connection.addEventListener("shown", async ({ detail }) => {
  feedState = detail;
  /** @type {ReplayElement} */ (/** @type {unknown} */ (document.getElementById("replay"))).elements.lanes.hidden = !selection.channels.length;
  if (!selection.names.some(({ kind }) => kind === "topic")) return;
  const { showTopics } = await import("./topic_chips.js");
  showTopics(feedState, selection.names);
});
const rail = /** @type {HTMLElement} */ (document.getElementById("chips").parentElement);
const watch = new MutationObserver(async () => {
  const card = rail.querySelector(".try");
  if (!card) return;
  watch.disconnect();
  (await import("./share_step.js")).addStep(card);
});
watch.observe(rail, { childList: true }); // the card of things to try is loaded later
KINDS.push("topic");
const search = /** @type {HTMLInputElement} */ (document.querySelector("#browser input"));
search.addEventListener("input", async () => (await import("./glob_offer.js")).offer(search));
selection.load(config.channels);

const bridge = /** @type {HTMLDetailsElement | null} */ (document.querySelector("#bridge"));
bridge?.addEventListener("toggle", async () => (await import("./bridge_state.js")).showBridge(bridge));
if (!document.getElementById("publish").parentElement?.hidden) import("./topic_publish.js"); // without permission to publish there is no form
