"""Documents, the end of a transfer, and what the sender concludes from the answer."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from bol_service.verification.pint_answer import Answer, Outcome, UntrustedAnswer, read_answer
from bol_service.verification.pint_chain import judge_envelope
from bol_service.verification.pint_documents import AlreadyHeld, Fits, at_the_end, judge_document
from bol_service.verification.pint_history import KnownEntry, KnownHistory, Original
from bol_service.verification.pint_judgement import Judgement, Refused, Unsigned, answer_to
from bol_service.wire import pint_answers
from bol_service.wire.peers import Pins
from bol_service.wire.pint_answers import FinishedResponse, ResponseCode, finished_response
from bol_service.wire.pint_building import describe
from bol_service.wire.pint_envelope import EblEnvelope, EnvelopeManifest
from tests.pint_story import (
    BANK,
    CQ,
    NOW,
    SG,
    TH,
    Story,
    accepted,
    checksum,
    house,
    judged,
    outbound,
    pins,
    refused,
    signed,
    tampered,
)

CONTENT: Final = b"%PDF-1.7 a bill of lading"
PDF: Final = describe(CONTENT, name="bill.pdf", media_type="application/pdf")
MANIFEST: Final = EnvelopeManifest(
    document_checksum="0" * 64, last_checksum="0" * 64, supporting=(PDF,)
)
NOTHING: Final[frozenset[str]] = frozenset()
LAST: Final = "lastEnvelopeTransferChainEntrySignedContentChecksum"


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


# -- documents -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 4, 1000])
def test_a_declared_document_fits(size: int) -> None:
    content = b"\xfb" * size
    declared = describe(content, name="a", media_type="application/pdf")
    manifest = replace(MANIFEST, supporting=(PDF, declared))
    told = judge_document(manifest, declared.checksum, encoded(content), held=NOTHING)
    assert told == Fits(document=declared, content=content)


def test_the_visualisation_is_a_document_too() -> None:
    manifest = replace(MANIFEST, supporting=(), visualisation=PDF)
    assert isinstance(judge_document(manifest, PDF.checksum, encoded(CONTENT), held=NOTHING), Fits)


def test_what_is_here_already_changes_nothing_whatever_comes() -> None:
    held = frozenset({PDF.checksum})
    for body in (encoded(CONTENT), "", "?"):
        assert judge_document(MANIFEST, PDF.checksum, body, held=held) == AlreadyHeld(document=PDF)


OTHER: Final = CONTENT[:-1] + b"!"


@pytest.mark.parametrize(
    ("under", "body", "reason"),
    [
        pytest.param(
            checksum(OTHER), encoded(OTHER), "the manifest declares no document", id="unrelated"
        ),
        pytest.param(PDF.checksum, encoded(OTHER), "the content has the SHA-256", id="corrupted"),
        pytest.param(PDF.checksum, encoded(CONTENT + b"more"), "characters of Base64", id="longer"),
        pytest.param(PDF.checksum, encoded(CONTENT[:9]), "characters of Base64", id="cut short"),
        pytest.param(
            PDF.checksum,
            encoded(CONTENT + b"!"),
            "26 bytes came; the manifest declares 25",
            id="a byte more",
        ),
        pytest.param(PDF.checksum, "", "0 characters of Base64 came; 25 bytes have 36", id="empty"),
        pytest.param(
            PDF.checksum, encoded(CONTENT).rstrip("="), "characters of Base64", id="no padding"
        ),
        pytest.param(
            PDF.checksum, "-_" + encoded(CONTENT)[2:], "not Base64", id="the alphabet for URLs"
        ),
        pytest.param(PDF.checksum, "é" + encoded(CONTENT)[1:], "not Base64", id="other letters"),
        pytest.param(PDF.checksum, "\n" + encoded(CONTENT)[1:], "not Base64", id="line breaks"),
    ],
)
def test_another_document_than_the_declared_one_is_incd(under: str, body: str, reason: str) -> None:
    told = judge_document(MANIFEST, under, body, held=NOTHING)
    assert isinstance(told, Refused)
    assert told.code is ResponseCode.INCD
    assert reason in told.reason


# -- the end -------------------------------------------------------------------------------------


def finished(envelope: EblEnvelope, **changes: Any) -> Judgement:
    given: dict[str, Any] = {
        "pins": pins(CQ, SG),
        "known": KnownHistory(open_chain=envelope.chain, held=frozenset({PDF.checksum})),
        "me": SG,
        "moment": NOW,
        "knows": lambda party: party == BANK,
        **changes,
    }
    return at_the_end(judge_envelope(envelope, **given))


def with_bill(story: Story) -> EblEnvelope:
    return story.envelope(CQ, visualisation=PDF)


def test_a_transfer_ends_when_all_documents_are_here() -> None:
    envelope = with_bill(outbound())
    told = accepted(finished(envelope))
    assert told.is_retry
    assert answer_to(told, envelope).received == (PDF.checksum,)


def test_a_transfer_without_its_documents_is_mdoc() -> None:
    envelope = with_bill(outbound())
    told = refused(finished(envelope, known=KnownHistory(open_chain=envelope.chain)))
    assert (told.code, told.missing) == (ResponseCode.MDOC, (PDF.checksum,))
    assert answer_to(told, envelope).missing == (PDF.checksum,)


def test_a_rival_accepted_in_between_is_dise() -> None:
    story = outbound()
    rival = story.retold(x=1)
    history = KnownHistory(
        entries=(KnownEntry(text=rival.chain[0], accepted=True),), original=Original.HERE
    )
    told = refused(finished(with_bill(story), known=history))
    assert told.code is ResponseCode.DISE


def test_a_transfer_that_was_accepted_ends_as_duplicate() -> None:
    story = outbound()
    history = KnownHistory(
        entries=(KnownEntry(text=story.chain[0], accepted=True),),
        original=Original.HERE,
        held=frozenset({PDF.checksum}),
    )
    envelope = with_bill(story)
    told = finished(envelope, known=history)
    assert answer_to(told, envelope).code is ResponseCode.DUPE  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"pins": pins(SG)}, ResponseCode.BSIG, id="the sender's pin is gone"),
        pytest.param(
            {"knows": lambda party: False}, ResponseCode.BENV, id="the recipient is suspended"
        ),
    ],
)
def test_what_changed_since_the_start_counts(changes: dict[str, Any], code: ResponseCode) -> None:
    assert refused(finished(with_bill(outbound()), **changes)).code is code


def test_another_caller_does_not_end_a_transfer() -> None:
    assert isinstance(finished(with_bill(outbound()), caller=TH), Unsigned)
    assert accepted(finished(with_bill(outbound()), caller=CQ))


# -- the sender's conclusion ---------------------------------------------------------------------


def answer(
    response: FinishedResponse | dict[str, Any],
    story: Story,
    *,
    by: str = SG,
    documents: tuple[str, ...] = (PDF.checksum,),
    **changes: Any,
) -> Answer:
    text = (
        finished_response(response, house(by).signer)
        if isinstance(response, FinishedResponse)
        else signed(response, house(by).signer)
    )
    return read(text, story, documents=documents, **changes)


def read(text: str, story: Story, **changes: Any) -> Answer:
    given: dict[str, Any] = {
        "pins": pins(CQ, SG, TH),
        "receiver": SG,
        "moment": NOW,
        "last_entry": story.chain[-1],
        "documents": (PDF.checksum,),
        **changes,
    }
    return read_answer(text, **given)


def last(story: Story) -> str:
    return checksum(story.chain[-1].encode())


def test_a_receipt_moves_the_original() -> None:
    story = outbound()
    response = pint_answers.received(last(story), [PDF.checksum])
    text = finished_response(response, house(SG).signer)
    told = read(text, story)
    assert told == Answer(
        outcome=Outcome.MOVED, response=response, text=text, kid=house(SG).pin.kid
    )


def test_a_duplicate_moves_it_too_under_whatever_signature_it_was_accepted() -> None:
    story = outbound()
    for accepted_as in (story, story.retold()):
        response = pint_answers.duplicate(last(story), accepted_as.chain[-1], [PDF.checksum])
        assert answer(response, story).outcome is Outcome.MOVED


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (ResponseCode.BSIG, Outcome.REFUSED),
        (ResponseCode.BENV, Outcome.REFUSED),
        (ResponseCode.DISE, Outcome.DISPUTED),
        (ResponseCode.INCD, Outcome.OPEN),
        (ResponseCode.MDOC, Outcome.OPEN),
    ],
)
def test_other_answers_do_not_move_it(code: ResponseCode, outcome: Outcome) -> None:
    story = outbound()
    told = answer(pint_answers.refused(last(story), code, "why"), story)
    assert (told.outcome, told.response.reason) == (outcome, "why")


def test_outcomes_bear_the_names_of_the_transfer_s_states() -> None:
    assert list(Outcome) == ["MOVED", "REFUSED", "DISPUTED", "OPEN"]


def test_a_receipt_without_documents_needs_no_list() -> None:
    story = outbound()
    bare = {LAST: last(story), "responseCode": "RECE"}
    assert answer(bare, story, documents=()).outcome is Outcome.MOVED
    with pytest.raises(UntrustedAnswer, match=f"does not list the document {PDF.checksum}"):
        answer(bare, story)


def test_a_receipt_may_list_more_than_was_sent() -> None:
    story = outbound()
    response = pint_answers.received(last(story), [PDF.checksum, "0" * 64])
    assert answer(response, story).outcome is Outcome.MOVED


@pytest.mark.parametrize("code", ["RECE", "DUPE"])
def test_a_receipt_that_leaves_out_a_document_is_none(code: str) -> None:
    story = outbound()
    value = {
        LAST: last(story),
        "responseCode": code,
        "duplicateOfAcceptedEnvelopeTransferChainEntrySignedContent": story.chain[-1],
        "receivedAdditionalDocumentChecksums": ["0" * 64],
    }
    with pytest.raises(UntrustedAnswer, match="does not list the document"):
        answer(value, story)


@pytest.mark.parametrize("code", list(ResponseCode))
def test_no_answer_counts_that_the_receiver_did_not_sign(code: ResponseCode) -> None:
    story = outbound()
    response = FinishedResponse(
        last_checksum=last(story),
        code=code,
        duplicate_of=story.chain[-1],
        received=(PDF.checksum,),
    )
    assert answer(response, story)
    for by in (CQ, TH):
        with pytest.raises(UntrustedAnswer, match="no answer of SGPX: the ES256 signature"):
            answer(response, story, by=by)
    damaged = tampered(finished_response(response, house(SG).signer))
    with pytest.raises(UntrustedAnswer, match="the ES256 signature"):
        read(damaged, story)
    with pytest.raises(UntrustedAnswer, match="no pinned key"):
        answer(response, story, pins=pins(CQ, TH))
    expired = Pins(
        platforms={SG: (replace(house(SG).pin, not_after=NOW - timedelta(1)),)}, carriers={}
    )
    with pytest.raises(UntrustedAnswer, match="renew the certificate"):
        answer(response, story, pins=expired)


@pytest.mark.parametrize("code", list(ResponseCode))
def test_no_answer_counts_that_is_about_another_transfer(code: ResponseCode) -> None:
    story = outbound()
    response = FinishedResponse(
        last_checksum=last(story.retold()),
        code=code,
        duplicate_of=story.chain[-1],
        received=(PDF.checksum,),
    )
    with pytest.raises(UntrustedAnswer, match="the answer is about"):
        answer(response, story)


@pytest.mark.parametrize(
    ("duplicate_of", "reason"),
    [
        pytest.param(None, "without the entry that was accepted", id="nothing"),
        pytest.param("e30.e30.AA", "the entry accepted before: ", id="no JWS"),
        pytest.param(signed([], house(CQ).signer), "the entry accepted before: ", id="no object"),
        pytest.param(
            signed({"x": 1}, house(CQ).signer), "the entry accepted before says", id="another entry"
        ),
    ],
)
def test_a_duplicate_of_something_else_is_none(duplicate_of: str | None, reason: str) -> None:
    story = outbound()
    response = FinishedResponse(
        last_checksum=last(story),
        code=ResponseCode.DUPE,
        duplicate_of=duplicate_of,
        received=(PDF.checksum,),
    )
    with pytest.raises(UntrustedAnswer, match=reason):
        answer(response, story)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({}, id="nothing"),
        pytest.param([], id="a list"),
        pytest.param({LAST: "0" * 64, "responseCode": "BETR"}, id="a code of older editions"),
    ],
)
def test_what_is_no_finished_response_is_no_answer(value: Any) -> None:
    with pytest.raises(UntrustedAnswer, match="no answer of SGPX"):
        answer(value, outbound())


def test_text_that_is_no_jws_is_no_answer() -> None:
    with pytest.raises(UntrustedAnswer, match="no answer of SGPX: a compact JWS"):
        read("RECE", outbound())


def test_a_whole_transfer_from_the_offer_to_the_receipt() -> None:
    story = outbound()
    envelope = with_bill(story)
    begun = accepted(judged(envelope))
    assert begun.missing == (PDF,)
    fits = judge_document(begun.manifest, PDF.checksum, encoded(CONTENT), held=NOTHING)
    assert isinstance(fits, Fits)
    done = accepted(finished(envelope))
    text = finished_response(answer_to(done, envelope), house(SG).signer)
    assert read(text, story).outcome is Outcome.MOVED
