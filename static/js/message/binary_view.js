// A row's view of bytes that are not text. Loaded with the first of them.

import { gunzip, hexDump, isGzip, toText } from "../lib/bytes.js";
import { decode } from "../lib/msgpack.js";
import { element } from "../ui/dom.js";

export { escaped, fromBase64, isGzip } from "../lib/bytes.js";

const STEPS = [128, 512]; // bytes shown at first; then in steps of
const STEP = 16_384;
const WIDE = matchMedia("(min-width: 34rem)"); // room for 16 bytes a line

/** @type {(bytes: Uint8Array) => HTMLElement[]} */
export function line(bytes) {
  const perLine = WIDE.matches ? 16 : 8;
  return [element("p", "row__data hex", hexDump(bytes.subarray(0, perLine), perLine))];
}

// The beginning in hex, the button for more, and its action.
/** @type {(bytes: Uint8Array, button: HTMLElement, perLine?: number) => { parts: HTMLElement[], more: () => void }} */
export function dump(bytes, button, perLine = WIDE.matches ? 16 : 8) {
  const place = element("p", "row__data hex");
  let shown = 0;
  const more = () => {
    shown = STEPS.find((step) => step > shown) ?? shown + STEP;
    place.textContent = hexDump(bytes.subarray(0, shown), perLine);
    if (shown >= bytes.length) button.remove();
  };
  more();
  return { parts: shown < bytes.length ? [place, button] : [place], more };
}

/** @type {(bytes: Uint8Array<ArrayBuffer>) => Content} */
export function unpacked(bytes) {
  const text = decode(bytes);
  return text === null ? { bytes } : { bytes, text, isJson: true, format: "MessagePack" };
}

// `readText` detects the kind of a text.
/** @type {(bytes: Uint8Array<ArrayBuffer>, readText: (text: string) => Content) => Promise<Content>} */
export async function unzipped(bytes, readText) {
  if (!isGzip(bytes)) return unpacked(bytes);
  const found = await gunzip(bytes);
  if (!found) return { bytes };
  const text = toText(found.bytes, found.isCut);
  if (text !== null) return { ...readText(text), bytes, format: "gzip", isCut: found.isCut };
  const inner = unpacked(found.bytes);
  return inner.text === undefined ? { bytes } : { ...inner, bytes, format: "gzip, MessagePack" };
}
