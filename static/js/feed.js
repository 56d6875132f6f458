// Keeps what was received and has it drawn. Knows no WebSocket.

import { isMessage } from "./events.js";
import { Follow } from "./follow.js";
import { Store } from "./store.js";
import { View } from "./view.js";

export class Feed {
  onmessages = () => {}; // is told of each batch of messages

  #store = new Store();
  #follow;
  #view;

  constructor({ scroller, newButton, ...places }, rows, words) {
    this.#follow = new Follow(scroller, newButton, words, () => this.#view.schedule());
    this.#view = new View(places, rows, words, this.#follow);
    this.#view.show(this.#store.shown);
    places.list.addEventListener("click", ({ target }) => target.matches(".row__unfold") && rows.unfold(target));
  }

  add(events) {
    this.#follow.miss(this.#store.add(events));
    this.#view.schedule();
    this.onmessages(events.filter(isMessage));
  }
}
