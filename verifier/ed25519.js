// Ed25519 verification (RFC 8032) in plain arithmetic, for browsers whose WebCrypto lacks it, and
// the rules for a point that binds, of a key or a signature (crypto/edwards.py).
//
// Only public values are worked on, so nothing here needs to take constant time.
import { concat, equal } from "./bytes.js";
import { sha512 } from "./sha2.js";

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * inverse(121666n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);
const LOW = 2n ** 255n - 1n;
const OF_ORDER_8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
const SMALL_ORDERS = new Set([0n, 1n, P - 1n, P, P + 1n, OF_ORDER_8, P - OF_ORDER_8]);
const NEUTRAL = { x: 0n, y: 1n, z: 1n, t: 0n };
const BASE = pointOf(mod(4n * inverse(5n)), 0n);

function mod(value) {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base, exponent) {
  let result = 1n;
  for (let factor = mod(base), rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * factor) % P;
    factor = (factor * factor) % P;
  }
  return result;
}

function inverse(value) {
  return power(value, P - 2n);
}

function littleEndian(bytes) {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

// The point with this y whose x has this sign, or null.
function pointOf(y, sign) {
  const squared = mod((y * y - 1n) * inverse(D * y * y + 1n));
  let x = power(squared, (P + 3n) / 8n);
  if (mod(x * x - squared) !== 0n) x = mod(x * ROOT_OF_MINUS_ONE);
  if (mod(x * x - squared) !== 0n) return null;
  if ((x & 1n) !== sign) x = mod(-x);
  return { x, y, z: 1n, t: mod(x * y) };
}

function add(a, b) {
  const e1 = mod((a.y - a.x) * (b.y - b.x));
  const e2 = mod((a.y + a.x) * (b.y + b.x));
  const e3 = mod(2n * D * a.t * b.t);
  const e4 = mod(2n * a.z * b.z);
  const [e, f, g, h] = [e2 - e1, e4 - e3, e4 + e3, e2 + e1];
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) };
}

// a times A plus b times B, bit by bit from the top.
function twoMultiples(a, pointA, b, pointB) {
  const both = add(pointA, pointB);
  let sum = NEUTRAL;
  for (let bit = 255n; bit >= 0n; bit--) {
    sum = add(sum, sum);
    const which = ((a >> bit) & 1n) * 2n + ((b >> bit) & 1n);
    if (which === 3n) sum = add(sum, both);
    else if (which === 2n) sum = add(sum, pointA);
    else if (which === 1n) sum = add(sum, pointB);
  }
  return sum;
}

function encoded(point) {
  const z = inverse(point.z);
  let number = mod(point.y * z) | ((mod(point.x * z) & 1n) << 255n);
  return Uint8Array.from({ length: 32 }, () => {
    const byte = Number(number & 255n);
    number >>= 8n;
    return byte;
  });
}

// Whether 32 bytes name a point of order 1, 2, 4 or 8, in whatever spelling.
export function hasSmallOrder(bytes) {
  return SMALL_ORDERS.has(littleEndian(bytes) & LOW);
}

// Without cofactor: the encoding of sB - kA must be R to the bit, as the libraries have it. Whether
// the key or R has a small order is for the caller to ask: see `verifySignature`.
export function verifyEd25519(publicKey, signature, message) {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const number = littleEndian(publicKey);
  const key = pointOf(mod(number & LOW), number >> 255n);
  const s = littleEndian(signature.subarray(32));
  if (key === null || s >= L) return false;
  const r = signature.subarray(0, 32);
  const k = littleEndian(sha512(concat(r, publicKey, message))) % L;
  const minusKey = { ...key, x: mod(-key.x), t: mod(-key.t) };
  return equal(encoded(twoMultiples(s, BASE, k, minusKey)), r);
}

// Why 32 bytes are no key that binds its owner, or null.
export function pointProblem(bytes) {
  const number = littleEndian(bytes);
  const [y, sign] = [number & LOW, number >> 255n];
  if (y >= P) return "the coordinate is not reduced modulo 2^255-19";
  const point = pointOf(y, sign);
  if (point === null || (point.x === 0n && sign === 1n)) return "the bytes are no point of the curve";
  return hasSmallOrder(bytes) ? "the point has a small order and binds nobody" : null;
}
