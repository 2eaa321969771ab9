// The law of custody: where each container is, signed by whoever keeps it (domain/custody.py).
import { LAW } from "../tables.js";
import { isLocalDate, showInstant } from "../time.js";
import { refuse } from "./refusal.js";
import { checkRelease } from "./release.js";

const { custodyToleranceMs, oldestReportMs } = LAW.limits;

export function applyCustody(world, act) {
  const { event } = act;
  const [, shipment, container] = event.stream.split(":");
  const draft = requirePartyToCustody(world, event.actor, shipment);
  const state = world.custody(shipment, container);
  checkDates(act, state);
  if (event.action === "CUSTOMS_RELEASE") return releasedByCustoms(draft, state, event);
  const step = LAW.custody[event.action];
  requireCustodian(draft, step.leg, event);
  if (draft.containers.length > 0 && !draft.containers.includes(container)) {
    refuse("not_on_bill", `container ${container} is not on booking ${draft.reference}`, "/stream");
  }
  // The guard speaks before the place does: "not surrendered" is the reason a gate must hear.
  if (event.action === "GATE_OUT") checkRelease(world, act, draft, state);
  requirePlace(draft, step, state, event);
  return state === null ? received(shipment, container, event) : moved(state, step.after, event);
}

export function requirePartyToCustody(world, actor, shipment) {
  const draft = world.draft(shipment);
  const named =
    draft === null
      ? []
      : [
          draft.carrier,
          draft.shipper,
          draft.forwarder,
          ...Object.values(draft.custodians),
          ...draft.customs,
        ];
  if (!named.includes(actor)) {
    refuse("not_found", `no custody of shipment ${shipment} is known to ${actor}`);
  }
  return draft;
}

function checkDates({ event, recordedAt }, state) {
  const { action, at, localDate, occurredAt } = event;
  const pointer = "/details/occurredAt";
  const told = `occurredAt ${showInstant(occurredAt)}`;
  if (occurredAt < at - oldestReportMs || occurredAt > at + custodyToleranceMs) {
    refuse("bad_time", `${told} is not within a day before the signature`, pointer);
  }
  if (occurredAt > recordedAt + custodyToleranceMs) {
    refuse("bad_time", `${told} lies after the recording`, pointer);
  }
  // Customs works beside the journey: its release may be signed before or after a move.
  if (action !== "CUSTOMS_RELEASE" && state !== null && occurredAt < state.since) {
    refuse("bad_time", `${told} lies before the container's last event`, pointer);
  }
  if (!isLocalDate(localDate, occurredAt)) {
    refuse("bad_time", `localDate ${localDate} was nowhere the date then`, "/details/localDate");
  }
}

function requireCustodian(draft, leg, event) {
  const custodian = draft.custodians[leg];
  if (event.actor !== custodian) {
    refuse("not_custodian", `the booking names ${custodian ?? "nobody"} for the leg ${leg}`, "/actor");
  }
}

function requirePlace(draft, step, state, event) {
  const allowed = step.before[draft.custodians.rail === null ? "direct" : "rail"];
  const place = state?.place ?? null;
  if (!allowed.includes(place)) {
    refuse("bad_transition", `${event.action} is not possible at ${place ?? "no place"}`, "/action");
  }
}

function received(shipment, container, event) {
  return {
    shipment,
    container,
    place: LAW.custody[event.action].after,
    custodian: event.actor,
    since: event.occurredAt,
    receivedOn: event.localDate,
    seals: event.seals,
    loading: null,
    customsReleased: null,
    exceptions: [],
    releasedUnder: null,
  };
}

function moved(state, place, event) {
  const { action, actor, localDate, occurredAt, vessel, voyage } = event;
  const next = { ...sealed(state, event), place, custodian: actor, since: occurredAt };
  if (action === "LOADED_VESSEL") {
    return { ...next, loading: { vessel, voyage, localDate, terminal: actor } };
  }
  const loaded = state.loading;
  if (action === "VESSEL_DEPARTED" && (loaded?.vessel !== vessel || loaded?.voyage !== voyage)) {
    refuse("not_loaded", `${state.container} is not on ${vessel} ${voyage}`, "/details/vessel");
  }
  return action === "GATE_OUT" ? { ...next, releasedUnder: event.order } : next;
}

function sealed(state, event) {
  if (event.seals === null) return state;
  if (state.seals === null) return { ...state, seals: event.seals };
  const [found, expected] = [new Set(event.seals), new Set(state.seals)];
  if (found.size === expected.size && [...found].every((seal) => expected.has(seal))) return state;
  const exception = {
    sequence: event.sequence,
    custodian: event.actor,
    expected: state.seals,
    found: event.seals,
  };
  return { ...state, seals: event.seals, exceptions: [...state.exceptions, exception] };
}

function releasedByCustoms(draft, state, event) {
  if (!draft.customs.includes(event.actor)) {
    refuse("not_custodian", `${event.actor} is not a customs authority of this booking`, "/actor");
  }
  if (state === null || state.place === "GATE_OUT" || state.customsReleased !== null) {
    refuse("bad_transition", "customs releases a container once, before GATE_OUT", "/action");
  }
  return { ...sealed(state, event), customsReleased: event.reference };
}
