"""Transport documents on this side: checked and digested before they are uploaded.

What is signed names digests that are computed here, from the bytes in hand; the platform's answer
to the upload has to agree, or nothing is signed.
"""

from __future__ import annotations

import hashlib
from typing import Any

from bol_service.cli.output import Stopped, warn
from bol_service.client import Client
from bol_service.crypto import strictjson
from bol_service.domain.document import DocumentFacts, PartyReference
from bol_service.wire.document import read_document

Json = dict[str, Any]


def parse(content: bytes) -> Json:
    """The JSON object in `content`, strictly read; raises Stopped."""
    try:
        value = strictjson.loads_document(content)
    except strictjson.BadJson as error:
        raise _unreadable(str(error)) from None
    if not isinstance(value, dict):
        raise _unreadable("it is not a JSON object")
    return value


def _unreadable(detail: str) -> Stopped:
    return Stopped("The document cannot be read", detail, "Correct the file.", "bad_document")


def read(content: bytes) -> DocumentFacts:
    """Facts and digests of a transport document; raises Stopped or DocumentError."""
    return read_document(content, parse(content))


def upload(client: Client, content: bytes, facts: DocumentFacts) -> None:
    """Upload a transport document; raises Stopped if the platform digests it otherwise."""
    answered = client.upload(content)
    for warning in answered.get("warnings", []):
        warn(f"{warning['pointer']} {warning['message']}")
    for member, own in (
        ("digest", facts.received_bytes),
        ("checksum", facts.checksum),
        ("contentDigest", facts.content_digest),
    ):
        if answered.get(member) != own:
            raise Stopped(
                "The platform read another document",
                f"its {member} is {answered.get(member)}, computed here it is {own}",
                "Do not sign. Tell the operator.",
                "other_digest",
            )


def upload_visualisation(client: Client, content: bytes) -> None:
    """Upload a PDF; raises Stopped if the platform digests it otherwise."""
    answered = client.upload(content, "visualisation", "application/pdf")
    own = hashlib.sha256(content).hexdigest()
    if answered.get("digest") != own:
        raise Stopped(
            "The platform read another file",
            f"its digest is {answered.get('digest')}, computed here it is {own}",
            "Do not sign. Tell the operator.",
            "other_digest",
        )


def upload_instructions(client: Client, content: bytes) -> None:
    client.upload(content, "shipping-instructions")


def sha256(content: bytes) -> str:
    """Lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def slug_of(reference: PartyReference | None) -> str | None:
    """The slug by which the document itself names a party, if it does."""
    if reference is None:
        return None
    return next((code for scheme, code in sorted(reference.codes) if scheme == "SLUG"), None)


def summary(facts: DocumentFacts, value: Json) -> list[tuple[str, object]]:
    """What a person must see of a transport document before it approves or issues it."""
    vessels = ", ".join(f"{sailing.vessel} {sailing.voyage}" for sailing in facts.sailings)
    order = "to order, in blank" if facts.endorsee is None else f"to order of {facts.endorsee.name}"
    consignee = facts.consignee.name if facts.consignee else order
    return [
        ("B/L number 提单号", facts.reference),
        ("type 类型", f"{facts.kind} {facts.type_code}"),
        ("shipper 托运人", facts.shipper.name),
        ("consignee 收货人", consignee),
        ("notify 通知方", ", ".join(party.name for party in facts.notify)),
        ("receipt 收货地", facts.place_of_receipt),
        ("loading 装货港", facts.port_of_loading),
        ("discharge 卸货港", facts.port_of_discharge),
        ("delivery 交货地", facts.place_of_delivery),
        ("vessel 船名航次", vessels),
        ("goods 货物", "; ".join(_goods(value))),
        ("containers 箱号", ", ".join(_containers(facts, value))),
        ("received 收货日", facts.received_for_shipment_date),
        ("on board 装船日", facts.shipped_on_board_date),
        ("issued 签发日", facts.issue_date),
        ("content digest", facts.content_digest),
    ]


def _goods(value: Json) -> list[str]:
    return [
        line for item in value.get("consignmentItems", []) for line in item["descriptionOfGoods"]
    ]


def _containers(facts: DocumentFacts, value: Json) -> list[str]:
    weights: dict[str, str] = {}
    for item in value.get("consignmentItems", []):
        for cargo in item.get("cargoItems", []):
            weight = cargo["cargoGrossWeight"]
            weights[cargo["equipmentReference"]] = f" {weight['value']} {weight['unit']}"
    return [f"{number}{weights.get(number, '')}" for number in facts.equipment]
