// All streams of one ledger, and the one door through which an event changes them (domain/world.py).
import { knowsBill, knowsDraft } from "./law/access.js";
import { applyCustody, requirePartyToCustody } from "./law/custody.js";
import { applyDraft, requireBookingCarrier } from "./law/drafts.js";
import { applyExchange, requireDesk } from "./law/exchange.js";
import { requireIssuer } from "./law/issue.js";
import { applyParty, keyCountsAt, keyOf, OPERATOR } from "./law/party.js";
import { refuse } from "./law/refusal.js";
import { applyBill } from "./law/title.js";
import { LAW } from "./tables.js";
import { showInstant } from "./time.js";

const LAWS = {
  party: applyParty,
  draft: applyDraft,
  custody: applyCustody,
  bill: applyBill,
  exchange: applyExchange,
};

export class World {
  constructor(origin, from = null) {
    this.origin = origin;
    this.states = new Map(from?.states);
    this.heads = new Map(from?.heads);
    this.documents = new Map(from?.documents);
  }

  party(slug) {
    return this.states.get(`party:${slug}`) ?? null;
  }

  draft(shipment) {
    return this.states.get(`draft:${shipment}`) ?? null;
  }

  custody(shipment, container) {
    return this.states.get(`custody:${shipment}:${container}`) ?? null;
  }

  bill(bill) {
    return this.states.get(`bill:${bill}`) ?? null;
  }

  document(receivedBytes) {
    return this.documents.get(receivedBytes) ?? null;
  }

  addDocument(facts) {
    this.documents.set(facts.receivedBytes, facts);
  }

  // Judges {event, digest, kid, alg, recordedAt, index} and makes it part of this world.
  apply(act) {
    const state = this.judge(act);
    this.states.set(act.event.stream, state);
    this.heads.set(act.event.stream, { sequence: act.event.sequence, digest: act.digest });
    return state;
  }

  // The state of the event's stream after it; throws Refusal and changes nothing.
  judge(act) {
    requireAudience(this, act.event);
    requireTime(act);
    requireKey(this, act);
    requireKnowledge(this, act.event);
    requireHead(this, act.event);
    return LAWS[LAW.actions[act.event.action].law](this, act);
  }
}

function requireAudience(world, event) {
  if (event.audience !== world.origin) {
    refuse("bad_event", `the event is meant for ${event.audience}, this is ${world.origin}`, "/audience");
  }
}

function requireTime({ event, recordedAt }) {
  const { aheadMs, behindMs } = LAW.limits;
  if (event.at < recordedAt - behindMs || event.at > recordedAt + aheadMs) {
    const times = `signed at ${showInstant(event.at)}, recorded at ${showInstant(recordedAt)}`;
    refuse("bad_time", `${times}: at most 24 hours behind and 5 minutes ahead are allowed`, "/at");
  }
}

function requireKey(world, act) {
  const { event, alg, index, kid, recordedAt } = act;
  const actor = world.party(event.actor);
  if (actor === null) {
    if (event.action === "REGISTER" && event.actor === OPERATOR) {
      // The first entry carries its own key; the law of parties compares the two.
      if (index === 0 && event.stream === `party:${OPERATOR}`) return;
      refuse("not_found", "the operator is not registered", "/actor");
    }
    refuse("wrong_key", `${event.actor} is not registered`, "/actor");
  }
  const key = keyOf(actor, kid);
  if (key === null) refuse("wrong_key", `${kid} is not a key of ${event.actor}`, "/actor");
  if (key.alg !== alg) refuse("bad_signature", `key ${kid} is pinned to ${key.alg}, ${alg} was used`);
  if (!keyCountsAt(key, recordedAt)) refuse("key_revoked", `key ${kid} has ended or is not valid`);
  if (actor.suspended && event.action !== "REVOKE_KEY") {
    refuse("suspended", `${event.actor} is suspended`, "/actor");
  }
}

function requireKnowledge(world, event) {
  if (!knows(world, event)) refuse("not_found", `${event.stream} is unknown`, "/stream");
}

function knows(world, event) {
  const [kind, name] = event.stream.split(":");
  if (kind === "party") return true; // parties and keys are public
  if (kind === "custody") return requirePartyToCustody(world, event.actor, name) !== null;
  if (kind === "draft") {
    const draft = world.draft(name);
    if (event.action === "BOOKING") requireBookingCarrier(world, event.actor);
    if (draft === null) return event.action === "BOOKING";
    return knowsDraft(world, draft, event.actor);
  }
  if (event.action === "ISSUE") {
    requireIssuer(world, event);
    return true;
  }
  if (LAW.actions[event.action].law === "exchange") {
    requireDesk(world, event.actor);
    return true;
  }
  const bill = world.bill(name);
  return bill !== null && knowsBill(world, bill, event.actor);
}

function requireHead(world, event) {
  const head = world.heads.get(event.stream);
  const sequence = head === undefined ? 0 : head.sequence + 1;
  const digest = head?.digest ?? null;
  if (event.sequence !== sequence) {
    refuse("stale_head", `sequence ${event.sequence} was signed, the next is ${sequence}`, "/sequence");
  }
  if (event.previous !== digest) {
    refuse("stale_head", `previous ${event.previous} was signed, the head is ${digest}`, "/previous");
  }
}
