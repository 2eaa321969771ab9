"""The law of parties: who may sign for whom, and since when.

1. The first entry of the log is the operator's registration of itself, signed with the key that it
   registers; its kid is pinned outside the ledger.
2. Every other party is registered by the operator, with proof that the party holds its first key.
3. From then on only the party adds, rotates and revokes its keys, accepts the rulebook and gives
   mandates. The operator never acts for it (LR-86); it may suspend and reinstate.
4. A key counts for an entry if its ADD precedes the entry in the log, no REVOKE or ROTATE of it
   does, and the time of recording lies in its validity (LR-12). What it signed before stays valid.
5. Consent to the electronic form is a signed act naming the rulebook's digest (LR-01).

That a key, identity, carrier code and terminal location belong to one party only spans the whole
platform; the platform guard in `application` sees to it.
"""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from bol_service.domain import errors, identifiers
from bol_service.domain.events import (
    AcceptRulebook,
    AddKey,
    GrantMandate,
    Identifier,
    Identity,
    NewKey,
    PartyEvent,
    Recorded,
    Register,
    Reinstate,
    RevokeKey,
    RevokeMandate,
    Role,
    RotateKey,
    Suspend,
)
from bol_service.domain.states import OPERATOR, KeyRecord, Mandate, PartyState, Reader
from bol_service.domain.values import replaced


def apply(world: Reader, act: Recorded, event: PartyEvent) -> PartyState:
    """The party's state after `event`.

    Raises:
        errors.Refusal: The law does not allow it.
    """
    slug = event.stream.removeprefix("party:")
    if isinstance(event, Register):
        return _registered(world, act, event, slug)
    state = world.party(slug)
    if state is None:
        raise errors.NotFound(f"party {slug} is not registered")
    if isinstance(event, Suspend | Reinstate):
        _require_operator(event.actor)
        return _suspension(state, event)
    if event.actor != slug:
        raise errors.WrongKey(f"{event.actor} cannot act for {slug}", pointer="/actor")
    return _own_act(world, state, act, event)


def _own_act(
    world: Reader,
    state: PartyState,
    act: Recorded,
    event: AddKey | RotateKey | RevokeKey | AcceptRulebook | GrantMandate | RevokeMandate,
) -> PartyState:
    match event:
        case AddKey():
            return _with_key(state, event.key, act)
        case RotateKey():
            return _with_key(
                _without_key(state, act.kid, act, ended_by="ROTATE_KEY"), event.key, act
            )
        case RevokeKey():
            return _without_key(
                state, event.kid, act, ended_by="REVOKE_KEY", since=event.compromised_since
            )
        case AcceptRulebook():
            accepted = tuple(dict.fromkeys((*state.rulebooks, event.rulebook)))
            return replaced(state, rulebooks=accepted)
        case GrantMandate():
            _require_forwarder(world, event.recipient)
            kept = _mandates_without(state, event.recipient)
            new = Mandate(forwarder=event.recipient, valid_until=event.valid_until)
            return replaced(state, mandates=(*kept, new))
        case RevokeMandate():
            if state.mandate(event.recipient) is None:
                raise errors.BadEvent(
                    f"{event.recipient} has no mandate of {state.slug}", pointer="/recipient"
                )
            return replaced(state, mandates=_mandates_without(state, event.recipient))
        case _:
            assert_never(event)


def _registered(world: Reader, act: Recorded, event: Register, slug: str) -> PartyState:
    _require_operator(event.actor)
    if world.party(slug) is not None:
        raise errors.AlreadyRegistered(f"the slug {slug} is taken", pointer="/stream")
    if (slug == OPERATOR) != (Role.OPERATOR in event.roles):
        raise errors.BadEvent(
            f"only {OPERATOR} has the role OPERATOR, not {slug}", pointer="/details/roles"
        )
    if slug == OPERATOR and len(event.roles) > 1:
        raise errors.BadEvent(
            f"the operator runs the platform and does nothing else on it (LR-86), "
            f"{', '.join(sorted(event.roles))} was sent",
            pointer="/details/roles",
        )
    if Role.EXCHANGE in event.roles and len(event.roles) > 1:
        raise errors.BadEvent(
            f"the exchange desk records what crosses the border and does nothing else, "
            f"{', '.join(sorted(event.roles))} was sent",
            pointer="/details/roles",
        )
    if slug == OPERATOR and act.alg != event.key.alg:
        raise errors.BadSignature(
            f"key {event.key.kid} is pinned to {event.key.alg}, {act.alg} was used"
        )
    if slug == OPERATOR and act.kid != event.key.kid:
        raise errors.WrongKey(
            f"the operator registers itself with the key that signs: {act.kid} signs, "
            f"{event.key.kid} is registered",
            pointer="/details/key",
        )
    check_identity(event.identity)
    _check_attributes(event)
    state = PartyState(
        slug=slug,
        identity=event.identity,
        roles=event.roles,
        carrier_code=event.carrier_code,
        facilities=event.facilities,
    )
    return _with_key(state, event.key, act)


def _check_attributes(event: Register) -> None:
    if (event.carrier_code is not None) != (Role.CARRIER in event.roles):
        raise errors.BadEvent(
            "a carrier has a carrier code and nobody else has one", pointer="/details/carrierCode"
        )
    if bool(event.facilities) != (Role.TERMINAL in event.roles):
        raise errors.BadEvent(
            "a terminal has at least one facility and nobody else has one",
            pointer="/details/facilities",
        )
    for number, facility in enumerate(event.facilities):
        if (facility.code is None) == (facility.name is None):
            raise errors.BadEvent(
                "a facility has either a listed facilityCode or a facilityName",
                pointer=f"/details/facilities/{number}",
            )
        if (facility.code is None) != (facility.provider is None):
            raise errors.BadEvent(
                "facilityCode and facilityCodeListProvider go together",
                pointer=f"/details/facilities/{number}",
            )


_CHECKS = {
    "USCC": identifiers.check_uscc,
    "UEN": identifiers.check_uen,
    "LEI": identifiers.check_lei,
}


def check_identity(identity: Identity) -> None:
    """Raises BadEvent."""
    if not identity.identifiers:
        raise errors.BadEvent(
            f"{identity.legal_name} has no legal identifier",
            pointer="/details/identity/identifiers",
        )
    for number, identifier in enumerate(identity.identifiers):
        _check_identifier(identifier, f"/details/identity/identifiers/{number}")


def _check_identifier(identifier: Identifier, pointer: str) -> None:
    if identifier.type == "AUTHORITY":
        return  # an authority is named by its country and name; there is no check digit
    try:
        _CHECKS[identifier.type](identifier.value)
    except KeyError:
        raise errors.BadEvent(
            f"{identifier.type} is not one of USCC, UEN, LEI, AUTHORITY", pointer=pointer
        ) from None
    except ValueError as error:
        raise errors.BadEvent(str(error), pointer=pointer) from None


def _require_operator(actor: str) -> None:
    if actor != OPERATOR:
        raise errors.NotOperator(f"{actor} is not the operator", pointer="/actor")


def _require_forwarder(world: Reader, slug: str) -> None:
    party = world.party(slug)
    if party is None or party.suspended:
        raise errors.RecipientUnavailable(f"{slug} is unknown or suspended", pointer="/recipient")
    if Role.FORWARDER not in party.roles:
        raise errors.BadRecipient(f"{slug} is not registered as a forwarder", pointer="/recipient")


def _suspension(state: PartyState, event: Suspend | Reinstate) -> PartyState:
    suspend = isinstance(event, Suspend)
    if state.slug == OPERATOR:
        raise errors.BadEvent("the operator cannot suspend itself", pointer="/stream")
    if state.suspended == suspend:
        raise errors.BadEvent(
            f"{state.slug} is {'suspended already' if suspend else 'not suspended'}",
            pointer="/action",
        )
    return replaced(state, suspended=suspend)


def _with_key(state: PartyState, key: NewKey, act: Recorded) -> PartyState:
    if state.key(key.kid) is not None:
        raise errors.AlreadyRegistered(
            f"key {key.kid} was registered for {state.slug} before", pointer="/details/key"
        )
    if key.valid_from and key.valid_until and key.valid_from >= key.valid_until:
        raise errors.BadEvent(
            f"validity ends ({key.valid_until:%Y-%m-%d}) before it begins "
            f"({key.valid_from:%Y-%m-%d})",
            pointer="/details/validUntil",
        )
    record = KeyRecord(
        kid=key.kid,
        alg=key.alg,
        jwk=key.jwk,
        added=act.index,
        valid_from=key.valid_from,
        valid_until=key.valid_until,
    )
    return replaced(state, keys=(*state.keys, record))


def _without_key(
    state: PartyState,
    kid: str,
    act: Recorded,
    *,
    ended_by: str,
    since: datetime | None = None,
) -> PartyState:
    record = state.key(kid)
    if record is None:
        raise errors.BadEvent(f"{state.slug} has no key {kid}", pointer="/details/kid")
    if record.ended is not None:
        raise errors.BadEvent(
            f"key {kid} ended with entry {record.ended} already", pointer="/details/kid"
        )
    ended = replaced(
        record,
        ended=act.index,
        ended_at=act.recorded_at,
        ended_by=ended_by,
        compromised_since=since,
    )
    return replaced(state, keys=tuple(ended if key is record else key for key in state.keys))


def _mandates_without(state: PartyState, forwarder: str) -> tuple[Mandate, ...]:
    return tuple(mandate for mandate in state.mandates if mandate.forwarder != forwarder)
