// The names by which this page receives what is published to a channel: Redis counts it once for each.

/** @type {(names: Name[], kind: string, channel: string, inDoubt: boolean) => Name[]} */
export function matchingNames(names, kind, channel, inDoubt) {
  return names.filter((name) =>
    name.kind === "pattern" ? kind === "channel" && matches(name.name, channel, inDoubt) : name.kind === kind && name.name === channel);
}

// As Redis matches, except for brackets and backslashes: these give `inDoubt`.
/** @type {(pattern: string, channel: string, inDoubt: boolean) => boolean} */
function matches(pattern, channel, inDoubt) {
  if (/[[\\]/.test(pattern)) return inDoubt;
  const [wanted, given] = [pattern, channel].map((text) => [...new TextEncoder().encode(text)].map((byte) => String.fromCharCode(byte)));
  let at = 0;
  let star = -1; // the last star, and where the text that it stands for ends
  let end = 0;
  for (let place = 0; place < given.length; ) {
    if (wanted[at] === "*") {
      star = at++;
      end = place;
    } else if (wanted[at] === "?" || wanted[at] === given[place]) {
      at++;
      place++;
    } else if (star === -1) return false;
    else {
      at = star + 1;
      place = ++end;
    }
  }
  return wanted.slice(at).every((byte) => byte === "*");
}
