// What a page has beside its own feed, each loaded when it is wanted: the views in the rail, panes, a wall's dress.

import { Deferred } from "../lib/deferred.js";
import { later } from "../lib/idle_queue.js";
import { isPane } from "../ui/pane_dress.js";
import { asked } from "../ui/url_state.js";

const saved = new Deferred("../views/views.js", import.meta.url);
const besides = new Deferred("../views/panes.js", import.meta.url);
const walls = new Deferred("../views/wall.js", import.meta.url);

export class Beside {
  #page;
  #words;
  #facts;
  #standing = { name: "connecting" };
  #views = null;
  #panes = null;
  #wall = null;

  // `facts` has the views' place, the selection's limits, show() for another address, showFeed(), isRecorded, and
  // what a wall tells: the rates and lastCritical.
  constructor(page, words, facts) {
    this.#page = page;
    this.#words = words;
    this.#facts = facts;
    if (!isPane && asked().has("pane")) besides.arrive().then((module) => this.#showPanes(module));
    if (document.documentElement.dataset.pane?.startsWith("wall")) walls.arrive().then((module) => this.#showWall(module));
  }

  stand(standing) {
    this.#standing = standing;
    later(() => this.#offerViews());
    if (standing.name === "live") this.#panes?.revive();
    this.#wall?.stand(standing);
  }

  // Call once a second.
  tick() {
    this.#offerViews(); // in a flood, what can wait is given up
    this.#wall?.tick();
  }

  #offerViews() {
    if (!isPane && !this.#views && this.#standing.name !== "connecting") this.#loadViews().catch(() => {});
  }

  async #loadViews() {
    const { Views } = await saved.load();
    const { place, limits } = this.#facts;
    this.#views ??= new Views(place, this.#words, limits, {
      show: this.#facts.show,
      showFeed: this.#facts.showFeed,
      isRecorded: () => this.#facts.isRecorded,
      loadPanes: async () => this.#showPanes(await besides.load()),
    });
  }

  #showPanes({ Panes }) {
    return (this.#panes ??= new Panes(this.#page, this.#words));
  }

  #showWall({ Wall }) {
    this.#wall = new Wall(this.#page, this.#words, this.#facts);
    this.#wall.stand(this.#standing);
    this.#wall.tick();
  }
}
