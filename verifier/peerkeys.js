// Keys of other platforms and of carriers in a trust file, and what they signed
// (verification/trust_peers.py, crypto/peer_keys.py, crypto/peer_jws.py).
import { bigintOf, fromBase64url, utf8 } from "./bytes.js";
import { BadJws, BadSignature, splitJws } from "./jws.js";
import { BadKey, readJwk, verifySignature } from "./keys.js";
import { bitLength, verifyRsa } from "./rsa.js";
import { isObject } from "./schemas.js";
import { parseDocument } from "./strictjson.js";
import { LAW } from "./tables.js";

const { exponentBelow, leastBits, mostBits } = LAW.peers.rsa;

// -- keys -----------------------------------------------------------------------------------------

// {PLATFORM or PROVIDER:CODE: [key...]} of entries {[member], keys}; throws BadKey.
export function keysByName(member, entries) {
  const found = new Map();
  for (const entry of entries ?? []) {
    const before = found.get(entry[member]) ?? [];
    found.set(entry[member], [...before, ...entry.keys.map(readKey)]);
  }
  return found;
}

function readKey({ algorithms, jwk, notAfter, notBefore }) {
  const { able, check } = jwk.kty === "RSA" ? rsaKey(jwk) : ownKind(jwk);
  const unable = algorithms.filter((alg) => !able.includes(alg));
  if (unable.length > 0) throw new BadKey(`this key cannot sign ${unable.join(", ")}`);
  const covers = (moment) => {
    if (notBefore !== null && moment < notBefore) return false;
    return notAfter === null || moment <= notAfter;
  };
  return { algorithms, check, covers };
}

function ownKind(jwk) {
  const { alg, raw } = readJwk(jwk);
  const check = (_, signature, message) => verifySignature(alg, raw, signature, message);
  return { able: LAW.peers.algorithms[alg], check };
}

function rsaKey(jwk) {
  if (Object.keys(jwk).sort().join() !== "e,kty,n") {
    throw new BadKey("a JWK for RSA has exactly the members e, kty, n");
  }
  const [n, e] = [numberOf("n", jwk.n), numberOf("e", jwk.e)];
  const bits = bitLength(n);
  if (bits < leastBits || bits > mostBits || n % 2n === 0n) {
    throw new BadKey(`n is no odd number of ${leastBits} to ${mostBits} bits`);
  }
  if (e < 3n || e >= BigInt(exponentBelow) || e % 2n === 0n) throw new BadKey("e is not usable");
  const check = (alg, signature, message) => verifyRsa(alg, n, e, signature, message);
  return { able: LAW.peers.algorithms.RSA, check };
}

function numberOf(name, text) {
  const raw = typeof text === "string" ? fromBase64url(text) : null;
  if (raw === null || raw.length === 0 || raw[0] === 0) {
    throw new BadKey(`${name} is not base64url of a number in its shortest form`);
  }
  return bigintOf(raw);
}

// -- what they signed -----------------------------------------------------------------------------

// {text, header, value, signature, digest}; throws BadJws or BadJson.
export function parsePeerJws(text) {
  const { header, payload, signature, digest } = splitJws(text, LAW.limits.peerCharacters);
  const read = objectOf(header, "header");
  if (typeof read.alg !== "string") throw new BadJws("the header names no algorithm");
  return { text, header: read, value: objectOf(payload, "payload"), signature, digest };
}

function objectOf(bytes, name) {
  const value = parseDocument(bytes);
  if (!isObject(value)) throw new BadJws(`the ${name} is a JSON object`);
  return value;
}

// Throws BadSignature unless one of the keys signed it and counted at that moment.
export async function verifyPeerJws(parsed, keys, moment) {
  const { alg, b64 = true } = parsed.header;
  if ("crit" in parsed.header) throw new BadSignature("crit asks for what is not understood here");
  if (b64 !== true) throw new BadSignature("b64 asks for an unencoded payload");
  const message = utf8(parsed.text.slice(0, parsed.text.lastIndexOf(".")));
  const signed = [];
  for (const key of keys.filter(({ algorithms }) => algorithms.includes(alg))) {
    if (await key.check(alg, parsed.signature, message)) signed.push(key);
  }
  if (signed.length === 0) throw new BadSignature(`no key of the trust file made this ${alg} signature`);
  if (!signed.some((key) => key.covers(moment))) {
    throw new BadSignature("the key that signed did not count at that time");
  }
}
