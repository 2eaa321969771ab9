// Public keys: one spelling (JWK with its required members only), one name (RFC 7638), one algorithm.
import { bigintOf, fromBase64url, toBase64url, utf8 } from "./bytes.js";
import { hasSmallOrder, pointProblem, verifyEd25519 } from "./ed25519.js";
import { canonical } from "./jcs.js";
import { isOnCurve, verifyEs256 } from "./p256.js";
import { sha256 } from "./sha2.js";
import { parseEvent } from "./strictjson.js";

const KINDS = {
  Ed25519: { kty: "OKP", crv: "Ed25519", coordinates: ["x"] },
  ES256: { kty: "EC", crv: "P-256", coordinates: ["x", "y"] },
};
const PRIVATE = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

export const ALGORITHMS = Object.keys(KINDS);

export class BadKey extends Error {}

// {alg, kid, jwk (its canonical text), raw (coordinates)}; throws BadKey.
export function readJwk(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new BadKey("a JWK is a JSON object");
  }
  if (PRIVATE.some((name) => name in value)) throw new BadKey("the JWK holds a private key");
  const alg = ALGORITHMS.find(
    (name) => value.kty === KINDS[name].kty && value.crv === KINDS[name].crv,
  );
  if (alg === undefined) throw new BadKey("use OKP with Ed25519, or EC with P-256");
  const { coordinates } = KINDS[alg];
  const expected = ["crv", "kty", ...coordinates];
  if (Object.keys(value).sort().join() !== expected.join()) {
    throw new BadKey(`a JWK for ${alg} has exactly the members ${expected.join(", ")}`);
  }
  const raw = coordinates.map((name) => coordinate(name, value[name]));
  refuseBadPoint(alg, raw);
  const jwk = canonical(value);
  return { alg, kid: toBase64url(sha256(utf8(jwk))), jwk, raw };
}

const known = new Map();

// The key of a canonical JWK that `readJwk` has read before.
export function publicKey(jwk) {
  if (!known.has(jwk)) known.set(jwk, readJwk(parseEvent(utf8(jwk))));
  return known.get(jwk);
}

function coordinate(name, text) {
  const raw = typeof text === "string" ? fromBase64url(text) : null;
  if (raw === null || raw.length !== 32) throw new BadKey(`${name} is not base64url of 32 bytes`);
  return raw;
}

// Looking at a point costs more than verifying with it, and the same keys come again and again.
const goodPoints = new Set();

function refuseBadPoint(alg, raw) {
  const name = `${alg} ${raw.map(toBase64url).join()}`;
  if (goodPoints.has(name)) return;
  checkPoint(alg, raw);
  goodPoints.add(name);
}

function checkPoint(alg, raw) {
  if (alg === "ES256") {
    if (isOnCurve(...raw.map(bigintOf))) return;
    throw new BadKey("x and y are no point of the curve P-256");
  }
  const problem = pointProblem(raw[0]);
  if (problem !== null) throw new BadKey(problem);
}

// -- verifying ------------------------------------------------------------------------------------

const engine = { subtle: globalThis.crypto?.subtle ?? null };
const imported = new Map();

// For tests: judge by this file's own arithmetic alone.
export function withoutWebCrypto() {
  engine.subtle = null;
}

// Whether the signature verifies; `raw` are the key's coordinates. Browsers differ in what they make
// of a point of small order, so that none of them is asked about one.
export async function verifySignature(alg, raw, signature, message) {
  if (alg === "Ed25519" && [raw[0], signature.subarray(0, 32)].some(hasSmallOrder)) return false;
  const key = engine.subtle === null ? null : await nativeKey(alg, raw);
  if (key !== null) {
    const how = alg === "ES256" ? { name: "ECDSA", hash: "SHA-256" } : { name: "Ed25519" };
    return engine.subtle.verify(how, key, signature, message);
  }
  if (alg === "ES256") return verifyEs256(...raw.map(bigintOf), signature, message);
  return verifyEd25519(raw[0], signature, message);
}

// Null where this browser does not know the algorithm, or does not take these bytes for a key.
async function nativeKey(alg, raw) {
  const name = `${alg} ${raw.map(toBase64url).join()}`;
  if (!imported.has(name)) {
    const { kty, crv, coordinates } = KINDS[alg];
    const jwk = { kty, crv };
    coordinates.forEach((member, at) => {
      jwk[member] = toBase64url(raw[at]);
    });
    const how = alg === "ES256" ? { name: "ECDSA", namedCurve: "P-256" } : { name: "Ed25519" };
    const importing = engine.subtle.importKey("jwk", jwk, how, false, ["verify"]);
    imported.set(name, importing.catch(() => null));
  }
  return imported.get(name);
}
