// Bytes and their spellings. base64 and base64url are read in their one canonical form only.

const encoder = new TextEncoder();
const STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE = `${STANDARD.slice(0, 62)}-_`;

export function utf8(text) {
  return encoder.encode(text);
}

// Throws TypeError for bytes that are not UTF-8. A byte order mark is kept.
export function fromUtf8(bytes) {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equal(a, b) {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// `text` is an even number of lower-case hexadecimal digits.
export function fromHex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

// The 8 bytes of a number up to 2^64, big-endian.
export function uint64(number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number));
  return bytes;
}

export function bigintOf(bytes) {
  return bytes.length === 0 ? 0n : BigInt(`0x${hex(bytes)}`);
}

export function toBase64(bytes) {
  const text = encodeSixes(bytes, STANDARD);
  return text + "=".repeat((4 - (text.length % 4)) % 4);
}

export function toBase64url(bytes) {
  return encodeSixes(bytes, URL_SAFE);
}

// Null unless `text` is exactly what `toBase64` writes.
export function fromBase64(text) {
  const body = text.replace(/={1,2}$/, "");
  const padding = (4 - (body.length % 4)) % 4;
  return text.length === body.length + padding ? decodeSixes(body, STANDARD) : null;
}

// Null unless `text` is exactly what `toBase64url` writes.
export function fromBase64url(text) {
  return decodeSixes(text, URL_SAFE);
}

function encodeSixes(bytes, alphabet) {
  const signs = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const [a, b = 0, c = 0] = bytes.subarray(at, at + 3);
    const four = [a >> 2, ((a & 3) << 4) | (b >> 4), ((b & 15) << 2) | (c >> 6), c & 63];
    const kept = Math.min(bytes.length - at, 3) + 1;
    signs.push(...four.slice(0, kept).map((six) => alphabet[six]));
  }
  return signs.join("");
}

const values = new Map();

function valuesOf(alphabet) {
  if (!values.has(alphabet)) {
    values.set(alphabet, new Map(Array.from(alphabet, (sign, six) => [sign, six])));
  }
  return values.get(alphabet);
}

function decodeSixes(text, alphabet) {
  if (text.length % 4 === 1) return null; // no number of bytes encodes to it
  const known = valuesOf(alphabet);
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const sign of text) {
    const six = known.get(sign);
    if (six === undefined) return null;
    held = ((held << 6) | six) & 0xfff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 0xff;
    }
  }
  // Bits that carry nothing are zero, so that two texts never stand for the same bytes.
  return (held & ((1 << bits) - 1)) === 0 ? bytes : null;
}
