// Makes a value at its first use. Number and date formats are made so: the first one costs a new tab some thirty
// milliseconds, and none is needed before the first message.
/** @template T @param {() => T} make @returns {() => T} */
export function lazily(make) {
  let made;
  return () => (made ??= make());
}
