// Opens the feed before anything is drawn: the socket comes up while the rest of the page is still loading.

import { asked } from "../ui/url_state.js";
import { Connection } from "./connection.js";
import { Selection } from "./selection.js";

export const config = JSON.parse(document.getElementById("config").textContent);
export const limits = { maxMessage: config.max_message, maxName: config.max_name, maxSelection: config.max_selection };
export const selection = new Selection(limits);
export const connection = new Connection(new URL("feed", document.baseURI), asked().get("since"), config.heartbeat);

selection.addEventListener("change", () => connection.select(selection.names));
if (!config.kafka) selection.load(config.channels); // else topics.js does it
addEventListener("hashchange", () => location.reload()); // another view was typed or pasted
