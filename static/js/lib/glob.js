// Pure: a glob of the filter, with * and ?. The part between two stars is matched once, at its first place: no later
// one would do better, so the time is linear in the text.

export const LONGEST = 64; // characters between two stars: each place of a text is compared with so many

/** @type {(pattern: string) => boolean} */
export function hasLongPart(pattern) {
  return pattern.split("*").slice(1, -1).some((part) => part.length > LONGEST);
}

// A test of texts that ignores case.
/** @type {(pattern: string) => (text: string) => boolean} */
export function glob(pattern) {
  const parts = pattern.split("*").map(source);
  if (parts.length === 1) {
    const whole = regex(`^${parts[0]}$`);
    return (text) => whole.test(text);
  }
  const first = regex(/** @type {string} */ (parts.shift()), "y");
  const last = regex(`(?<=(${parts.pop()}))`, "y"); // read backwards from the text's end
  const middle = parts.filter(Boolean).map((part) => regex(part, "g"));
  return (text) => {
    let at = after(first, text, 0);
    for (const part of middle) if (at !== -1) at = after(part, text, at);
    last.lastIndex = text.length;
    const end = at !== -1 && last.exec(text)?.[1];
    return typeof end === "string" && text.length - end.length >= at;
  };
}

/** @type {(text: string) => string} */
export function escapeRegex(text) {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** @type {(part: string) => string} */
function source(part) {
  return escapeRegex(part).replaceAll(String.raw`\?`, ".");
}

/** @type {(part: string, flags?: string) => RegExp} */
function regex(part, flags = "") {
  return new RegExp(part, `isu${flags}`);
}

/** @type {(part: RegExp, text: string, at: number) => number} */
function after(part, text, at) {
  part.lastIndex = at;
  return part.test(text) ? part.lastIndex : -1;
}
