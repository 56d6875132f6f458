// Where a popup lies: below what it belongs to, and within what is seen of the page.

const MARGIN = 8; // pixels to the edge of the window
const LEAST = 120; // of height

// With its left or right edge where that has its own. A keyboard on the screen leaves less of the page to be seen.
/** @type {(popup: HTMLElement, place: Element, edge: "left" | "right") => void} */
export function placeUnder(popup, place, edge) {
  const { left, right, bottom } = place.getBoundingClientRect();
  const { height = innerHeight, width = innerWidth } = visualViewport ?? {};
  popup.style.maxBlockSize = `${Math.max(LEAST, height - bottom - MARGIN)}px`;
  const own = popup.offsetWidth;
  const wanted = edge === "left" ? left : right - own;
  Object.assign(popup.style, { top: `${bottom + 2}px`, left: `${Math.max(MARGIN, Math.min(wanted, width - own - MARGIN))}px` });
}
