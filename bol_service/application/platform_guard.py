"""What must be unique on the whole platform, beyond what one stream can know.

- a key, a legal identifier, a carrier code and a terminal location belong to one party for ever;
- a bill number of a carrier, and a shipment, have one bill that is not void;
- a container is on one live bill per vessel and voyage, until it leaves the gate (LR-61).

Each such thing is a `Claim`, a row with a unique key in the database; the law itself stays free of
it and can be replayed stream by stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bol_service.application import disclosures
from bol_service.application.ports import Claim, DocumentRow
from bol_service.domain import errors
from bol_service.domain.document import Sailing
from bol_service.domain.events import (
    AcceptRulebook,
    AddKey,
    BlankEndorse,
    Endorse,
    EndorseToOrder,
    Event,
    GateOut,
    Identity,
    Imported,
    Issue,
    PublishDraft,
    Register,
    RotateKey,
    SubmitInstructions,
    Transfer,
    Void,
)
from bol_service.domain.identifiers import is_foreign, platform_of
from bol_service.domain.states import BillState
from bol_service.domain.world import World

_REFUSALS: dict[str, type[errors.Refusal]] = {
    "key": errors.AlreadyRegistered,
    "identifier": errors.AlreadyRegistered,
    "carrier-code": errors.AlreadyRegistered,
    "facility": errors.AlreadyRegistered,
    "bill-number": errors.NumberUsed,
    "shipment": errors.NumberUsed,
    "cargo": errors.DuplicateCargo,
}


def taken_by(world: World, event: Event) -> list[Claim]:
    """What `event`, if accepted, makes the property of its stream."""
    if isinstance(event, Register):
        return [_key(event.key.kid), *_registration_claims(event)]
    if isinstance(event, AddKey | RotateKey):
        return [_key(event.key.kid)]
    if isinstance(event, Issue):
        return _issue_claims(world, event)
    if isinstance(event, Imported):
        return _document_claims(world, event.received_bytes)
    return []


def freed_by(world: World, event: Event) -> list[Claim]:
    """What `event`, if accepted, sets free again."""
    if isinstance(event, GateOut):
        bill = world.bill(event.bill)
        container = event.stream.rpartition(":")[2]
        return _cargo([container], bill.sailings) if bill else []
    if isinstance(event, Void):
        bill = world.bill(event.stream.removeprefix("bill:"))
        return _bill_claims(world, bill) if bill else []
    return []


def require_free(claims: Iterable[Claim], owner_of: Callable[[Claim], str | None]) -> None:
    """Raises the refusal of the first claim that somebody else owns."""
    for claim in claims:
        if owner_of(claim) is not None:
            raise _REFUSALS[claim.kind](f"{claim.kind} {claim.value} is taken")


@dataclass(frozen=True, kw_only=True)
class PlatformFacts:
    """What the operator sets: keys of the service itself, who may begin the log, the rulebooks, and
    the codes of the platforms with which originals are exchanged."""

    reserved_keys: frozenset[str]
    registrars: frozenset[str]
    rulebooks: frozenset[str]
    peers: frozenset[str] = frozenset()


def refuse_reserved_keys(event: Event, reserved: frozenset[str]) -> None:
    """A key of the service itself (log, statements) never becomes a party's key."""
    if isinstance(event, Register | AddKey | RotateKey) and event.key.kid in reserved:
        raise errors.AlreadyRegistered(
            f"key {event.key.kid} is a key of this platform", pointer="/details/key"
        )


def uploads_named(event: Event) -> list[str]:
    """Digests of the documents that an event refers to and that must have been uploaded."""
    if isinstance(event, SubmitInstructions | PublishDraft):
        return [event.document]
    if isinstance(event, Issue) and event.disclosure is not None:
        return [event.disclosure]
    return []


def require_uploads(event: Event, documents: Mapping[str, DocumentRow]) -> None:
    """A draft is only as good as the document behind it: it must be here, and be what is said.

    So must the disclosures that a bill commits to, or its holder could disclose nothing.
    """
    if isinstance(event, Issue):
        _require_disclosures(event, documents)
        return
    for digest in uploads_named(event):
        row = documents.get(digest)
        if row is None:
            raise errors.BadEvent(
                f"no document with SHA-256 {digest} was uploaded", pointer="/details/document"
            )
        if isinstance(event, PublishDraft):
            _require_content(event, row)


def _require_disclosures(event: Issue, documents: Mapping[str, DocumentRow]) -> None:
    if event.disclosure is None:
        return
    row = documents.get(event.disclosure)
    bill = event.stream.removeprefix("bill:")
    named = (row.kind, row.checksum, row.uploaded_by) if row else None
    if named != (disclosures.KIND, bill, event.actor):
        raise errors.BadEvent(
            f"disclosure {event.disclosure} was not uploaded by {event.actor} for {event.stream}; "
            "upload the full file first",
            pointer="/details/disclosure",
        )


def _require_content(event: PublishDraft, row: DocumentRow) -> None:
    found = row.facts.content_digest if row.facts else "no transport document"
    if found != event.content_digest:
        raise errors.StaleDraft(
            f"contentDigest is {event.content_digest}, the uploaded draft has {found}",
            pointer="/details/contentDigest",
        )


def require_known_rulebook(event: Event, rulebooks: frozenset[str]) -> None:
    """Nobody can accept, and no bill can live under, a rulebook that is not published here."""
    if isinstance(event, AcceptRulebook | Issue | Imported) and event.rulebook not in rulebooks:
        raise errors.BadEvent(
            f"rulebook {event.rulebook} is not published here, {', '.join(sorted(rulebooks))} is",
            pointer="/details/rulebook",
        )


def require_peer(event: Event, peers: frozenset[str]) -> None:
    """Nothing is made out to a platform to which it could never be sent."""
    named: list[str | None] = []
    if isinstance(event, Transfer | Endorse | EndorseToOrder):
        named.append(event.recipient)
    if isinstance(event, Endorse | EndorseToOrder | BlankEndorse):
        named.append(event.transfer_to)
    for name in named:
        if name is not None and is_foreign(name) and platform_of(name) not in peers:
            raise errors.UnknownPeer(
                f"{name} is a party of {platform_of(name)}; originals are exchanged with "
                f"{', '.join(sorted(peers)) or 'no other platform'}",
                pointer="/recipient",
            )


def _key(kid: str) -> Claim:
    return Claim(kind="key", value=kid)


def identity_claims(identity: Identity) -> list[Claim]:
    """What belongs to one party only of a legal identity: its identifiers."""
    country = identity.country
    return [
        Claim(
            kind="identifier",
            value=f"{entry.type}:{country if entry.type == 'AUTHORITY' else ''}:{entry.value}",
        )
        for entry in identity.identifiers
    ]


def _registration_claims(event: Register) -> list[Claim]:
    claims = identity_claims(event.identity)
    if event.carrier_code is not None:
        code = event.carrier_code
        claims.append(Claim(kind="carrier-code", value=f"{code.provider}:{code.code}"))
    for facility in event.facilities:
        place = facility.code or facility.name
        claims.append(
            Claim(kind="facility", value=f"{facility.un_location_code}:{facility.provider}:{place}")
        )
    return claims


def _issue_claims(world: World, event: Issue) -> list[Claim]:
    claims = _document_claims(world, event.received_bytes)
    return [*claims, Claim(kind="shipment", value=event.shipment)] if claims else []


def _document_claims(world: World, received_bytes: str) -> list[Claim]:
    facts = world.document(received_bytes)
    if facts is None:
        return []
    number = _number(facts.carrier_code_list_provider, facts.carrier_code, facts.reference)
    return [
        Claim(kind="bill-number", value=number),
        *_cargo(facts.equipment, facts.sailings),
    ]


def _bill_claims(world: World, bill: BillState) -> list[Claim]:
    carrier = world.party(bill.carrier)
    code = carrier.carrier_code if carrier else None
    claims = [
        Claim(kind="shipment", value=bill.shipment),
        *_cargo(bill.containers, bill.sailings),
    ]
    if code is not None:
        number = _number(code.provider, code.code, bill.reference)
        claims.append(Claim(kind="bill-number", value=number))
    return claims


def _number(provider: str, code: str, reference: str) -> str:
    return f"{provider}:{code}:{reference}"


def _cargo(containers: Iterable[str], sailings: Iterable[Sailing]) -> list[Claim]:
    return [
        Claim(kind="cargo", value=f"{container}:{sailing.vessel}:{sailing.voyage}")
        for container in containers
        for sailing in sailings
    ]
