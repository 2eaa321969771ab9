// The law of issuing: what must be true before a bill comes into the world (domain/issue.py).
import { LAW } from "../tables.js";
import { isLocalDate } from "../time.js";
import { keyCountsAt, keyOf, OPERATOR } from "./party.js";
import { refuse } from "./refusal.js";

export function issued(world, act) {
  const { event } = act;
  requireIssuer(world, event);
  const facts = factsFor(world, event);
  if (world.bill(facts.checksum) !== null) {
    refuse("number_used", `bill ${facts.checksum} was issued before`, "/stream");
  }
  const draft = world.draft(event.shipment);
  if (draft === null || draft.carrier !== event.actor) {
    refuse("not_carrier", `${event.actor} has not booked ${event.shipment}`, "/details/shipment");
  }
  checkDocument(facts, event);
  checkManifest(world, act, facts);
  checkApproval(draft, facts);
  checkParties(world, draft, event, facts);
  for (const slug of [event.actor, event.parties.shipper, event.issueTo]) {
    requireConsent(world.party(slug), slug, event.rulebook);
  }
  const boxes = custodyOf(world, event, facts);
  checkDates(event, facts, boxes);
  return newBill(event, facts);
}

export function requireIssuer(world, event) {
  const code = world.party(event.actor)?.carrierCode ?? null;
  if (code === null) refuse("not_carrier", `${event.actor} is not registered as a carrier`, "/actor");
  const facts = factsFor(world, event);
  if (code.code !== facts.carrierCode || code.provider !== facts.carrierCodeListProvider) {
    refuse("not_carrier", `the document bears carrier code ${facts.carrierCode}`, "/actor");
  }
}

function factsFor(world, event) {
  const facts = world.document(event.receivedBytes);
  if (facts === null) {
    refuse("bad_event", `no document with SHA-256 ${event.receivedBytes}`, "/details/receivedBytes");
  }
  if (`bill:${facts.checksum}` !== event.stream) {
    refuse("bad_event", `the document's checksum is ${facts.checksum}`, "/stream");
  }
  return facts;
}

function checkDocument(facts, event) {
  if (facts.typeCode !== "BOL") refuse("wrong_bill_type", "only a BOL is a document of title");
  if (!facts.isElectronic || facts.status !== "ISSUED") {
    refuse("bad_event", "the document must be electronic with status ISSUED");
  }
  if (event.contentDigest !== facts.contentDigest) {
    refuse("stale_draft", `the document's content is ${facts.contentDigest}`, "/details/contentDigest");
  }
}

function checkManifest(world, act, facts) {
  const { event, recordedAt } = act;
  const pointer = "/details/issuanceManifestSignedContent";
  const carrier = world.party(event.actor);
  const key = carrier && keyOf(carrier, event.manifest.kid);
  if (!key || !keyCountsAt(key, recordedAt)) {
    refuse("key_revoked", `the manifest's key is no valid key of ${event.actor}`, pointer);
  }
  if (event.manifest.documentChecksum !== facts.checksum) {
    refuse("bad_event", `the manifest names ${event.manifest.documentChecksum}`, pointer);
  }
  if (event.manifest.issueToChecksum !== event.issueToChecksum) {
    refuse("bad_event", "the manifest names another issueTo", pointer);
  }
}

function checkApproval(draft, facts) {
  if (draft.status !== "APPROVED" || draft.version === null) {
    refuse("stale_draft", `the draft of shipment ${draft.shipment} is ${draft.status}`);
  }
  if (draft.version.contentDigest !== facts.contentDigest) {
    refuse("stale_draft", "another content was approved", "/details/contentDigest");
  }
  if (!facts.bookingReferences.includes(draft.reference)) {
    refuse("bad_event", `the shipment was booked as ${draft.reference}`, "/details/shipment");
  }
}

function checkParties(world, draft, event, facts) {
  const { parties, issueTo, actor } = event;
  const place = (member) => `/details/parties/${member}`;
  if (parties.shipper !== draft.shipper) {
    refuse("bad_event", `the booking names shipper ${draft.shipper}`, place("shipper"));
  }
  match(world, parties.shipper, facts.shipper, place("shipper"));
  match(world, parties.consignee, facts.consignee, place("consignee"));
  const title = facts.kind === "STRAIGHT" ? facts.consignee : facts.endorsee;
  match(world, parties.titleHolder, title, place("titleHolder"));
  parties.notify.forEach((slug, at) => {
    if (!facts.notify.some((reference) => fits(world, slug, reference))) {
      refuse("bad_event", `${slug} is no notify party of the document`, place(`notify/${at}`));
    }
  });
  const barred = [actor, OPERATOR];
  if (barred.includes(issueTo)) {
    refuse("bad_recipient", `${issueTo} cannot be the first possessor`, "/details/issueTo");
  }
  const named = [parties.shipper, parties.consignee, parties.titleHolder];
  if (barred.some((slug) => named.includes(slug))) {
    refuse("bad_recipient", "neither carrier nor operator ever holds a bill", "/details/parties");
  }
  if (facts.kind === "STRAIGHT" && issueTo !== parties.shipper && issueTo !== parties.consignee) {
    refuse("wrong_bill_type", "a straight bill is issued to its shipper or consignee");
  }
}

function match(world, slug, reference, pointer) {
  if ((slug === null) !== (reference === null)) {
    refuse("bad_event", `the document names ${reference?.name ?? "nobody"} here`, pointer);
  }
  if (slug !== null && !fits(world, slug, reference)) {
    refuse("bad_event", `${slug} is not the party that the document names`, pointer);
  }
}

// Whether the document means this party: one identifier agrees and none contradicts.
function fits(world, slug, reference) {
  const party = world.party(slug);
  if (party === null || party.suspended) return false;
  const own = new Map([["SLUG", slug], ...party.identity.identifiers.map((id) => [id.type, id.value])]);
  const comparable = reference.codes.filter(([kind]) => own.has(kind));
  return comparable.length > 0 && comparable.every(([kind, value]) => own.get(kind) === value);
}

// The party must be able to receive a bill that lives under `rulebook`.
export function requireConsent(party, slug, rulebook) {
  const code = LAW.bill.holder[standing(party, rulebook)];
  if (code !== null) refuse(code, `${slug} cannot hold a bill under the rulebook ${rulebook}`);
}

function standing(party, rulebook) {
  if (party === null) return "unknown";
  if (party.suspended) return "suspended";
  if (party.roles.includes("OPERATOR")) return "operator";
  if (party.roles.includes("EXCHANGE")) return "desk";
  return party.rulebooks.includes(rulebook) ? "consenting" : "without consent";
}

// Who runs the platform holds no bill on it.
export function neverHolds(party) {
  return ["operator", "desk"].includes(standing({ ...party, suspended: false }, ""));
}

function custodyOf(world, event, facts) {
  return facts.equipment.map((container) => {
    const box = world.custody(event.shipment, container);
    return box ?? refuse("not_on_bill", `container ${container} was not received`);
  });
}

function checkDates(event, facts, boxes) {
  const onBoard = facts.isShippedOnBoard;
  const proven = onBoard ? provenLoading(facts, boxes) : latest(boxes.map((box) => box.receivedOn));
  const stated = onBoard ? facts.shippedOnBoardDate : facts.receivedForShipmentDate;
  if (stated !== proven) refuse("antedating", `the document says ${stated}, events prove ${proven}`);
  if (facts.issueDate === null || !isLocalDate(facts.issueDate, event.at)) {
    refuse("antedating", `the document says issued ${facts.issueDate}, it was signed another day`);
  }
  if (facts.issueDate < proven) refuse("antedating", `issued ${facts.issueDate}, before ${proven}`);
}

function provenLoading(facts, boxes) {
  const loading = latestLoading(boxes);
  if (loading === null) refuse("not_loaded", "not every container is loaded on one vessel");
  const { vessel, voyage } = loading;
  if (!facts.sailings.some((sailing) => sailing.vessel === vessel && sailing.voyage === voyage)) {
    refuse("not_loaded", `the containers are on ${vessel} ${voyage}, which is not on the bill`);
  }
  return loading.localDate;
}

function latest(days) {
  return days.reduce((found, day) => (found === undefined || day > found ? day : found), undefined);
}

// The last loading, if every container was loaded on the same vessel and voyage.
export function latestLoading(boxes) {
  const loadings = boxes.map((box) => box.loading).filter((loading) => loading !== null);
  const first = loadings[0];
  const same = loadings.every(
    ({ vessel, voyage }) => vessel === first.vessel && voyage === first.voyage,
  );
  if (loadings.length !== boxes.length || first === undefined || !same) return null;
  return loadings.reduce((last, next) => (next.localDate > last.localDate ? next : last));
}

// Of what platforms tell each other, as long as they have told nothing.
export const NOTHING_ABROAD = { known: null, arrivals: [], surrender: null };

function newBill(event, facts) {
  const { parties } = event;
  const control = { possessor: event.issueTo, titleHolder: parties.titleHolder, final: false };
  const controllers = new Set([control.possessor, control.titleHolder]);
  controllers.delete(null);
  return {
    bill: facts.checksum,
    reference: facts.reference,
    kind: facts.kind,
    carrier: event.actor,
    shipment: event.shipment,
    shipper: parties.shipper,
    consignee: parties.consignee,
    notify: parties.notify,
    containers: facts.equipment,
    sailings: facts.sailings,
    rulebook: event.rulebook,
    status: "ISSUED",
    control,
    giving: { before: control, presentation: null, isIssue: true },
    receivedOn: facts.receivedForShipmentDate,
    onBoardOn: facts.shippedOnBoardDate,
    surrenderedBy: null,
    tenures: [...controllers].map((party) => ({ party, last: null })),
    orders: [],
    presentation: null,
    deliveryConfirmed: false,
    home: null,
    transit: null,
    abroad: NOTHING_ABROAD,
  };
}
