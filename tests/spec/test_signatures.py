"""Whose signature an event needs: a registered key, or for the operator's first act its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bol_service.crypto import strictjson
from bol_service.crypto.keys import Algorithm, PublicKey
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.domain import errors
from bol_service.domain.states import Head
from bol_service.verification import signatures
from bol_service.wire import drafting
from bol_service.wire.events import SignedEvent, decode
from tests import minimal_bill

Json = dict[str, Any]
OWN, NEW, OTHER = (LocalSigner(generate(Algorithm.ED25519)) for _ in range(3))
AT = datetime(2027, 3, 5, 8, tzinfo=UTC)
IDENTITY: Json = {
    "country": "CN",
    "identifiers": [{"type": "AUTHORITY", "value": "op"}],
    "legalName": "op",
}


def registration(actor: str, signer: LocalSigner) -> SignedEvent:
    """`actor` registers itself with the key NEW; `signer` signs."""
    proof = drafting.prove_key(NEW, origin=minimal_bill.ORIGIN, party=actor, identity=IDENTITY)
    roles = ["OPERATOR"] if actor == "operator" else ["SHIPPER"]
    details = {**proof, "identity": IDENTITY, "roles": roles}
    return signed(actor, "REGISTER", details, signer)


def added_key(actor: str, signer: LocalSigner) -> SignedEvent:
    """`actor` adds the key NEW; `signer` signs."""
    proof = drafting.prove_key(NEW, origin=minimal_bill.ORIGIN, party=actor, identity=None)
    return signed(actor, "ADD_KEY", proof, signer)


def signed(actor: str, action: str, details: Json, signer: LocalSigner) -> SignedEvent:
    event = drafting.payload(
        action=action,
        actor=actor,
        at=AT,
        audience=minimal_bill.ORIGIN,
        stream=f"party:{actor}",
        after=None if action == "REGISTER" else Head(sequence=0, digest="0" * 64),
        details=details,
        recipient=None,
    )
    return decode(drafting.sign(event, signer))


def nobody(kid: str) -> PublicKey | None:
    return None


def only(*signers: LocalSigner) -> signatures.KeyOf:
    return {signer.public.kid: signer.public for signer in signers}.get


def test_the_operator_s_first_act_is_signed_with_the_key_that_it_registers() -> None:
    signatures.verify(registration("operator", NEW), nobody)


@pytest.mark.parametrize(
    ("event", "key_of"),
    [
        (lambda: registration("operator", OTHER), nobody),
        (lambda: registration("sh", NEW), nobody),
        (lambda: added_key("operator", NEW), nobody),
        (lambda: added_key("sh", OTHER), only(OWN)),
    ],
    ids=[
        "the operator's registration with another key",
        "a party that registers itself",
        "a key of the operator that adds itself",
        "a stranger's key",
    ],
)
def test_a_signature_of_a_key_that_is_not_registered_does_not_count(
    event: Any, key_of: signatures.KeyOf
) -> None:
    with pytest.raises(errors.BadSignature, match="is registered") as refused:
        signatures.verify(event(), key_of)
    assert refused.value.pointer == "/kid"


def test_a_registered_key_signs_for_its_party() -> None:
    signatures.verify(added_key("sh", OWN), only(OWN, NEW))


def test_the_key_that_is_kept_as_text_is_the_one_that_was_written() -> None:
    jwk = strictjson.canonical(OWN.public.to_jwk()).decode("ascii")
    assert signatures.public_key(jwk) == OWN.public
