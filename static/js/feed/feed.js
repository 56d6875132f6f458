// Stores received events and shows them: paused, cleared, filtered, in either order. Knows no WebSocket.
// May show the recorded past instead, while live events are still stored.
// Events: "draw" (something may have changed), "pause", "problem" (with the filter: a word's key and values).

import { Emitter } from "../lib/emitter.js";
import { later } from "../lib/idle_queue.js";
import { isMessage } from "../stream/events.js";
import { oddCount, onOdd } from "../stream/unreadable.js";
import { hasSelection } from "../ui/dom.js";
import { Autoscroll } from "./autoscroll.js";
import { FeedView } from "./feed_view.js";
import { noFilter } from "./filter_query.js";
import { MatchHighlights } from "./match_highlights.js";
import { MessageStore } from "./message_store.js";

export class Feed extends Emitter {
  held = 0; // live messages that came while the past is shown
  #live = new MessageStore();
  #store = this.#live; // the store that is shown
  #scroller;
  #follow;
  #view;
  #highlighter;
  /** @type {((event: Message) => boolean) | null} */
  #isHidden = null;
  #query = noFilter();
  #hides = true;
  #wanted = this.#query; // becomes the query once its search has tested all messages
  #isSearching = false;
  /** @type {Map<string | undefined, Map<string | undefined, string>>} */
  #known = new Map(); // data by id, by channel
  /** @type {(() => import("./message_groups.js").MessageGroups) | null} */
  #group = null;

  /**
   * @param {Record<"scroller" | "newButton" | "list" | "older" | "earlier", HTMLElement>} places
   * @param {Rows} rows
   * @param {Words} words
   */
  constructor({ scroller, newButton, ...places }, rows, words) {
    super();
    this.#scroller = scroller;
    this.#follow = new Autoscroll(scroller, newButton, words, {
      onChange: () => this.#view.schedule(),
      onReturn: () => this.#goOn(),
    });
    this.#view = new FeedView(places, rows, words, this.#follow, (drawn) => this.#drawn(drawn));
    this.#highlighter = new MatchHighlights(places.list, (row) => this.#view.eventOf(row));
    document.addEventListener("selectionchange", () => (this.#view.isSelecting = hasSelection(places.list)));
    this.#view.show(this.#store.view);
    onOdd(() => later(() => this.#view.schedule())); // updates the count, but not during a draw
  }

  // Adding

  // Drops messages already shown: a log that replaces another, as after a failover, may begin with them.
  /** @type {(events: ShownEvent[]) => ShownEvent[]} */
  unseen(events) {
    for (const event of events) {
      if (event.type !== "gap" || event.reason !== "replaced") continue;
      const known = this.live.filter(isMessage).filter(({ channel }) => channel === event.channel);
      this.#known.set(event.channel, new Map(known.map(({ id, data }) => [id, data])));
    }
    if (!this.#known.size) return events;
    return events.filter((e) => !("past" in e && e.past && e.id && this.#known.get(e.channel)?.get(e.id) === e.data));
  }

  /** @type {(events: ShownEvent[]) => void} */
  add(events) {
    const own = events.filter((event) => event.type !== "also");
    const isShown = this.#live.add(own);
    if (this.isPast) this.held += own.filter(isMessage).length;
    else this.#follow.miss(isShown);
    for (const event of events) if (event.type === "also") this.#view.retag(event.event);
    this.#view.add(own);
    this.#search();
  }

  /** @type {(events: FeedItem[]) => void} */
  addPast(events) {
    this.#follow.miss(this.#store.add(events));
    this.#view.schedule();
    this.#search();
  }

  // The past

  get isPast() {
    return this.#store !== this.#live;
  }

  // Clears an earlier past.
  startPast() {
    if (!this.isPast) this.held = 0;
    this.isPaused = false;
    this.#show(new MessageStore());
  }

  endPast() {
    if (this.isPast) this.#show(this.#live);
  }

  /** @type {(store: MessageStore) => void} */
  #show(store) {
    this.#store = store;
    this.#select();
  }

  // Selecting

  // `matching` is null while a new filter is still being searched for.
  get counts() {
    const matching = this.#wanted === this.#query ? this.#store.matching.messages : null;
    const { messages, shown } = this.#store;
    return { matching, messages, shown: shown.messages, isSure: this.#store.waiting.length === 0, odd: oddCount() };
  }

  get live() {
    return this.#live.all;
  }

  // All stored events, shown or not.
  get all() {
    return this.#store.all;
  }

  get shown() {
    return this.#store.shown.all().filter(isMessage);
  }

  // Hides messages for which test(event) is true; null: none.
  /** @type {(test: ((event: Message) => boolean) | null) => void} */
  setHidden(test) {
    if (test === this.#isHidden) return;
    this.#isHidden = test;
    this.#select();
  }

  // Hides messages that do not match; with `hides` false, marks those that match.
  /** @type {(query: Query, hides: boolean) => void} */
  setFilter(query, hides) {
    this.#wanted.search?.end();
    this.#wanted = query;
    this.#wanted.hides = hides;
    if (!query.search) return this.#use(query);
    query.search.onFail = (words) => this.emit("problem", words);
    this.#isSearching = false;
    this.#search();
  }

  // `group` makes the MessageGroups by which equal messages share a row; null: each has its own.
  /** @type {(group: (() => import("./message_groups.js").MessageGroups) | null) => void} */
  setGroups(group) {
    this.#group = group;
    this.#select();
  }

  // The group of messages that a row stands for.
  /** @type {(row: Element) => import("./message_groups.js").Group | undefined} */
  groupOf(row) {
    const event = this.#view.eventOf(row);
    return event && this.#store.groupOf(event);
  }

  /** @type {(query: Query) => void} */
  #use(query) {
    this.#query = query;
    this.#hides = Boolean(query.hides);
    this.#highlighter.marks = query.marks;
    this.#select();
  }

  // A message waits, with all later ones, until the search has tested it; a new filter waits for all messages.
  async #search() {
    const query = this.#wanted;
    const { search } = query;
    if (!search || this.#isSearching) return;
    this.#isSearching = true;
    for (let events; (events = this.#unknown(query, search)).length; ) {
      await search.learn(events);
      if (query !== this.#wanted) return;
      if (query === this.#query) this.#advance();
    }
    this.#isSearching = false;
    if (query !== this.#query) this.#use(query);
  }

  /** @type {(query: Query, search: import("./regex_search.js").RegexSearch) => Message[]} */
  #unknown(query, search) {
    const events = this.#stores.flatMap((store) => (query === this.#query ? store.waiting : store.all));
    return events.filter(isMessage).filter((event) => !search.knows(event));
  }

  get #stores() {
    return this.isPast ? [this.#store, this.#live] : [this.#live];
  }

  #advance() {
    this.#follow.miss(this.#stores.map((store) => store.sift())[0]);
    this.#view.schedule();
  }

  #select() {
    const { test, search } = this.#query;
    const isHidden = this.#isHidden;
    /** @type {Test | null} */
    const isSeen = isHidden && ((event) => !isHidden(event));
    /** @type {Test | null} */
    const matches = isSeen && test ? (event) => isSeen(event) && test(event) : isSeen || test;
    this.#store.select(this.#hides ? matches : isSeen, matches, search && ((event) => search.knows(event)), this.#group?.());
    this.#view.show(this.#store.view);
    this.#search();
  }

  /** @type {(rows: Iterable<HTMLElement>) => void} */
  #drawn(rows) {
    const { test } = this.#query;
    if (!this.#hides && test) this.#markMatches(rows, test);
    this.#highlighter.show(rows);
    this.emit("draw");
  }

  /** @type {(rows: Iterable<HTMLElement>, test: Test) => void} */
  #markMatches(rows, test) {
    for (const row of rows) {
      const event = this.#view.eventOf(row);
      if (event && isMessage(event)) row.dataset.matches ??= String(test(event));
    }
  }

  // Reading

  get isPaused() {
    return this.#view.isPaused;
  }

  set isPaused(isPaused) {
    if (isPaused === this.isPaused) return;
    this.#view.isPaused = isPaused;
    this.emit("pause");
  }

  get isSelecting() {
    return this.#view.isSelecting;
  }

  #goOn() {
    if (this.isSelecting) getSelection()?.empty();
    this.#view.isSelecting = this.isPaused = false;
  }

  get newestFirst() {
    return this.#view.newestFirst;
  }

  set newestFirst(newestFirst) {
    this.#view.newestFirst = newestFirst;
  }

  // Can be undone as long as the notice is in the feed.
  clear() {
    const { all: events, messages } = this.#store;
    if (messages === 0) return;
    /** @type {FeedItem} */
    const notice = { type: "cleared", messages, undo: () => this.#restore(events, notice) };
    this.#replace([notice]);
  }

  /** @type {(events: FeedItem[], notice: FeedItem) => void} */
  #restore(events, notice) {
    this.#replace(events.concat(this.#store.all.filter((event) => event !== notice)));
    this.#scroller.focus({ preventScroll: true });
  }

  /** @type {(events: FeedItem[]) => void} */
  #replace(events) {
    const store = new MessageStore();
    store.add(events);
    if (!this.isPast) this.#live = store;
    this.#show(store);
  }
}
