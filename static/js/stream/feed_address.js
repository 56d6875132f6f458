// Pure: what a feed's address has no room for goes in the socket's first message.

import { ADDRESS_LIMIT } from "../ui/url_state.js";

// { url, first }: where to connect, and what to say first, or null.
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
