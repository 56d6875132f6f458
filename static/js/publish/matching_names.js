// The names by which this page receives what is published to a channel: Redis counts it once for each.

import { glob } from "../lib/glob.js";

/** @type {(names: Name[], kind: string, channel: string) => Name[]} */
export function matchingNames(names, kind, channel) {
  return names.filter((name) =>
    name.kind === "pattern" ? kind === "channel" && mayMatch(name.name, channel) : name.kind === kind && name.name === channel);
}

// Redis's patterns have more syntax than the filter's globs: in doubt, true.
/** @type {(pattern: string, channel: string) => boolean} */
function mayMatch(pattern, channel) {
  return /[[\\]/.test(pattern) || glob(pattern)(channel);
}
