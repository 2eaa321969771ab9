// Disclosed fields of a bill (`*.sdjwt`): the one profile of SD-JWT that is read
// (wire/disclosure.py). Everything else is refused before any key is looked up.
import { fromBase64url, fromUtf8, toBase64url, utf8 } from "./bytes.js";
import { UnknownVersion } from "./bundle.js";
import { canonical } from "./jcs.js";
import { BadJws, parseJws } from "./jws.js";
import { BadMember, isObject, readSchema } from "./schemas.js";
import { sha256 } from "./sha2.js";
import { BadJson, parseDocument, parseEvent } from "./strictjson.js";
import { LAW } from "./tables.js";

const RULES = LAW.disclosure;
const VERSION = 1;
const DIGEST = /^[A-Za-z0-9_-]{43}$/;
const PLACE_IN_LIST = /^(?:0|[1-9][0-9]{0,8})$/;

export class BadDisclosure extends Error {}

// Whether a file looks like disclosed fields rather than like evidence.
export function isDisclosure(bytes) {
  return bytes[0] === 0x65 && bytes[1] === 0x79 && bytes.includes(0x7e);
}

// {signed, claims, hidden, disclosed: [{pointer, value}]}, its signature not verified; throws
// BadDisclosure or UnknownVersion.
export function readDisclosure(bytes) {
  const [jwt, ...texts] = textOf(bytes).split("~");
  if (texts.length === 0) throw new BadDisclosure("the file is a JWT alone");
  if (texts.pop() !== "") throw new BadDisclosure("something follows the last ~; key binding is not taken");
  const signed = refusing("the issuer-signed JWT", () => parseJws(jwt, RULES.typ, RULES.jwtCharacters));
  const { digests, ...claims } = readClaims(signed.payload);
  const pieces = texts.map(readPiece);
  requireSet(pieces, digests);
  const disclosed = pieces.map(({ pointer, value }) => ({ pointer, value }));
  return { signed, claims, hidden: digests.length - pieces.length, disclosed };
}

function textOf(bytes) {
  if (bytes.length > RULES.characters + 1 || bytes.some((byte) => byte > 0x7f)) {
    throw new BadDisclosure(`the file is not ASCII, or longer than ${RULES.characters} characters`);
  }
  const text = fromUtf8(bytes).replace(/\n$/, "");
  if (text.length > RULES.characters) {
    throw new BadDisclosure(`the file has ${text.length} characters, at most ${RULES.characters} are read`);
  }
  return text;
}

function refusing(what, read) {
  try {
    return read();
  } catch (error) {
    const known = [BadJws, BadJson, BadMember].some((kind) => error instanceof kind);
    throw known ? new BadDisclosure(`${what} is refused: ${error.message}`) : error;
  }
}

function readClaims(payload) {
  const what = "the payload";
  const value = refusing(what, () => parseEvent(payload));
  if (canonical(value) !== fromUtf8(payload)) {
    throw new BadDisclosure("the payload differs from its own RFC 8785 form");
  }
  if (isObject(value)) refuseLaterVersion(value.v);
  const claims = refusing(what, () => readSchema("ClaimsSchema", value));
  requireDigests(claims.digests);
  const { bill, statusAt } = claims;
  if (!new RegExp(`^${RULES.statusAt}${bill}$`).test(statusAt)) {
    throw new BadDisclosure(`statusAt ${statusAt} is no address of bill ${bill}`);
  }
  return claims;
}

// A missing version is malformed, and so is `true`; any other value is a later version's.
function refuseLaterVersion(version) {
  if ([VERSION, true, null, undefined].includes(version)) return;
  throw new UnknownVersion(`version ${JSON.stringify(version)} is not known, ${VERSION} is`);
}

function requireDigests(digests) {
  if (!digests.every((digest) => DIGEST.test(digest))) {
    throw new BadDisclosure("a member of _sd is not a SHA-256 in base64url");
  }
  if (!isAscending(digests)) {
    throw new BadDisclosure("_sd is not in ascending order, or holds a digest twice");
  }
}

function isAscending(digests) {
  return digests.every((digest, at) => at === 0 || digests[at - 1] < digest);
}

function readPiece(text, number) {
  const where = `disclosure ${number}`;
  const raw = fromBase64url(text);
  if (raw === null) throw new BadDisclosure(`${where} is not base64url`);
  const value = refusing(where, () => parseDocument(raw));
  if (canonical(value) !== fromUtf8(raw)) {
    throw new BadDisclosure(`${where} differs from its own RFC 8785 form`);
  }
  if (!Array.isArray(value) || value.length !== 3) {
    throw new BadDisclosure(`${where} is not an array of salt, name and value`);
  }
  const [salt, pointer, inner] = value;
  if (!isSalt(salt)) throw new BadDisclosure(`${where} has no salt of ${RULES.saltBytes} bytes`);
  if (!isPointer(pointer)) throw new BadDisclosure(`${where} is named by no JSON pointer to a member`);
  refuseReserved(inner, where);
  return { salt, pointer, value: inner, digest: toBase64url(sha256(utf8(text))) };
}

function isSalt(salt) {
  return typeof salt === "string" && fromBase64url(salt)?.length === RULES.saltBytes;
}

// RFC 6901, at most as deep as a document is read.
function isPointer(text) {
  if (typeof text !== "string" || text[0] !== "/" || /~(?![01])/.test(text)) return false;
  return text.split("/").length - 1 <= LAW.limits.documentDepth;
}

// No name that the standard gives a meaning of its own, at any depth.
function refuseReserved(value, where) {
  if (value === null || typeof value !== "object") return;
  const reserved = Array.isArray(value) ? undefined : RULES.reserved.find((name) => name in value);
  if (reserved !== undefined) throw new BadDisclosure(`${where} has a member ${reserved}, which is reserved`);
  for (const inner of Object.values(value)) refuseReserved(inner, where);
}

// Each was committed to, none comes twice, none stands inside another, all are in order.
function requireSet(pieces, digests) {
  const known = new Set(digests);
  const strange = pieces.find(({ digest }) => !known.has(digest));
  if (strange !== undefined) {
    throw new BadDisclosure(`${strange.pointer} is no disclosure that the carrier committed to`);
  }
  if (!isAscending(pieces.map(({ digest }) => digest))) {
    throw new BadDisclosure("the disclosures are not in the order of _sd, or one comes twice");
  }
  if (new Set(pieces.map(({ salt }) => salt)).size !== pieces.length) {
    throw new BadDisclosure("two disclosures share a salt");
  }
  requireApart(pieces.map(({ pointer }) => pointer));
}

function requireApart(pointers) {
  const known = new Set(pointers);
  const isInside = (pointer) => {
    const steps = pointer.split("/");
    return steps.some((_, at) => at > 1 && known.has(steps.slice(0, at).join("/")));
  };
  if (known.size !== pointers.length || pointers.some(isInside)) {
    throw new BadDisclosure("a value is disclosed twice, once within another");
  }
}

// -- pointers ------------------------------------------------------------------------------------

export function stepsOf(pointer) {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

// What stands there in a document; undefined for nothing.
export function valueAt(document, pointer) {
  let found = document;
  for (const step of stepsOf(pointer)) {
    if (isObject(found)) found = found[step];
    else if (Array.isArray(found) && PLACE_IN_LIST.test(step)) found = found[Number(step)];
    else return undefined;
  }
  return found;
}
