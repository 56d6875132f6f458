// Made when it is first asked for. What formats numbers and dates is: the first of them takes a new tab
// some thirty milliseconds, and until the first message none is needed.
/** @template T @param {() => T} make @returns {() => T} */
export function lazily(make) {
  let made;
  return () => (made ??= make());
}
