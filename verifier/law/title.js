// The law of the bill: who possesses it, to whose order it is, and how it ends (domain/title.py).
//
// What can be said of an act before its details are known is one row of the generated guard table;
// where an act leads the bill's status is in the tables too.
import { isForeign, platformOf } from "../identifiers.js";
import { LAW } from "../tables.js";
import { showInstant } from "../time.js";
import { issued, latestLoading, requireConsent } from "./issue.js";
import { OPERATOR } from "./party.js";
import { refuse } from "./refusal.js";
import { answerTo } from "./rows.js";


export function applyBill(world, act) {
  const { event } = act;
  if (event.action === "ISSUE") return issued(world, act);
  const state = world.bill(event.stream.slice("bill:".length));
  if (state === null) refuse("not_found", `${event.stream} is unknown`);
  requireAction(world, state, event);
  let after = ACTS[event.action](world, withStatus(state, event), act, state);
  // Whoever signs on a bill has accepted it.
  const accepts = event.actor === state.control.possessor && after.giving === state.giving;
  if (accepts) after = { ...after, giving: null };
  return withTenures(state, after, event.sequence);
}

// `after`, with the tenures that the act at `sequence` opened and closed.
export function withTenures(before, after, sequence) {
  const now = controllers(after);
  const known = new Set(before.tenures.map(({ party }) => party));
  const kept = before.tenures.map((tenure) => {
    if (now.has(tenure.party)) return { ...tenure, last: null };
    return tenure.last === null ? { ...tenure, last: sequence } : tenure;
  });
  const opened = [...now].filter((slug) => !known.has(slug)).sort();
  return { ...after, tenures: [...kept, ...opened.map((party) => ({ party, last: null }))] };
}

function boxesOf(world, state) {
  return state.containers
    .map((container) => world.custody(state.shipment, container))
    .filter((box) => box !== null);
}

// The live status; ACCOMPLISHED once every container has left the gate.
export function liveStatus(world, state) {
  const left = boxesOf(world, state).filter((box) => box.place === "GATE_OUT");
  const surrendered = state.status === "SURRENDERED_FOR_DELIVERY" && state.home === null;
  return surrendered && left.length === state.containers.length ? "ACCOMPLISHED" : state.status;
}

function factsOf(world, state, actor) {
  const { titleHolder } = state.control;
  const own = titleHolder === actor ? "own" : "other";
  return {
    status: liveStatus(world, state),
    isPossessor: state.control.possessor === actor,
    isCarrier: state.carrier === actor,
    kind: state.kind,
    isShipper: state.shipper === actor,
    isConsignee: state.consignee === actor,
    title: titleHolder === null ? "blank" : own,
    isFinal: state.control.final,
    canRefuse: state.giving !== null,
    isOnBoard: state.onBoardOn !== null,
    isLoaded: latestLoading(boxesOf(world, state)) !== null,
    hasOrder: state.orders.some((order) => !order.cancelled),
    isConfirmed: state.deliveryConfirmed,
  };
}

function requireAction(world, state, { action, actor }) {
  const facts = factsOf(world, state, actor);
  const code = answerTo(LAW.bill.guards[action], facts);
  if (code !== null) {
    const { title } = LAW.refusals[code];
    refuse(code, `${actor}, bill ${state.reference} (${facts.status}): ${title}`, "/actor");
  }
}

function withStatus(state, { action }) {
  const after = LAW.bill.after[action]?.[state.status] ?? state.status;
  if (typeof after === "string") return { ...state, status: after };
  return { ...state, status: after[state.giving.isIssue ? "issue" : "other"] };
}

// Each act gets the state with its new status, and as it was.
const ACTS = {
  TRANSFER: (world, state, { event }) => {
    const given = give(world, state, event, event.recipient, state.control, "/recipient");
    const { presentation } = event;
    if (given.transit === null) return { ...given, presentation };
    return { ...given, transit: { ...given.transit, presentation } };
  },
  REFUSE: (_, state) => {
    const { before, isIssue, presentation } = state.giving;
    const { carrier } = state;
    const back = { possessor: carrier, titleHolder: carrier, final: false };
    if (isIssue) return { ...state, control: back, giving: null };
    return { ...state, control: before, giving: null, presentation };
  },
  ENDORSE: (world, state, { event }) => endorsed(world, state, event, event.recipient, true),
  ENDORSE_TO_ORDER: (world, state, { event }) =>
    endorsed(world, state, event, event.recipient, false),
  BLANK_ENDORSE: (world, state, { event }) => endorsed(world, state, event, null, false),
  SIGN: (_, state) => state,
  ON_BOARD_NOTATION: (world, state, { event }) => noted(world, state, event),
  SURRENDER_FOR_DELIVERY: (_, state, { event }, before) => surrendered(state, event, before),
  SURRENDER_FOR_AMENDMENT: (_, state, { event }, before) => surrendered(state, event, before),
  SACC: (_, state, { event }) => {
    const { surrenderedBy } = state;
    if (surrenderedBy === null || !isForeign(surrenderedBy)) return state;
    return departing(state, event, surrenderedBy, null);
  },
  SREJ: (_, state, { event }, before) => {
    const { surrenderedBy } = state;
    const control = { ...state.control, possessor: surrenderedBy };
    if (isForeign(surrenderedBy)) return departing(before, event, surrenderedBy, control);
    return { ...state, control, giving: null, surrenderedBy: null };
  },
  DELIVERY_ORDER: (world, state, act) => ordered(world, state, act),
  CANCEL_DELIVERY_ORDER: (_, state, { event }) => cancelled(state, event),
  CONFIRM_DELIVERY: (_, state) => ({ ...state, deliveryConfirmed: true }),
  VOID: (_, state) => state,
};

function give(world, state, event, recipient, control, pointer) {
  if (recipient === state.control.possessor) {
    refuse("bad_recipient", `${recipient} possesses the bill already`, pointer);
  }
  if (state.kind === "STRAIGHT" && recipient !== state.consignee) {
    refuse("wrong_bill_type", `a straight bill passes to ${state.consignee} only`, pointer);
  }
  requireRecipient(world, state, recipient, pointer);
  if (isForeign(recipient)) {
    return departing(state, event, recipient, { ...control, possessor: recipient });
  }
  return {
    ...state,
    control: { ...control, possessor: recipient },
    giving: { before: state.control, presentation: state.presentation, isIssue: false },
    presentation: null,
  };
}

function requireRecipient(world, state, recipient, pointer) {
  if (recipient === state.carrier || recipient === OPERATOR) {
    refuse("bad_recipient", `${recipient} cannot hold bill ${state.reference}`, pointer);
  }
  // Whether a party abroad can receive, its own platform says in its signed answer.
  if (!isForeign(recipient)) requireConsent(world.party(recipient), recipient, state.rulebook);
}

// On the way to `recipient` abroad: nothing has changed hands, and nobody acts; a mere notice
// (`after` is null) locks nothing. `state` has the status that a refusal brings back.
function departing(state, event, recipient, after, surrender = null) {
  const transit = {
    platform: platformOf(recipient),
    recipient,
    since: event.sequence,
    after,
    otherwise: state.status,
    surrender,
    presentation: null,
    sent: null,
  };
  return { ...state, status: after === null ? state.status : "IN_TRANSIT", transit };
}

function endorsed(world, state, event, endorsee, final) {
  if (endorsee !== null) requireRecipient(world, state, endorsee, "/recipient");
  const control = { ...state.control, titleHolder: endorsee, final };
  if (event.transferTo === null) return { ...state, control };
  return give(world, state, event, event.transferTo, control, "/details/transferTo");
}

function noted(world, state, event) {
  const proven = latestLoading(boxesOf(world, state));
  if (event.vessel !== proven.vessel || event.voyage !== proven.voyage) {
    refuse("not_loaded", `the containers are on ${proven.vessel} ${proven.voyage}`);
  }
  if (event.onBoardDate !== proven.localDate) {
    refuse("antedating", `the last container was loaded on ${proven.localDate}`);
  }
  const ports = boxesOf(world, state)
    .filter((box) => box.loading !== null)
    .flatMap((box) => world.party(box.loading.terminal)?.facilities ?? [])
    .map((facility) => facility.unLocationCode);
  if (!ports.includes(event.portOfLoading)) {
    refuse("not_loaded", `the loading terminal is at ${ports.join(", ")}`);
  }
  return { ...state, onBoardOn: event.onBoardDate };
}

function surrendered(state, event, before) {
  const control = { ...state.control, possessor: state.carrier };
  if (isForeign(state.carrier)) {
    return departing(before, event, state.carrier, control, state.status);
  }
  return {
    ...state,
    control,
    giving: null,
    surrenderedBy: state.control.possessor,
    presentation: null,
  };
}

function ordered(world, state, act) {
  const { event, digest, recordedAt } = act;
  const discharge = world.draft(state.shipment)?.custodians.discharge ?? null;
  if (event.terminal !== discharge) {
    refuse("not_custodian", `the booking names ${discharge}`, "/details/terminal");
  }
  const left = boxesOf(world, state).filter((box) => box.place === "GATE_OUT");
  event.containers.forEach((container, at) => {
    const pointer = `/details/containers/${at}`;
    if (!state.containers.includes(container)) {
      refuse("not_on_bill", `container ${container} is not on bill ${state.reference}`, pointer);
    }
    if (left.some((box) => box.container === container)) {
      refuse("do_replay", `container ${container} has left the gate`, pointer);
    }
  });
  if (event.expires <= recordedAt) {
    refuse("do_expired", `the order would expire at ${showInstant(event.expires)}`, "/details/expires");
  }
  const { sequence, terminal, containers, pickUp, codeHash, expires } = event;
  const members = { sequence, terminal, containers, pickUp, codeHash, expires };
  return { ...state, orders: [...state.orders, { digest, ...members, cancelled: false }] };
}

function cancelled(state, event) {
  if (!state.orders.some((order) => order.digest === event.order && !order.cancelled)) {
    refuse("no_delivery_order", `there is no order ${event.order} to cancel`, "/details/order");
  }
  const orders = state.orders.map((order) =>
    order.digest === event.order ? { ...order, cancelled: true } : order,
  );
  return { ...state, orders };
}

// Possessor, title holder, and who has surrendered the bill: those who may know all of it.
export function controllers(state) {
  const named = [state.control.possessor, state.control.titleHolder, state.surrenderedBy];
  return new Set(named.filter((slug) => slug !== null));
}
