"""A thief at the border of a live platform: what was said once for good cannot be unsaid."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bol_service.crypto import peer_jws
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.domain.states import Status
from bol_service.wire.pint_answers import ResponseCode
from bol_service.wire.pint_building import describe
from bol_service.wire.pint_parties import ChainParty, IdentifyingCode
from tests.border_post import Post, Reply, border_post
from tests.pint_story import (
    BANK,
    BUYER,
    CQ,
    ISSUE,
    SG,
    SHIPPER,
    TO_BANK,
    Story,
    act,
    outbound,
    party,
    tampered,
)
from tests.two_platforms import RULEBOOK, Side, _register
from tests.two_platforms import lei as _lei

RECE, DUPE, BSIG, BENV, INCD, DISE = (
    ResponseCode[name] for name in ("RECE", "DUPE", "BSIG", "BENV", "INCD", "DISE")
)
PACKING = b"packing list"
LIST = describe(PACKING, name="packing.txt", media_type="text/plain")
TO_LATECOMER = act("TRANSFER", SHIPPER, party("latecomer", SG))


@pytest.fixture
def sg(tmp_path: Path) -> Iterator[Post]:
    with border_post(tmp_path) as post:
        yield post


def _admitted(side: Side, slug: str) -> None:
    identity = {
        "country": "SG",
        "legalName": slug.title(),
        "identifiers": [{"type": "LEI", "value": _lei("5493000LATE0000000"[:18])}],
    }
    signers: Any = side.signers
    signers[slug] = LocalSigner(generate(Algorithm.ED25519))
    _register(side, slug, signers[slug], identity, ["CONSIGNEE"], {})
    side.client(slug).act("ACCEPT_RULEBOOK", f"party:{slug}", {"rulebook": RULEBOOK})


def test_a_refused_envelope_is_refused_for_ever_since_its_sender_has_the_original_back(
    sg: Post,
) -> None:
    story = Story().then(CQ, ISSUE, TO_LATECOMER)
    body = story.body(CQ)
    first = sg.offer(body)
    assert first.code is BENV
    _admitted(sg.side, "latecomer")
    spaced = json.dumps(json.loads(body), indent=1).encode()
    assert sg.offer(body).content == first.content
    assert sg.offer(spaced).content == first.content
    assert sg.side.state(story.document_checksum) is None
    # A new act of the sender is a new story, and may well be accepted.
    again = Story().then(CQ, ISSUE, act("SIGN", SHIPPER), TO_LATECOMER)
    assert sg.offer(again.body(CQ)).code is RECE


def test_after_a_receipt_no_upload_brings_a_signature_under_a_refusal(sg: Post) -> None:
    story = outbound()
    reference = sg.offer(story.body(CQ, supporting=[LIST])).json()["envelopeReference"]
    sg.upload(reference, LIST.checksum, "cGFja2luZyBsaXN0")
    assert sg.finish(reference).code is RECE
    late = sg.upload(reference, LIST.checksum, "cGFja2luZyBsaXN0")
    assert late.code is INCD  # not final: the sender concludes nothing from it


def test_a_forged_chain_beside_a_real_manifest_does_not_close_the_transfer_that_is_open(
    sg: Post,
) -> None:
    body = outbound().body(CQ, supporting=[LIST])
    reference = sg.offer(body).json()["envelopeReference"]
    forged = {**json.loads(body)}
    forged["envelopeTransferChain"] = [tampered(forged["envelopeTransferChain"][0])]
    assert sg.offer(json.dumps(forged).encode()).code is BSIG
    assert sg.upload(reference, LIST.checksum, "cGFja2luZyBsaXN0").status == 204
    assert sg.finish(reference).code is RECE
    assert sg.offer(body).code is RECE


def test_an_answer_given_again_after_a_change_of_key_bears_the_new_one(sg: Post) -> None:
    body = outbound().body(CQ)
    first = sg.offer(body)
    side = sg.side
    new = LocalSigner(generate(Algorithm.ES256))
    reception: Any = side.running.app.extensions["bol-exchange"].reception
    reception._desk.signer = type(reception._desk.signer)(new)
    reply = _plain(sg, body)
    text = json.loads(reply)
    assert text != json.loads(first.content)
    parsed = peer_jws.parse(text)
    assert parsed.payload == peer_jws.parse(json.loads(first.content)).payload
    assert parsed.header["kid"] == new.public.kid


def _plain(sg: Post, body: bytes) -> bytes:
    answer = sg.side.running.app.test_client().post(
        "/v3/envelopes", data=body, content_type="application/json"
    )
    return answer.data


def _coded(platform: str, *codes: tuple[str, str]) -> ChainParty:
    told = tuple(IdentifyingCode(provider=provider, code=code) for provider, code in codes)
    return ChainParty(name="Somebody", platform=platform, codes=told)


NOT_HOLDERS = {
    "the operator": act("TRANSFER", SHIPPER, party("operator", SG)),
    "the exchange desk": act("TRANSFER", SHIPPER, party("desk", SG)),
    "codes of two parties": act(
        "TRANSFER", SHIPPER, _coded(SG, ("ZZZ", "banksg"), ("ZZZ", "straits"))
    ),
    "a name that stands for nobody": act("TRANSFER", SHIPPER, party("unnamed", SG)),
}


@pytest.mark.parametrize("name", NOT_HOLDERS)
def test_it_cannot_receive_an_original(name: str, sg: Post) -> None:
    story = Story().then(CQ, ISSUE, NOT_HOLDERS[name])
    assert sg.offer(story.body(CQ)).code is BENV
    assert sg.side.state(story.document_checksum) is None


@pytest.mark.parametrize("slug", ["operator", "desk", "nobody"])
def test_a_bill_does_not_come_to_the_order_of_who_could_never_hold_it(slug: str, sg: Post) -> None:
    story = Story().then(CQ, ISSUE, act("ENDORSE_TO_ORDER", SHIPPER, party(slug, SG)), TO_BANK)
    assert sg.offer(story.body(CQ)).code is BENV
    assert sg.side.state(story.document_checksum) is None


def test_a_lenient_peer_cannot_endorse_in_the_name_of_a_party_of_ours(tmp_path: Path) -> None:
    story = Story().then(
        CQ,
        ISSUE,
        act("ENDORSE_TO_ORDER", SHIPPER, BANK),
        TO_BANK,
        act("ENDORSE_TO_ORDER", BANK, BUYER),
        act("TRANSFER", BANK, BUYER),
    )
    with border_post(tmp_path, options={"withoutContinuity": True}) as post:
        assert post.offer(story.body(CQ)).code is DISE
        assert post.side.state(story.document_checksum) is None


FOREIGN = {
    "codes without a slug": _coded(CQ, ("DUNS", "15 048 3782")),
    "a slug of 150 characters": _coded(CQ, ("ZZZ", "x" * 150)),
    "characters that no slug has": _coded(CQ, ("ZZZ", "云岭 №1")),
    "the name of nobody": _coded(CQ, ("ZZZ", "unnamed")),
    "the slug of a party here": _coded(CQ, ("ZZZ", "banksg")),
    "fifty times the same code": _coded(CQ, *[("ZZZ", "yunling")] * 50),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_shipper_abroad_may_be_called(name: str, sg: Post) -> None:
    who = FOREIGN[name]
    story = Story().then(CQ, act("ISSUE", ISSUE.actor, who), act("TRANSFER", who, BANK))
    assert sg.offer(story.body(CQ)).code is RECE
    state = sg.side.here(story.document_checksum)
    assert state.status is Status.ISSUED
    assert state.control.possessor == "banksg"
    assert state.control.title_holder == "CQGY:yunling"


def test_a_chain_may_tell_of_very_many_transactions(sg: Post) -> None:
    signs = [act("SIGN", SHIPPER)] * 600
    story = Story().then(CQ, ISSUE, *signs, TO_BANK)
    assert sg.offer(story.body(CQ)).code is RECE
    assert sg.side.here(story.document_checksum).control.possessor == "banksg"


def test_more_transactions_than_an_entry_takes_are_refused_with_a_signature(sg: Post) -> None:
    signs = [act("SIGN", SHIPPER)] * 5_001
    assert sg.offer(Story().then(CQ, ISSUE, *signs, TO_BANK).body(CQ)).code is BENV


def test_of_two_envelopes_at_once_one_is_received(sg: Post) -> None:
    bodies = [
        outbound().body(CQ),
        Story().then(CQ, ISSUE, act("TRANSFER", SHIPPER, BUYER)).body(CQ),
    ] * 4
    replies: list[Reply] = []
    threads = [
        threading.Thread(target=lambda body=body: replies.append(sg.offer(body))) for body in bodies
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(replies) == len(bodies)
    bill = outbound().document_checksum
    assert sg.side.actions(bill) == ["IMPORTED"]
    said = {str(reply.code) for reply in replies if reply.code is not None}
    assert said <= {"RECE", "DUPE", "DISE"}
    assert all(reply.status in (200, 409, 503) for reply in replies)
