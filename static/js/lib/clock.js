// The server's clock, in Unix seconds. All times on the page use it: the browser's own clock may be wrong, or be set
// while the page is open.

// Milliseconds of a clock that cannot be set.
export function ticks() {
  return performance.now();
}

// Measures seconds since it was made. One clock may be set, the other stops while a computer sleeps: the longer time
// counts, so that a span is never measured too short.
export class Stopwatch {
  #date = Date.now();
  #ticks = ticks();

  get seconds() {
    return Math.max(Date.now() - this.#date, ticks() - this.#ticks, 0) / 1000;
  }
}

let serverTime = Date.now() / 1000;
let since = new Stopwatch();

// Call with the time of an event that the server has just sent.
/** @type {(at: number) => void} */
export function setServerTime(at) {
  serverTime = at;
  since = new Stopwatch();
}

export function now() {
  return serverTime + since.seconds;
}
