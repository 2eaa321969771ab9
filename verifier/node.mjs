// Runs the verifier outside a browser: JSON lines in, JSON lines out. For the tests, and for anyone
// who has Node and no Python.
//
//   node verifier/node.mjs bundle.ebl.json [trust.json]      the report, as `bol verify --json` has it;
//                                                            of a printed copy (*.pdf) as well
//   node verifier/node.mjs fields.sdjwt trust.json bundle    the same of disclosed fields
//   node verifier/node.mjs --cases  < cases.jsonl            one summary per case
//   node verifier/node.mjs --traces < traces.jsonl           one line per trace of the bare law
//   node verifier/node.mjs --parts  < questions.jsonl        one line per question to one part of it
//
// `--own-arithmetic` does without WebCrypto. `--page FILE` takes the engine out of a built page.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import vm from "node:vm";

import { readAnswer } from "./answer.js";
import { fromBase64, fromBase64url, hex, toBase64, utf8 } from "./bytes.js";
import { verifyFile } from "./copy.js";
import { verifyFields } from "./disclosed.js";
import { isDisclosure } from "./disclosure.js";
import { DocumentError, readDocument } from "./document.js";
import { fieldLines, fieldName } from "./fields.js";
import { parseStream, problemOf } from "./identifiers.js";
import { canonical } from "./jcs.js";
import { BadJws, BadSignature } from "./jws.js";
import { BadKey, readJwk, verifySignature, withoutWebCrypto } from "./keys.js";
import { Refusal } from "./law/refusal.js";
import { keysByName, parsePeerJws, verifyPeerJws } from "./peerkeys.js";
import { BadMember, readSchema } from "./schemas.js";
import { sha256, sha384, sha512 } from "./sha2.js";
import { BadJson, parseDocument, parseEvent } from "./strictjson.js";
import { textProblem } from "./text.js";
import { readInstant, readMoment } from "./time.js";
import { readTrust, TrustError } from "./trust.js";
import { Words } from "./words.js";
import { World } from "./world.js";

const args = process.argv.slice(2);

function option(name) {
  const at = args.indexOf(name);
  return at < 0 ? false : args.splice(at, 1).length === 1;
}

function pageEngine(file) {
  const html = readFileSync(file, "utf-8");
  const script = /<script>([^]*)<\/script>/.exec(html)[1];
  const sandbox = { TextEncoder, TextDecoder, crypto: globalThis.crypto };
  vm.runInNewContext(script, sandbox);
  return sandbox.eblVerifier;
}

function summary(report) {
  const { demo, findings, signed, title, verdict } = report.toValue();
  return {
    verdict,
    demo,
    findings: findings.map(({ check, outcome, code }) => [check, outcome, code]),
    signed: signed.map(({ index, action, actor, name, kid }) => [index, action, actor, name, kid]),
    title: title ?? null,
  };
}

// Of disclosed fields: the same, each field, and what is told of the evidence.
function summaryOfFields(report) {
  const { currentUntil, demo, evidence, fields, findings, undisclosed, verdict } = report.toValue();
  return {
    verdict,
    demo,
    findings: findings.map(({ check, outcome, code }) => [check, outcome, code]),
    fields: fields.map(({ pointer, value, outcome }) => [pointer, canonical(value), outcome]),
    undisclosed: undisclosed ?? null,
    currentUntil: currentUntil ?? null,
    evidence: evidence?.verdict ?? null,
  };
}

// {"bundle": base64, "trust": text or null, "now": milliseconds}; of disclosed fields that is
// {"fields": base64, "bundle": base64 or null, ...}
async function judgeCase(engine, { bundle, fields, now, trust }) {
  try {
    const trusted = trust === null ? null : engine.readTrust(utf8(trust));
    const evidence = bundle === null ? null : await engine.verify(fromBase64(bundle), trusted, now);
    if (fields === undefined) return summary(evidence);
    return summaryOfFields(await engine.verifyFields(fromBase64(fields), evidence, trusted));
  } catch (error) {
    if (error.name === "TrustError" || error instanceof TrustError) return { trustError: true };
    return { crashed: String(error.stack ?? error) };
  }
}

const worlds = new Map();

// {"origin" or "from": a kept world, "documents", "steps", "keep"?}: code or digest of each step.
function judgeTrace({ documents, from, keep, origin, steps }) {
  const known = worlds.get(from) ?? null;
  const world = new World(known?.origin ?? origin, known);
  documents.forEach((facts) => world.addDocument(facts));
  const answers = steps.map((act) => judgeStep(world, act));
  if (keep !== undefined) worlds.set(keep, world);
  return answers;
}

function judgeStep(world, act) {
  try {
    return hex(sha256(utf8(canonical(world.apply(act)))).subarray(0, 8));
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    return `crashed: ${error.stack ?? error}`;
  }
}

// -- one part of the engine, alone ----------------------------------------------------------------

const UNREADABLE = [BadJson, BadJws, BadKey, BadMember, DocumentError];

function orNull(read) {
  try {
    return read();
  } catch (error) {
    if (UNREADABLE.some((kind) => error instanceof kind)) return null;
    throw error;
  }
}

const bytesOf = (text) => fromBase64(text);
const canonicalOf = (value) => toBase64(utf8(canonical(value)));

const hexOrNull = (bytes) => (bytes === null ? null : hex(bytes));

// Codes are a set; the tests compare them in one order.
function sortedCodes(facts) {
  for (const party of [facts.shipper, facts.consignee, facts.endorsee, ...facts.notify]) {
    party?.codes.sort((a, b) => (String(a) < String(b) ? -1 : 1));
  }
  return facts;
}

function peerKeys(keys) {
  const read = readSchema("TrustedPeerSchema", { platform: "SGPX", keys });
  return keysByName("platform", [read]).get("SGPX");
}

async function isSigned(parsed, keys, now) {
  try {
    await verifyPeerJws(parsed, keys, now);
    return true;
  } catch (error) {
    if (error instanceof BadSignature) return false;
    throw error;
  }
}

function fieldTold({ language, pointer, value }) {
  const words = new Words(language);
  return [fieldName(pointer, words), fieldLines(value, words)];
}

const PARTS = {
  field: fieldTold,
  answer: ({ text }) => orNull(() => readAnswer(text)),
  base64: ({ text }) => hexOrNull(fromBase64(text)),
  base64url: ({ text }) => hexOrNull(fromBase64url(text)),
  event: ({ bytes }) => orNull(() => canonicalOf(parseEvent(bytesOf(bytes)))),
  document: ({ bytes }) => orNull(() => canonicalOf(parseDocument(bytesOf(bytes)))),
  facts: ({ text }) => orNull(() => sortedCodes(readDocument(text).facts)),
  key: ({ jwk }) => orNull(() => readJwk(jwk).kid),
  signature: ({ alg, message, raw, signature }) =>
    verifySignature(alg, raw.map(bytesOf), bytesOf(signature), bytesOf(message)),
  hash: ({ bytes }) => [sha256, sha384, sha512].map((hash) => hex(hash(bytesOf(bytes)))),
  peerKeys: ({ keys }) => orNull(() => peerKeys(keys).length),
  peerSignature: ({ keys, now, text }) => isSigned(parsePeerJws(text), peerKeys(keys), now),
  chainEntry: ({ text }) => orNull(() => readSchema("ChainEntrySchema", parsePeerJws(text).value)) !== null,
  moment: ({ text }) => readMoment(text),
  text: ({ text }) => textProblem(text) === null,
  identifier: ({ form, value }) => problemOf(form, value) === null,
  stream: ({ text }) => parseStream(text) !== null,
  instant: ({ text }) => readInstant(text),
};

async function eachLine(judge) {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== "") process.stdout.write(`${JSON.stringify(await judge(JSON.parse(line)))}\n`);
  }
}

// [bundle or fields, trust file, bundle that the fields go with]
async function judgeFiles(engine, [file, trust, beside]) {
  const trusted = trust === undefined ? null : engine.readTrust(readFileSync(trust));
  const judge = (path) => engine.verify(new Uint8Array(readFileSync(path)), trusted, Date.now());
  const bytes = new Uint8Array(readFileSync(file));
  if (!isDisclosure(bytes)) return judge(file);
  return engine.verifyFields(bytes, beside === undefined ? null : await judge(beside), trusted);
}

async function main() {
  if (option("--own-arithmetic")) withoutWebCrypto();
  const at = args.indexOf("--page");
  const own = { readTrust, verify: verifyFile, verifyFields };
  const engine = at < 0 ? own : pageEngine(args.splice(at, 2)[1]);
  if (option("--cases")) return eachLine((line) => judgeCase(engine, line));
  if (option("--traces")) return eachLine(judgeTrace);
  if (option("--parts")) return eachLine((line) => PARTS[line.part](line));
  const report = await judgeFiles(engine, args);
  process.stdout.write(`${JSON.stringify(report.toValue(), null, 1)}\n`);
}

await main();
