// ES256 verification (ECDSA on P-256 with SHA-256, RFC 7518 section 3.4) in plain arithmetic, for
// where WebCrypto is missing altogether.
import { bigintOf } from "./bytes.js";
import { sha256 } from "./sha2.js";

const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const BASE = {
  x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  z: 1n,
};
const INFINITE = { x: 1n, y: 1n, z: 0n };

function mod(value, by = P) {
  const rest = value % by;
  return rest < 0n ? rest + by : rest;
}

function inverse(value, by) {
  let [a, b, x, y] = [mod(value, by), by, 1n, 0n];
  while (a > 0n) {
    const quotient = b / a;
    [a, b, x, y] = [b - quotient * a, a, y - quotient * x, x];
  }
  return mod(y, by);
}

export function isOnCurve(x, y) {
  return x < P && y < P && mod(y * y - (x * x * x - 3n * x + B)) === 0n;
}

function double(point) {
  if (point.z === 0n) return point;
  const delta = mod(point.z * point.z);
  const gamma = mod(point.y * point.y);
  const beta = mod(point.x * gamma);
  const alpha = mod(3n * (point.x - delta) * (point.x + delta));
  const x = mod(alpha * alpha - 8n * beta);
  const z = mod((point.y + point.z) ** 2n - gamma - delta);
  return { x, y: mod(alpha * (4n * beta - x) - 8n * gamma * gamma), z };
}

function add(a, b) {
  if (a.z === 0n) return b;
  if (b.z === 0n) return a;
  const [za, zb] = [mod(a.z * a.z), mod(b.z * b.z)];
  const [ua, ub] = [mod(a.x * zb), mod(b.x * za)];
  const [sa, sb] = [mod(a.y * b.z * zb), mod(b.y * a.z * za)];
  if (ua === ub) return sa === sb ? double(a) : INFINITE;
  const h = mod(ub - ua);
  const r = mod(sb - sa);
  const hh = mod(h * h);
  const v = mod(ua * hh);
  const x = mod(r * r - h * hh - 2n * v);
  return { x, y: mod(r * (v - x) - sa * h * hh), z: mod(a.z * b.z * h) };
}

// `x` and `y` are numbers of a point on the curve, `signature` the 64 bytes r and s.
export function verifyEs256(x, y, signature, message) {
  if (signature.length !== 64) return false;
  const r = bigintOf(signature.subarray(0, 32));
  const s = bigintOf(signature.subarray(32));
  if (r === 0n || s === 0n || r >= N || s >= N) return false;
  const w = inverse(s, N);
  const [u, v] = [mod(bigintOf(sha256(message)) * w, N), mod(r * w, N)];
  const key = { x, y, z: 1n };
  const both = add(BASE, key);
  let sum = INFINITE;
  for (let bit = 255n; bit >= 0n; bit--) {
    sum = double(sum);
    const which = ((u >> bit) & 1n) * 2n + ((v >> bit) & 1n);
    if (which === 3n) sum = add(sum, both);
    else if (which === 2n) sum = add(sum, BASE);
    else if (which === 1n) sum = add(sum, key);
  }
  if (sum.z === 0n) return false;
  const z = inverse(sum.z, P);
  return mod(mod(sum.x * z * z), N) === r;
}
