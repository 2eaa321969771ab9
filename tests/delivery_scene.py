"""A bill of Chongqing whose cargo is handed out in Singapore: terminal and customs are there.

`liongate` and `sgcustoms` are parties of Singapore; in Chongqing's ledger they are `liongate-sg`
and `sgcustoms`, registered from applications that Singapore relayed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bol_service.client_abroad import ClientAbroad, through
from bol_service.crypto import base64url
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.storage.delivery_abroad import SqlDelivery
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from tests.many_bills import RULEBOOK, Act, Maker, Uploads, container
from tests.two_platforms import CQ, SG, Side, Two, _register, two_platforms

Json = dict[str, Any]
TERMINAL, CUSTOMS = "liongate", "sgcustoms"
NAMES = {TERMINAL: "liongate-sg", CUSTOMS: CUSTOMS}
CODE = base64url.encode(b"sixteen bytes ok")
OTHER_CODE = base64url.encode(b"sixteen others..")
COLLECTOR = {"name": "Tan Ah Kow Haulage", "reference": "SGX 1234 A"}
_CAST: dict[str, Json] = {
    TERMINAL: {
        "roles": ["TERMINAL"],
        "facilities": [{"UNLocationCode": "SGSIN", "facilityName": "Lion Gate Terminal"}],
    },
    CUSTOMS: {"roles": ["CUSTOMS"]},
}


def identity(slug: str) -> Json:
    name = f"{slug} (Test)"
    return {
        "country": "SG",
        "legalName": name,
        "identifiers": [{"type": "AUTHORITY", "value": name}],
    }


@dataclass(frozen=True, kw_only=True)
class ShippedAbroad(Maker):
    """As `Maker`, but the cargo is handed out by the terminal of Singapore, after customs."""

    def acts(self, number: int, uploads: Uploads) -> Iterator[Act]:
        for act in super().acts(number, uploads):
            if act.action != "BOOKING":
                yield act
                continue
            custodians = {**act.details["custodians"], "discharge": NAMES[TERMINAL]}
            details = {
                **act.details,
                "custodians": custodians,
                "customs": [CUSTOMS],
                "customsRelease": True,
            }
            yield replace(act, details=details)


@dataclass(kw_only=True)
class Delivery:
    two: Two
    box: str = container(1)
    bill: str = ""
    order: str = ""
    hidden: str = ""
    signers: dict[str, LocalSigner] = field(default_factory=dict)

    @property
    def cq(self) -> Side:
        return self.two.cq

    @property
    def sg(self) -> Side:
        return self.two.sg

    # -- the cast --------------------------------------------------------------------------------

    def enrol(self, slug: str) -> Json:
        """Register a party in Singapore; returns its application to Chongqing."""
        signer = LocalSigner(generate(Algorithm.ED25519))
        self.signers[slug] = signer
        assert isinstance(self.sg.signers, dict)
        self.sg.signers[slug] = signer
        party = _CAST[slug]
        _register(self.sg, slug, signer, identity(slug), party["roles"], party)
        accept = ("ACCEPT_RULEBOOK", f"party:{slug}", {"rulebook": RULEBOOK})
        self.sg.client(slug).act(*accept)
        return self.application(slug, signer)

    def application(self, slug: str, signer: LocalSigner, name: str | None = None) -> Json:
        name = name or NAMES[slug]
        proof = drafting.prove_key(
            signer, origin=self.cq.origin, party=name, identity=identity(slug)
        )
        details = {**proof, **_CAST[slug], "identity": identity(slug)}
        return {"platform": CQ, "party": name, "details": details}

    def apply(self, slug: str, application: Json) -> Json:
        answer: Json = self.sg.client(slug).post("/v1/abroad/registrations", application)
        return answer

    def approve(self, name: str) -> None:
        """Chongqing's operator registers a party from the first application for this name."""
        applied, *_ = self.book(self.cq).applications_for(name)
        details = json.loads(applied.application)
        self.cq.client("operator").act("REGISTER", f"party:{name}", details, after=None)

    def settle_in(self) -> None:
        """Terminal and customs are registered in Chongqing, through Singapore."""
        for slug in (TERMINAL, CUSTOMS):
            assert self.apply(slug, self.enrol(slug)) == {"status": "waiting"}
            self.approve(NAMES[slug])

    def book(self, side: Side) -> SqlDelivery:
        return SqlDelivery(side.running.store)

    def abroad(self, slug: str) -> ClientAbroad:
        """The party's connection to Chongqing's ledger, through Singapore."""
        return through(self.sg.client(slug), origin=self.cq.origin, name=NAMES[slug])

    # -- the story -------------------------------------------------------------------------------

    def issue(self) -> None:
        services = self.cq.running.services
        maker = ShippedAbroad(
            desk=self.two.chongqing, recorder=services.recorder, documents=services.documents
        )
        self.bill = maker._issue(1, maker.upload(1))

    @property
    def shipment(self) -> str:
        return self.cq.here(self.bill).shipment

    @property
    def stream(self) -> str:
        return f"custody:{self.shipment}:{self.box}"

    def fact(self, **more: Any) -> Json:
        now = self.two.clock["now"]
        local = (now + timedelta(hours=8)).date().isoformat()
        return {"occurredAt": instant_text(now), "localDate": local, **more}

    def journey(self) -> None:
        """By rail and sea, until the vessel has departed."""
        sailing = {"vesselName": "XIN LUHAI 9", "carrierExportVoyageNumber": "2703S"}
        train = {"train": "X8888"}
        for party, action, more in (
            ("wrail", "LOADED_RAIL", {**train, "waybill": "W1"}),
            ("wrail", "RAIL_DEPARTED", train),
            ("wrail", "RAIL_ARRIVED", train),
            ("qinzhou", "RECEIVED_TRANSHIPMENT", {}),
            ("qinzhou", "LOADED_VESSEL", sailing),
            ("qinzhou", "VESSEL_DEPARTED", sailing),
        ):
            self.cq.client(party).act(action, self.stream, self.fact(**more))

    def discharge(self) -> Json:
        return self.abroad(TERMINAL).act("DISCHARGED", self.stream, self.fact())

    def cross(self) -> None:
        """The bank in Singapore gets title and possession."""
        for action in ("ENDORSE_TO_ORDER", "TRANSFER"):
            self.cq.act("yunling", action, self.bill, recipient="SGPX:banksg")
        self.two.settled(self.bill)

    def surrender(self) -> None:
        self.sg.act("banksg", "SURRENDER_FOR_DELIVERY", self.bill)
        self.two.settled(self.bill)
        self.cq.act("xlsc", "SACC", self.bill)
        self.two.settled(self.bill)

    def give_order(self) -> None:
        expires = self.two.clock["now"] + timedelta(days=3)
        receipt = self.cq.act(
            "xlsc",
            "DELIVERY_ORDER",
            self.bill,
            terminal=NAMES[TERMINAL],
            containers=[self.box],
            pickUp=COLLECTOR,
            codeHash=hashlib.sha256(CODE.encode()).hexdigest(),
            expires=instant_text(expires),
        )
        self.order = receipt["head"]

    def clear(self) -> Json:
        details = self.fact(customsReference="SGC-1")
        return self.abroad(CUSTOMS).act("CUSTOMS_RELEASE", self.stream, details)

    def gate_out(self, **changes: Any) -> Json:
        details = {
            "bill": self.bill,
            "order": self.order,
            "code": CODE,
            "collectedBy": COLLECTOR,
            **changes,
        }
        return self.abroad(TERMINAL).act("GATE_OUT", self.stream, self.fact(**details))

    def check(self, slug: str = TERMINAL) -> Json:
        """What the gate in Singapore hears."""
        answer: Json = self.sg.client(slug).get(f"/v1/containers/{self.box}/release-check")
        return answer


@contextmanager
def delivery(folder: Path, **options: Any) -> Iterator[Delivery]:
    """Both platforms with their casts, terminal and customs settled in, and one bill issued."""
    with two_platforms(folder, delivers=True, **options) as two:
        scene = Delivery(two=two)
        scene.settle_in()
        scene.issue()
        yield scene


__all__ = ["CQ", "SG", "Delivery", "delivery"]
