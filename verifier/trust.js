// Which keys speak for a platform: the trust file (verification/trust.py).
import { originProblem } from "./identifiers.js";
import { BadKey, readJwk } from "./keys.js";
import { NoteError, parseVkey } from "./note.js";
import { keysByName } from "./peerkeys.js";
import { BadMember, readSchema } from "./schemas.js";
import { BadJson, parseEvent } from "./strictjson.js";

export class TrustError extends Error {}

// Throws TrustError.
export function readTrust(bytes) {
  try {
    return checked(bytes);
  } catch (error) {
    const known = [BadJson, BadMember, NoteError, BadKey].some((kind) => error instanceof kind);
    throw known ? new TrustError(`the trust file cannot be used: ${error.message}`) : error;
  }
}

function checked(bytes) {
  const read = readSchema("TrustSchema", parseEvent(bytes));
  const problem = originProblem(read.origin);
  if (problem !== null) throw new TrustError(problem);
  const trust = {
    ...read,
    logKeys: read.logKeys.map((entry) => ({ ...entry, key: parseVkey(entry.vkey) })),
    statementKeys: read.statementKeys.map(readJwk),
    witnesses: read.witnesses.map(parseVkey),
    peers: keysByName("platform", read.peers),
    carriers: keysByName("carrier", read.carriers),
  };
  if (trust.demo !== trust.origin.startsWith("demo.")) {
    throw new TrustError(`origin ${trust.origin} and demo ${trust.demo} contradict each other`);
  }
  if (trust.quorum > trust.witnesses.length) {
    throw new TrustError(`a quorum of ${trust.quorum} of ${trust.witnesses.length} witnesses`);
  }
  return trust;
}

// The log's keys that count at this size, and the witnesses'.
export function checkpointKeys(trust, size) {
  const counting = trust.logKeys.filter(
    ({ fromSize, toSize }) => fromSize <= size && (toSize === null || size <= toSize),
  );
  return [...counting.map(({ key }) => key), ...trust.witnesses];
}
