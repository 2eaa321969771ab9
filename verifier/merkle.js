// Inclusion in the tree of RFC 6962 (verified as RFC 9162 section 2.1.3.2), and what its leaves are.
import { concat, equal, hex, uint64, utf8 } from "./bytes.js";
import { canonical } from "./jcs.js";
import { sha256 } from "./sha2.js";

export class ProofError extends Error {}

function leafHash(entry) {
  return sha256(concat(Uint8Array.of(0), entry));
}

function nodeHash(left, right) {
  return sha256(concat(Uint8Array.of(1), left, right));
}

export function streamTag(stream) {
  return sha256(utf8(`ebl-stream/v1\0${stream}`));
}

// SHA-256 of the entry bytes: RFC 8785 of {"event", "recordedAt"}.
export function entryDigest(event, recordedAt) {
  return sha256(utf8(canonical({ event, recordedAt })));
}

export function leafOf(tag, sequence, digest) {
  return leafHash(concat(tag, uint64(sequence), digest));
}

// Throws ProofError unless `leaf` stands at `index` in the tree of `size` leaves under `root`.
export function verifyInclusion(leaf, index, size, path, root) {
  if ([leaf, ...path, root].some((hash) => hash.length !== 32)) {
    throw new ProofError("a hash has not 32 bytes");
  }
  if (index >= size) throw new ProofError(`leaf ${index} is not in a tree of ${size} leaves`);
  let [position, last, computed] = [BigInt(index), BigInt(size) - 1n, leaf];
  for (const sibling of path) {
    if (last === 0n) throw new ProofError(`the path of ${path.length} hashes is too long`);
    if ((position & 1n) === 1n || position === last) {
      computed = nodeHash(sibling, computed);
      // On the right edge a node without a sibling is carried up unchanged.
      while (position !== 0n && (position & 1n) === 0n) [position, last] = [position >> 1n, last >> 1n];
    } else {
      computed = nodeHash(computed, sibling);
    }
    [position, last] = [position >> 1n, last >> 1n];
  }
  if (last !== 0n) throw new ProofError(`the path of ${path.length} hashes is too short`);
  if (!equal(computed, root)) {
    throw new ProofError(`the tree has the root ${hex(root)}, but the proof gives ${hex(computed)}`);
  }
}
