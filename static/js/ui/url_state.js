// The page's address says what is shown, so that a view is a link. What is too long to be sent to a server stands
// behind its #, which is never sent.
// Event of the window: "address", when it says something else.

const AGAIN = 5_000; // milliseconds

/** @type {URL | null} */
let waiting = null; // the address that the browser has not taken: in a while Safari takes a hundred
/** @type {number | undefined} */
let timer;

export const ADDRESS_LIMIT = 2_000; // characters of an address; twice encoded for the login it still fits

// What the address says.
export function asked() {
  const { hash, search } = waiting ?? location;
  return new URLSearchParams(hash.startsWith("#?") ? hash.slice(1) : search);
}

// Keeps values in it, one or several of a name; those that are empty, not.
/** @type {(values: Record<string, string | string[]>) => void} */
export function keep(values) {
  const query = asked();
  for (const [name, value] of Object.entries(values)) {
    query.delete(name);
    for (const one of [value].flat()) if (one) query.append(name, one);
  }
  write(query);
}

// What was there before is replaced; with "pushState" it is a step back.
/** @type {(query: URLSearchParams, how?: "replaceState" | "pushState") => void} */
export function write(query, how = "replaceState") {
  put(addressOf(query), how);
}

// Of the page, as it shows what the query says.
/** @type {(query: URLSearchParams) => URL} */
export function addressOf(query) {
  const url = new URL(location.href);
  url.hash = "";
  url.search = String(query);
  if (url.href.length > ADDRESS_LIMIT) {
    url.search = "";
    url.hash = `?${query}`;
  }
  return url;
}

/** @type {(url: URL, how: "replaceState" | "pushState") => void} */
function put(url, how) {
  clearTimeout(timer);
  waiting = null;
  if (url.href === location.href) return;
  try {
    history[how](history.state, "", url);
  } catch {
    waiting = url;
    timer = setTimeout(() => put(url, how), AGAIN);
  }
  dispatchEvent(new Event("address"));
}
