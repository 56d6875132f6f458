// What fails at one message must not stop the others: the message is known as odd from then on, and counted.
// It is shown as it came.

const odd = new WeakSet();
const listeners = [];
let many = 0;

// What `work` returns; `instead` where it throws.
export function attempt(event, work, instead) {
  try {
    return work();
  } catch (error) {
    setOdd(event, error);
    return instead;
  }
}

export function setOdd(event, error) {
  if (odd.has(event)) return;
  odd.add(event);
  many++;
  console.warn("This could not be read:", error);
  listeners.forEach((listener) => listener(event));
}

export function isOdd(event) {
  return odd.has(event);
}

// Messages since the page was opened.
export function oddCount() {
  return many;
}

export function onOdd(listener) {
  listeners.push(listener);
}
