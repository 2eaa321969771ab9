// Who may know of a bill or draft at all (domain/access.py); a stranger hears that nothing is there.
import { mandateOf } from "./party.js";
import { controllers } from "./title.js";

export function knowsBill(world, state, slug) {
  const party = world.party(slug);
  if (party === null) return false;
  const draft = world.draft(state.shipment);
  const booked = draft === null ? [] : [...Object.values(draft.custodians), ...draft.customs];
  return (
    slug === state.carrier ||
    slug === state.shipper ||
    controllers(state).has(slug) ||
    state.tenures.some((tenure) => tenure.party === slug) ||
    mandateOf(world.party(state.shipper), slug) !== null ||
    booked.includes(slug) ||
    state.orders.some((order) => order.terminal === slug) ||
    audits(world, party, state.carrier)
  );
}

export function knowsDraft(world, draft, slug) {
  const party = world.party(slug);
  return (
    [draft.carrier, draft.shipper, draft.forwarder].includes(slug) ||
    mandateOf(world.party(draft.shipper), slug) !== null ||
    (party !== null && audits(world, party, draft.carrier))
  );
}

// An auditor sees the bills of its own country's carriers only.
function audits(world, party, carrier) {
  const issuer = world.party(carrier);
  const sameCountry = issuer?.identity.country === party.identity.country;
  return party.roles.includes("AUDITOR") && issuer !== null && sameCountry;
}
