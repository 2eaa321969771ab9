// The law of drafts: from booking to the version that may be issued (domain/drafts.py).
import { LAW } from "../tables.js";
import { mandateOf, OPERATOR } from "./party.js";
import { refuse } from "./refusal.js";

const TABLE = LAW.draft;

export function requireBookingCarrier(world, actor) {
  if (!world.party(actor)?.roles.includes("CARRIER")) {
    refuse("not_carrier", `${actor} is not registered as a carrier`, "/actor");
  }
}

// The shipper, or a forwarder with a mandate that is valid when the act is recorded.
function requireShipperSide(world, state, act) {
  const { actor } = act.event;
  if (actor === state.shipper) return;
  const mandate = mandateOf(world.party(state.shipper), actor);
  const covers =
    mandate !== null && (mandate.validUntil === null || act.recordedAt < mandate.validUntil);
  if (!covers) refuse("no_mandate", `${actor} has no mandate of ${state.shipper}`, "/actor");
}

export function applyDraft(world, act) {
  const { event } = act;
  const shipment = event.stream.slice("draft:".length);
  if (event.action === "BOOKING") return booked(world, event, shipment);
  const state = world.draft(shipment);
  if (state === null) refuse("not_found", `shipment ${shipment} is not booked`);
  if (event.action === "PUBLISH_DRAFT" || event.action === "APPOINT") requireCarrier(state, event);
  else requireShipperSide(world, state, act);
  return event.action === "APPOINT"
    ? appointed(world, state, event)
    : CHANGES[event.action](moved(state, event), event);
}

// The status that the tables give, or their refusal.
function moved(state, event) {
  requireVersion(state, event);
  const rows = TABLE.transitions[event.action][state.version === null ? "unpublished" : "published"];
  const row = rows[state.status];
  if (row.refuse !== undefined) {
    refuse(row.refuse, `the draft of shipment ${state.shipment} is ${state.status}`, "/details/version");
  }
  return { ...state, status: row.after };
}

function requireVersion(state, event) {
  if (event.action === "SUBMIT_INSTRUCTIONS") return;
  const latest = state.version?.version ?? 0;
  const wanted = event.action === "PUBLISH_DRAFT" ? latest + 1 : latest;
  if (event.version !== wanted || wanted === 0) {
    refuse("stale_draft", `version ${event.version} was named, ${wanted} is due`, "/details/version");
  }
  const approves = event.action === "APPROVE_DRAFT";
  if (approves && event.contentDigest !== state.version.contentDigest) {
    refuse("stale_draft", "another content was approved", "/details/contentDigest");
  }
}

const CHANGES = {
  SUBMIT_INSTRUCTIONS: (state, event) => ({
    ...state,
    instructions: event.document,
    instructionsReference: event.reference,
  }),
  PUBLISH_DRAFT: (state, { version, document, contentDigest }) => ({
    ...state,
    version: { version, document, contentDigest },
    changeComment: null,
  }),
  REQUEST_CHANGE: (state, event) => ({ ...state, changeComment: event.comment }),
  APPROVE_DRAFT: (state) => state,
};

function requireCarrier(state, { actor }) {
  if (actor !== state.carrier) {
    refuse("not_carrier", `${actor} is not the carrier of this shipment`, "/actor");
  }
}

function booked(world, event, shipment) {
  requireBookingCarrier(world, event.actor);
  if (world.draft(shipment) !== null) {
    refuse("already_registered", `shipment ${shipment} is booked`, "/stream");
  }
  if (event.shipper === event.actor || event.shipper === OPERATOR) {
    refuse("bad_recipient", `${event.shipper} cannot be the shipper`, "/details/shipper");
  }
  const { roles } = TABLE;
  requireRole(world, event.shipper, roles.shipper, "/details/shipper");
  requireRole(world, event.forwarder, roles.forwarder, "/details/forwarder");
  for (const leg of ["receipt", "rail", "loading", "discharge"]) {
    requireRole(world, event.custodians[leg], roles[leg], `/details/custodians/${leg}`);
  }
  event.customs.forEach((slug, at) =>
    requireRole(world, slug, roles.customs, `/details/customs/${at}`),
  );
  checkRoute(event);
  return {
    shipment,
    carrier: event.actor,
    reference: event.reference,
    shipper: event.shipper,
    forwarder: event.forwarder,
    custodians: event.custodians,
    containers: event.containers,
    customs: event.customs,
    customsRelease: event.customsRelease,
    status: TABLE.opens,
    instructions: null,
    instructionsReference: null,
    version: null,
    changeComment: null,
  };
}

function checkRoute({ containers, custodians, customs, customsRelease }) {
  if (custodians.rail === null && custodians.receipt !== custodians.loading) {
    refuse("bad_event", "without rail the cargo is received where it is loaded", "/details/custodians");
  }
  if (customsRelease && customs.length === 0) {
    refuse("bad_event", "customsRelease needs an authority in customs", "/details/customs");
  }
  if (new Set(containers).size !== containers.length) {
    refuse("bad_event", "a container is named twice", "/details/containers");
  }
}

function requireRole(world, slug, roles, pointer) {
  if (slug === null) return;
  const party = world.party(slug);
  if (party === null || party.suspended) {
    refuse("recipient_unavailable", `${slug} is unknown or suspended`, pointer);
  }
  if (!party.roles.some((role) => roles.includes(role))) {
    refuse("bad_event", `${slug} is not registered as ${roles.join(" or ")}`, pointer);
  }
}

function appointed(world, state, { custodian, leg }) {
  const hasRail = state.custodians.rail !== null;
  if (leg === "rail" && !hasRail) refuse("bad_event", "this shipment has no rail leg", "/details/leg");
  requireRole(world, custodian, TABLE.appointed[leg], "/details/custodian");
  const custodians = { ...state.custodians, [leg]: custodian };
  // One port receives and loads when there is no rail leg between them.
  if (!hasRail && leg !== "discharge") custodians.receipt = custodians.loading = custodian;
  return { ...state, custodians };
}
