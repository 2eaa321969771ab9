// Verifies an evidence bundle from the file and a trust file alone (verification/verifier.py).
//
// The steps are those of docs/verification.md, with the same names, codes and verdicts. Steps
// after a failed one that they rest on are not run.
import { BundleError, checkpointDigest, readBundle, readStatement, UnknownVersion } from "./bundle.js";
import { crossingsStep } from "./crossings.js";
import { DocumentError, readDocument } from "./document.js";
import { decode, NotUnderstood } from "./events.js";
import { BadSignature, verifyJws } from "./jws.js";
import { Refusal } from "./law/refusal.js";
import { entryDigest, leafOf, ProofError, streamTag, verifyInclusion } from "./merkle.js";
import { NoteError, openCheckpoint, sameCheckpoint } from "./note.js";
import { replay } from "./replay.js";
import { ASK_AGAIN, Report, Stop } from "./report.js";
import { readStreams } from "./streams.js";
import { LAW } from "./tables.js";
import { showInstant } from "./time.js";
import { checkpointKeys } from "./trust.js";
import { World } from "./world.js";

// The report on the bytes of a bundle; `trust` is read already or null, `now` is in milliseconds.
// `report.shown` holds what can be shown of the file: document and replayed world.
export async function verify(bytes, trust, now) {
  const report = new Report(trust?.demo ?? false);
  report.shown = nothingShown();
  try {
    await run(report, bytes, trust, now);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
  }
  return report.conclude();
}

export function nothingShown() {
  return { document: null, facts: null, world: null, events: [], statement: null };
}

async function run(report, bytes, trust, now) {
  const { bundle, statement, parsed } = fileStep(report, bytes);
  report.shown.statement = statement;
  trustStep(report, trust, statement);
  await statementStep(report, trust, bundle, statement, parsed);
  const checkpoint = await checkpointStep(report, trust, bundle, statement);
  await inclusionStep(report, bundle, checkpoint);
  const replayed = await readStreams(report, bundle, statement);
  const world = new World(statement.origin);
  documentStep(report, bundle, statement, world);
  report.shown.world = world;
  report.shown.events = replayed.map((item) => item.recorded);
  await replay(report, trust, statement, replayed, world);
  const { document } = report.shown;
  await crossingsStep(report, trust, bundle, statement, replayed, world, document);
  currencyStep(report, trust, statement, now);
}

function fileStep(report, bytes) {
  try {
    const bundle = readBundle(bytes);
    const found = { bundle, ...readStatement(bundle.statement) };
    report.valid("file", "well_formed", `${bundle.entries.length} entries, canonical`);
    return found;
  } catch (error) {
    if (error instanceof BundleError) report.broken("file", "bad_file", error.message);
    if (!(error instanceof UnknownVersion)) throw error;
    report.unknown("file", "unknown_version", error.message, "Use a newer verifier.");
    throw new Stop();
  }
}

function trustStep(report, trust, statement) {
  if (trust === null) {
    const message = `nothing says which keys speak for ${statement.origin}`;
    const next = "Get the platform's trust file from its publication, not together with this file.";
    report.unknown("trust", "no_trust_file", message, next);
    throw new Stop();
  }
  if (trust.origin !== statement.origin) {
    const message = `the trust file is for ${trust.origin}, the file is of ${statement.origin}`;
    report.unknown("trust", "other_platform", message, `Use the trust file of ${statement.origin}.`);
    throw new Stop();
  }
  const demo = trust.demo ? " (a demonstration, without legal effect)" : "";
  report.valid("trust", "trusted_origin", `trust file of ${trust.origin}${demo}`);
}

async function statementStep(report, trust, bundle, statement, parsed) {
  // As in a dictionary, a key named twice counts as it was named last.
  const key = trust.statementKeys.findLast((known) => known.kid === parsed.kid);
  try {
    if (key === undefined) throw new BadSignature(`${parsed.kid} is no statement key`);
    await verifyJws(parsed, key);
  } catch (error) {
    if (!(error instanceof BadSignature)) throw error;
    report.broken("statement", "bad_statement_signature", error.message);
  }
  if (statement.checkpointDigest !== checkpointDigest(bundle.checkpoint)) {
    const message = "the statement was made for another checkpoint than the one in the file";
    report.broken("statement", "other_checkpoint", message);
  }
  const message = `stated by ${trust.origin} at ${showInstant(statement.at)}`;
  report.valid("statement", "signed_statement", message);
}

async function checkpointStep(report, trust, bundle, statement) {
  let checkpoint;
  try {
    checkpoint = await openCheckpoint(bundle.checkpoint, checkpointKeys(trust, statement.size));
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    report.broken("checkpoint", "bad_checkpoint", error.message);
  }
  if (!sameCheckpoint(checkpoint, statement)) {
    const told = ({ origin, size }) => `${origin} at size ${size}`;
    const message = `the checkpoint is of ${told(checkpoint)}, the statement of ${told(statement)}`;
    report.broken("checkpoint", "checkpoint_differs", message);
  }
  const cosigned = checkpoint.witnesses.size;
  if (cosigned < trust.quorum) {
    const message = `${cosigned} witnesses cosigned, the trust file asks for ${trust.quorum}`;
    report.unknown("checkpoint", "too_few_witnesses", message, ASK_AGAIN);
    return checkpoint;
  }
  const message = `size ${checkpoint.size}, ${cosigned} of ${trust.quorum} required witnesses`;
  report.valid("checkpoint", "signed_checkpoint", message);
  return checkpoint;
}

async function inclusionStep(report, bundle, checkpoint) {
  bundle.entries.forEach((entry, at) => {
    if (at > 0 && entry.index <= bundle.entries[at - 1].index) {
      report.broken("inclusion", "bad_order", "the entries are not in the order of the log");
    }
  });
  for (const entry of bundle.entries) {
    try {
      const leaf = await leafFor(entry);
      verifyInclusion(leaf, entry.index, checkpoint.size, entry.proof, checkpoint.root);
    } catch (error) {
      if (!(error instanceof ProofError)) throw error;
      report.broken("inclusion", "not_included", `entry ${entry.index}: ${error.message}`);
    }
  }
  report.valid("inclusion", "included", `all ${bundle.entries.length} entries are in the log's tree`);
}

async function leafFor(entry) {
  if (entry.hidden) return leafOf(entry.tag, entry.sequence, entry.digest);
  const { stream, sequence } = await placeOf(entry.event);
  return leafOf(streamTag(stream), sequence, entryDigest(entry.event, entry.recordedAt));
}

// Where the event says that it belongs. What cannot be read belongs nowhere, so that its leaf is in
// no tree; a later version's event is, and step 6 then says that it is not understood.
async function placeOf(compact) {
  const nowhere = { stream: "", sequence: 0 };
  try {
    return (await decode(compact)).event;
  } catch (error) {
    if (error instanceof NotUnderstood) return error.place ?? nowhere;
    if (error instanceof Refusal) return nowhere;
    throw error;
  }
}

function documentStep(report, bundle, statement, world) {
  if (bundle.document === null) {
    if (statement.control === null) return;
    report.broken("document", "no_document", "the document is missing");
  }
  let read;
  try {
    read = readDocument(bundle.document);
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    report.broken("document", "unreadable_document", error.message);
  }
  const { checksum, receivedBytes, reference } = read.facts;
  if (checksum !== statement.bill) {
    const message = `the document's checksum is ${checksum}, the bill is ${statement.bill}`;
    report.broken("document", "other_document", message);
  }
  world.addDocument(read.facts);
  Object.assign(report.shown, { document: read.value, facts: read.facts });
  report.valid("document", "right_document", `B/L ${reference}, SHA-256 as received ${receivedBytes}`);
}

function currencyStep(report, trust, statement, now) {
  const age = now - statement.at;
  const seconds = Math.floor(age / 1000);
  if (LAW.names.endedStatuses.includes(statement.status)) {
    report.valid("currency", "ended", `the bill has ended: ${statement.status}`);
  } else if (statement.status === "MOVED") {
    const message = "the original has moved to another platform, where more may have happened";
    const next = "Ask the platform that holds the original now; this one cannot speak for it.";
    report.unknown("currency", "moved", message, next);
  } else if (age < -LAW.limits.clockToleranceMs) {
    const message = `stated at ${showInstant(statement.at)}, this clock says ${showInstant(now)}`;
    const next = "Set the clock of this machine and verify again.";
    report.unknown("currency", "from_the_future", message, next);
  } else if (age > trust.maxAge * 1000) {
    const limit = `at most ${trust.maxAge} count as current; the bill may have moved since`;
    report.unknown("currency", "stale", `stated ${seconds} seconds ago, ${limit}`, ASK_AGAIN);
  } else {
    report.valid("currency", "current", `stated ${Math.max(0, seconds)} seconds ago`);
  }
}
