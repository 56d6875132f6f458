// Pure: groups channels by the prefix of their names, up to the first . or : or /.

import { keyspaceParts } from "../stream/channel_names.js";

const FEWEST = 3; // channels of a group
const PREFIX = /^[^.:/]+[.:/](?=.)/;

/** @type {(name: Name) => string} */
export function prefixOf({ kind, name }) {
  return (kind === "channel" && !keyspaceParts(name) && name.match(PREFIX)?.[0]) || "";
}

// Groups in the order of their first channels; a channel without a group is alone, with an empty prefix.
/** @type {(names: Name[]) => { prefix: string, names: Name[] }[]} */
export function grouped(names) {
  const alike = Map.groupBy(names, prefixOf);
  /** @type {Map<string | Name, { prefix: string, names: Name[] }>} */
  const groups = new Map();
  for (const name of names) {
    const mates = alike.get(prefixOf(name)) ?? [];
    const prefix = mates.length < FEWEST ? "" : prefixOf(name);
    groups.set(prefix || name, { prefix, names: prefix ? mates : [name] });
  }
  return [...groups.values()];
}
