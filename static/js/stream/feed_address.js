// Pure: a feed's address that is too long is sent in the socket's first message instead.

import { ADDRESS_LIMIT } from "../ui/url_state.js";

// { url, first }: where to connect, and the first message to send, or null.
/** @type {(address: URL) => { url: URL, first: Record<string, string[]> | null }} */
export function split(address) {
  if (address.href.length <= ADDRESS_LIMIT) return { url: address, first: null };
  /** @type {Record<string, string[]>} */
  const first = {};
  for (const [name, value] of address.searchParams) (first[name] ??= []).push(value);
  const url = new URL(address);
  url.search = "selection=follows";
  return { url, first };
}
