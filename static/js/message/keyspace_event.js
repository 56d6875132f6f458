// Redis's keyspace and keyevent messages. Pure.

import { channelKind, keyspaceParts } from "../stream/channel_names.js";

const EVENT = /^[\w.:-]{1,60}$/;

// The event, the database's number, and the key as text unless it is in bytes; null for other messages.
/** @type {(event: Message) => { event: string, database: string, text?: string } | null} */
export function keyspaceEvent({ type, channel, data, encoding }) {
  const parts = channelKind(type) === "channel" ? keyspaceParts(channel) : null; // Redis does not publish them on sharded channels
  if (!parts) return null;
  const { kind, database, rest } = parts;
  const [event, text] = kind === "space" ? [encoding ? "" : data, rest] : [rest, encoding ? undefined : data];
  return EVENT.test(event) ? { event, database, text } : null;
}
