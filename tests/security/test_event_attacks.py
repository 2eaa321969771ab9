"""Attacks on the one door that writes: forged, stolen, replayed and misdirected events.

N-numbers are those of the domain notes D.2. Whatever is refused leaves the log as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bol_service.crypto import base64url, jws, strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, Signer, generate
from bol_service.domain.states import Head
from bol_service.verification.report import Verdict
from bol_service.verification.verifier import verify
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import EVENT_TYP
from tests import kit, minimal_bill
from tests.bill_scene import Answer, Scene, newcomer, scene
from tests.scene_events import compact, key, refused, sign_act, with_header
from tests.security.test_bundle_splices import malleated
from tests.small_orders import signed_with_neutral_r

Json = dict[str, Any]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("attacks")) as ready:
        yield ready


@pytest.fixture
def unchanged(stage: Scene) -> Iterator[None]:
    """Nothing is recorded while the test runs."""
    before = stage.log_size
    yield
    assert stage.log_size == before


# -- N1: forged ----------------------------------------------------------------------------------


def test_a_signature_by_another_key_is_refused(stage: Scene, unchanged: None) -> None:
    """The header names the victim's key, the attacker's signs."""
    header = {"alg": "Ed25519", "kid": key(stage, "bankcq").public.kid, "typ": EVENT_TYP}
    payload = strictjson.canonical(sign_act(stage))
    forged = with_header(strictjson.canonical(header), payload, key(stage, "shadow"))
    refused(stage.post_event(forged), 422, "bad_signature")


@pytest.mark.parametrize("byte", [0, 31, 32, 63])
def test_a_changed_signature_is_refused(stage: Scene, unchanged: None, byte: int) -> None:
    start, _, signature = compact(sign_act(stage), key(stage, "bankcq")).rpartition(".")
    raw = bytearray(base64url.decode(signature))
    raw[byte] ^= 1
    answer = stage.post_event(f"{start}.{base64url.encode(bytes(raw))}")
    refused(answer, 422, "bad_signature")


def test_a_signature_that_libraries_disagree_about_is_refused(
    stage: Scene, unchanged: None
) -> None:
    """Recorded, it would make evidence that holds here and is forged in another browser."""
    start, _, _ = compact(sign_act(stage), key(stage, "bankcq")).rpartition(".")
    signer = key(stage, "bankcq")
    assert isinstance(signer, LocalSigner)
    private = signer._key
    assert isinstance(private, Ed25519PrivateKey)
    signature = signed_with_neutral_r(private, start.encode())
    private.public_key().verify(signature, start.encode())
    answer = stage.post_event(f"{start}.{base64url.encode(signature)}")
    refused(answer, 422, "bad_signature")


def test_a_changed_payload_is_refused(stage: Scene, unchanged: None) -> None:
    header, _, signature = compact(sign_act(stage), key(stage, "bankcq")).split(".")
    other = sign_act(stage, action="SURRENDER_FOR_DELIVERY")
    payload = base64url.encode(strictjson.canonical(other))
    refused(stage.post_event(f"{header}.{payload}.{signature}"), 422, "bad_signature")


def test_an_unregistered_key_is_refused(stage: Scene, unchanged: None) -> None:
    stranger = LocalSigner(generate(Algorithm.ED25519))
    refused(stage.post_event(compact(sign_act(stage), stranger)), 422, "bad_signature")


def test_a_party_s_key_speaks_for_no_other_party(stage: Scene, unchanged: None) -> None:
    refused(stage.post_event(compact(sign_act(stage), key(stage, "shadow"))), 403, "wrong_key")


def test_the_operator_s_key_speaks_for_no_other_party(stage: Scene, unchanged: None) -> None:
    refused(stage.post_event(compact(sign_act(stage), key(stage, "operator"))), 403, "wrong_key")


def test_a_platform_key_is_no_party_s(stage: Scene, unchanged: None) -> None:
    for signer in (stage.platform.log_signer, stage.platform.statement_signer):
        refused(stage.post_event(compact(sign_act(stage), signer)), 422, "bad_signature")


def test_the_alg_is_the_one_that_the_key_is_pinned_to(stage: Scene, unchanged: None) -> None:
    header = {"alg": "ES256", "kid": key(stage, "bankcq").public.kid, "typ": EVENT_TYP}
    payload = strictjson.canonical(sign_act(stage))
    answer = stage.post_event(
        with_header(strictjson.canonical(header), payload, key(stage, "bankcq"))
    )
    refused(answer, 422, "bad_signature")
    assert "alg ES256" in answer.json()["detail"]


# -- N2: revoked ---------------------------------------------------------------------------------


def test_a_revoked_key_signs_nothing_any_more(stage: Scene) -> None:
    client = newcomer(stage.platform, stage.voyage, "revoked", "CN", {"roles": ["SHIPPER"]})
    old, new = key_of(client.signer), LocalSigner(generate(Algorithm.ED25519))
    proof = drafting.prove_key(new, origin=kit.ORIGIN, party="revoked")
    client.act("ROTATE_KEY", "party:revoked", proof)
    size = stage.log_size
    details = {"rulebook": stage.voyage.saved["rulebook"]}
    client.signer, client._token = new, None
    event = client.draft_event("ACCEPT_RULEBOOK", "party:revoked", details)
    answer = stage.post_event(drafting.sign(event, old))
    refused(answer, 403, "key_revoked")
    assert stage.log_size == size
    assert stage.post_event(drafting.sign(event, new)).status == 201


def key_of(signer: Signer | None) -> Signer:
    assert signer is not None
    return signer


def test_what_a_revoked_key_signed_before_still_verifies(tmp_path: Path) -> None:
    with minimal_bill.build(tmp_path) as world:
        bill = world.issue()
        carrier = world.signers[minimal_bill.CARRIER]
        revocation = {"kid": carrier.public.kid, "reason": "stolen"}
        world.act(minimal_bill.CARRIER, "REVOKE_KEY", "party:ca", revocation)
        content = world.bundle(bill)
        now = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
        report = verify(content, world.trust(), now)
        assert report.verdict is not Verdict.NOT_GENUINE, report.findings
        assert "REVOKE_KEY" in {signed.action for signed in report.signed}


# -- N3, N4: replay ------------------------------------------------------------------------------


def test_the_same_bytes_again_get_the_first_receipt_to_the_byte(stage: Scene) -> None:
    event = compact(sign_act(stage), key(stage, "bankcq"))
    first = stage.post_event(event)
    size = stage.log_size
    again = stage.post_event(event)
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    assert first.headers["ETag"] == again.headers["ETag"]
    assert stage.log_size == size


def test_the_same_act_signed_again_gets_the_first_receipt(stage: Scene) -> None:
    """ECDSA signs with a random number: two signatures of one payload differ."""
    client = stage.clients["xlsc"]
    details = {"rulebook": stage.voyage.saved["rulebook"]}
    event = client.draft_event("ACCEPT_RULEBOOK", "party:xlsc", details)
    texts = [drafting.sign(event, key(stage, "xlsc")) for _ in range(2)]
    assert texts[0] != texts[1]
    first, second = (stage.post_event(text) for text in texts)
    assert (first.status, second.status) == (201, 200)
    assert first.body == second.body


def test_an_act_that_a_stranger_turned_over_on_the_way_is_recorded_once(stage: Scene) -> None:
    """Of a captured ES256 signature (r, s) anybody can make (r, n-s), and come first with it."""
    client = stage.clients["xlsc"]
    details = {"rulebook": stage.voyage.saved["rulebook"]}
    event = client.draft_event("ACCEPT_RULEBOOK", "party:xlsc", details)
    own = drafting.sign(event, key(stage, "xlsc"))
    size = stage.log_size
    first, second = (stage.post_event(text) for text in (malleated(own), own))
    assert (first.status, second.status) == (201, 200)
    assert first.body == second.body
    assert stage.log_size == size + 1
    head = stage.head("party:xlsc")
    assert head is not None
    assert head.digest == jws.parse(malleated(own), EVENT_TYP).digest  # the next act names this


def test_a_stranger_who_resends_a_captured_event_changes_nothing(
    stage: Scene, unchanged: None
) -> None:
    captured = stage.receipt["event"]
    answer = stage.post_event(captured)
    assert answer.status == 200
    assert answer.json() == stage.receipt


def test_a_stranger_who_repeats_a_payload_learns_nothing(stage: Scene, unchanged: None) -> None:
    payload = jws.parse(stage.receipt["event"], EVENT_TYP).payload
    repeated = drafting.sign(payload, key(stage, "shadow"))
    refused(stage.post_event(repeated), 403, "wrong_key")


def test_a_transfer_replayed_after_the_bill_came_back_moves_nothing(
    stage: Scene, unchanged: None
) -> None:
    """bankcq gave the bill to nusantara and got it back: A, B, A."""
    items = stage.request("GET", f"/v1/bills/{stage.bill_a}/events", party="bankcq").json()["items"]
    moves = [item for item in items if item["actor"] == "bankcq" and item["action"] == "TRANSFER"]
    captured = moves[-1]["event"]
    assert stage.post_event(captured).status == 200  # its first receipt, as given then
    bill = stage.request("GET", f"/v1/bills/{stage.bill_a}", party="bankcq").json()
    assert bill["control"]["possessor"] == "bankcq"
    value = json.loads(jws.parse(captured, EVENT_TYP).payload)
    value |= {"id": drafting.uuid7(stage.voyage.now())}
    refused(stage.post_event(compact(value, key(stage, "bankcq"))), 409, "stale_head")


def test_an_id_belongs_to_one_event(stage: Scene) -> None:
    value = sign_act(stage)
    assert stage.post_event(compact(value, key(stage, "bankcq"))).status == 201
    size = stage.log_size
    other = sign_act(stage, id=value["id"])
    refused(stage.post_event(compact(other, key(stage, "bankcq"))), 409, "id_reused")
    assert stage.log_size == size


# -- N5: misdirected -----------------------------------------------------------------------------


def test_an_event_of_one_bill_counts_for_no_other(stage: Scene, unchanged: None) -> None:
    signed = compact(sign_act(stage), key(stage, "bankcq"))
    header, payload, signature = signed.split(".")
    moved = json.loads(base64url.decode(payload)) | {"stream": f"bill:{stage.bill_b}"}
    text = f"{header}.{base64url.encode(strictjson.canonical(moved))}.{signature}"
    refused(stage.post_event(text), 422, "bad_signature")


def test_the_head_of_one_bill_is_not_that_of_another(stage: Scene, unchanged: None) -> None:
    head_b = stage.head(f"bill:{stage.bill_b}")
    assert isinstance(head_b, Head)
    value = sign_act(stage, previous=head_b.digest)
    refused(stage.post_event(compact(value, key(stage, "bankcq"))), 409, "stale_head")


@pytest.mark.parametrize("audience", ["demo.sg.example/ebl", "cq.example/ebl", "demo.cq.example"])
def test_an_event_for_another_platform_is_refused(
    stage: Scene, unchanged: None, audience: str
) -> None:
    value = sign_act(stage, audience=audience)
    answer = stage.post_event(compact(value, key(stage, "bankcq")))
    refused(answer, 422, "bad_event")
    assert answer.json()["pointer"] == "/audience"


# -- time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shift", "code"),
    [
        (timedelta(hours=-24, seconds=-1), "bad_time"),
        (timedelta(minutes=5, seconds=1), "bad_time"),
        (timedelta(days=365), "bad_time"),
        (timedelta(days=-365 * 20), "bad_time"),
    ],
    ids=["a day and a second ago", "in five minutes and a second", "next year", "long ago"],
)
def test_an_event_is_signed_at_a_believable_time(
    stage: Scene, unchanged: None, shift: timedelta, code: str
) -> None:
    moment = instant_text(stage.voyage.now() + shift)
    answer = stage.post_event(compact(sign_act(stage, at=moment), key(stage, "bankcq")))
    refused(answer, 422, code)


@pytest.mark.parametrize("shift", [timedelta(hours=-24), timedelta(minutes=5)])
def test_an_event_from_the_edge_of_the_window_is_taken(stage: Scene, shift: timedelta) -> None:
    moment = instant_text(stage.voyage.now() + shift)
    answer = stage.post_event(compact(sign_act(stage, at=moment), key(stage, "bankcq")))
    assert answer.status == 201, answer.body


# -- N21: the operator ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "details", "recipient", "code"),
    [
        ("TRANSFER", {}, "shadow", "not_found"),
        ("ENDORSE_TO_ORDER", {"transferTo": "shadow"}, "shadow", "not_found"),
        ("SURRENDER_FOR_DELIVERY", {}, None, "not_found"),
        ("SACC", {}, None, "not_found"),
        ("VOID", {"reason": "we want it"}, None, "not_found"),
    ],
)
def test_the_operator_controls_no_bill(
    stage: Scene, unchanged: None, action: str, details: Json, recipient: str | None, code: str
) -> None:
    value = sign_act(stage, action=action, actor="operator", details=details)
    if recipient is not None:
        value["recipient"] = recipient
    refused(stage.post_event(compact(value, key(stage, "operator"))), 404, code)


def test_the_operator_issues_no_bill(stage: Scene, unchanged: None) -> None:
    issue = json.loads(jws.parse(stage.receipt["event"], EVENT_TYP).payload)
    value = issue | {"actor": "operator", "id": drafting.uuid7(stage.voyage.now())}
    value["at"] = instant_text(stage.voyage.now())
    refused(stage.post_event(compact(value, key(stage, "operator"))), 403, "not_carrier")


def test_the_operator_changes_no_party_s_keys(stage: Scene, unchanged: None) -> None:
    own = LocalSigner(generate(Algorithm.ED25519))
    proof = drafting.prove_key(own, origin=kit.ORIGIN, party="bankcq")
    revoked = {"kid": key(stage, "bankcq").public.kid, "reason": "we say so"}
    for action, details in (("ADD_KEY", proof), ("ROTATE_KEY", proof), ("REVOKE_KEY", revoked)):
        event = stage.clients["operator"].draft_event(action, "party:bankcq", details)
        refused(stage.post_event(drafting.sign(event, key(stage, "operator"))), 403, "wrong_key")


def test_a_slug_is_never_registered_again(stage: Scene, unchanged: None) -> None:
    answer = register(stage, "bankcq", LocalSigner(generate(Algorithm.ED25519)))
    refused(answer, 409, "already_registered")


@pytest.mark.parametrize("name", ["log_signer", "statement_signer"])
def test_a_key_of_the_platform_becomes_no_party_s_key(
    stage: Scene, unchanged: None, name: str
) -> None:
    answer = register(stage, "shell", getattr(stage.platform, name), fresh=True)
    refused(answer, 409, "already_registered")


def test_a_key_belongs_to_one_party_for_ever(stage: Scene, unchanged: None) -> None:
    answer = register(stage, "shell", key(stage, "bankcq"), fresh=True)
    refused(answer, 409, "already_registered")


def test_a_key_is_registered_only_with_the_proof_that_its_party_holds_it(
    stage: Scene, unchanged: None
) -> None:
    victim, attacker = (LocalSigner(generate(Algorithm.ED25519)) for _ in range(2))
    answer = register(stage, "shell", attacker, fresh=True, claimed=victim)
    refused(answer, 422, "bad_signature")


def register(
    stage: Scene,
    slug: str,
    signer: Signer,
    *,
    fresh: bool = False,
    claimed: Signer | None = None,
) -> Answer:
    identity = {
        "country": "CN",
        "identifiers": [{"type": "AUTHORITY", "value": "Shell"}],
        "legalName": "Shell",
    }
    proof = drafting.prove_key(signer, origin=kit.ORIGIN, party=slug, identity=identity)
    if claimed is not None:
        proof["key"] = claimed.public.to_jwk()
    details = {**proof, "identity": identity, "roles": ["SHIPPER"]}
    stream = f"party:{slug}"
    after = None if fresh else stage.head(stream)
    event = stage.clients["operator"].draft_event("REGISTER", stream, details, after=after)
    return stage.post_event(drafting.sign(event, key(stage, "operator")))
