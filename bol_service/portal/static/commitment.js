// The carrier's commitment to each field of a document (docs/formats.md, Disclosure): an SD-JWT whose
// salts are made in this browser. The platform says where the document is cut, and nothing else: that
// the pieces are the whole document, each part of it once, is found out here.

import { base64url, bytes, canonical, randomText, sha256 } from "./jcs.js";

export const TYPE = "ebl-disclosure+sd-jwt";
export const MEDIA_TYPE = "application/sd-jwt";
const SALT_BYTES = 16;

// What is signed, as text, and the disclosures in the order of their digests.
export async function committed(document, checksum, pointers, { carrier, origin, at }) {
  const pieces = await Promise.all(partsOf(document, pointers).map(piece));
  pieces.sort((one, other) => (one.digest < other.digest ? -1 : 1));
  const claims = {
    _sd: pieces.map(({ digest }) => digest),
    _sd_alg: "sha-256",
    bill: checksum,
    carrier,
    carrierCode: document.carrierCode,
    carrierCodeListProvider: document.carrierCodeListProvider,
    issuedAt: at,
    origin,
    statusAt: `${location.origin}/v1/bills/${checksum}`, // where this browser reaches the platform
    transportDocumentReference: document.transportDocumentReference,
    v: 1,
  };
  return { payload: canonical(claims), texts: pieces.map(({ text }) => text) };
}

// The full file: from it single fields are disclosed.
export const fullFile = (signed, texts) => [signed, ...texts].map((part) => `${part}~`).join("");

async function piece([pointer, value]) {
  const text = base64url(bytes(canonical([randomText(SALT_BYTES), pointer, value])));
  return { text, digest: base64url(await sha256(bytes(text))) };
}

function partsOf(document, pointers) {
  const wanted = new Set(pointers);
  const found = [];
  const walk = (value, pointer) => {
    if (wanted.delete(pointer)) return found.push([pointer, value]);
    const members = value !== null && typeof value === "object" ? Object.entries(value) : [];
    if (!members.length) throw new Error(`no piece of the document holds ${pointer}`);
    for (const [name, inner] of members) walk(inner, `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`);
  };
  walk(document, "");
  if (wanted.size) throw new Error(`the document has nothing of its own at ${[...wanted][0]}`);
  return found;
}
