// The page's address holds the view, so that a view is a link. A query that is too long to be sent to a server is in
// the fragment, which is never sent.
// Event of the window: "address", when it has changed.

const AGAIN = 5_000; // milliseconds

/** @type {URL | null} */
let waiting = null; // the address that the browser refused: Safari allows a hundred in a while
/** @type {number | undefined} */
let timer;

export const ADDRESS_LIMIT = 2_000; // characters; encoded twice for the login, an address still fits

// The address's query.
export function asked() {
  const { hash, search } = waiting ?? location;
  return new URLSearchParams(hash.startsWith("#?") ? hash.slice(1) : search);
}

// Sets parameters of the query, one or several values each; empty ones are removed.
/** @type {(values: Record<string, string | string[]>) => void} */
export function keep(values) {
  const query = asked();
  for (const [name, value] of Object.entries(values)) {
    query.delete(name);
    for (const one of [value].flat()) if (one) query.append(name, one);
  }
  write(query);
}

// Replaces the history entry; "pushState" adds one.
/** @type {(query: URLSearchParams, how?: "replaceState" | "pushState") => void} */
export function write(query, how = "replaceState") {
  put(addressOf(query), how);
}

// The address of this page with another query.
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
