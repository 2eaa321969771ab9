// From the compact JWS of a party to the event that the law judges (wire/events.py).
import { readAnswer } from "./answer.js";
import { fromBase64url, fromUtf8, hex, utf8 } from "./bytes.js";
import { parseStream, problemOf } from "./identifiers.js";
import { canonical } from "./jcs.js";
import { BadJws, BadSignature, parseDetached, parseJws, verifyJws } from "./jws.js";
import { Refusal, refuse } from "./law/refusal.js";
import { BadMember, isObject, readSchema } from "./schemas.js";
import { sha256 } from "./sha2.js";
import { BadJson, parseEvent } from "./strictjson.js";
import { LAW } from "./tables.js";
import { textProblemWithin } from "./text.js";

const VERSION = 1;

// A version or action that this software does not know: neither valid nor invalid. `place` is the
// stream and sequence that it names, if it names them as version 1 does.
export class NotUnderstood extends Refusal {
  constructor(message, value) {
    super("bad_event", message);
    const { stream, sequence } = value;
    const named = typeof stream === "string" && Number.isInteger(sequence) && sequence >= 0;
    this.place = named ? { stream, sequence } : null;
  }
}

const decoded = new Map();

// {event, parsed, signatures}; throws Refusal. The same text is read once.
export function decode(compact) {
  if (!decoded.has(compact)) decoded.set(compact, decodeText(compact));
  return decoded.get(compact);
}

async function decodeText(compact) {
  const { eventCharacters, platformEventCharacters } = LAW.limits;
  const typ = announcedTyp(compact.slice(0, eventCharacters).split(".")[0]);
  const most = typ === LAW.names.platformTyp ? platformEventCharacters : eventCharacters;
  const parsed = asRefusal(() => parseJws(compact, typ, most));
  const value = payloadOf(parsed.payload);
  const { event, inner } = await eventOf(value);
  const isOfPlatform = LAW.actions[event.action].law === "exchange";
  if (isOfPlatform !== (typ === LAW.names.platformTyp)) {
    refuse("bad_event", `${event.action} cannot be signed as ${typ}`, "/action");
  }
  return { event, parsed, signatures: [parsed, ...inner] };
}

// Which of the two kinds of event a header announces; `parseJws` then holds it to that.
function announcedTyp(header) {
  const text = new TextDecoder("latin1").decode(fromBase64url(header) ?? new Uint8Array());
  const { eventTyp, platformTyp } = LAW.names;
  return text.includes(platformTyp) ? platformTyp : eventTyp;
}

// What is not well formed is a bad_event, whichever module found out.
function asRefusal(read, pointer = null) {
  try {
    return read();
  } catch (error) {
    const known = [BadJws, BadJson, BadMember].some((kind) => error instanceof kind);
    if (known) refuse("bad_event", error.message, error.pointer ?? pointer);
    throw error;
  }
}

function payloadOf(bytes) {
  const value = asRefusal(() => parseEvent(bytes));
  const problem = textProblemWithin(value);
  if (problem !== null) refuse("bad_event", problem);
  if (!isObject(value)) refuse("bad_event", "the payload is not a JSON object", "");
  if (canonical(value) !== fromUtf8(bytes)) {
    refuse("bad_event", "the payload differs from its own RFC 8785 form", "");
  }
  return value;
}

async function eventOf(value) {
  // `true` is no version either, but a malformed one: the envelope refuses it.
  if (value.v !== VERSION && value.v !== true) {
    throw new NotUnderstood(`version ${JSON.stringify(value.v)} is not ${VERSION}`, value);
  }
  if (typeof value.action !== "string" || !Object.hasOwn(LAW.actions, value.action)) {
    throw new NotUnderstood(`action ${JSON.stringify(value.action)} is not known`, value);
  }
  const { action } = value;
  const rules = LAW.actions[action];
  const { v: _, details: raw, ...envelope } = asRefusal(() => readSchema("Envelope", value));
  const details = asRefusal(() => readSchema(rules.details, raw, "/details"));
  if (rules.recipient !== (envelope.recipient !== null)) {
    const needs = rules.recipient ? "needs a" : "has no";
    refuse("bad_event", `${action} ${needs} recipient`, "/recipient");
  }
  if (!rules.recipient) delete envelope.recipient;
  if (parseStream(envelope.stream)?.kind !== rules.stream) {
    refuse("bad_event", `${action} belongs on a ${rules.stream} stream`, "/stream");
  }
  if ("keyProof" in details) await proveKey(details, envelope, raw);
  const inner = action === "ISSUE" ? [readManifest(details)] : [];
  if (action === "GATE_OUT") {
    details.codeDigest = hex(sha256(utf8(details.code)));
    delete details.code;
  }
  if (action === "MOVED" || action === "NOT_MOVED") {
    details.answer = asRefusal(() => readAnswer(details.answer), "/details/answer");
  }
  return { event: { ...envelope, ...details }, inner };
}

// What the new key signs, detached, to prove that its party holds it; `key` becomes the new key.
async function proveKey(details, envelope, raw) {
  const { key, keyProof, validFrom, validUntil } = details;
  const proven = {
    key: raw.key,
    origin: envelope.audience,
    party: envelope.stream.slice("party:".length),
    v: VERSION,
    ...("identity" in raw ? { identity: raw.identity } : {}),
  };
  const payload = utf8(canonical(proven));
  const pointer = "/details/keyProof";
  const proof = asRefusal(() => parseDetached(keyProof, payload, LAW.names.proofTyp), pointer);
  try {
    await verifyJws(proof, key);
  } catch (error) {
    if (error instanceof BadSignature) refuse("bad_signature", error.message, pointer);
    throw error;
  }
  details.key = { kid: key.kid, alg: key.alg, jwk: key.jwk, validFrom, validUntil };
  delete details.keyProof;
  delete details.validFrom;
  delete details.validUntil;
}

// DCSA manifests carry no typ and need not be canonical; their signature is the carrier's.
function readManifest(details) {
  const pointer = "/details/issuanceManifestSignedContent";
  const parsed = asRefusal(() => parseJws(details.manifest, null), pointer);
  const value = asRefusal(() => parseEvent(parsed.payload), pointer);
  const read = asRefusal(() => readSchema("IssuanceManifestSchema", value, pointer));
  if (problemOf("shipment", details.shipment) !== null) {
    refuse("bad_event", `${details.shipment} is no shipment's UUID`, "/details/shipment");
  }
  details.manifest = { kid: parsed.kid, ...read };
  details.issueToChecksum = hex(sha256(utf8(canonical(details.issueToParty))));
  delete details.issueToParty;
  return parsed;
}
