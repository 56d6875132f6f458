// The same channel always wears the same of a few colours: data-colour, drawn by CSS. Pure.

const COLOURS = 12;

/** @type {(name: string) => number} */
export function colourOf(name) {
  let hash = 0x811c9dc5; // FNV-1a
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return ((hash ^ (hash >>> 17)) >>> 0) % COLOURS;
}
