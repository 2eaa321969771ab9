"""A live platform at its PINT routes: every response code, told by a peer made for the purpose."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bol_service.domain.states import Status
from bol_service.wire.pint_answers import ResponseCode
from bol_service.wire.pint_building import describe
from tests.border_post import Post, border_post
from tests.pint_story import (
    BANK,
    BUYER,
    CARRIER_PARTY,
    CQ,
    ISSUE,
    SACC,
    SG,
    SHIPPER,
    STRANGER,
    SURRENDER,
    TH,
    TO_BANK,
    TO_BUYER,
    Story,
    act,
    outbound,
    party,
    tampered,
)

RECE, DUPE, BSIG, BENV, INCD, MDOC, DISE = (
    ResponseCode[name] for name in ("RECE", "DUPE", "BSIG", "BENV", "INCD", "MDOC", "DISE")
)
PDF = b"%PDF-1.7 the carrier's picture of the bill"
PACKING = b"packing list"
FILE = describe(PDF, name="bill.pdf", media_type="application/pdf")
LIST = describe(PACKING, name="packing.txt", media_type="text/plain")


@pytest.fixture
def sg(tmp_path: Path) -> Iterator[Post]:
    with border_post(tmp_path) as post:
        yield post


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _with_body(story: Story, **changes: object) -> bytes:
    return json.dumps({**json.loads(story.body(CQ)), **changes}).encode()


def test_an_original_is_received_and_the_ledger_says_so(sg: Post) -> None:
    story = outbound()
    reply = sg.offer(story.body(CQ))
    assert (reply.status, reply.code) == (200, RECE)
    assert reply.answer is not None
    assert reply.answer.received == ()
    state = sg.side.here(story.document_checksum)
    assert (state.status, state.control.possessor) == (Status.ISSUED, "banksg")
    assert sg.side.actions(story.document_checksum) == ["IMPORTED"]


def test_the_same_envelope_gets_the_same_bytes_and_a_new_one_of_the_same_chain_is_a_duplicate(
    sg: Post,
) -> None:
    story = outbound()
    body = story.body(CQ)
    first = sg.offer(body)
    assert sg.offer(body).content == first.content
    again = sg.offer(story.body(CQ))
    assert again.code is DUPE
    assert again.answer is not None
    assert again.answer.duplicate_of == story.chain[-1]
    assert sg.side.actions(story.document_checksum) == ["IMPORTED"]


def test_a_chain_signed_again_is_the_same_transfer(sg: Post) -> None:
    story = outbound()
    sg.offer(story.body(CQ))
    resigned = story.retold()
    assert resigned.chain != story.chain
    assert sg.offer(resigned.body(CQ)).code is DUPE


def test_documents_are_asked_for_taken_and_counted_before_the_transfer_is_finished(
    sg: Post,
) -> None:
    story = Story(visualisation_checksum=FILE.checksum).then(CQ, ISSUE, TO_BANK)
    body = story.body(CQ, visualisation=FILE, supporting=[LIST])
    started = sg.offer(body)
    assert started.status == 201
    reference = started.json()["envelopeReference"]
    assert set(started.json()["missingAdditionalDocumentChecksums"]) == {
        FILE.checksum,
        LIST.checksum,
    }
    early = sg.finish(reference)
    assert (early.status, early.code) == (409, MDOC)
    assert sg.side.state(story.document_checksum) is None

    assert sg.upload(reference, FILE.checksum, _b64(PDF)).status == 204
    assert sg.upload(reference, FILE.checksum, _b64(PDF)).status == 204
    retried = sg.offer(story.body(CQ, visualisation=FILE, supporting=[LIST]))
    assert retried.json()["envelopeReference"] == reference
    assert retried.json()["missingAdditionalDocumentChecksums"] == [LIST.checksum]

    for checksum, encoded in (
        (LIST.checksum, _b64(PDF)),
        (LIST.checksum, _b64(PACKING + b"!")),
        ("0" * 64, _b64(PACKING)),
        (LIST.checksum, "not base64"),
    ):
        wrong = sg.upload(reference, checksum, encoded)
        assert (wrong.status, wrong.code) == (409, INCD)
    assert sg.upload(reference, LIST.checksum, _b64(PACKING)).status == 204

    finished = sg.finish(reference)
    assert (finished.status, finished.code) == (200, RECE)
    assert finished.answer is not None
    assert set(finished.answer.received or ()) == {FILE.checksum, LIST.checksum}
    assert sg.finish(reference).content == finished.content
    closed = sg.upload(reference, LIST.checksum, _b64(PACKING))
    assert (closed.status, closed.code) == (409, INCD)


def test_a_reference_that_nobody_was_given_is_not_found(sg: Post) -> None:
    for reply in (sg.finish("x" * 32), sg.upload("x" * 32, "0" * 64, "")):
        assert reply.status == 404
        assert reply.json()["errors"][0]["errorCode"] == 7001


REFUSED = {
    "a manipulated entry": (BSIG, lambda: _chain(tampered)),
    "a manifest of somebody else": (
        BSIG,
        lambda: _with_body(outbound(), envelopeManifestSignedContent=outbound().manifest(TH)),
    ),
    "another document than the one that was signed": (
        BENV,
        lambda: _with_body(
            outbound(),
            transportDocument={**outbound().document, "serviceContractReference": "ANOTHER"},
        ),
    ),
    "a recipient who is not here": (
        BENV,
        lambda: Story().then(CQ, ISSUE, act("TRANSFER", SHIPPER, party("nobody", SG))).body(CQ),
    ),
    "a recipient on another platform": (
        BENV,
        lambda: Story().then(CQ, ISSUE, act("TRANSFER", SHIPPER, STRANGER)).body(CQ),
    ),
    "a chain that does not begin with its issue": (
        BENV,
        lambda: Story().then(CQ, TO_BANK).body(CQ),
    ),
    "an endorsement by who has no title": (
        DISE,
        lambda: (
            Story()
            .then(CQ, ISSUE, act("TRANSFER", SHIPPER, party("bankcq", CQ)))
            .then(
                CQ,
                act("ENDORSE_TO_ORDER", party("bankcq", CQ), BANK),
                act("TRANSFER", party("bankcq", CQ), BANK),
            )
            .body(CQ)
        ),
    ),
    "an action that nobody knows": (
        BENV,
        lambda: Story().then(CQ, ISSUE, act("GIFT", SHIPPER, BANK)).body(CQ),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_a_signature_and_nothing_is_recorded(name: str, sg: Post) -> None:
    code, body = REFUSED[name]
    reply = sg.offer(body())
    assert reply.code is code, reply.content
    assert sg.side.state(outbound().document_checksum) is None


def test_a_recipient_who_accepts_later_can_be_offered_the_same_chain_again(sg: Post) -> None:
    story = Story().then(CQ, ISSUE, act("TRANSFER", SHIPPER, party("latecomer", SG)))
    assert sg.offer(story.body(CQ)).code is BENV
    assert sg.offer(outbound().body(CQ)).code is RECE


def test_a_fork_is_disputed_and_the_first_transfer_stands(sg: Post) -> None:
    sg.offer(outbound().body(CQ))
    fork = Story().then(CQ, ISSUE, act("TRANSFER", SHIPPER, BUYER))
    assert sg.offer(fork.body(CQ)).code is DISE
    assert sg.side.here(fork.document_checksum).control.possessor == "banksg"


def test_an_original_that_is_here_cannot_come_again(sg: Post) -> None:
    story = outbound()
    sg.offer(story.body(CQ))
    forged = story.then(CQ, act("TRANSFER", SHIPPER, BUYER))
    assert sg.offer(forged.body(CQ)).code is DISE


def test_one_document_with_two_chains_open_is_disputed(sg: Post) -> None:
    one = Story().then(CQ, ISSUE, TO_BANK)
    other = Story().then(CQ, ISSUE, act("TRANSFER", SHIPPER, BUYER))
    assert sg.offer(one.body(CQ, supporting=[LIST])).status == 201
    assert sg.offer(other.body(CQ, supporting=[LIST])).code is DISE


def test_a_body_that_is_no_envelope_is_told_unsigned_where_it_is_wrong(sg: Post) -> None:
    document = {**outbound().document, "transportDocumentReference": " leading blank"}
    for body in (b"{", b"[]", b"{}", _with_body(outbound(), transportDocument=document)):
        reply = sg.offer(body)
        assert (reply.status, reply.answer) == (400, None)
        assert reply.json()["errors"][0]["errorCode"] == 7000
    assert sg.post("/v3/envelopes", outbound().body(CQ), "text/plain").status == 415


def test_a_receiver_is_validated_by_one_code_and_nobody_learns_more(sg: Post) -> None:
    def asked(provider: str, code: str) -> int:
        body = json.dumps({"codeListProvider": provider, "partyCode": code}).encode()
        return sg.post("/v3/receiver-validation", body).status

    assert asked("ZZZ", "banksg") == 200
    for provider, code in (("ZZZ", "desk"), ("ZZZ", "nobody"), ("DNB", "banksg"), ("ZZZ", "X Y")):
        assert asked(provider, code) == 404
    assert sg.post("/v3/receiver-validation", b"{}").status == 400


def test_a_surrender_comes_only_to_the_platform_of_issue(sg: Post) -> None:
    """What Chongqing sends here after a surrender is its answer, never the surrender itself."""
    story = outbound().then(SG, TO_BUYER, SURRENDER).then(CQ, SACC)
    reply = sg.offer(story.body(CQ))
    assert reply.code is BSIG  # an entry in our name that is not ours
    assert sg.side.state(story.document_checksum) is None
    assert CARRIER_PARTY.platform == CQ


def _issuance_at_the_root() -> bytes:
    story = outbound()
    bare = story.retold(0, issuanceManifestSignedContent=None)
    return _with_body(bare, issuanceManifestSignedContent=story.issuance())


def _recorded_by_another_platform() -> bytes:
    story = Story().then(CQ, ISSUE, act("TRANSFER", SHIPPER, STRANGER))
    return story.then(CQ, act("TRANSFER", STRANGER, BANK)).body(CQ)


@pytest.mark.parametrize(
    ("option", "body"),
    [
        pytest.param(
            "issuanceManifestAtRoot",
            _issuance_at_the_root,
            id="the issuance manifest beside the chain",
        ),
        pytest.param(
            "repeatedIssue",
            lambda: Story().then(CQ, ISSUE).then(CQ, act("ISSUE", SHIPPER, BANK)).body(CQ),
            id="transfers called ISSUE",
        ),
        pytest.param(
            "withoutContinuity",
            _recorded_by_another_platform,
            id="an entry by a platform that has not the original",
        ),
    ],
)
def test_older_toolkits_may_be_allowed_what_the_standard_forbids(
    option: str, body: Callable[[], bytes], tmp_path: Path
) -> None:
    sent = body()
    bill = outbound().document_checksum
    others = {"issuanceManifestAtRoot", "repeatedIssue", "withoutContinuity"} - {option}
    for name, options in (("others", dict.fromkeys(others, True)), ("none", None)):
        (tmp_path / name).mkdir()
        with border_post(tmp_path / name, options=options) as post:
            assert post.offer(sent).code is BENV
            assert post.side.state(bill) is None
    with border_post(tmp_path, options={option: True}) as post:
        assert post.offer(sent).code is RECE
        assert post.side.here(bill).control.possessor == "banksg"


def _chain(change: object) -> bytes:
    story = outbound()
    assert callable(change)
    return _with_body(story, envelopeTransferChain=[change(story.chain[0])])
