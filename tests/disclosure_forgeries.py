"""What a forger makes of disclosed fields, and where it is caught: tables for both engines.

`FORGERIES` are files beside a bill that commits to others. In `COMMITTED` the bill itself commits
to the forged file, which only a platform lets in that does not look (`careless_platform`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from bol_service.application import platform_guard
from bol_service.crypto import base64url, strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.verification.disclosure import verify
from bol_service.verification.disclosure_report import DisclosureReport, Step
from bol_service.verification.trust import Trust
from bol_service.wire import drafting
from bol_service.wire.disclosure import TYP, Presentation
from tests.disclosed_bill import (
    DisclosingWorld,
    commit,
    joined,
    payload_of,
    signed_anew,
    texts,
)
from tests.minimal_bill import CARRIER, OPERATOR, SHIPPER


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`bill` was issued with disclosures, `other` too, `bare` without."""

    world: DisclosingWorld
    bill: str
    other: str
    bare: str

    @property
    def full(self) -> Presentation:
        return self.world.disclosures[self.bill]

    @property
    def trust(self) -> Trust:
        return self.world.trust()

    def evidence(self, bill: str | None = None) -> bytes:
        return self.world.bundle(bill or self.bill)

    def issue_only(self) -> bytes:
        return self.world.running.services.evidence.issue_bundle(self.bill, SHIPPER)

    def judge(
        self, text: str, evidence: bytes | None = None, now: datetime | None = None
    ) -> DisclosureReport:
        evidence = self.evidence() if evidence is None else evidence
        return verify(text.encode(), evidence, self.trust, now or datetime.now(UTC))


def scene_of(world: DisclosingWorld) -> Scene:
    bill, other = world.issue(0), world.issue(1)
    bare = super(DisclosingWorld, world)._issue_details
    original = world._issue_details
    world._issue_details = bare  # type: ignore[method-assign]
    third = world.issue(2)
    world._issue_details = original  # type: ignore[method-assign]
    return Scene(world=world, bill=bill, other=other, bare=third)


def by(signer: str) -> Callable[[Scene], str]:
    """The same claims and digests under another party's signature."""

    def forge(scene: Scene) -> str:
        key = scene.world.signers[signer]
        return joined(signed_anew(payload_of(scene.full), key), *texts(scene.full))

    return forge


def by_stranger(scene: Scene) -> str:
    key = LocalSigner(generate(Algorithm.ED25519))
    return joined(signed_anew(payload_of(scene.full), key), *texts(scene.full))


def committed_anew(scene: Scene) -> str:
    """The carrier itself, afterwards: other values under fresh salts."""
    return commit(document(scene, descriptionOfGoods=["GOLD"]), carrier(scene)).to_text()


def same_with_fresh_salts(scene: Scene) -> str:
    return commit(document(scene), carrier(scene)).to_text()


def carrier(scene: Scene) -> LocalSigner:
    return scene.world.signers[CARRIER]


def document(scene: Scene, **changes: Any) -> bytes:
    value = scene.full.document()
    assert isinstance(value, dict)
    value["consignmentItems"][0].update(changes)
    return strictjson.canonical(value)


def of_other_bill(scene: Scene) -> str:
    return scene.world.disclosures[scene.other].to_text()


def claims_of_this_bill(scene: Scene) -> str:
    """The other bill's digests, the carrier's signature, this bill's name."""
    other = scene.world.disclosures[scene.other]
    mixed = payload_of(scene.full) | {"_sd": payload_of(other)["_sd"]}
    return joined(signed_anew(mixed, carrier(scene)), *texts(other))


def named(**claims: str) -> Callable[[Scene], str]:
    def forge(scene: Scene) -> str:
        payload = payload_of(scene.full) | claims
        return joined(signed_anew(payload, carrier(scene)), *texts(scene.full))

    return forge


FORGERIES: list[Any] = [
    pytest.param(by(SHIPPER), Step.COMMITMENT, "other_commitment", id="another party signed it"),
    pytest.param(by(OPERATOR), Step.COMMITMENT, "other_commitment", id="the operator signed it"),
    pytest.param(by_stranger, Step.COMMITMENT, "other_commitment", id="a stranger signed it"),
    pytest.param(
        committed_anew,
        Step.BILL,
        "other_bill",
        id="the carrier committed to other goods afterwards",
    ),
    pytest.param(
        same_with_fresh_salts,
        Step.COMMITMENT,
        "other_commitment",
        id="the carrier committed to the same document afterwards",
    ),
    pytest.param(of_other_bill, Step.BILL, "other_bill", id="it is of another bill"),
    pytest.param(
        claims_of_this_bill,
        Step.COMMITMENT,
        "other_commitment",
        id="another bill's digests bear this bill's name",
    ),
    pytest.param(named(origin="demo.c/d"), Step.BILL, "other_bill", id="it is of another platform"),
    pytest.param(
        named(carrier=SHIPPER), Step.COMMITMENT, "other_carrier", id="it names another carrier"
    ),
    pytest.param(
        named(transportDocumentReference="N7"),
        Step.COMMITMENT,
        "other_commitment",
        id="it names another number",
    ),
]


@contextmanager
def careless_platform() -> Iterator[None]:
    """The platform's own checks of disclosures are gone; the verifier stands alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platform_guard, "_require_disclosures", lambda *_: None)
        yield


def committed(world: DisclosingWorld, forge: Callable[[Presentation, DisclosingWorld], str]) -> str:
    """Issue a bill that commits to what `forge` makes of an honest file; that file.

    Only a platform that does not look takes it.
    """
    honest = world._issue_details
    made: list[str] = []

    def details(issued: Any, shipment: str) -> Any:
        found = honest(issued, shipment)
        made.append(forge(world.disclosures[issued["checksum"]], world))
        signed = made[0].partition("~")[0]
        return found | {"disclosure": hashlib.sha256(signed.encode()).hexdigest()}

    world._issue_details = details  # type: ignore[method-assign]
    try:
        with careless_platform():
            world.issue(len(world.disclosures))
    finally:
        world._issue_details = honest  # type: ignore[method-assign]
    return made[0]


def under_another_key(full: Presentation, world: DisclosingWorld) -> str:
    return joined(signed_anew(payload_of(full), world.signers[SHIPPER]), *texts(full))


def with_a_broken_signature(full: Presentation, _: DisclosingWorld) -> str:
    signed = full.signed.text
    broken = signed[:-10] + ("A" if signed[-10] != "A" else "B") + signed[-9:]
    return joined(broken, *texts(full))


def claiming(**claims: str) -> Callable[[Presentation, DisclosingWorld], str]:
    def forge(full: Presentation, world: DisclosingWorld) -> str:
        payload = payload_of(full) | claims
        return joined(signed_anew(payload, world.signers[CARRIER]), *texts(full))

    return forge


def of_other_goods(full: Presentation, world: DisclosingWorld) -> str:
    value = full.document()
    assert isinstance(value, dict)
    value["consignmentItems"][0]["HSCodes"] = ["930100"]
    return of_other_document(full, world, value)


def of_a_member_that_is_not_there(full: Presentation, world: DisclosingWorld) -> str:
    value = full.document()
    assert isinstance(value, dict)
    value["consignmentItems"].append(value["consignmentItems"][0])
    return of_other_document(full, world, value)


def of_other_document(full: Presentation, world: DisclosingWorld, value: Any) -> str:
    other = commit(strictjson.canonical(value), world.signers[CARRIER])
    bill = {"bill": full.claims.bill, "statusAt": full.claims.status_at}
    payload = payload_of(other) | bill
    return joined(signed_anew(payload, world.signers[CARRIER]), *texts(other))


def under_another_algorithm(full: Presentation, world: DisclosingWorld) -> str:
    _, payload, signature = full.signed.text.split(".")
    kid = world.signers[CARRIER].public.kid
    header = base64url.encode(strictjson.canonical({"alg": "ES256", "kid": kid, "typ": TYP}))
    return joined(f"{header}.{payload}.{signature}", *texts(full))


def before_the_issue(world: DisclosingWorld) -> Callable[[Presentation, DisclosingWorld], str]:
    """Signed with a key of the carrier that was replaced before it issued the bill."""
    old = world.signers[CARRIER]
    fresh = LocalSigner(generate(Algorithm.ED25519))
    proof = drafting.prove_key(fresh, origin="demo.a/b", party=CARRIER)
    world.act(CARRIER, "ROTATE_KEY", f"party:{CARRIER}", proof)
    world.signers[CARRIER] = fresh
    return lambda full, _: joined(signed_anew(payload_of(full), old), *texts(full))


def after_the_issue(world: DisclosingWorld) -> str:
    """Signed with a key that the carrier adds only when the bill is out."""
    later = LocalSigner(generate(Algorithm.ED25519))
    text = committed(
        world, lambda full, _: joined(signed_anew(payload_of(full), later), *texts(full))
    )
    proof = drafting.prove_key(later, origin="demo.a/b", party=CARRIER)
    world.act(CARRIER, "ADD_KEY", f"party:{CARRIER}", proof)
    return text


COMMITTED: list[Any] = [
    pytest.param(
        under_another_algorithm, Step.SIGNATURE, "wrong_key", id="it names another algorithm"
    ),
    pytest.param(
        under_another_key, Step.SIGNATURE, "wrong_key", id="it is signed by another party"
    ),
    pytest.param(
        with_a_broken_signature, Step.SIGNATURE, "bad_signature", id="its signature is broken"
    ),
    pytest.param(
        claiming(carrierCode="OTHR"),
        Step.SIGNATURE,
        "other_carrier_code",
        id="it bears another carrier code",
    ),
    pytest.param(
        claiming(carrierCodeListProvider="SMDG"),
        Step.SIGNATURE,
        "other_carrier_code",
        id="its carrier code is of another list",
    ),
    pytest.param(
        claiming(transportDocumentReference="N7"),
        Step.DOCUMENT,
        "other_document",
        id="its number is not the document's",
    ),
    pytest.param(
        of_other_goods, Step.DOCUMENT, "value_differs", id="a value is not the document's"
    ),
    pytest.param(
        of_a_member_that_is_not_there,
        Step.DOCUMENT,
        "value_differs",
        id="a value has no place in the document",
    ),
]
