// Finds the page's elements and connects its parts.

import { ChannelChips } from "../channels/channel_chips.js";
import { MessageRates } from "../channels/message_rates.js";
import { SubscribeForm } from "../channels/subscribe_form.js";
import { Detail } from "../detail/detail.js";
import { ExportMenu } from "../feed/export_menu.js";
import { Feed } from "../feed/feed.js";
import { Grouping } from "../feed/grouping.js";
import { FilterBar } from "../feed/filter_bar.js";
import { Pins } from "../feed/pins.js";
import { RowActions } from "../feed/row_actions.js";
import { Toolbar } from "../feed/toolbar.js";
import { Replay } from "../history/replay.js";
import { Deferred } from "../lib/deferred.js";
import { RovingFocus } from "../message/roving_focus.js";
import { Rows } from "../message/row.js";
import { Drafts } from "../publish/drafts.js";
import { keepUnsent, unsent } from "../publish/form_recovery.js";
import { PublishForm } from "../publish/publish_form.js";
import { config, connection, limits, selection } from "../stream/boot.js";
import { keyOf } from "../stream/channel_names.js";
import { applyAppearance, chosen, DEFAULTS } from "../ui/appearance.js";
import { addSheet } from "../ui/dom.js";
import { Words } from "../ui/i18n.js";
import { isPane } from "../ui/page_kind.js";
import { keepTimes } from "../ui/timestamps.js";
import { asked, keep } from "../ui/url_state.js";
import { Beside } from "./beside.js";
import { ConnectionStatus, isOver } from "./connection_status.js";
import { EmptyState } from "./empty_state.js";
import { PageParts } from "./page_parts.js";
import { SettingsDialog } from "./settings_dialog.js";

const MOST_UNCOUNTED = 1_000; // batches

/** @type {<Id extends string>(id: Id) => Id extends keyof PageElements ? PageElements[Id] : HTMLElement} */
const find = (id) => /** @type {any} */ (document.getElementById(id));

const words = new Words(config.words, document.documentElement.lang);
Deferred.needs(() => Promise.all([words.fetchMore(import.meta.url), addSheet(new URL("later.css", import.meta.url).href)]));
const status = new ConnectionStatus(find("status"), words);
const welcome = new EmptyState(find("welcome"), words);
const publisher = new PublishForm(find("publish"), find("answer"), find("confirm"), selection, limits, words);
const editor = new Deferred("../publish/message_editor.js", ({ MessageEditor }) => new MessageEditor(
  find("publish-message"),
  { size: find("publish-size"), check: find("publish-check"), format: find("publish-format") }, limits.maxMessage, words,
));
const drafts = new Drafts(find("drafts"), find("drafts-open"), find("draft"), publisher, words);
const settings = new SettingsDialog(find("settings"), find("settings-open"), find("level"), selection, words, showNote);
const canPublish = !find("publish").parentElement?.hidden;
const rows = new Rows(find("message-row"), find("notice-row"), words);
new RovingFocus(find("log"));
const actions = new RowActions(
  { feed: find("feed"), menu: find("menu"), view: find("view"), said: find("said"), tools: find("row-tools") },
  rows, new Pins(find("pins"), rows), words,
  { redisCli: config.redis_cli, publishUrl: canPublish && new URL("publish", document.baseURI).href },
);
const feed = new Feed(
  { scroller: find("log"), list: find("messages"), older: find("older"), earlier: find("earlier"), newButton: find("new") },
  rows, words,
);
const filter = new FilterBar(find("filter"), find("filter-count"), find("filter-note"), words);
new ExportMenu(find("export"), () => feed.shown, words);
const detail = new Detail(find("detail"), { section: find("feed"), log: find("log") }, feed, rows, ({ DetailPanel }) =>
  new DetailPanel(find("detail"), { tools: find("field-tools"), filter, feed, rows, actions, choose: (event) => detail.go(event), acknowledge: config.recording ? acknowledge.arrive() : null }, words));
const parts = new PageParts(find("tabs"), document.querySelector("main"), () => find("replay").elements.open.click());
const toolbar = new Toolbar({
  section: find("feed"), log: find("log"), keys: find("keys"), more: find("desk-more"),
  pause: find("pause"), clear: find("clear"), order: find("order"), help: find("help"),
}, feed, rows, filter, actions, words, detail, {
  write: () => {
    parts.show("publish");
    find("publish-message").focus();
  },
  acknowledge: config.recording && (async (event) => (await acknowledge.arrive()).toggle(event)),
});
const groups = new Deferred("../feed/group_rows.js", ({ GroupRows }) =>
  new GroupRows(find("messages"), feed, words, (/** @type {Message} */ event) => detail.reveal(event)));
const grouping = new Grouping(find("group"), async (isOn) => {
  const make = isOn ? (await groups.arrive()).makeGroups : null;
  feed.setGroups(grouping.isOn ? make : null);
});
const acknowledge = new Deferred("../acknowledge/acknowledge.js", ({ Acknowledge }) => new Acknowledge({
  connection, state: feedState, feed, place: find("feed"), rows,
  say: (/** @type {string} */ sentence) => actions.note(sentence),
}, words));
const notifications = new Deferred("../app/notifications.js", makeNotifications);
/** @type {import("./notifications.js").Batch[]} */
const uncounted = [];
const help = new Deferred("../filter/filter_help.js", ({ FilterHelp }) =>
  new FilterHelp(find("filter"), find("filter-note"), filter, feed, words));
const lanes = new Deferred("../history/late_join_demo.js", ({ LateJoinDemo }) =>
  new LateJoinDemo(find("lanes"), rows));
const lesson = new Deferred("../app/lesson.js", ({ Lesson }) => new Lesson(
  { form: find("publish"), listeners: find("listeners"), rail: find("chips").parentElement, welcome: find("welcome"), lanes: find("lanes"), list: find("messages") },
  feed, rows, selection, words, {
    late: () => {
      parts.show("feed");
      compare().catch(() => actions.say("not_loaded"));
    }, show: (/** @type {string} */ part) => parts.show(part),
  }, limits.maxName,
));
/** @type {FeedState} */
let feedState;
let isPast = false;
const replay = new Replay(find("replay"), feed, filter, words, async () => (await strip.load()).scrubber, compare);
const rates = new MessageRates(selection);
const strip = new Deferred("../volume/volume_strip.js", makeStrip);
const chips = new ChannelChips(find("chips"), find("chip"), selection, words, {
  empty: () => {
    parts.show("channels");
    chooser.focus();
  }, hidden: (test) => feed.setHidden(test), peek: (name) => strip.part?.peek(name),
  more: (...what) => open(menu, ...what),
});
const menu = new Deferred("../channels/recording_menu.js", ({ RecordingMenu }) =>
  new RecordingMenu(find("recording"), find("forget"), words, (/** @type {string} */ sentence) => (find("choose-problem").textContent = sentence)));
const browser = new Deferred("../channels/channel_browser.js", ({ ChannelBrowser }) =>
  new ChannelBrowser(find("browser"), find("browser-row"), selection, rates, words, config.redis_cli));
find("browser-open").addEventListener("click", () => open(browser));
const chooser = new SubscribeForm(find("choose"), find("choose-problem"), selection, chips, words);

const beside = new Beside(document.querySelector("main"), words, {
  place: find("views"), limits, feed, rates, show: showAddress, showFeed: () => parts.show("feed"),
  get isRecorded() {
    return !find("replay").elements.open.hidden;
  },
  get lastCritical() {
    return strip.part?.lastCritical ?? 0;
  },
});

selection.addEventListener("change", () => {
  welcome.suggest(config.redis_cli, selection.target ?? { kind: "channel", name: config.channels[0] });
  offer();
  keepLinks();
});
connection.addEventListener("state", ({ detail }) => {
  feedState = detail;
  if (isSettled()) Deferred.loadAll();
  if (isSettled() && filter.text) help.want();
  showState();
  beside.setState(detail);
  strip.part?.setState(detail);
  publisher.rest(isOver(detail) ? detail.reason : "");
  const kept = selection.names.filter((name) => name.kind === "topic" || detail.recorded.has(keyOf(name)));
  replay.offer(kept);
  parts.offer("past", kept.length > 0);
});
connection.addEventListener("events", ({ detail }) => {
  const events = /** @type {any[]} */ (feed.unseen(detail));
  welcome.hide();
  feed.add(events);
  rates.add(events.filter(({ past }) => !past));
  strip.part?.add(events);
  uncounted.push([events, find("chips").querySelectorAll(".is-hidden"), document.hidden]);
  uncounted.splice(0, uncounted.length - MOST_UNCOUNTED);
  notifications.part?.add(uncounted.splice(0));
});
filter.addEventListener("change", () => {
  feed.setFilter(/** @type {Query} */ (filter.query), filter.hides);
});
feed.addEventListener("draw", () => {
  filter.show(feed.counts);
  if (feed.isPast !== isPast) showState();
});
feed.addEventListener("problem", ({ detail }) => filter.refuse(detail));
find("filter").addEventListener("focusin", () => help.want());
find("publish").addEventListener("focusin", () => editor.want());
find("desk").addEventListener("click", async ({ target }) => {
  const opener = target.closest("[aria-haspopup=dialog]");
  if (opener) (await help.arrive()).open(opener);
});
connection.addEventListener("problem", ({ detail }) => chooser.complain(detail));
addEventListener("address", keepLinks);
addEventListener("online", () => connection.wake());
document.addEventListener("visibilitychange", () => document.hidden || connection.wake());

publisher.addEventListener("published", ({ detail }) => {
  drafts.remember(detail);
  lesson.load().then((loaded) => loaded.published(detail), () => {});
});
settings.addEventListener("lesson", () => open(lesson));
settings.addEventListener("change", () => {
  applyAppearance();
  redraw();
});
for (const type of ["open", "change", "test"]) {
  const refuse = () => actions.say("not_loaded");
  settings.addEventListener(type, ({ detail }) => notifications.load().then((loaded) => loaded.settled(type, detail), refuse));
}
setInterval(() => {
  groups.part?.draw();
  if (notifications.part) notifications.part.tick();
  else if (isSettled()) notifications.want();
  if (isSettled() && canPublish) for (const part of [lesson, editor]) part.want();
  if (feedState?.recorded.size) acknowledge.want();
  if (document.hidden) return;
  if (strip.part) strip.part.draw();
  else if (isSettled()) strip.want();
  chips.tick(rates);
  beside.tick();
}, 1_000);

filter.load();
if (chosen("density") !== DEFAULTS.density) keep({ rows: chosen("density") });
selection.announce();
publisher.start(isPane ? null : unsent(), selection.target);
if (!isPane) keepUnsent(find("publish"), () => publisher.read());
if (find("publish-message").value) editor.want();
keepTimes(redraw, () => feed.isSelecting);
for (const id of ["tools", "views", "desk", "volume", "publish-tools", "tabs"]) find(id).hidden = false;
find("publish-channel").addEventListener("focus", () => browser.load().then(async (browser) => offer(await browser.channels()), () => {}));
connection.listen();
connection.positions.openLinked?.(detail, replay);
if (asked().has("message")) detail.openLinked(selection.channels[0], replay, words);

// Firefox would open a dropped file in place of the page.
for (const type of /** @type {const} */ (["dragover", "drop"])) {
  addEventListener(type, (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
}

// Shows a sentence until the next one; with `former`, only if that is shown.
/** @type {(sentence: string, former?: string) => void} */
function showNote(sentence, former) {
  if (former === undefined || actions.noted === former) actions.note(sentence, true);
}

/** @type {(deferred: Deferred<any>, ...what: any[]) => void} */
function open(deferred, ...what) {
  deferred.load().then((part) => part.open(...what), () => actions.say("not_loaded"));
}

function showState() {
  isPast = feed.isPast;
  status.show({ ...feedState, isPast });
  welcome.show(feedState);
  chips.show(feedState);
  connection.emit("shown", feedState);
}

// Whether the first load is done, so that optional parts may load.
function isSettled() {
  return feedState?.name === "live" || feedState?.name === "idle";
}

// Shows another address in the same page.
function showAddress() {
  chips.load();
  selection.load(config.channels);
  for (const part of [filter, toolbar, actions, grouping]) part.load();
  applyAppearance();
  parts.show("feed");
}

/** @type {(module: typeof import("./notifications.js")) => import("./notifications.js").Notifications} */
function makeNotifications({ Notifications }) {
  const made = new Notifications(/** @type {HTMLLinkElement} */ (document.querySelector("link[rel=icon]")), settings, words, showNote,
    { list: find("messages"), chips: find("chips"), feed, rows });
  made.add(uncounted.splice(0));
  return made;
}

async function compare() {
  (await lanes.load()).open(selection.channels, feedState.recorded.size > 0);
}

// Earlier events are in the feed.
/** @type {(module: typeof import("../volume/volume_strip.js")) => import("../volume/volume_strip.js").VolumeStrip} */
function makeStrip({ VolumeStrip }) {
  const made = new VolumeStrip(find("volume"), rates, selection, words);
  made.add(feed.live);
  made.draw();
  return made;
}

function redraw() {
  for (const id of ["feed", "detail"]) rows.redraw(find(id));
  showState();
  acknowledge.part?.redraw();
}

// The channel field's suggestions: the selection, channels published to before, active channels.
/** @type {(alive?: string[]) => void} */
function offer(alive = []) {
  const channels = new Set([...selection.channels, ...drafts.channels, ...alive]);
  const options = [...channels].map((value) => Object.assign(document.createElement("option"), { value }));
  find("channels").replaceChildren(...options);
}

// Links to other languages and to the login keep the selection.
function keepLinks() {
  const login = /** @type {HTMLAnchorElement} */ (find("login"));
  if (login) login.href = `login?${new URLSearchParams({ next: `/${location.search}` })}${location.hash}`;
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("a[hreflang]"))) {
    const url = new URL(location.href);
    url.searchParams.set("lang", link.hreflang);
    link.href = url.href;
  }
}
