"""A receiver's judgement of an envelope: each answer of the standard, and why it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from bol_service.verification.pint_chain import claimed_sender
from bol_service.verification.pint_history import KnownEntry, KnownHistory
from bol_service.verification.pint_judgement import (
    Duplicate,
    Refused,
    Unsigned,
    answer_to,
)
from bol_service.wire.peers import PeerOptions
from bol_service.wire.pint_answers import ResponseCode
from bol_service.wire.pint_building import describe
from bol_service.wire.pint_envelope import EblEnvelope
from tests.documents import Json, blank_document, corridor_document
from tests.pint_story import (
    BANK,
    BUYER,
    CARRIER,
    CARRIER_PARTY,
    CQ,
    ISSUE,
    SACC,
    SG,
    SHIPPER,
    STRANGER,
    TH,
    TO_BANK,
    Story,
    accepted,
    act,
    house,
    judged,
    outbound,
    party,
    refused,
    signed,
    surrendered,
    tampered,
)

LAST: Final = "lastEnvelopeTransferChainEntrySignedContentChecksum"
PREVIOUS: Final = "previousEnvelopeTransferChainEntrySignedContentChecksum"
ISSUED: Final = "issuanceManifestSignedContent"
BILL_PDF: Final = describe(b"%PDF-1.7 bill", name="bill.pdf", media_type="application/pdf")
LIST_PDF: Final = describe(b"%PDF-1.7 list", name="list.pdf", media_type="application/pdf")


# -- received ------------------------------------------------------------------------------------


def test_a_first_transfer_is_accepted_with_all_that_was_told() -> None:
    story = outbound()
    told = accepted(judged(story.envelope(CQ)))
    assert (told.sender, told.known, told.is_retry, told.moves) == (CQ, 0, False, True)
    assert [each.text for each in told.facts.entries] == list(story.chain)
    assert [(each.action, each.entry, each.place) for each in told.new] == [
        ("ISSUE", 0, 0),
        ("TRANSFER", 0, 1),
    ]
    assert told.facts.acts == told.new
    assert {each.platform for each in told.new} == {CQ}
    assert told.facts.document_checksum == story.document_checksum
    assert told.facts.carrier == CARRIER
    assert told.facts.issuance.document_checksum == story.document_checksum
    assert (told.facts.possession.issuer, told.facts.possession.issued_on) == (CARRIER_PARTY, CQ)
    assert told.facts.possession.possessor == BANK
    assert told.missing == ()


@pytest.mark.parametrize("document", [corridor_document, blank_document])
def test_a_bill_to_order_is_endorsed_whether_or_not_it_names_whose(
    document: Callable[[], Json],
) -> None:
    endorsed = act("ENDORSE_TO_ORDER", SHIPPER, BANK)
    story = Story(document=document()).then(CQ, ISSUE, endorsed, TO_BANK)
    assert accepted(judged(story.envelope(CQ))).facts.possession.possessor == BANK


def test_what_was_known_before_is_not_new() -> None:
    story = surrendered()
    known = KnownHistory(entries=(KnownEntry(text=story.chain[0]),))
    told = accepted(judged(story.envelope(SG), me=CQ, known=known))
    assert told.known == 1
    assert [each.action for each in told.new] == ["TRANSFER", "SURRENDER_FOR_DELIVERY"]
    assert len(told.facts.acts) == 4
    assert told.facts.possession.surrendered_by == BUYER
    assert told.moves


def test_an_accepted_surrender_comes_back_as_a_notice() -> None:
    story = surrendered().then(CQ, SACC)
    known = KnownHistory(
        entries=(KnownEntry(text=story.chain[0], accepted=True), KnownEntry(text=story.chain[1]))
    )
    told = accepted(judged(story.envelope(CQ), known=known))
    assert not told.moves
    assert told.facts.possession.ended


def test_a_party_s_own_signature_may_come_along() -> None:
    story = Story().then(CQ, ISSUE, replace(TO_BANK, signed_event="e30.e30.AA"))
    assert accepted(judged(story.envelope(CQ))).moves


def test_reason_and_time_come_along() -> None:
    asks = act("SURRENDER_FOR_AMENDMENT", BANK, CARRIER_PARTY, reason_code="COD")
    story = outbound().then(SG, asks)
    known = KnownHistory(entries=(KnownEntry(text=story.chain[0]),))
    told = accepted(judged(story.envelope(SG), me=CQ, known=known)).new[-1]
    assert (told.reason_code, told.at) == ("COD", asks.at)
    assert (told.actor, told.recipient) == (BANK, CARRIER_PARTY)


def test_declared_documents_are_wanted_unless_they_are_here() -> None:
    envelope = outbound().envelope(CQ, visualisation=BILL_PDF, supporting=[LIST_PDF])
    assert accepted(judged(envelope)).missing == (BILL_PDF, LIST_PDF)
    held = KnownHistory(held=frozenset({BILL_PDF.checksum}))
    assert accepted(judged(envelope, known=held)).missing == (LIST_PDF,)
    everything = KnownHistory(held=frozenset({BILL_PDF.checksum, LIST_PDF.checksum}))
    assert accepted(judged(envelope, known=everything)).missing == ()


def test_the_sender_who_is_authenticated_is_heard() -> None:
    assert accepted(judged(outbound().envelope(CQ), caller=CQ))


def test_another_caller_gets_nothing_signed() -> None:
    told = judged(outbound().envelope(CQ), caller=TH)
    assert isinstance(told, Unsigned)
    assert not told.may_retry
    assert "by CQGY, but was sent by THXX" in told.reason


def test_who_sends_is_told_before_anything_is_checked() -> None:
    envelope = outbound().envelope(CQ)
    assert claimed_sender(envelope) == CQ
    assert claimed_sender(surrendered().envelope(SG)) == SG
    assert claimed_sender(replace(envelope, chain=("e30.e30.AA",))) is None
    assert claimed_sender(replace(envelope, chain=(signed({}, house(CQ).signer),))) is None
    assert (
        claimed_sender(replace(envelope, chain=(signed({"eblPlatform": 5}, house(CQ).signer),)))
        is None
    )
    assert claimed_sender(replace(envelope, chain=(signed([], house(CQ).signer),))) is None


# -- what a peer may be allowed ------------------------------------------------------------------


def at_root(story: Story) -> EblEnvelope:
    without = story.retold(0, issuanceManifestSignedContent=None)
    return replace(without.envelope(CQ), root_issuance_manifest=story.issuance())


@pytest.mark.parametrize(
    ("envelope", "option"),
    [
        pytest.param(
            lambda: at_root(outbound()),
            PeerOptions(issuance_manifest_at_root=True),
            id="the issuance manifest beside the chain",
        ),
        pytest.param(
            lambda: Story().then(CQ, ISSUE, act("ISSUE", SHIPPER, BANK)).envelope(CQ),
            PeerOptions(repeated_issue=True),
            id="transfers called ISSUE",
        ),
        pytest.param(
            lambda: outbound().then(TH, act("TRANSFER", STRANGER, BUYER)).envelope(TH),
            PeerOptions(without_continuity=True),
            id="an entry by a platform that has not the original",
        ),
        pytest.param(
            lambda: Story().then(CQ, act("ISSUE", STRANGER, SHIPPER), TO_BANK).envelope(CQ),
            PeerOptions(without_continuity=True),
            id="an issue by a carrier of another platform",
        ),
        pytest.param(
            lambda: (
                outbound()
                .retold(issuanceManifestSignedContent=outbound().issuance(issueToChecksum="0" * 64))
                .envelope(CQ)
            ),
            PeerOptions(other_issue_to=True),
            id="a first possessor that the carrier named otherwise",
        ),
        pytest.param(
            lambda: outbound().retold(controlTrackingRegistry="https://a.example").envelope(CQ),
            PeerOptions(ignore_registry=True),
            id="a registry that is not consulted",
        ),
    ],
)
def test_a_deviation_is_accepted_only_from_a_peer_that_may(
    envelope: Callable[[], EblEnvelope], option: PeerOptions
) -> None:
    sent = envelope()
    assert accepted(judged(sent, options=option))
    assert refused(judged(sent)).code is ResponseCode.BENV
    names = list(PeerOptions.__dataclass_fields__)
    others = PeerOptions(**{name: not getattr(option, name) for name in names})
    assert refused(judged(sent, options=others)).code is ResponseCode.BENV


def test_a_transfer_called_issue_moves_possession() -> None:
    story = Story().then(CQ, ISSUE, act("ISSUE", SHIPPER, BANK))
    told = accepted(judged(story.envelope(CQ), options=PeerOptions(repeated_issue=True)))
    assert told.facts.possession.possessor == BANK
    assert told.moves


def test_who_possesses_must_be_known_here_even_if_another_is_told_last() -> None:
    loose = PeerOptions(without_continuity=True)
    for holder, is_known in ((BANK, True), (party("nobody", SG), False)):
        given = act("TRANSFER", SHIPPER, holder)
        story = Story().then(CQ, ISSUE, given, act("ENDORSE", SHIPPER, BUYER))
        told = judged(story.envelope(CQ), options=loose)
        if is_known:
            assert accepted(told).facts.possession.possessor == BANK
        else:
            assert refused(told).reason.startswith("the recipient Nobody")


def test_an_issuance_manifest_beside_the_chain_is_checked_although_the_entry_is_known() -> None:
    story = outbound().retold(0, issuanceManifestSignedContent=None)
    sent = replace(story.envelope(CQ), root_issuance_manifest=tampered(story.issuance()))
    known = KnownHistory(entries=(KnownEntry(text=story.chain[0], accepted=True),))
    told = judged(sent, known=known, options=PeerOptions(issuance_manifest_at_root=True))
    assert refused(told).code is ResponseCode.BSIG


def test_an_issuance_manifest_in_its_place_counts_before_one_beside_the_chain() -> None:
    sent = replace(outbound().envelope(CQ), root_issuance_manifest="e30.e30.AA")
    assert accepted(judged(sent, options=PeerOptions(issuance_manifest_at_root=True)))


# -- the answer ----------------------------------------------------------------------------------


def test_each_judgement_has_its_answer() -> None:
    story = outbound()
    sent = story.envelope(CQ, visualisation=BILL_PDF)
    last, documents = sent.last_checksum, (BILL_PDF.checksum,)
    held = KnownHistory(held=frozenset(documents))
    good = answer_to(accepted(judged(sent, known=held)), sent)
    assert (good.code, good.last_checksum, good.received) == ("RECE", last, documents)

    known = replace(held, entries=(KnownEntry(text=story.chain[0], accepted=True),))
    again = judged(sent, known=known)
    assert isinstance(again, Duplicate)
    twice = answer_to(again, sent)
    assert (twice.code, twice.duplicate_of, twice.received) == ("DUPE", story.chain[0], documents)

    bad = answer_to(Refused(code=ResponseCode.BENV, reason="x" * 300), sent)
    assert (bad.code, bad.last_checksum, bad.reason) == ("BENV", last, "x" * 255)

    wanted = Refused(code=ResponseCode.MDOC, reason="missing", missing=documents)
    assert answer_to(wanted, sent).to_json() == {
        LAST: last,
        "responseCode": "MDOC",
        "missingAdditionalDocumentChecksums": list(documents),
    }


def test_no_receipt_is_made_while_documents_are_missing() -> None:
    sent = outbound().envelope(CQ, visualisation=BILL_PDF)
    with pytest.raises(ValueError, match="1 documents are missing"):
        answer_to(accepted(judged(sent)), sent)


def test_a_duplicate_lists_only_documents_that_are_here() -> None:
    story = outbound()
    sent = story.envelope(CQ, visualisation=BILL_PDF, supporting=[LIST_PDF])
    known = KnownHistory(
        entries=(KnownEntry(text=story.chain[0], accepted=True),),
        held=frozenset({LIST_PDF.checksum}),
    )
    told = judged(sent, known=known)
    assert isinstance(told, Duplicate)
    assert (told.sender, told.held) == (CQ, (LIST_PDF.checksum,))
