// What Redis says of one of its keys, by either of the two channels that it has for that. Pure.

import { channelKind, keyspaceParts } from "../stream/channel_names.js";

const EVENT = /^[\w.:-]{1,60}$/;

// The event, the number of the database, and as text the key, unless it is in bytes; null where a message is none of these.
/** @type {(event: Message) => { event: string, database: string, text?: string } | null} */
export function keyspaceEvent({ type, channel, data, encoding }) {
  const parts = channelKind(type) === "channel" ? keyspaceParts(channel) : null; // Redis tells them of no sharded one
  if (!parts) return null;
  const { kind, database, rest } = parts;
  const [event, text] = kind === "space" ? [encoding ? "" : data, rest] : [rest, encoding ? undefined : data];
  return EVENT.test(event) ? { event, database, text } : null;
}
