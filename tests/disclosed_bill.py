"""Bills issued with disclosures, small enough to forge every part of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bol_service.application.documents import DocumentKind
from bol_service.crypto import base64url, jws, strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, Signer, generate
from bol_service.wire.disclosure import TYP, Presentation, parse_full
from bol_service.wire.disclosure_making import make
from bol_service.wire.document import read_document
from tests import minimal_bill
from tests.minimal_bill import CARRIER, ORIGIN, MinimalWorld

Json = dict[str, Any]
PLATFORM = "https://demo.a"


@dataclass(kw_only=True)
class DisclosingWorld(MinimalWorld):
    """`disclosures` is the full file of each bill; `offered` replaces what the next ISSUE names."""

    def __post_init__(self) -> None:
        self.disclosures: dict[str, Presentation] = {}
        self.offered: str | None = None
        self.signed_by: Signer | None = None

    def _issue_details(self, issued: Json, shipment: str) -> Json:
        bill = str(issued["checksum"])
        details = super()._issue_details(issued, shipment)
        content = self.running.services.documents.own(issued["digest"], CARRIER).content
        full = commit(content, self.signed_by or self.signers[CARRIER])
        self.disclosures[bill] = full
        if self.offered is None:
            self.upload(full.to_text())
        return details | {"disclosure": self.offered or full.digest}

    def upload(self, text: str, party: str = CARRIER) -> str:
        documents = self.running.services.documents
        return documents.upload(text.encode(), DocumentKind.DISCLOSURE, party).digest


def commit(content: bytes, signer: Signer, **changes: str) -> Presentation:
    """Disclosures of the document in `content`."""
    value = strictjson.loads_document(content)
    assert isinstance(value, dict)
    told = {"carrier": CARRIER, "origin": ORIGIN, "platform": PLATFORM} | changes
    facts = read_document(content, value, strict=False)
    return make(
        value,
        facts,
        carrier=told["carrier"],
        origin=told["origin"],
        platform=told["platform"],
        at=datetime.now(UTC),
        signer=signer,
    )


def of_document(document: Json, signer: Signer | None = None, **changes: str) -> Presentation:
    signer = signer or LocalSigner(generate(Algorithm.ED25519))
    return commit(strictjson.canonical(document), signer, **changes)


@contextmanager
def disclosing(folder: Path, alg: Algorithm = Algorithm.ED25519) -> Iterator[DisclosingWorld]:
    with minimal_bill.build(folder, alg) as world:
        yield DisclosingWorld(
            **{field.name: getattr(world, field.name) for field in fields(MinimalWorld)}
        )


# -- forging -------------------------------------------------------------------------------------


def payload_of(presentation: Presentation) -> Json:
    value = strictjson.loads_event(presentation.signed.payload)
    assert isinstance(value, dict)
    return value


def disclosure(name: object, value: object, salt: str | None = None) -> str:
    """The text of one disclosure, made as an outsider would."""
    made = [salt or base64url.encode(bytes(range(16))), name, value]
    return base64url.encode(strictjson.canonical(made))


def joined(signed: str, *texts: str) -> str:
    return "".join(f"{part}~" for part in (signed, *texts))


def signed_anew(payload: Json | bytes, signer: Signer, typ: str = TYP) -> str:
    content = payload if isinstance(payload, bytes) else strictjson.canonical(payload)
    return jws.sign(content, typ, signer)


def texts(presentation: Presentation) -> list[str]:
    return [piece.text for piece in presentation.disclosed]


def again(presentation: Presentation) -> Presentation:
    """What a reader of the full file reads."""
    return parse_full(presentation.to_text())
