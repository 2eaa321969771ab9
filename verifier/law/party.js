// The law of parties: who may sign for whom, and since when (domain/party.py).
import { problemOf } from "../identifiers.js";
import { LAW } from "../tables.js";
import { refuse } from "./refusal.js";

export const OPERATOR = LAW.identifiers.operator;

export function keyOf(state, kid) {
  return state.keys.find((key) => key.kid === kid) ?? null;
}

// Whether an entry recorded now, after all entries known, may rely on this key.
export function keyCountsAt(key, moment) {
  if (key.ended !== null) return false;
  if (key.validFrom !== null && moment < key.validFrom) return false;
  return key.validUntil === null || moment < key.validUntil;
}

export function mandateOf(state, forwarder) {
  return state?.mandates.find((mandate) => mandate.forwarder === forwarder) ?? null;
}

export function applyParty(world, act) {
  const { event } = act;
  const slug = event.stream.slice("party:".length);
  const state = world.party(slug);
  if (event.action === "REGISTER") {
    requireSigner(event, slug);
    return registered(act, slug, state);
  }
  if (state === null) refuse("not_found", `party ${slug} is not registered`);
  requireSigner(event, slug);
  return ACTS[event.action](world, state, act);
}

// The tables tell of each act what the operator, the party itself and anybody else hear.
function requireSigner(event, slug) {
  const heard = LAW.party[event.action];
  const answers = [];
  if (event.actor === OPERATOR) answers.push(heard.operator);
  if (event.actor === slug) answers.push(heard.itself);
  if (answers.length === 0) answers.push(heard.other);
  if (!answers.includes(null)) {
    refuse(answers[0], `${event.actor} cannot sign ${event.action} for ${slug}`, "/actor");
  }
}

const ACTS = {
  ADD_KEY: (_, state, act) => withKey(state, act.event.key, act),
  ROTATE_KEY: (_, state, act) => {
    const without = withoutKey(state, act.kid, act, "ROTATE_KEY", null);
    return withKey(without, act.event.key, act);
  },
  REVOKE_KEY: (_, state, act) =>
    withoutKey(state, act.event.kid, act, "REVOKE_KEY", act.event.compromisedSince),
  ACCEPT_RULEBOOK: (_, state, { event }) => ({
    ...state,
    rulebooks: [...new Set([...state.rulebooks, event.rulebook])],
  }),
  GRANT_MANDATE: (world, state, { event }) => {
    requireForwarder(world, event.recipient);
    const mandate = { forwarder: event.recipient, validUntil: event.validUntil };
    return { ...state, mandates: [...mandatesWithout(state, event.recipient), mandate] };
  },
  REVOKE_MANDATE: (_, state, { event }) => {
    if (mandateOf(state, event.recipient) === null) {
      refuse("bad_event", `${event.recipient} has no mandate of ${state.slug}`, "/recipient");
    }
    return { ...state, mandates: mandatesWithout(state, event.recipient) };
  },
  SUSPEND: (_, state) => suspension(state, true),
  REINSTATE: (_, state) => suspension(state, false),
};

function registered(act, slug, taken) {
  const { event, alg, kid } = act;
  const { key, roles } = event;
  if (taken !== null) refuse("already_registered", `the slug ${slug} is taken`, "/stream");
  if ((slug === OPERATOR) !== roles.includes("OPERATOR")) {
    refuse("bad_event", `only ${OPERATOR} has the role OPERATOR`, "/details/roles");
  }
  if (roles.includes("EXCHANGE") && new Set(roles).size > 1) {
    refuse("bad_event", "the exchange desk does nothing else", "/details/roles");
  }
  if (slug === OPERATOR) {
    if (new Set(roles).size > 1) refuse("bad_event", "the operator does nothing else", "/details/roles");
    if (alg !== key.alg) refuse("bad_signature", `key ${key.kid} is pinned to ${key.alg}`);
    if (kid !== key.kid) refuse("wrong_key", `${kid} signs, ${key.kid} is registered`, "/details/key");
  }
  checkIdentity(event.identity);
  checkAttributes(event);
  const state = {
    slug,
    identity: event.identity,
    roles: [...new Set(roles)].sort(),
    carrierCode: event.carrierCode,
    facilities: event.facilities,
    keys: [],
    rulebooks: [],
    mandates: [],
    suspended: false,
  };
  return withKey(state, key, act);
}

function checkIdentity(identity) {
  if (identity.identifiers.length === 0) refuse("bad_event", "a party has a legal identifier");
  identity.identifiers.forEach(({ type, value }, at) => {
    // An authority is named by its country and name; there is no check digit.
    if (type === "AUTHORITY") return;
    const known = LAW.document.registrations.includes(type);
    const problem = known ? problemOf(type, value) : `${type} is no kind of legal identifier`;
    if (problem !== null) refuse("bad_event", problem, `/details/identity/identifiers/${at}`);
  });
}

function checkAttributes({ carrierCode, facilities, roles }) {
  if ((carrierCode !== null) !== roles.includes("CARRIER")) {
    refuse("bad_event", "a carrier, and nobody else, has a carrier code", "/details/carrierCode");
  }
  if (facilities.length > 0 !== roles.includes("TERMINAL")) {
    refuse("bad_event", "a terminal, and nobody else, has facilities", "/details/facilities");
  }
  facilities.forEach(({ code, name, provider }, at) => {
    if ((code === null) === (name === null) || (code === null) !== (provider === null)) {
      refuse("bad_event", "a facility has a name, or a code and its list", `/details/facilities/${at}`);
    }
  });
}

function requireForwarder(world, slug) {
  const party = world.party(slug);
  if (party === null || party.suspended) {
    refuse("recipient_unavailable", `${slug} is unknown or suspended`, "/recipient");
  }
  if (!party.roles.includes("FORWARDER")) {
    refuse("bad_recipient", `${slug} is not registered as a forwarder`, "/recipient");
  }
}

function suspension(state, suspended) {
  if (state.slug === OPERATOR) refuse("bad_event", "the operator cannot suspend itself", "/stream");
  if (state.suspended === suspended) refuse("bad_event", `${state.slug} is so already`, "/action");
  return { ...state, suspended };
}

function withKey(state, key, act) {
  if (keyOf(state, key.kid) !== null) {
    refuse("already_registered", `key ${key.kid} was registered before`, "/details/key");
  }
  const { kid, alg, jwk, validFrom, validUntil } = key;
  if (validFrom !== null && validUntil !== null && validFrom >= validUntil) {
    refuse("bad_event", "validity ends before it begins", "/details/validUntil");
  }
  const ending = { ended: null, endedAt: null, endedBy: null, compromisedSince: null };
  const record = { kid, alg, jwk, added: act.index, validFrom, validUntil, ...ending };
  return { ...state, keys: [...state.keys, record] };
}

function withoutKey(state, kid, act, endedBy, compromisedSince) {
  const record = keyOf(state, kid);
  if (record === null) refuse("bad_event", `${state.slug} has no key ${kid}`, "/details/kid");
  if (record.ended !== null) refuse("bad_event", `key ${kid} ended already`, "/details/kid");
  const ending = { ended: act.index, endedAt: act.recordedAt, endedBy, compromisedSince };
  const keys = state.keys.map((key) => (key === record ? { ...record, ...ending } : key));
  return { ...state, keys };
}

function mandatesWithout(state, forwarder) {
  return state.mandates.filter((mandate) => mandate.forwarder !== forwarder);
}
