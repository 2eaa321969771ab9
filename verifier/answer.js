// What another platform signed about an envelope: a compact JWS of DCSA PINT 3.0
// (crypto/peer_jws.py, wire/pint_answers.py). By which key, only a pin outside the ledger can tell.
import { fromBase64url } from "./bytes.js";
import { BadJws } from "./jws.js";
import { isObject, readSchema } from "./schemas.js";
import { parseDocument } from "./strictjson.js";

// {code, lastEntry}; throws BadJws, BadJson or BadMember.
export function readAnswer(compact) {
  const parts = compact.split(".");
  if (parts.length !== 3 || parts.includes("")) {
    throw new BadJws("a compact JWS has three non-empty parts: header, payload, signature");
  }
  const [header, payload, signature] = parts.map(fromBase64url);
  if (header === null || payload === null || signature === null) {
    throw new BadJws("a part is not canonical unpadded base64url");
  }
  const { alg } = objectOf(header, "header");
  if (typeof alg !== "string") throw new BadJws("the header names no algorithm");
  const read = readSchema("FinishedResponseSchema", objectOf(payload, "payload"));
  const { lastEnvelopeTransferChainEntrySignedContentChecksum: lastEntry, responseCode } = read;
  return { code: responseCode, lastEntry };
}

function objectOf(bytes, name) {
  const value = parseDocument(bytes);
  if (!isObject(value)) throw new BadJws(`the ${name} is a JSON object`);
  return value;
}
