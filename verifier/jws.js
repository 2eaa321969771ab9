// Compact JWS with nothing to choose: exactly alg, kid and typ, canonical base64url, 64 bytes.
import { fromBase64url, hex, toBase64url, utf8 } from "./bytes.js";
import { ALGORITHMS, verifySignature } from "./keys.js";
import { sha256 } from "./sha2.js";
import { BadJson, parseEvent } from "./strictjson.js";
import { LAW } from "./tables.js";

export class BadJws extends Error {}
export class BadSignature extends Error {}

// {alg, kid, payload, signature, text, digest}; `typ` null asks for a header without it.
export function parseJws(text, typ, mostCharacters = LAW.limits.jwsCharacters) {
  const { header, payload, signature, digest } = splitJws(text, mostCharacters);
  const { alg, kid } = readHeader(header, typ);
  if (signature.length !== 64) throw new BadJws(`the signature has ${signature.length} bytes, not 64`);
  return { alg, kid, payload, signature, text, digest };
}

// The bytes of {header, payload, signature} and the digest of the text; throws BadJws.
export function splitJws(text, mostCharacters) {
  if (text.length > mostCharacters) {
    throw new BadJws(`the message has more than ${mostCharacters} characters`);
  }
  const parts = text.split(".");
  if (parts.length !== 3 || parts.includes("")) {
    throw new BadJws("a compact JWS has three non-empty parts: header, payload, signature");
  }
  const [header, payload, signature] = parts.map(fromBase64url);
  if (header === null || payload === null || signature === null) {
    throw new BadJws("a part is not canonical unpadded base64url");
  }
  return { header, payload, signature, digest: hex(sha256(utf8(text))) };
}

// `header..signature` as if `payload` stood between the dots (RFC 7515 appendix F).
export function parseDetached(text, payload, typ) {
  const parts = text.split(".");
  if (parts.length !== 3 || parts[1] !== "") {
    throw new BadJws("a detached JWS is header..signature, with nothing between the dots");
  }
  return parseJws(`${parts[0]}.${toBase64url(payload)}.${parts[2]}`, typ);
}

function readHeader(bytes, typ) {
  const header = headerObject(bytes);
  const expected = typ === null ? "alg,kid" : "alg,kid,typ";
  const found = Object.keys(header).sort().join();
  if (found !== expected) throw new BadJws(`the header has exactly ${expected}, not ${found}`);
  if (typ !== null && header.typ !== typ) throw new BadJws(`this door takes typ ${typ}`);
  if (!ALGORITHMS.includes(header.alg)) throw new BadJws("alg is neither Ed25519 nor ES256");
  const thumbprint = typeof header.kid === "string" ? fromBase64url(header.kid) : null;
  if (thumbprint?.length !== 32) throw new BadJws("kid is not the thumbprint of a key (RFC 7638)");
  return header;
}

function headerObject(bytes) {
  let header;
  try {
    header = parseEvent(bytes);
  } catch (error) {
    if (error instanceof BadJson) throw new BadJws(`the header is refused: ${error.message}`);
    throw error;
  }
  if (header === null || typeof header !== "object" || Array.isArray(header)) {
    throw new BadJws("the header is a JSON object");
  }
  return header;
}

const verified = new Map();

// Throws BadSignature.
export async function verifyJws(parsed, key) {
  if (parsed.alg !== key.alg) {
    throw new BadSignature(`the header says alg ${parsed.alg}; the key ${key.kid} is ${key.alg}`);
  }
  if (parsed.kid !== key.kid) {
    throw new BadSignature(`the header names the key ${parsed.kid}; checked against ${key.kid}`);
  }
  const name = `${key.jwk} ${parsed.digest}`;
  if (!verified.has(name)) {
    const input = utf8(parsed.text.slice(0, parsed.text.lastIndexOf(".")));
    verified.set(name, await verifySignature(key.alg, key.raw, parsed.signature, input));
  }
  if (!verified.get(name)) {
    throw new BadSignature(`the ${parsed.alg} signature does not verify under the key ${key.kid}`);
  }
}
