// Bytes made readable: decodes base64 and gzip, writes a hex dump. Pure.

const PRINTABLE = /[^\x20-\x7e]/g;
const UNPACKED_LIMIT = 1 << 20; // bytes; a few kilobytes of gzip may hold gigabytes

/** @type {(data: string) => Uint8Array<ArrayBuffer>} */
export function fromBase64(data) {
  const text = atob(data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** @type {(bytes: Uint8Array) => string} */
export function toBase64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

// Null if the bytes are not UTF-8; a character that was cut at the end is left out.
/** @type {(bytes: Uint8Array<ArrayBuffer>, isCut?: boolean) => string | null} */
export function toText(bytes, isCut = false) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isCut });
  } catch {
    return null;
  }
}

// As the server writes a name: \xff for a byte that is not UTF-8.
/** @type {(bytes: Uint8Array<ArrayBuffer>) => string} */
export function escaped(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const size = [1, 2, 3, 4].find((n) => toText(bytes.subarray(at, at + n)) !== null);
    const part = bytes.subarray(at, at + (size ?? 1));
    text += size ? toText(part) : `\\x${part[0].toString(16)}`;
    at += part.length;
  }
  return text;
}

// "0000 48 65 6c 6c 6f  Hello", one line after the other.
/** @type {(bytes: Uint8Array, perLine: number) => string} */
export function hexDump(bytes, perLine) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += perLine) lines.push(hexLine(bytes.subarray(at, at + perLine), at, perLine));
  return lines.join("\n");
}

/** @type {(bytes: Uint8Array, at: number, perLine: number) => string} */
function hexLine(bytes, at, perLine) {
  const pairs = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const text = String.fromCharCode(...bytes).replace(PRINTABLE, ".");
  return `${at.toString(16).padStart(4, "0")} ${pairs.padEnd(perLine * 3)} ${text}`;
}

/** @type {(bytes: Uint8Array) => boolean} */
export function isGzip(bytes) {
  return bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
}

// The content of a gzip, at most a megabyte of it; null if it is broken.
/** @type {(bytes: Uint8Array<ArrayBuffer>) => Promise<{ bytes: Uint8Array<ArrayBuffer>, isCut: boolean } | null>} */
export async function gunzip(bytes) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const chunks = [];
  let size = 0;
  try {
    for (let part = await reader.read(); !part.done && size < UNPACKED_LIMIT; part = await reader.read()) {
      chunks.push(part.value);
      size += part.value.length;
    }
  } catch {
    return null;
  }
  reader.cancel().catch(() => {});
  const whole = new Uint8Array(await new Blob(chunks).arrayBuffer());
  return { bytes: whole.subarray(0, UNPACKED_LIMIT), isCut: size >= UNPACKED_LIMIT };
}
