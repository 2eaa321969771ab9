// What another platform signed about an envelope: a compact JWS of DCSA PINT 3.0
// (crypto/peer_jws.py, wire/pint_answers.py). By which key, only a pin outside the ledger can tell.
import { parsePeerJws } from "./peerkeys.js";
import { readSchema } from "./schemas.js";

// {code, lastEntry}; throws BadJws, BadJson or BadMember.
export function readAnswer(compact) {
  const read = readSchema("FinishedResponseSchema", parsePeerJws(compact).value);
  const { lastEnvelopeTransferChainEntrySignedContentChecksum: lastEntry, responseCode } = read;
  return { code: responseCode, lastEntry };
}
