// RSA verification (RFC 8017: PKCS #1 v1.5 and PSS, RFC 7518 sections 3.3 and 3.5) in plain
// arithmetic: one way for all browsers, and fast enough for the few signatures of a chain.
import { bigintOf, concat, equal, fromHex } from "./bytes.js";
import { sha256, sha384, sha512 } from "./sha2.js";

const HASHES = { 256: sha256, 384: sha384, 512: sha512 };
// What stands before the hash in a PKCS #1 v1.5 signature (RFC 8017 section 9.2, note 1).
const INFO = {
  256: "3031300d060960864801650304020105000420",
  384: "3041300d060960864801650304020205000430",
  512: "3051300d060960864801650304020305000440",
};

function powerModulo(base, exponent, modulus) {
  let [result, square] = [1n, base % modulus];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

function bytesOf(number, size) {
  return fromHex(number.toString(16).padStart(2 * size, "0"));
}

export function bitLength(number) {
  return number.toString(2).length;
}

// `alg` is RS256, PS256 or one of their kin; `n` and `e` are numbers.
export function verifyRsa(alg, n, e, signature, message) {
  const size = Math.ceil(bitLength(n) / 8);
  const s = bigintOf(signature);
  if (signature.length !== size || s >= n) return false;
  const opened = powerModulo(s, e, n);
  const strength = alg.slice(2);
  const hash = HASHES[strength];
  if (alg.startsWith("PS")) return isPss(opened, bitLength(n) - 1, hash, hash(message));
  const told = concat(fromHex(INFO[strength]), hash(message));
  const filling = new Uint8Array(size - told.length - 3).fill(0xff);
  return equal(bytesOf(opened, size), concat(Uint8Array.of(0, 1), filling, Uint8Array.of(0), told));
}

// EMSA-PSS-VERIFY (RFC 8017 section 9.1.2), with a salt as long as the hash.
function isPss(opened, bits, hash, digest) {
  const size = Math.ceil(bits / 8);
  if (opened >= 1n << BigInt(bits)) return false;
  const whole = bytesOf(opened, size);
  const saltAt = size - 2 * digest.length - 1;
  if (whole[size - 1] !== 0xbc) return false;
  const masked = whole.subarray(0, size - digest.length - 1);
  const seed = whole.subarray(size - digest.length - 1, size - 1);
  const mask = maskOf(seed, masked.length, hash);
  const block = masked.map((byte, at) => byte ^ mask[at]);
  block[0] &= 0xff >> (8 * size - bits);
  const padding = block.subarray(0, saltAt);
  if (padding[saltAt - 1] !== 1 || padding.subarray(0, saltAt - 1).some((byte) => byte !== 0)) {
    return false;
  }
  return equal(hash(concat(new Uint8Array(8), digest, block.subarray(saltAt))), seed);
}

// MGF1 (RFC 8017 appendix B.2.1).
function maskOf(seed, size, hash) {
  const parts = [];
  for (let count = 0, got = 0; got < size; count++) {
    const part = hash(concat(seed, bytesOf(BigInt(count), 4)));
    parts.push(part);
    got += part.length;
  }
  return concat(...parts).subarray(0, size);
}
