// Places a popup below its owner, within the visible part of the page.

const MARGIN = 8; // pixels to the edge of the window
const LEAST = 120; // pixels of height

// Aligns the left or right edges. An on-screen keyboard makes the visible part smaller.
/** @type {(popup: HTMLElement, place: Element, edge: "left" | "right") => void} */
export function placeUnder(popup, place, edge) {
  const { left, right, bottom } = place.getBoundingClientRect();
  const { height = innerHeight, width = innerWidth } = visualViewport ?? {};
  popup.style.maxBlockSize = `${Math.max(LEAST, height - bottom - MARGIN)}px`;
  const own = popup.offsetWidth;
  const wanted = edge === "left" ? left : right - own;
  Object.assign(popup.style, { top: `${bottom + 2}px`, left: `${Math.max(MARGIN, Math.min(wanted, width - own - MARGIN))}px` });
}
