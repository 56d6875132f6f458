// The same channel always wears the same colour: its hue, of which CSS makes a tint for light and for dark.

/** @type {(element: HTMLElement, name: string) => void} */
export function wearColour(element, name) {
  element.style.setProperty("--Hue", String(hueOf(name)));
}

// Of 360.
/** @type {(name: string) => number} */
function hueOf(name) {
  let hash = 0x811c9dc5; // FNV-1a
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return ((hash ^ (hash >>> 17)) >>> 0) % 360;
}
