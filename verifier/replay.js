// Steps 8 and 9: signatures and law, event by event in the order of the log (verification/replay.py).
import { BadSignature, verifyJws } from "./jws.js";
import { publicKey } from "./keys.js";
import { keyCountsAt, keyOf, OPERATOR } from "./law/party.js";
import { Refusal } from "./law/refusal.js";
import { liveStatus } from "./law/title.js";
import { LAW } from "./tables.js";

export async function replay(report, trust, statement, replayed, world) {
  const partial = statement.control === null;
  for (const item of replayed) {
    await checkSignatures(report, trust, item, world);
    const isPartyEvent = LAW.actions[item.recorded.event.action].stream === "party";
    if (!partial || isPartyEvent) applyLaw(report, item.recorded, world);
    else requireKeyCounts(report, item.recorded, world);
    report.signed.push(signedBy(item.recorded, world));
  }
  report.valid("signatures", "signed", `${replayed.length} events, each by a key of its own actor`);
  if (partial) statedTitle(report, statement);
  else replayedTitle(report, statement, world);
}

async function checkSignatures(report, trust, { recorded, signed }, world) {
  const { event, index, kid } = recorded;
  if (index === 0 && !trust.registrarKids.includes(kid)) {
    const message = `the log begins with key ${kid}, which the trust file does not name`;
    report.broken("signatures", "unknown_registrar", message);
  }
  for (const parsed of signed.signatures) {
    const why = await signatureProblem(parsed, event, world);
    if (why !== null) {
      report.broken("signatures", "bad_signature", `entry ${index}, ${event.action}: ${why}`);
    }
  }
}

async function signatureProblem(parsed, event, world) {
  const key = registeredKey(parsed.kid, event, world);
  if (key === null) return `no key ${parsed.kid} is registered`;
  try {
    await verifyJws(parsed, key);
    return null;
  } catch (error) {
    if (error instanceof BadSignature) return error.message;
    throw error;
  }
}

function registeredKey(kid, event, world) {
  const party = world.party(event.actor);
  const record = party && keyOf(party, kid);
  if (record) return publicKey(record.jwk);
  // The operator's registration of itself is signed with the key that it registers.
  const own = event.action === "REGISTER" && event.actor === OPERATOR && event.key.kid === kid;
  return own ? publicKey(event.key.jwk) : null;
}

function applyLaw(report, recorded, world) {
  try {
    world.apply(recorded);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { action, actor } = recorded.event;
    const message = `entry ${recorded.index}, ${action} by ${actor}: ${error.message}`;
    report.broken("law", error.code, message);
  }
}

function requireKeyCounts(report, { event, index, kid, recordedAt }, world) {
  const party = world.party(event.actor);
  const key = party && keyOf(party, kid);
  if (!key || !keyCountsAt(key, recordedAt)) {
    const message = `entry ${index}: ${kid} was no valid key of ${event.actor}`;
    report.broken("signatures", "key_revoked", message);
  }
}

function signedBy({ event, index, kid, recordedAt }, world) {
  const { action, actor, at, stream } = event;
  const name = world.party(actor)?.identity.legalName ?? actor;
  return { index, stream, action, actor, name, at, recordedAt, kid };
}

function replayedTitle(report, statement, world) {
  const bill = world.bill(statement.bill);
  if (bill === null) report.broken("law", "no_issue", "the file holds no ISSUE of this bill");
  const { possessor, titleHolder, final } = bill.control;
  const status = liveStatus(world, bill);
  const stated = statement.control;
  const agrees =
    status === statement.status &&
    possessor === stated.possessor &&
    titleHolder === stated.titleHolder &&
    final === stated.final;
  if (!agrees) {
    const found = `${status}, ${possessor}, ${titleHolder}, ${final}`;
    const said = `${statement.status}, ${stated.possessor}, ${stated.titleHolder}, ${stated.final}`;
    report.broken("law", "title_differs", `the events make ${found}; the statement says ${said}`);
  }
  report.valid("law", "lawful", "every act was lawful when recorded; the title follows");
  report.title = {
    ...titleOf(statement, status),
    transportDocumentReference: bill.reference,
    possessor,
    titleHolder,
    inBlank: titleHolder === null,
    replayed: true,
  };
}

function statedTitle(report, statement) {
  report.valid("law", "as_stated", "a partial file: the status is as stated by the platform");
  report.title = titleOf(statement, statement.status);
}

function titleOf({ at, bill, origin }, status) {
  const unknown = { transportDocumentReference: null, possessor: null, titleHolder: null };
  return { origin, bill, status, ...unknown, inBlank: false, asOf: at, replayed: false };
}
