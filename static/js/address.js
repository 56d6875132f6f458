// The page's address says what is shown, so that a view is a link. What is too long to be sent to a server stands
// behind its #, which is never sent.

export const ADDRESS_LIMIT = 2_000; // characters of an address; twice encoded for the login it still fits

// What the address says.
export function asked() {
  return new URLSearchParams(location.hash.startsWith("#?") ? location.hash.slice(1) : location.search);
}

// Keeps values in it; those that are empty, not.
export function keep(values) {
  const query = asked();
  for (const [name, value] of Object.entries(values)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  write(query);
}

export function write(query) {
  const url = new URL(location.href);
  url.hash = "";
  url.search = query;
  if (url.href.length > ADDRESS_LIMIT) {
    url.search = "";
    url.hash = `?${query}`;
  }
  if (url.href !== location.href) history.replaceState(history.state, "", url);
}
