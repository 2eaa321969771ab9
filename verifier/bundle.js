// The evidence bundle `*.ebl.json` and the title statement inside it (verification/bundle.py).
import { fromBase64, fromHex, fromUtf8, hex, utf8 } from "./bytes.js";
import { canonical } from "./jcs.js";
import { BadJws, parseJws } from "./jws.js";
import { BadMember, isObject, readSchema } from "./schemas.js";
import { sha256 } from "./sha2.js";
import { BadJson, parseEvent } from "./strictjson.js";
import { LAW } from "./tables.js";
import { readInstant } from "./time.js";

const VERSION = 1;
const SHOWN = "event,index,proof,recordedAt";
const HIDDEN = "digest,index,proof,sequence,tag";
const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const DIGEST = /^[0-9a-f]{64}$/;

export class BundleError extends Error {}
export class UnknownVersion extends Error {}

function asBundleError(read, what) {
  try {
    return read();
  } catch (error) {
    const known = [BadJson, BadJws, BadMember].some((kind) => error instanceof kind);
    throw known ? new BundleError(`${what}: ${error.message}`) : error;
  }
}

// {document, entries, checkpoint, statement}; throws BundleError or UnknownVersion.
export function readBundle(bytes) {
  if (bytes.length > LAW.limits.bundleBytes) {
    throw new BundleError(`the file has ${bytes.length} bytes, at most ${LAW.limits.bundleBytes} are read`);
  }
  const value = asBundleError(() => parseEvent(bytes), "not a bundle");
  if (isObject(value)) refuseLaterVersion(value.v);
  if (canonical(value) !== fromUtf8(bytes)) {
    throw new BundleError("the file differs from its own RFC 8785 form");
  }
  const read = asBundleError(() => readSchema("BundleSchema", value), "not a bundle");
  const entries = value.entries.map(readEntry);
  return { ...read, entries };
}

// A missing version is malformed, and so is `true`; any other value is a later version's.
function refuseLaterVersion(version) {
  if ([VERSION, true, null, undefined].includes(version)) return;
  throw new UnknownVersion(`bundle version ${JSON.stringify(version)} is not known, ${VERSION} is`);
}

function readEntry(value) {
  const members = Object.keys(value).sort().join();
  const proof = value.proof.map((item) => fromBase64(item));
  const bad = (why) => {
    throw new BundleError(`entry ${value.index}: ${why}`);
  };
  if (proof.includes(null)) bad("a hash of its proof is not canonical base64");
  const { index, event, recordedAt, sequence } = value;
  if (members === SHOWN) {
    if (!COMPACT_JWS.test(event)) bad("an entry holds a compact JWS");
    if (readInstant(recordedAt) === null) bad("recordedAt is no instant");
    return { hidden: false, index, proof, event, recordedAt };
  }
  if (members !== HIDDEN) bad("is neither an event nor a placeholder of one");
  if (![value.tag, value.digest].every((text) => DIGEST.test(text))) bad("has no SHA-256 in hex");
  return { hidden: true, index, proof, sequence, tag: fromHex(value.tag), digest: fromHex(value.digest) };
}

// {statement, parsed}: what the platform states, not yet verified.
export function readStatement(text) {
  const what = "no title statement";
  const { statementCharacters } = LAW.limits;
  const parsed = asBundleError(() => parseJws(text, LAW.names.statementTyp, statementCharacters), what);
  const value = asBundleError(() => parseEvent(parsed.payload), what);
  if (canonical(value) !== fromUtf8(parsed.payload)) {
    throw new BundleError("the statement differs from its own RFC 8785 form");
  }
  const read = asBundleError(() => readSchema("StatementSchema", value), what);
  const root = fromBase64(read.root);
  if (root === null) throw new BundleError(`${what}: its root is not canonical base64`);
  if (read.v !== VERSION) throw new UnknownVersion(`statement version ${read.v} is not known`);
  return { statement: { ...read, root, control: controlOf(value) }, parsed };
}

// Null for the reader of a partial bundle, who may not know who controls the bill.
function controlOf(value) {
  const present = ["possessor", "titleHolder", "final"].filter((name) => name in value);
  if (present.length === 0) return null;
  if (present.length < 3) {
    throw new BundleError("the statement names possessor, titleHolder and final, or none of them");
  }
  return { possessor: value.possessor, titleHolder: value.titleHolder, final: value.final };
}

export function checkpointDigest(note) {
  return hex(sha256(utf8(note)));
}
