// What time it is at the server, in Unix seconds. All that the page tells is told by that clock: the browser's
// own may be wrong, and be set while the page is open.

// Milliseconds by a clock that nobody sets.
export function ticks() {
  return performance.now();
}

// Says for how many seconds it has been running. One clock may be set, the other stands still in a computer
// that sleeps: the longer time counts, so what is timed is never taken for shorter than it was.
export class Stopwatch {
  #date = Date.now();
  #ticks = ticks();

  get seconds() {
    return Math.max(Date.now() - this.#date, ticks() - this.#ticks, 0) / 1000;
  }
}

let told = Date.now() / 1000;
let since = new Stopwatch();

// Call with the time that the server has just told.
/** @type {(at: number) => void} */
export function setServerTime(at) {
  told = at;
  since = new Stopwatch();
}

export function now() {
  return told + since.seconds;
}
