// Opens the feed before anything is drawn: the socket comes up while the rest of the page is still loading.

import { isWall } from "../ui/page_kind.js";
import { asked } from "../ui/url_state.js";
import { Connection } from "./connection.js";
import { Selection } from "./selection.js";

const WALL_SINCE = "500"; // messages of each name: a screenful, even if few pass the filter

export const config = JSON.parse(document.getElementById("config").textContent);
export const limits = { maxMessage: config.max_message, maxName: config.max_name, maxSelection: config.max_selection };
export const selection = new Selection(limits);
const since = asked().get("since") || (isWall ? WALL_SINCE : null);
export const connection = new Connection(new URL("feed", document.baseURI), since, config.heartbeat);

selection.addEventListener("change", () => connection.select(selection.names));
if (!config.kafka) selection.load(config.channels); // with Kafka, topics.js loads it
addEventListener("hashchange", () => location.reload()); // another address was typed or pasted
