// Reads MessagePack into text like JSON, exact to the digit. Pure. Values that JSON lacks are written
// h'00ff' (bytes), ext1(h'00') and timestamp(seconds).

const DEPTH_LIMIT = 500; // hostile input must not exhaust the stack
const TIMESTAMP = -1;
const WHOLE_FLOAT = /^-?\d+$/;

const strictText = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// Null unless the bytes are exactly one object or array.
/** @type {(bytes: Uint8Array) => string | null} */
export function decode(bytes) {
  if (!isContainer(bytes[0])) return null;
  try {
    const reader = new Reader(bytes);
    const text = reader.value(0);
    return reader.isAtEnd ? text : null;
  } catch (error) {
    if (error instanceof RangeError) return null; // truncated or too deep
    throw error;
  }
}

/** @type {(byte: number) => boolean} */
function isContainer(byte) {
  return (byte >= 0x80 && byte <= 0x9f) || (byte >= 0xdc && byte <= 0xdf);
}

/** @type {(bytes: Uint8Array) => string} */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

class Reader {
  #view;
  #at = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd() {
    return this.#at === this.#view.byteLength;
  }

  /** @type {(depth: number) => string} */
  value(depth) {
    if (depth > DEPTH_LIMIT) throw new RangeError("too deep");
    const type = this.#uint(1);
    if (type <= 0x7f) return String(type);
    if (type <= 0x8f) return this.#map(type & 0x0f, depth);
    if (type <= 0x9f) return this.#array(type & 0x0f, depth);
    if (type <= 0xbf) return this.#string(type & 0x1f);
    if (type >= 0xe0) return String(type - 0x100);
    return this.#long(type, depth);
  }

  /** @type {(type: number, depth: number) => string} */
  #long(type, depth) {
    switch (type) {
      case 0xc0: return "null";
      case 0xc2: return "false";
      case 0xc3: return "true";
      case 0xc4: case 0xc5: case 0xc6: return this.#bytes(this.#uint(1 << (type - 0xc4)));
      case 0xc7: case 0xc8: case 0xc9: return this.#extension(this.#uint(1 << (type - 0xc7)));
      case 0xca: return float(this.#view.getFloat32(this.#move(4)));
      case 0xcb: return float(this.#view.getFloat64(this.#move(8)));
      case 0xcc: case 0xcd: case 0xce: return String(this.#uint(1 << (type - 0xcc)));
      case 0xcf: return String(this.#view.getBigUint64(this.#move(8)));
      case 0xd0: return String(this.#view.getInt8(this.#move(1)));
      case 0xd1: return String(this.#view.getInt16(this.#move(2)));
      case 0xd2: return String(this.#view.getInt32(this.#move(4)));
      case 0xd3: return String(this.#view.getBigInt64(this.#move(8)));
      case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8: return this.#extension(1 << (type - 0xd4));
      case 0xd9: case 0xda: case 0xdb: return this.#string(this.#uint(1 << (type - 0xd9)));
      case 0xdc: case 0xdd: return this.#array(this.#uint(2 << (type - 0xdc)), depth);
      case 0xde: case 0xdf: return this.#map(this.#uint(2 << (type - 0xde)), depth);
      default: throw new RangeError("never used"); // 0xc1
    }
  }

  /** @type {(count: number, depth: number) => string} */
  #map(count, depth) {
    const member = () => `${this.value(depth + 1)}: ${this.value(depth + 1)}`;
    return `{${this.#list(count, member)}}`;
  }

  /** @type {(count: number, depth: number) => string} */
  #array(count, depth) {
    return `[${this.#list(count, () => this.value(depth + 1))}]`;
  }

  /** @type {(count: number, read: () => string) => string} */
  #list(count, read) {
    const list = [];
    for (let i = 0; i < count; i++) list.push(read()); // each takes at least a byte, so the input bounds the loop
    return list.join(", ");
  }

  /** @type {(length: number) => string} */
  #string(length) {
    const bytes = this.#take(length);
    try {
      return JSON.stringify(ascii(bytes) ?? strictText.decode(bytes));
    } catch {
      return `h'${hex(bytes)}'`; // old MessagePack had only one type for strings and bytes
    }
  }

  /** @type {(length: number) => string} */
  #bytes(length) {
    return `h'${hex(this.#take(length))}'`;
  }

  /** @type {(length: number) => string} */
  #extension(length) {
    const type = this.#view.getInt8(this.#move(1));
    if (type === TIMESTAMP) return this.#timestamp(length);
    return `ext${type}(${this.#bytes(length)})`;
  }

  /** @type {(length: number) => string} */
  #timestamp(length) {
    if (length === 4) return `timestamp(${this.#uint(4)})`;
    if (length === 8) {
      const both = this.#view.getBigUint64(this.#move(8));
      return timestamp(both & 0x3ffffffffn, Number(both >> 34n));
    }
    if (length !== 12) return `ext-1(${this.#bytes(length)})`;
    const nanoseconds = this.#uint(4);
    return timestamp(this.#view.getBigInt64(this.#move(8)), nanoseconds);
  }

  /** @type {(size: number) => number} */
  #uint(size) {
    const at = this.#move(size);
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  /** @type {(length: number) => Uint8Array} */
  #take(length) {
    const at = this.#move(length);
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, length);
  }

  /** @type {(length: number) => number} */
  #move(length) {
    const at = this.#at;
    if (at + length > this.#view.byteLength) throw new RangeError("cut off");
    this.#at += length;
    return at;
  }
}

// Most strings are short, and a decoder is slow to start.
/** @type {(bytes: Uint8Array) => string | null} */
function ascii(bytes) {
  let text = "";
  for (const byte of bytes) {
    if (byte > 0x7f || text.length > 100) return null;
    text += String.fromCharCode(byte);
  }
  return text;
}

// A float remains visible as one: 1 is written 1.0.
/** @type {(number: number) => string} */
function float(number) {
  const text = Object.is(number, -0) ? "-0" : String(number);
  return WHOLE_FLOAT.test(text) ? `${text}.0` : text;
}

/** @type {(seconds: number | bigint, nanoseconds: number | bigint) => string} */
function timestamp(seconds, nanoseconds) {
  const fraction = String(nanoseconds).padStart(9, "0").replace(/0+$/, "");
  return `timestamp(${seconds}${fraction && `.${fraction}`})`;
}
