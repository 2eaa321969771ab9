// Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature).
import { bigintOf, concat, equal, fromBase64, hex, utf8 } from "./bytes.js";
import { hasSmallOrder } from "./ed25519.js";
import { verifySignature } from "./keys.js";
import { sha256 } from "./sha2.js";
import { LAW } from "./tables.js";
import { codePoints, rangeClass } from "./text.js";

const SIGNED = 1;
const COSIGNED = 4;
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;
const MAX_SIZE = 2n ** 63n - 1n;

const blank = rangeClass(LAW.text.blank);
const NAME = new RegExp(`^[^${blank}+\\u{0}-\\u{1f}\\u{7f}\\u{d800}-\\u{dfff}]+$`, "u");
const LINE = new RegExp(`^— ([^${blank}+]+) ([A-Za-z0-9+/]+={0,2})$`, "u");

export class NoteError extends Error {}

function requireBase64(text) {
  const bytes = fromBase64(text);
  if (bytes === null) throw new NoteError(`${text.slice(0, 60)} is not canonical base64`);
  return bytes;
}

// {name, type, raw, id}; throws NoteError.
export function parseVkey(vkey) {
  const at = [vkey.indexOf("+"), vkey.indexOf("+", vkey.indexOf("+") + 1)];
  if (at[0] < 0 || at[1] < 0) throw new NoteError("a vkey is name+id+key");
  const name = vkey.slice(0, at[0]);
  const typed = requireBase64(vkey.slice(at[1] + 1));
  if (typed[0] !== SIGNED && typed[0] !== COSIGNED) {
    throw new NoteError("a vkey has the key type 0x01 or 0x04");
  }
  if (!NAME.test(name)) throw new NoteError("a key name is empty or has a space");
  if (typed.length !== 33) throw new NoteError("an Ed25519 key has 32 bytes");
  if (hasSmallOrder(typed.subarray(1))) throw new NoteError("a point of small order binds nobody");
  const id = hex(sha256(concat(utf8(`${name}\n`), typed)).subarray(0, 4));
  if (id !== vkey.slice(at[0] + 1, at[1])) throw new NoteError(`the vkey of ${name} has the id ${id}`);
  return { name, type: typed[0], raw: typed.subarray(1), id };
}

function parseNote(note) {
  if (codePoints(note) > LAW.limits.noteCharacters || CONTROL.test(note)) {
    throw new NoteError("a note is too long or holds a control character");
  }
  const middle = note.lastIndexOf("\n\n");
  const lines = note.slice(middle + 2);
  if (middle < 0 || !lines.endsWith("\n")) {
    throw new NoteError("a note is a text, an empty line, and signature lines");
  }
  const signatures = lines.slice(0, -1).split("\n").map(parseLine);
  if (signatures.length > LAW.limits.noteSignatures) throw new NoteError("too many signatures");
  return { text: `${note.slice(0, middle)}\n`, signatures };
}

function parseLine(line) {
  const found = LINE.exec(line);
  if (found === null) throw new NoteError(`${line.slice(0, 60)} is not a signature line`);
  const raw = requireBase64(found[2]);
  if (raw.length < 5) throw new NoteError(`the signature of ${found[1]} is too short`);
  return { name: found[1], id: hex(raw.subarray(0, 4)), signature: raw.subarray(4) };
}

// A line whose key is not known is passed over; a known key's wrong signature condemns the note.
async function verifiedBy(note, keys) {
  const known = new Map(keys.map((key) => [`${key.name} ${key.id}`, key]));
  const by = [];
  for (const line of note.signatures) {
    const key = known.get(`${line.name} ${line.id}`);
    if (key !== undefined) by.push(await verifiedLine(note.text, key, line.signature));
  }
  if (by.length === 0) throw new NoteError("no known key signed the note");
  return by;
}

async function verifiedLine(text, key, signature) {
  let [message, signed] = [utf8(text), signature];
  if (key.type === COSIGNED) {
    if (signature.length < 8) throw new NoteError(`the cosignature of ${key.name} has no time`);
    const time = bigintOf(signature.subarray(0, 8));
    [message, signed] = [utf8(`cosignature/v1\ntime ${time}\n${text}`), signature.subarray(8)];
  }
  const holds =
    signed.length === 64 && (await verifySignature("Ed25519", [key.raw], signed, message));
  if (!holds) throw new NoteError(`the signature of ${key.name} (${key.id}) is wrong`);
  return key;
}

function parseCheckpoint(body) {
  const lines = body.split("\n");
  if (lines.pop() !== "" || lines.length < 3) {
    throw new NoteError("a checkpoint has an origin, a size and a root");
  }
  const [origin, size, root, ...extensions] = lines;
  if (!/^(?:0|[1-9][0-9]{0,18})$/.test(size)) throw new NoteError("the size is no plain number");
  const hash = requireBase64(root);
  if (!NAME.test(origin)) throw new NoteError("the origin is empty or has a space");
  if (BigInt(size) > MAX_SIZE) throw new NoteError(`the size is beyond ${MAX_SIZE}`);
  if (hash.length !== 32) throw new NoteError(`a root has 32 bytes, not ${hash.length}`);
  if (extensions.includes("")) throw new NoteError("an extension line is empty");
  return { origin, size: BigInt(size), root: hash };
}

// {origin, size (BigInt), root, witnesses (names)}; throws NoteError unless the log signed it.
export async function openCheckpoint(note, keys) {
  const parsed = parseNote(note);
  const by = await verifiedBy(parsed, keys);
  const checkpoint = parseCheckpoint(parsed.text);
  if (!by.some((key) => key.type === SIGNED && key.name === checkpoint.origin)) {
    throw new NoteError(`the checkpoint of ${checkpoint.origin} lacks that log's own signature`);
  }
  const names = by.filter((key) => key.type === COSIGNED).map((key) => key.name);
  return { ...checkpoint, witnesses: new Set(names) };
}

export function sameCheckpoint(checkpoint, statement) {
  return (
    checkpoint.origin === statement.origin &&
    checkpoint.size === BigInt(statement.size) &&
    equal(checkpoint.root, statement.root)
  );
}
