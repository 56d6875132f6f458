// Finds the elements and connects the rest.

import { Actions } from "./actions.js";
import { Chips } from "./chips.js";
import { Chooser } from "./chooser.js";
import { Connection } from "./connection.js";
import { Controls } from "./controls.js";
import { Cursor } from "./cursor.js";
import { Feed } from "./feed.js";
import { Filter } from "./filter.js";
import { Pins } from "./pins.js";
import { Publisher } from "./publisher.js";
import { Rows } from "./row.js";
import { Selection } from "./selection.js";
import { Status } from "./status.js";
import { Takeaway } from "./takeaway.js";
import { Welcome } from "./welcome.js";
import { Words } from "./words.js";

const find = (id) => document.getElementById(id);

const config = JSON.parse(find("config").textContent);
const limits = { maxMessage: config.max_message, maxName: config.max_name, maxSelection: config.max_selection };

const words = new Words(config.words, document.documentElement.lang);
const selection = new Selection(limits);
const connection = new Connection(new URL("feed", document.baseURI));
const status = new Status(find("status"), words);
const welcome = new Welcome(find("welcome"), words);
const publisher = new Publisher(find("publish"), find("answer"), limits, words);
const rows = new Rows(find("message-row"), find("notice-row"), words);
new Cursor(find("log"));
new Actions(
  { feed: find("feed"), menu: find("menu"), view: find("view"), said: find("said"), tools: find("row-tools") },
  rows, new Pins(find("pins"), rows), words,
  { redisCli: config.redis_cli, publishUrl: new URL("publish", document.baseURI).href },
);
const feed = new Feed(
  { scroller: find("log"), list: find("messages"), older: find("older"), earlier: find("earlier"), newButton: find("new") },
  rows, words,
);
const filter = new Filter(find("filter"), find("filter-count"), find("filter-note"), words);
new Takeaway(find("export"), () => feed.shown, words);
new Controls({
  section: find("feed"), log: find("log"), said: find("filter-note"), keys: find("keys"), message: find("publish-message"),
  pause: find("pause"), clear: find("clear"), order: find("order"), help: find("help"),
}, feed, filter, words);
const chips = new Chips(find("chips"), find("chip"), selection, words, () => chooser.focus());
const chooser = new Chooser(find("choose"), find("choose-problem"), selection, chips, words);

selection.addEventListener("change", () => {
  connection.select(selection.names);
  welcome.suggest(config.redis_cli, selection.channels[0] ?? config.channels[0]);
  offer(selection.channels);
  keepLanguageLinks();
});
connection.addEventListener("state", ({ detail }) => {
  status.show(detail);
  chips.show(detail);
});
connection.addEventListener("events", ({ detail }) => {
  welcome.hide();
  feed.add(detail);
});
filter.addEventListener("change", () => {
  feed.setFilter(filter.query, filter.hides);
  keepLanguageLinks();
});
feed.addEventListener("draw", () => filter.tell(feed.counts));
connection.addEventListener("problem", ({ detail }) => chooser.complain(detail));
addEventListener("online", () => connection.wake());
document.addEventListener("visibilitychange", () => document.hidden || connection.wake());

filter.load();
selection.load(config.channels);
find("desk").hidden = false;
publisher.start(selection.channels[0]);

function offer(channels) {
  const options = channels.map((value) => Object.assign(document.createElement("option"), { value }));
  find("channels").replaceChildren(...options);
}

// The other language shows the same selection.
function keepLanguageLinks() {
  for (const link of document.querySelectorAll("a[hreflang]")) {
    const url = new URL(location.href);
    url.searchParams.set("lang", link.hreflang);
    link.href = url;
  }
}
