// Follows the end of the feed, unless the reader has scrolled up; then counts what is new.

const NEAR = 2; // pixels; browsers round scroll positions

export class Follow {
  atEnd = true;
  #scroller;
  #button;
  #words;
  #onReturn;
  #top = 0;
  #unseen = 0;

  constructor(scroller, button, words, onReturn) {
    this.#scroller = scroller;
    this.#button = button;
    this.#words = words;
    this.#onReturn = onReturn;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    button.addEventListener("click", () => this.#return());
    scroller.addEventListener("grow", () => this.keep());
    new ResizeObserver(() => this.keep()).observe(scroller);
  }

  // Call after drawing.
  keep() {
    if (!this.atEnd) return;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#top = this.#scroller.scrollTop;
  }

  miss(count) {
    if (this.atEnd) return;
    this.#unseen += count;
    this.#show();
  }

  // Only moving up leaves the end: rows that arrive below must not.
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const movedUp = scrollTop < this.#top;
    this.#top = scrollTop;
    if (scrollHeight - clientHeight - scrollTop <= NEAR) this.#arrive();
    else if (movedUp) this.#leave();
  }

  #leave() {
    this.atEnd = false;
    this.#show();
  }

  #arrive() {
    if (this.atEnd) return;
    this.atEnd = true;
    this.#unseen = 0;
    this.#show();
    this.#onReturn();
  }

  #return() {
    this.#arrive();
    this.keep();
    this.#scroller.focus({ preventScroll: true });
  }

  #show() {
    this.#button.hidden = this.atEnd || this.#unseen === 0;
    this.#button.textContent = this.#words.say("new", { n: this.#unseen });
  }
}
