"""The people, boxes and documents of the voyage that the tests of the law play out.

- `PARTIES` are those of the corridor Chongqing, Qinzhou, Singapore; all fictitious, check digits
  right.
- `bill_of_lading` gives the facts of its transport document: to the order of its shipper, received
  for shipment on 1 March 2027, two containers. Members are replaced by keyword; checksum and
  content digest follow from the members unless they are given.
- Digests are SHA-256 of a text that tells what they stand for; signatures are tested elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

from bol_service.domain.document import BillKind, DocumentFacts, PartyReference, Sailing
from bol_service.domain.events import (
    CarrierCode,
    Collector,
    Custodians,
    Facility,
    Identifier,
    Identity,
    NewKey,
    Role,
)

ORIGIN = "demo.cq.example/ebl"
SHIPMENT = "0195a3c0-7c1e-7d2a-9b00-0000000000a1"
BOOKING_REFERENCE = "XLB2702240017"
BOX_1, BOX_2, FOREIGN_BOX = "XLCU7001127", "XLCU7001132", "XLCU7001148"
BOXES = (BOX_1, BOX_2)
VESSEL, VOYAGE = "XIN HE GUOYUAN", "027S"
TRAIN = "LSC-0301A"
SEALS = {BOX_1: ("XL0098231", "CQC77120"), BOX_2: ("XL0098232",), FOREIGN_BOX: ("XL0098239",)}
CUSTODIANS = Custodians(receipt="guoyuan", rail="wrail", loading="qinzhou", discharge="sgterm")
PORT_ONLY = Custodians(receipt="qinzhou", loading="qinzhou", discharge="sgterm")
COLLECTOR = Collector(name="Lion City Haulage Pte. Ltd.", reference="eDO-2703-118")
CODE = "the one-time code"
RECEIVED_ON, LOADED_ON = date(2027, 3, 1), date(2027, 3, 5)
_CORRIDOR_TIME = timezone(timedelta(hours=8))


def digest(of: object) -> str:
    return sha256(str(of).encode()).hexdigest()


RULEBOOK = digest("demo-rulebook-1.0")


def moment(text: str) -> datetime:
    """The UTC instant of a local time on the corridor, as `2027-03-05 09:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=_CORRIDOR_TIME).astimezone(UTC)


def local_day(instant: datetime) -> date:
    return instant.astimezone(_CORRIDOR_TIME).date()


@dataclass(frozen=True, kw_only=True)
class Person:
    slug: str
    name: str
    country: str
    role: Role
    ids: tuple[tuple[str, str], ...]
    carrier_code: CarrierCode | None = None
    facilities: tuple[Facility, ...] = ()

    @property
    def identity(self) -> Identity:
        identifiers = tuple(Identifier(type=kind, value=value) for kind, value in self.ids)
        return Identity(legal_name=self.name, country=self.country, identifiers=identifiers)


def _person(slug: str, name: str, country: str, role: Role, *ids: str, **more: Any) -> Person:
    pairs = tuple((text.split(" ", 1)[0], text.split(" ", 1)[1]) for text in ids)
    return Person(slug=slug, name=name, country=country, role=role, ids=pairs, **more)


def _at(place: str, **facility: str) -> tuple[Facility, ...]:
    return (Facility(un_location_code=place, **facility),)


PARTIES: dict[str, Person] = {
    person.slug: person
    for person in (
        _person("operator", "Corridor Platform (Demo)", "CN", Role.OPERATOR, "AUTHORITY Operator"),
        _person(
            "xlsc",
            "Jialing Land-Sea Line Co., Ltd.",
            "CN",
            Role.CARRIER,
            "LEI ZZZZ00CARRIERXLSC065",
            carrier_code=CarrierCode(code="XLSC", provider="NMFTA"),
        ),
        _person(
            "merlion",
            "Merlion Feeder Line (Demo) Pte. Ltd.",
            "SG",
            Role.CARRIER,
            "UEN 209912399D",
            carrier_code=CarrierCode(code="MLFL", provider="NMFTA"),
        ),
        _person(
            "yunling",
            "Chongqing Yunling Motor Parts Co., Ltd.",
            "CN",
            Role.SHIPPER,
            "LEI ZZZZ00SHIPPERYUNL031",
            "USCC 91500112MA60EBL160",
        ),
        _person(
            "qiaolian",
            "Qiaolian Freight Services Ltd.",
            "CN",
            Role.FORWARDER,
            "USCC 91500112MA60EBL24T",
        ),
        _person(
            "wrail",
            "Western Corridor Rail Freight (Demo) Co., Ltd.",
            "CN",
            Role.RAIL_OPERATOR,
            "USCC 91500106MA60EBL67J",
        ),
        _person(
            "guoyuan",
            "Guoyuan Intermodal Terminal (Demo) Co., Ltd.",
            "CN",
            Role.TERMINAL,
            "USCC 91500000MA60EBL324",
            facilities=_at("CNCQI", name="Guoyuan Port"),
        ),
        _person(
            "qinzhou",
            "Qinzhou Gulf Container Terminal (Demo) Co., Ltd.",
            "CN",
            Role.TERMINAL,
            "USCC 91450702MA60EBL40X",
            facilities=_at("CNQZH", code="BICT", provider="SMDG"),
        ),
        _person(
            "sgterm",
            "Merlion Gateway Terminal (Demo) Pte. Ltd.",
            "SG",
            Role.TERMINAL,
            "UEN 209912345Z",
            facilities=_at("SGSIN", code="PSATUA", provider="SMDG"),
        ),
        _person(
            "bankcq",
            "Bank of Two Rivers, Chongqing Branch",
            "CN",
            Role.BANK,
            "LEI ZZZZ00BANKCQINLAND36",
        ),
        _person(
            "banksg", "Straits Commercial Bank Ltd", "SG", Role.BANK, "LEI ZZZZ00BANKSGSTRAIT37"
        ),
        _person(
            "straits",
            "Straits Cycle Trading Pte. Ltd.",
            "SG",
            Role.CONSIGNEE,
            "LEI ZZZZ00BUYERMERLION44",
            "UEN 209954321Z",
        ),
        _person(
            "nusantara",
            "Nusantara Wheels Distribution Pte. Ltd.",
            "SG",
            Role.CONSIGNEE,
            "UEN 209967890Z",
        ),
        _person("cqcus", "Chongqing Customs (Demo)", "CN", Role.CUSTOMS, "AUTHORITY CQ Customs"),
        _person("sgcus", "Singapore Customs (Demo)", "SG", Role.CUSTOMS, "AUTHORITY SG Customs"),
        _person(
            "auditor", "Corridor Audit Office (Demo)", "CN", Role.AUDITOR, "AUTHORITY CQ Audit"
        ),
        _person(
            "sgaudit", "Singapore Audit Office (Demo)", "SG", Role.AUDITOR, "AUTHORITY SG Audit"
        ),
        _person("shadow", "Shadow Forwarding Ltd.", "ZZ", Role.FORWARDER, "AUTHORITY Shadow"),
    )
}


def key_of(slug: str, number: int = 1, **more: Any) -> NewKey:
    """The party's first, second ... key; `kid` and `jwk` are names, not real keys."""
    return NewKey(
        **{"kid": f"key-{slug}-{number}", "alg": "Ed25519", "jwk": f"{slug} {number}", **more}
    )


def reference_to(slug: str, *kinds: str) -> PartyReference:
    """The party as a document names it, by these kinds of identifiers (all that it has if none)."""
    person = PARTIES[slug]
    codes = {("SLUG", slug), *person.ids}
    return PartyReference(
        name=person.name, codes=frozenset(code for code in codes if not kinds or code[0] in kinds)
    )


# What may differ between an approved draft and the document issued on it.
_NOT_CONTENT = (
    "status",
    "issue_date",
    "received_for_shipment_date",
    "shipped_on_board_date",
    "is_shipped_on_board",
)


def bill_of_lading(kind: BillKind = BillKind.ORDER, **changes: Any) -> DocumentFacts:
    members: dict[str, Any] = {
        "reference": "XLSC2703CQSG00418",
        "sub_reference": None,
        "carrier_code": "XLSC",
        "carrier_code_list_provider": "NMFTA",
        "kind": kind,
        "type_code": "BOL",
        "status": "ISSUED",
        "is_electronic": True,
        "is_shipped_on_board": False,
        "issue_date": RECEIVED_ON,
        "shipped_on_board_date": None,
        "received_for_shipment_date": RECEIVED_ON,
        "shipper": reference_to("yunling"),
        "consignee": reference_to("straits") if kind is BillKind.STRAIGHT else None,
        "endorsee": reference_to("yunling") if kind is BillKind.ORDER else None,
        "notify": (reference_to("straits"),),
        "place_of_receipt": "CNCQI",
        "port_of_loading": "CNQZH",
        "port_of_discharge": "SGSIN",
        "place_of_delivery": "SGSIN",
        "sailings": (Sailing(vessel=VESSEL, voyage=VOYAGE),),
        "equipment": (BOX_1, BOX_2),
        "seals": tuple((box, SEALS[box]) for box in (BOX_1, BOX_2)),
        "booking_references": (BOOKING_REFERENCE,),
        **changes,
    }
    content = {name: value for name, value in members.items() if name not in _NOT_CONTENT}
    checksum = digest(_plain(members))
    digests = {
        "checksum": checksum,
        "content_digest": digest(_plain(content)),
        "received_bytes": digest(f"bytes of {checksum}"),
    }
    return DocumentFacts(**{**digests, **members})


def shipped(kind: BillKind = BillKind.ORDER, **changes: Any) -> DocumentFacts:
    """The same bill, issued on 5 March after loading as shipped on board."""
    return bill_of_lading(
        kind,
        **{
            "is_shipped_on_board": True,
            "issue_date": LOADED_ON,
            "shipped_on_board_date": LOADED_ON,
            "received_for_shipment_date": None,
            **changes,
        },
    )


def altered(facts: DocumentFacts, **changes: Any) -> DocumentFacts:
    """Other bytes in which the named members differ and all else, digests too, is the same."""
    return replace(facts, received_bytes=digest(f"{facts.received_bytes} {changes}"), **changes)


def _plain(members: dict[str, Any]) -> str:
    return str(sorted((name, _steady(value)) for name, value in members.items()))


def _steady(value: object) -> str:
    """Like `repr`, but the same in every run: the order of a frozenset is not."""
    if isinstance(value, tuple):
        return "|".join(_steady(entry) for entry in value)
    return str(sorted(value.codes)) if isinstance(value, PartyReference) else repr(value)
