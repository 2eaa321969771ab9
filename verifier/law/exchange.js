// The law of the border: how an original leaves for another platform, and how it comes
// (domain/exchange.py).
//
// Which answers and which transactions of a chain from abroad are lawful is in the generated tables.
import { isForeign, platformOf } from "../identifiers.js";
import { LAW } from "../tables.js";
import { neverHolds, NOTHING_ABROAD, requireConsent } from "./issue.js";
import { refuse } from "./refusal.js";
import { answerTo } from "./rows.js";
import { controllers, withTenures } from "./title.js";

const TABLE = LAW.exchange;

// By the desk, as the world has seen to.
export function applyExchange(world, { event }) {
  const bill = event.stream.slice("bill:".length);
  const state = world.bill(bill);
  if (event.action === "IMPORTED") return imported(world, state, event, bill);
  if (state === null) refuse("not_found", `${event.stream} is unknown`);
  return withTenures(state, ACTS[event.action](world, state, event), event.sequence);
}

// Only the platform's exchange desk records what crossed the border.
export function requireDesk(world, actor) {
  if (!world.party(actor)?.roles.includes("EXCHANGE")) {
    refuse("not_exchange", `${actor} is not the exchange desk of this platform`, "/actor");
  }
}

const ACTS = {
  SENT: (_, state, event) => {
    const transit = transitOf(state, event.platform);
    if (transit.sent !== null) {
      refuse("bad_chain", `envelope ${transit.sent.envelope} is on its way`, "/details/envelope");
    }
    return { ...state, transit: { ...transit, sent: carriage(event) } };
  },
  MOVED: (_, state, event) => moved(state, answered(state, event)),
  NOT_MOVED: (_, state, event) => {
    const transit = answered(state, event);
    return { ...state, status: transit.otherwise, transit: null };
  },
  RETURNED: (world, state, event) => returned(world, state, event),
};

// -- out ------------------------------------------------------------------------------------------

function transitOf(state, platform) {
  const { reference, transit } = state;
  if (transit === null) refuse("bad_chain", `nothing of bill ${reference} waits to go to ${platform}`);
  if (transit.platform !== platform) {
    const message = `bill ${reference} goes to ${transit.platform}, not to ${platform}`;
    refuse("bad_chain", message, "/details/platform");
  }
  return transit;
}

// The transit that the other platform's answer is about.
function answered(state, { action, answer, platform }) {
  const transit = transitOf(state, platform);
  const pointer = "/details/answer";
  if (transit.sent === null) refuse("bad_chain", `no envelope was sent to ${platform}`);
  if (answer.lastEntry !== transit.sent.lastEntry) {
    const { lastEntry } = transit.sent;
    refuse("bad_chain", `the answer is about ${answer.lastEntry}, ${lastEntry} was sent`, pointer);
  }
  const codes = TABLE.answers[action];
  if (!codes.includes(answer.code)) {
    refuse("bad_chain", `the answer is ${answer.code}, ${action} takes ${codes.join(", ")}`, pointer);
  }
  return transit;
}

function moved(state, { after, presentation, sent, surrender }) {
  const abroad = { ...state.abroad, known: sent };
  if (after === null) return { ...state, transit: null, abroad };
  return {
    ...state,
    status: "MOVED",
    control: after,
    giving: null,
    transit: null,
    surrenderedBy: surrender === null ? null : state.control.possessor,
    presentation,
    abroad: { ...abroad, surrender },
  };
}

// -- in -------------------------------------------------------------------------------------------

function imported(world, existing, event, bill) {
  if (existing !== null) refuse("number_used", `bill ${bill} is known here as ${existing.status}`);
  const facts = world.document(event.receivedBytes);
  if (facts?.checksum !== bill) {
    const found = facts?.checksum ?? "of nothing stored";
    refuse("bad_event", `the document's checksum is ${found}`, "/details/document");
  }
  const { carrier, home } = event;
  if (!isForeign(carrier) || platformOf(carrier) !== home) {
    refuse("bad_chain", `${carrier} is no party of the platform ${home}`, "/details/carrier");
  }
  for (const slug of [event.shipper, event.consignee, event.titleHolder]) {
    const party = slug === null ? null : world.party(slug);
    if (party !== null && neverHolds(party)) {
      refuse("bad_recipient", `${slug} runs the platform and cannot have title`, "/details");
    }
  }
  const arrived = arrival(settled(world, told(world, asIssued(event, facts), event.steps)), event);
  const named = [...controllers(arrived)].sort();
  return { ...arrived, tenures: named.map((party) => ({ party, last: null })) };
}

function asIssued(event, facts) {
  return {
    bill: facts.checksum,
    reference: facts.reference,
    kind: facts.kind,
    carrier: event.carrier,
    shipment: "",
    shipper: event.shipper,
    consignee: event.consignee,
    notify: [],
    containers: facts.equipment,
    sailings: facts.sailings,
    rulebook: event.rulebook,
    status: "MOVED",
    control: { possessor: event.issueTo, titleHolder: event.titleHolder, final: false },
    giving: null,
    receivedOn: facts.receivedForShipmentDate,
    onBoardOn: facts.shippedOnBoardDate,
    surrenderedBy: null,
    tenures: [],
    orders: [],
    presentation: null,
    deliveryConfirmed: false,
    home: event.home,
    transit: null,
    abroad: NOTHING_ABROAD,
  };
}

function returned(world, state, event) {
  const { abroad, reference, status, transit } = state;
  if (transit !== null) {
    refuse("in_transit", `bill ${reference} waits for the answer of ${transit.platform}`);
  }
  if (status !== "MOVED") {
    refuse("bad_chain", `the original of bill ${reference} is here (${status})`);
  }
  if (abroad.arrivals.includes(event.lastEntry)) {
    refuse("bad_chain", `the chain ${event.lastEntry} has arrived before`, "/details/lastEntry");
  }
  const back = settled(world, told(world, state, event.steps));
  return arrival({ ...back, presentation: null }, event);
}

function arrival(state, event) {
  const arrivals = [...state.abroad.arrivals, event.lastEntry];
  return { ...state, abroad: { ...state.abroad, known: carriage(event), arrivals } };
}

function carriage({ envelope, lastEntry }) {
  return { envelope, lastEntry };
}

// The status in which the transactions leave the bill on this platform.
function settled(world, state) {
  if (state.status === "SURRENDERED_FOR_DELIVERY") return state;
  const { possessor } = state.control;
  if (isForeign(possessor)) return { ...state, status: "MOVED" };
  const { surrender } = state.abroad;
  if (surrender !== null) {
    return { ...state, status: surrender, abroad: { ...state.abroad, surrender: null } };
  }
  requireConsent(world.party(possessor), possessor, state.rulebook);
  return { ...state, status: "ISSUED" };
}

// -- the transactions in between ------------------------------------------------------------------

function told(world, state, steps) {
  return steps.reduce((before, step) => after(world, before, step), state);
}

function after(world, state, step) {
  const code = answerTo(TABLE.steps[step.action], factsOf(state, step));
  if (code !== null) {
    const message = `${step.action} by ${step.actor} on bill ${state.reference} is not lawful`;
    refuse(code, message, "/details/steps");
  }
  if (step.action === "ENDORSE" || step.action === "ENDORSE_TO_ORDER") {
    requireEndorsee(world, state, step.recipient);
  }
  const { status, waits } = TABLE.after[step.action];
  const changed = { ...state, ...STEPS[step.action]?.(state, step), status };
  return { ...changed, abroad: { ...state.abroad, surrender: waits } };
}

// Whether an endorsee abroad can hold the bill, its own platform has said.
function requireEndorsee(world, state, endorsee) {
  if (endorsee === state.carrier) {
    refuse("bad_recipient", `${endorsee} issued bill ${state.reference}`, "/details/steps");
  }
  if (!isForeign(endorsee)) requireConsent(world.party(endorsee), endorsee, state.rulebook);
}

function factsOf(state, { actor, recipient }) {
  const { final, possessor, titleHolder } = state.control;
  const own = titleHolder === actor ? "own" : "other";
  return {
    hasEnded: state.status === "SURRENDERED_FOR_DELIVERY",
    waits: state.abroad.surrender,
    isForeign: isForeign(actor),
    isThere: place(actor) === place(possessor),
    kind: state.kind,
    title: titleHolder === null ? "blank" : own,
    isFinal: final,
    isCarrier: actor === state.carrier,
    isShipper: actor === state.shipper,
    isConsignee: actor === state.consignee,
    namesSomebody: recipient !== null,
    namesCarrier: recipient === state.carrier,
    namesConsignee: recipient === state.consignee,
    namesSurrenderer: recipient === state.surrenderedBy,
  };
}

// Of possession inside a platform nothing is told: only where it is counts.
function place(name) {
  return isForeign(name) ? platformOf(name) : null;
}

function possessedBy(state, possessor) {
  return { control: { ...state.control, possessor } };
}

function endorsed(actor, titleHolder, final) {
  return { control: { possessor: actor, titleHolder, final } };
}

function surrendered(state, { actor }) {
  return { ...possessedBy(state, state.carrier), surrenderedBy: actor };
}

const STEPS = {
  SIGN: (state, { actor }) => possessedBy(state, actor),
  TRANSFER: (state, { recipient }) => possessedBy(state, recipient),
  ENDORSE: (_, { actor, recipient }) => endorsed(actor, recipient, true),
  ENDORSE_TO_ORDER: (_, { actor, recipient }) => endorsed(actor, recipient, false),
  BLANK_ENDORSE: (_, { actor }) => endorsed(actor, null, false),
  SURRENDER_FOR_DELIVERY: surrendered,
  SURRENDER_FOR_AMENDMENT: surrendered,
  SREJ: (state, { recipient }) => ({ ...possessedBy(state, recipient), surrenderedBy: null }),
};
