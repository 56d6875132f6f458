// The parts beside a page's own feed, each loaded when needed: the views in the rail, panes, the wall.

import { Deferred } from "../lib/deferred.js";
import { later } from "../lib/idle_queue.js";
import { isPane, isWall } from "../ui/page_kind.js";
import { asked } from "../ui/url_state.js";

export class Beside {
  #page;
  #words;
  #facts;
  /** @type {import("../views/wall.js").WallState} */
  #state = { name: "connecting" };
  #views = new Deferred("../views/views.js", ({ Views }) => new Views(this.#facts.place, this.#words, this.#facts.limits, {
    show: this.#facts.show,
    showFeed: this.#facts.showFeed,
    isRecorded: () => this.#facts.isRecorded,
    loadPanes: () => this.#panes.load(),
  }));
  #panes = new Deferred("../views/panes.js", ({ Panes }) => new Panes(this.#page, this.#words));
  #wall = new Deferred("../views/wall.js", ({ Wall }) => {
    const wall = new Wall(this.#page, this.#words, this.#facts);
    wall.setState(this.#state);
    wall.tick();
    return wall;
  });

  // `facts` has the views' place, the selection's limits, show() for another address, showFeed(), isRecorded, and
  // for a wall the feed, the rates and lastCritical.
  /**
   * @param {HTMLElement} page
   * @param {Words} words
   * @param {import("../views/wall.js").Facts & { place: HTMLElement, limits: { maxName: number, maxSelection: number }, isRecorded: boolean, show(): void, showFeed(): void }} facts
   */
  constructor(page, words, facts) {
    this.#page = page;
    this.#words = words;
    this.#facts = facts;
    if (!isPane && asked().has("pane")) this.#panes.arrive();
    if (isWall) this.#wall.arrive();
  }

  /** @type {(state: FeedState) => void} */
  setState(state) {
    this.#state = state;
    later(() => this.#offerViews());
    if (state.name === "live") this.#panes.part?.revive();
    this.#wall.part?.setState(state);
  }

  // Call once a second.
  tick() {
    this.#offerViews(); // in a flood, jobs that can wait are dropped
    this.#wall.part?.tick();
  }

  #offerViews() {
    if (!isPane && this.#state.name !== "connecting") this.#views.want();
  }
}
