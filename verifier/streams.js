// Step 6: the streams, each whole, in order, and ending where it is stated (verification/streams.py).
import { hex } from "./bytes.js";
import { decode, NotUnderstood } from "./events.js";
import { Refusal } from "./law/refusal.js";
import { streamTag } from "./merkle.js";
import { Stop } from "./report.js";
import { readInstant } from "./time.js";

const CHECK = "streams";

// [{signed, recorded}] of the events that are shown, in the order of the log.
export async function readStreams(report, bundle, statement) {
  const tags = new Map(
    Object.keys(statement.heads).map((stream) => [hex(streamTag(stream)), stream]),
  );
  const heads = new Map();
  const replayed = [];
  let clock = null;
  for (const entry of bundle.entries) {
    if (entry.hidden) {
      hiddenLink(report, entry, statement, tags, heads);
      continue;
    }
    const item = await link(report, entry, statement, heads);
    const { recordedAt } = item.recorded;
    if (clock !== null && recordedAt < clock) {
      broken(report, `entry ${entry.index} was recorded before its predecessor`);
    }
    clock = recordedAt;
    replayed.push(item);
  }
  requireEnds(report, statement, heads);
  if (clock !== null && statement.at < clock) {
    broken(report, "the statement is older than an entry it rests on");
  }
  report.valid(CHECK, "complete", `${heads.size} streams, each from its beginning to its head`);
  return replayed;
}

function broken(report, message) {
  report.broken(CHECK, "broken_stream", message);
}

async function link(report, entry, statement, heads) {
  const signed = await readable(report, entry);
  const { event, parsed } = signed;
  if (!(event.stream in statement.heads)) {
    broken(report, `entry ${entry.index} belongs to ${event.stream}, which is not stated`);
  }
  const head = heads.get(event.stream);
  const expected = head === undefined ? 0 : head.sequence + 1;
  if (event.sequence !== expected) {
    broken(report, `${event.stream}: sequence ${expected} is missing or occurs twice`);
  }
  // After a placeholder the digest before is not known; the tree still proves the order.
  if (head !== undefined && head.digest !== "" && event.previous !== head.digest) {
    broken(report, `entry ${entry.index} does not continue ${event.stream}`);
  }
  if (head === undefined && event.previous !== null) {
    broken(report, `entry ${entry.index} begins ${event.stream} but names a predecessor`);
  }
  const { alg, digest, kid } = parsed;
  heads.set(event.stream, { sequence: event.sequence, digest });
  const recordedAt = readInstant(entry.recordedAt);
  return { signed, recorded: { event, digest, kid, alg, recordedAt, index: entry.index } };
}

async function readable(report, entry) {
  try {
    return await decode(entry.event);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const message = `entry ${entry.index}: ${error.message}`;
    if (!(error instanceof NotUnderstood)) report.broken(CHECK, error.code, message);
    report.unknown(CHECK, "not_understood", message, "Use a newer verifier.");
    throw new Stop();
  }
}

function hiddenLink(report, entry, statement, tags, heads) {
  if (statement.control !== null) {
    report.broken(CHECK, "hidden_entry", `entry ${entry.index} was taken out of a whole file`);
  }
  const stream = tags.get(hex(entry.tag));
  if (stream === undefined) {
    broken(report, `entry ${entry.index} belongs to a stream that is not stated`);
  }
  const expected = heads.has(stream) ? heads.get(stream).sequence + 1 : 0;
  if (entry.sequence !== expected) {
    broken(report, `${stream} has sequence ${entry.sequence}, ${expected} is missing`);
  }
  heads.set(stream, { sequence: entry.sequence, digest: "" });
}

function requireEnds(report, statement, heads) {
  for (const [stream, stated] of Object.entries(statement.heads)) {
    const head = heads.get(stream);
    if (head?.sequence !== stated.sequence) {
      broken(report, `${stream} does not end at ${stated.sequence}, as the statement says`);
    }
    if (head.digest !== "" && head.digest !== stated.digest) {
      broken(report, `${stream} does not end with ${stated.digest}, as the statement says`);
    }
  }
}
