// Follows the newest end of the feed, unless the reader has scrolled away or paused; then counts new messages.

const NEAR = 2; // pixels; browsers round scroll positions

export class Autoscroll {
  #scroller;
  #button;
  #words;
  #onChange;
  #onReturn;
  #newestFirst = false;
  #isPaused = false;
  #atEnd = true;
  #top = 0;
  #unseen = 0;

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} button
   * @param {Words} words
   * @param {{ onChange(): void, onReturn(): void }} listeners
   */
  constructor(scroller, button, words, { onChange, onReturn }) {
    this.#scroller = scroller;
    this.#button = button;
    this.#words = words;
    this.#onChange = onChange;
    this.#onReturn = onReturn;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // The browser scrolls smoothly there; rows that come meanwhile move the end.
    scroller.addEventListener("keydown", ({ key }) => key === (this.#newestFirst ? "Home" : "End") && this.#go());
    button.addEventListener("click", () => this.#return());
    scroller.addEventListener("grow", () => this.keep());
    new ResizeObserver(() => this.keep()).observe(scroller);
  }

  get atEnd() {
    return this.#atEnd;
  }

  get #isFollowing() {
    return this.#atEnd && !this.#isPaused;
  }

  get isPaused() {
    return this.#isPaused;
  }

  set isPaused(isPaused) {
    this.#isPaused = isPaused;
    this.#changed();
  }

  /** @param {boolean} newestFirst */
  set newestFirst(newestFirst) {
    this.#newestFirst = newestFirst;
  }

  // Call before all rows are drawn anew.
  toEnd() {
    this.#atEnd = true;
    this.#unseen = 0;
    this.#changed();
  }

  // Call after drawing. Reads the position first: the scroll event of a reader who scrolled away may still be due.
  keep() {
    this.#scrolled();
    if (this.#atEnd) this.#go();
  }

  // Keeps the visible rows in place while `change` inserts something above them.
  /** @type {(change: () => void) => void} */
  hold(change) {
    const below = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    change();
    this.#scrollTo(this.#scroller.scrollHeight - below);
  }

  /** @type {(count: number) => void} */
  miss(count) {
    if (this.#isFollowing) return;
    this.#unseen += count;
    this.#show();
  }

  // Only scrolling leaves the end; new rows do not.
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const distance = this.#newestFirst ? scrollTop : scrollHeight - clientHeight - scrollTop;
    const movedAway = this.#newestFirst ? scrollTop > this.#top : scrollTop < this.#top;
    this.#top = scrollTop;
    if (distance > NEAR && !movedAway) return;
    if (this.#atEnd === distance <= NEAR) return;
    this.#atEnd = distance <= NEAR;
    this.#changed();
  }

  #go() {
    this.#scrollTo(this.#newestFirst ? 0 : this.#scroller.scrollHeight);
  }

  /** @type {(top: number) => void} */
  #scrollTo(top) {
    this.#scroller.scrollTop = top;
    this.#top = this.#scroller.scrollTop;
  }

  #return() {
    this.#onReturn();
    this.toEnd();
    this.keep();
    this.#scroller.focus({ preventScroll: true });
  }

  #changed() {
    if (this.#isFollowing) this.#unseen = 0;
    this.#show();
    this.#onChange();
  }

  #show() {
    this.#button.hidden = this.#unseen === 0;
    this.#button.textContent = this.#unseen ? this.#words.say("new", { n: this.#unseen }) : "";
  }
}
