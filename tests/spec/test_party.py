"""The law of parties: registration, keys, consent, mandates and suspension."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bol_service.domain import errors
from bol_service.domain.events import CarrierCode, Facility, Identifier, Identity, Role
from bol_service.domain.states import KeyRecord, Mandate
from tests.law import Refused, Voyage, rows
from tests.law_acts import PartyActs
from tests.law_scene import RULEBOOK, digest, key_of

Begin = Callable[[], Voyage]
PORT = Facility(un_location_code="SGSIN", name="Tuas Port")


def ashore() -> Voyage:
    return Voyage()


def identity(*ids: tuple[str, str]) -> Identity:
    identifiers = tuple(Identifier(type=kind, value=value) for kind, value in ids)
    return Identity(legal_name="Newcomer Ltd.", country="SG", identifiers=identifiers)


def newcomer(**changes: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "stream": "party:newcomer",
        "identity": identity(("UEN", "209912345Z")),
        "roles": frozenset({Role.CONSIGNEE}),
        "key": key_of("newcomer"),
    }
    return {**usual, **changes}


def registering(
    says: str, reason: type[errors.Refusal], pointer: str | None = None, **changes: object
) -> Refused:
    return Refused(
        says,
        reason,
        ashore,
        lambda v: v.register("shadow", **newcomer(**changes)),  # type: ignore[arg-type]
        pointer,
    )


def _with_id(kind: str, value: str) -> Identity:
    return identity(("UEN", "209912345Z"), (kind, value))


SECOND_ID = "/details/identity/identifiers/1"
REGISTRATION = (
    registering("only the operator registers", errors.NotOperator, "/actor", by="yunling"),
    registering(
        "a slug is given once", errors.AlreadyRegistered, "/stream", stream="party:yunling"
    ),
    registering(
        "nobody else is operator",
        errors.BadEvent,
        "/details/roles",
        roles=frozenset({Role.OPERATOR}),
    ),
    registering(
        "a party has a legal identifier",
        errors.BadEvent,
        "/details/identity/identifiers",
        identity=identity(),
    ),
    registering(
        "an unknown kind of identifier",
        errors.BadEvent,
        SECOND_ID,
        identity=_with_id("DUNS", "123456789"),
    ),
    registering(
        "an LEI with a wrong check digit",
        errors.BadEvent,
        SECOND_ID,
        identity=_with_id("LEI", "ZZZZ00BANKSGSTRAIT38"),
    ),
    registering(
        "a USCC with a wrong check digit",
        errors.BadEvent,
        SECOND_ID,
        identity=_with_id("USCC", "914403001922038217"),
    ),
    registering(
        "a UEN that is none", errors.BadEvent, SECOND_ID, identity=_with_id("UEN", "20991234Z5")
    ),
    registering(
        "a carrier has a carrier code",
        errors.BadEvent,
        "/details/carrierCode",
        roles=frozenset({Role.CARRIER}),
    ),
    registering(
        "nobody else has a carrier code",
        errors.BadEvent,
        "/details/carrierCode",
        carrier_code=CarrierCode(code="NEWC", provider="NMFTA"),
    ),
    registering(
        "a terminal has a facility",
        errors.BadEvent,
        "/details/facilities",
        roles=frozenset({Role.TERMINAL}),
    ),
    registering(
        "nobody else has a facility", errors.BadEvent, "/details/facilities", facilities=(PORT,)
    ),
    registering(
        "a facility has a name or a code",
        errors.BadEvent,
        "/details/facilities/1",
        roles=frozenset({Role.TERMINAL}),
        facilities=(PORT, Facility(un_location_code="SGSIN")),
    ),
    registering(
        "a facility has not both a name and a code",
        errors.BadEvent,
        "/details/facilities/0",
        roles=frozenset({Role.TERMINAL}),
        facilities=(
            Facility(un_location_code="SGSIN", name="Tuas", code="PSATUA", provider="SMDG"),
        ),
    ),
    registering(
        "a facility code comes from a list",
        errors.BadEvent,
        "/details/facilities/0",
        roles=frozenset({Role.TERMINAL}),
        facilities=(Facility(un_location_code="SGSIN", code="PSATUA"),),
    ),
    registering(
        "a key's validity begins before it ends",
        errors.BadEvent,
        "/details/validUntil",
        key=key_of("newcomer", valid_from=Voyage().now, valid_until=Voyage().now),
    ),
)


def _keyed(*acts: Callable[[Voyage], object]) -> Begin:
    return lambda: ashore().then(lambda v: v.add_key("yunling"), *acts)


OWN_ACTS = (
    Refused(
        "nobody adds a key for another",
        errors.WrongKey,
        ashore,
        lambda v: v.add_key("yunling", by="shadow"),
        "/actor",
    ),
    Refused(
        "not even the operator adds a key for a party",
        errors.WrongKey,
        ashore,
        lambda v: v.add_key("yunling", by="operator"),
        "/actor",
    ),
    Refused(
        "the operator does not accept the rulebook for a party",
        errors.WrongKey,
        ashore,
        lambda v: v.accept_rulebook("yunling", by="operator"),
        "/actor",
    ),
    Refused(
        "the operator does not revoke a party's key",
        errors.WrongKey,
        ashore,
        lambda v: v.revoke_key("yunling", by="operator"),
        "/actor",
    ),
    Refused(
        "the forwarder does not give itself a mandate",
        errors.WrongKey,
        ashore,
        lambda v: v.grant_mandate("straits", to="qiaolian", by="qiaolian"),
        "/actor",
    ),
    Refused(
        "a key is added once",
        errors.AlreadyRegistered,
        ashore,
        lambda v: v.add_key("yunling", 1),
        "/details/key",
    ),
    Refused(
        "a revoked key never comes back",
        errors.AlreadyRegistered,
        _keyed(lambda v: v.revoke_key("yunling", 2)),
        lambda v: v.add_key("yunling", 2),
        "/details/key",
    ),
    Refused(
        "a key is not rotated to one that is there",
        errors.AlreadyRegistered,
        _keyed(),
        lambda v: v.rotate_key("yunling", 2),
        "/details/key",
    ),
    Refused(
        "an unknown key is not revoked",
        errors.BadEvent,
        ashore,
        lambda v: v.revoke_key("yunling", 7),
        "/details/kid",
    ),
    Refused(
        "another party's key is not revoked",
        errors.BadEvent,
        ashore,
        lambda v: v.revoke_key("yunling", kid="key-shadow-1"),
        "/details/kid",
    ),
    Refused(
        "a key is revoked once",
        errors.BadEvent,
        _keyed(lambda v: v.revoke_key("yunling", 2)),
        lambda v: v.revoke_key("yunling", 2),
        "/details/kid",
    ),
    Refused(
        "a mandate goes to a registered party",
        errors.RecipientUnavailable,
        ashore,
        lambda v: v.grant_mandate("straits", to="nobody"),
        "/recipient",
    ),
    Refused(
        "a mandate goes to no suspended forwarder",
        errors.RecipientUnavailable,
        lambda: ashore().then(lambda v: v.suspend("qiaolian")),
        lambda v: v.grant_mandate("straits", to="qiaolian"),
        "/recipient",
    ),
    Refused(
        "a mandate goes to a forwarder",
        errors.BadRecipient,
        ashore,
        lambda v: v.grant_mandate("yunling", to="bankcq"),
        "/recipient",
    ),
    Refused(
        "a mandate that was not given is not revoked",
        errors.BadEvent,
        ashore,
        lambda v: v.revoke_mandate("straits", to="qiaolian"),
        "/recipient",
    ),
    Refused(
        "an unregistered party has nothing to suspend",
        errors.NotFound,
        ashore,
        lambda v: v.suspend("nobody"),
    ),
)

OPERATOR_ACTS = (
    Refused(
        "only the operator suspends",
        errors.NotOperator,
        ashore,
        lambda v: v.suspend("yunling", by="xlsc"),
        "/actor",
    ),
    Refused(
        "only the operator reinstates",
        errors.NotOperator,
        lambda: ashore().then(lambda v: v.suspend("shadow")),
        lambda v: v.reinstate("shadow", by="xlsc"),
        "/actor",
    ),
    Refused(
        "the operator does not suspend itself",
        errors.BadEvent,
        ashore,
        lambda v: v.suspend("operator"),
        "/stream",
    ),
    Refused(
        "a suspended party is not suspended again",
        errors.BadEvent,
        lambda: ashore().then(lambda v: v.suspend("shadow")),
        lambda v: v.suspend("shadow"),
        "/action",
    ),
    Refused(
        "who is not suspended is not reinstated",
        errors.BadEvent,
        ashore,
        lambda v: v.reinstate("shadow"),
        "/action",
    ),
)


@pytest.mark.parametrize("row", rows((*REGISTRATION, *OWN_ACTS, *OPERATOR_ACTS)))
def test_refused(row: Refused) -> None:
    row.check()


# -- the first entry of a log --------------------------------------------------------------------


def test_the_operator_registers_itself_with_the_first_entry() -> None:
    journal = PartyActs()

    journal.register("operator")

    assert journal.party("operator").roles == {Role.OPERATOR}
    assert journal.party("operator").key("key-operator-1") is not None


@pytest.mark.parametrize(
    ("change", "reason", "pointer"),
    [
        ({"signed_with": "key-operator-2"}, errors.WrongKey, "/details/key"),
        ({"roles": frozenset({Role.BANK})}, errors.BadEvent, "/details/roles"),
        (
            {"roles": frozenset({Role.OPERATOR, Role.BANK})},
            errors.BadEvent,
            "/details/roles",
        ),
        ({"index": 1}, errors.NotFound, "/actor"),
        ({"stream": "party:yunling"}, errors.NotFound, "/actor"),
        ({"by": "yunling", "stream": "party:operator"}, errors.WrongKey, "/actor"),
        ({"alg": "ES256"}, errors.BadSignature, None),
        ({"signed_with": "key-operator-2", "alg": "ES256"}, errors.BadSignature, None),
    ],
    ids=[
        "signed with another key than it registers",
        "without the role of operator",
        "with a second role",
        "not as the first entry",
        "for another party",
        "by another party",
        "signed with another algorithm than its key is pinned to",
        "signed with another key and another algorithm",
    ],
)
def test_a_log_does_not_begin_with_an_operator(
    change: dict[str, object], reason: type[errors.Refusal], pointer: str | None
) -> None:
    journal = PartyActs()
    with journal.refuses(reason, pointer=pointer):
        journal.register("operator", **change)  # type: ignore[arg-type]


def test_no_other_act_begins_a_log() -> None:
    journal = PartyActs()
    with journal.refuses(errors.WrongKey):
        journal.accept_rulebook("yunling")


def test_the_operator_does_nothing_before_it_is_registered() -> None:
    journal = PartyActs()
    with journal.refuses(errors.WrongKey, pointer="/actor"):
        journal.accept_rulebook("operator")


@pytest.mark.parametrize("kid", ["key-operator-1", "key-operator-2"])
def test_the_operator_registers_a_party_with_any_algorithm_that_the_party_s_key_has(
    kid: str,
) -> None:
    """Only its own registration must be signed with the very key that it registers."""
    voyage = ashore()
    voyage.add_key("operator", 2)
    key = replace(key_of("newcomer"), alg="ES256")

    voyage.register("shadow", **newcomer(key=key), signed_with=kid)  # type: ignore[arg-type]

    assert voyage.party("newcomer").key(key.kid) is not None


def test_a_party_may_have_two_roles() -> None:
    voyage = ashore()

    roles = frozenset({Role.CONSIGNEE, Role.SHIPPER})
    voyage.register("shadow", **newcomer(roles=roles))  # type: ignore[arg-type]

    assert voyage.party("newcomer").roles == roles


# -- what is remembered of a party ---------------------------------------------------------------


def test_a_registration_is_kept_as_it_was_signed() -> None:
    sgterm = ashore().party("sgterm")

    assert sgterm.slug == "sgterm"
    assert sgterm.identity.legal_name == "Merlion Gateway Terminal (Demo) Pte. Ltd."
    assert sgterm.roles == {Role.TERMINAL}
    assert [facility.un_location_code for facility in sgterm.facilities] == ["SGSIN"]
    assert ashore().party("xlsc").carrier_code == CarrierCode(code="XLSC", provider="NMFTA")


def test_an_added_key_counts_from_its_entry_on() -> None:
    voyage = ashore()
    entry = len(voyage.entries)

    voyage.add_key("yunling")

    key = voyage.party("yunling").key("key-yunling-2")
    assert key is not None
    assert (key.added, key.ended, key.alg, key.jwk) == (entry, None, "Ed25519", "yunling 2")


def test_rotating_ends_the_signing_key_and_begins_the_new_one_with_one_entry() -> None:
    voyage = ashore()
    entry = len(voyage.entries)

    voyage.rotate_key("yunling")

    old, new = voyage.party("yunling").keys
    assert (old.kid, old.ended, old.ended_by) == ("key-yunling-1", entry, "ROTATE_KEY")
    assert (new.kid, new.added, new.ended) == ("key-yunling-2", entry, None)


def test_rotating_ends_the_key_that_signs_and_no_other() -> None:
    voyage = _keyed()().then(lambda v: v.rotate_key("yunling", 3, signed_with="key-yunling-2"))

    ended = [key.kid for key in voyage.party("yunling").keys if key.ended is not None]

    assert ended == ["key-yunling-2"]


def test_revoking_remembers_when_and_since_when_it_was_compromised() -> None:
    voyage = ashore()
    since, entry = voyage.now - timedelta(days=3), len(voyage.entries)

    voyage.revoke_key("yunling", compromised_since=since)

    (key,) = voyage.party("yunling").keys
    assert (key.ended, key.ended_at, key.ended_by) == (entry, voyage.now, "REVOKE_KEY")
    assert key.compromised_since == since


def test_one_key_may_revoke_another_of_the_same_party() -> None:
    voyage = _keyed(lambda v: v.revoke_key("yunling", 1, signed_with="key-yunling-2"))()

    assert [key.ended is None for key in voyage.party("yunling").keys] == [False, True]


def test_rulebooks_are_remembered_once_each() -> None:
    voyage = ashore().then(
        lambda v: v.accept_rulebook("yunling", digest("rulebook 2")),
        lambda v: v.accept_rulebook("yunling"),
    )

    assert voyage.party("yunling").rulebooks == (RULEBOOK, digest("rulebook 2"))


def test_a_later_mandate_replaces_the_former_of_the_same_forwarder_only() -> None:
    voyage = ashore()
    until = voyage.now + timedelta(days=30)

    voyage.grant_mandate("yunling", to="shadow")
    voyage.grant_mandate("yunling", to="qiaolian", until=until)

    assert voyage.party("yunling").mandates == (
        Mandate(forwarder="shadow"),
        Mandate(forwarder="qiaolian", valid_until=until),
    )


def test_revoking_a_mandate_leaves_the_others() -> None:
    voyage = ashore().then(
        lambda v: v.grant_mandate("yunling", to="shadow"),
        lambda v: v.revoke_mandate("yunling", to="qiaolian"),
    )

    assert voyage.party("yunling").mandates == (Mandate(forwarder="shadow"),)


def test_a_reinstated_party_acts_again() -> None:
    voyage = ashore().then(lambda v: v.suspend("yunling"), lambda v: v.reinstate("yunling"))

    voyage.accept_rulebook("yunling", digest("rulebook 2"))

    assert not voyage.party("yunling").suspended


@pytest.mark.parametrize(
    ("bounds", "counts"),
    [
        pytest.param({}, True, id="without bounds"),
        pytest.param({"valid_from": 0}, True, id="from this moment on"),
        pytest.param({"valid_from": 1}, False, id="from a moment later"),
        pytest.param({"valid_until": 1}, True, id="until a moment later"),
        pytest.param({"valid_until": 0}, False, id="until this very moment"),
        pytest.param({"ended": 3}, False, id="ended by an entry"),
    ],
)
def test_a_key_counts_within_its_bounds(bounds: dict[str, int], counts: bool) -> None:
    now = datetime(2027, 3, 5, 8, tzinfo=UTC)
    moments: dict[str, Any] = {
        name: value if name == "ended" else now + timedelta(milliseconds=value)
        for name, value in bounds.items()
    }
    key = KeyRecord(kid="k", alg="Ed25519", jwk="{}", added=0, **moments)

    assert key.counts_at(now) is counts
