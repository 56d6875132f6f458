// A failure at one message must not stop the others: the message is marked as odd and counted. It is shown as it
// came.

const odd = new WeakSet();
/** @type {((event: object) => void)[]} */
const listeners = [];
let many = 0;

// Returns what `work` returns, or `instead` if it throws.
/** @type {<T, Other = undefined>(event: object, work: () => T, instead?: Other) => T | Other} */
export function attempt(event, work, instead) {
  try {
    return work();
  } catch (error) {
    setOdd(event, error);
    return /** @type {any} */ (instead);
  }
}

/** @type {(event: object, error: unknown) => void} */
export function setOdd(event, error) {
  if (odd.has(event)) return;
  odd.add(event);
  many++;
  console.warn("This could not be read:", error);
  listeners.forEach((listener) => listener(event));
}

/** @type {(event: object) => boolean} */
export function isOdd(event) {
  return odd.has(event);
}

// Messages since the page was opened.
export function oddCount() {
  return many;
}

/** @type {(listener: (event: object) => void) => void} */
export function onOdd(listener) {
  listeners.push(listener);
}
