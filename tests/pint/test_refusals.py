"""An envelope that is refused: BSIG where a signature cannot be trusted, BENV for what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from bol_service.crypto.peer_keys import PinnedKey
from bol_service.verification.pint_history import KnownEntry, KnownHistory
from bol_service.wire.peers import Pins
from bol_service.wire.pint_answers import ResponseCode
from bol_service.wire.pint_building import describe
from bol_service.wire.pint_envelope import EblEnvelope
from tests.documents import straight_document, with_members
from tests.pint_story import (
    BANK,
    BUYER,
    CARRIER,
    CQ,
    ISSUE,
    NOW,
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
    payload,
    pins,
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


def with_seal(envelope: EblEnvelope, *, by: str = CQ, **changes: object) -> EblEnvelope:
    """The manifest changed and signed again; None takes a member away."""
    value = with_members(payload(envelope.manifest), **changes)
    return replace(envelope, manifest=signed(value, house(by).signer))


# -- BSIG ----------------------------------------------------------------------------------------


def manipulated(text: str, **changes: object) -> str:
    """The payload changed under the old signature."""
    header, _, signature = text.split(".")
    body = signed({**payload(text), **changes}, house(CQ).signer).split(".")[1]
    return f"{header}.{body}.{signature}"


def corrupted_payload(text: str) -> str:
    header, body, signature = text.split(".")
    return f"{header}.{'A' * len(body)}.{signature}"


def expired(code: str) -> PinnedKey:
    return replace(house(code).pin, not_after=NOW - timedelta(days=1))


@pytest.mark.parametrize(
    ("envelope", "changes", "reason"),
    [
        pytest.param(
            lambda story, sent: replace(sent, chain=(tampered(story.chain[0]),)),
            {},
            "entry 0: the ES256 signature verifies under none",
            id="the signature of an entry is damaged",
        ),
        pytest.param(
            lambda story, sent: replace(sent, chain=(manipulated(story.chain[0], x=1),)),
            {},
            "entry 0: the ES256 signature verifies under none",
            id="an entry says something else than was signed",
        ),
        pytest.param(
            lambda story, sent: replace(sent, chain=(corrupted_payload(story.chain[0]),)),
            {},
            "entry 0: no key of None is pinned",
            id="an entry is unreadable and nobody signed that",
        ),
        pytest.param(
            lambda story, sent: replace(
                sent, chain=(manipulated(story.chain[0], eblPlatform=["CQGY"]),)
            ),
            {},
            "entry 0: no key of None",
            id="an entry names its platform as a list",
        ),
        pytest.param(
            lambda story, sent: replace(sent, manifest=tampered(sent.manifest)),
            {},
            "the manifest, as of CQGY: the ES256 signature",
            id="the signature of the manifest is damaged",
        ),
        pytest.param(
            lambda story, sent: with_seal(sent, by=TH),
            {},
            "the manifest, as of CQGY: the ES256 signature",
            id="the manifest is signed by another pinned platform",
        ),
        pytest.param(
            lambda story, sent: sent,
            {"pins": pins(SG, TH)},
            "entry 0: no key of CQGY is pinned",
            id="the sender is not pinned",
        ),
        pytest.param(
            lambda story, sent: sent,
            {"pins": pins()},
            "entry 0: no key of CQGY is pinned",
            id="nobody is pinned",
        ),
        pytest.param(
            lambda story, sent: sent,
            {"pins": pins(CQ, SG, carrier=False)},
            "the issuance manifest, as of NMFTA:XLSC: no pinned key",
            id="the carrier is not pinned",
        ),
        pytest.param(
            lambda story, sent: sent,
            {"pins": Pins(platforms={CQ: (house(CQ).pin,)}, carriers={CARRIER: (house(CQ).pin,)})},
            "the issuance manifest, as of NMFTA:XLSC: the ES256 signature",
            id="the carrier has another key",
        ),
        pytest.param(
            lambda story, sent: sent,
            {
                "pins": Pins(
                    platforms={CQ: (house(CQ).pin,)}, carriers={"SMDG:XLSC": (house(CARRIER).pin,)}
                )
            },
            "the issuance manifest, as of NMFTA:XLSC: no pinned key",
            id="the key is pinned for the same code of another list",
        ),
        pytest.param(
            lambda story, sent: sent,
            {"pins": replace(pins(), platforms={CQ: (expired(CQ),)})},
            "entry 0: the key",
            id="the sender's certificate has expired",
        ),
        pytest.param(
            lambda story, sent: sent,
            {
                "pins": replace(
                    pins(CQ), carriers={CARRIER: (replace(house(CARRIER).pin, not_before=NOW),)}
                )
            },
            "the issuance manifest, as of NMFTA:XLSC: the key",
            id="the carrier's certificate was not valid at issue",
        ),
    ],
)
def test_a_signature_that_cannot_be_trusted_is_bsig(
    envelope: Callable[[Story, EblEnvelope], EblEnvelope], changes: dict[str, Any], reason: str
) -> None:
    story = outbound()
    told = refused(judged(envelope(story, story.envelope(CQ)), **changes))
    assert (told.code, told.reason[: len(reason)]) == (ResponseCode.BSIG, reason)


def test_a_carrier_s_certificate_may_have_expired_since_it_issued() -> None:
    later = {CARRIER: (replace(house(CARRIER).pin, not_after=NOW - timedelta(days=1)),)}
    assert accepted(judged(outbound().envelope(CQ), pins=replace(pins(CQ), carriers=later)))


def test_earlier_entries_need_keys_that_were_valid_when_they_were_made() -> None:
    envelope = outbound().then(SG, act("TRANSFER", BANK, STRANGER)).envelope(SG)
    platforms = {CQ: (expired(CQ),), SG: (house(SG).pin,)}
    assert accepted(judged(envelope, me=TH, pins=replace(pins(), platforms=platforms)))
    long_ago = {**platforms, CQ: (replace(house(CQ).pin, not_after=NOW - timedelta(days=9)),)}
    told = refused(judged(envelope, me=TH, pins=replace(pins(), platforms=long_ago)))
    assert (told.code, told.reason[:8]) == (ResponseCode.BSIG, "entry 0:")


def test_a_time_in_the_future_makes_no_key_valid() -> None:
    ahead = replace(TO_BANK, at=NOW + timedelta(days=30))
    story = Story().then(CQ, ISSUE, ahead).then(SG, act("TRANSFER", BANK, SHIPPER))
    not_yet = {
        CQ: (replace(house(CQ).pin, not_before=NOW + timedelta(days=9)),),
        SG: pins(SG).platforms[SG],
    }
    told = refused(judged(story.envelope(SG), me=CQ, pins=replace(pins(), platforms=not_yet)))
    assert told.code is ResponseCode.BSIG


def test_a_known_entry_stands_when_its_key_is_pinned_no_more() -> None:
    story = surrendered()
    known = KnownHistory(entries=(KnownEntry(text=story.chain[0]),))
    only_sender = pins(SG, carrier=False)
    assert accepted(judged(story.envelope(SG), me=CQ, known=known, pins=only_sender))
    told = refused(judged(story.envelope(SG), me=CQ, pins=only_sender))
    assert told.code is ResponseCode.BSIG


# -- BENV ----------------------------------------------------------------------------------------


OTHER_SUM: Final = "0" * 64


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        pytest.param(
            lambda: replace(outbound().envelope(CQ), chain=("e30.e30.AA",)),
            "entry 0: the header's alg is None",
            id="an entry is no JWS",
        ),
        pytest.param(
            lambda: replace(outbound().envelope(CQ), manifest="e30.e30.AA"),
            "the manifest: the header's alg is None",
            id="the manifest is no JWS",
        ),
        pytest.param(
            lambda: replace(outbound().envelope(CQ), chain=(signed([1], house(CQ).signer),)),
            "entry 0: the payload is a JSON object",
            id="an entry is rightly signed and no object",
        ),
        pytest.param(
            lambda: outbound().retold(transactions=[]).envelope(CQ),
            "entry 0: /transactions has 0 entries",
            id="an entry does not fit its schema",
        ),
        pytest.param(
            lambda: outbound().retold(eblPlatform=None, by=CQ).envelope(CQ),
            "entry 0: /eblPlatform is missing",
            id="an entry names no platform",
        ),
        pytest.param(
            lambda: with_seal(outbound().envelope(CQ), transportDocumentChecksum=None),
            "the manifest: /transportDocumentChecksum is missing",
            id="the manifest does not fit its schema",
        ),
        pytest.param(
            lambda: replace(outbound().envelope(CQ), manifest=signed([], house(CQ).signer)),
            "the manifest: the payload is a JSON object",
            id="the manifest is rightly signed and no object",
        ),
        pytest.param(
            lambda: outbound().retold(by=TH).envelope(TH),
            "entry 0 names CQGY, but THXX signed it",
            id="an entry bears the name of another platform than its signer",
        ),
        pytest.param(
            lambda: outbound().retold(issuanceManifestSignedContent=None).envelope(CQ),
            "entry 0 has no issuanceManifestSignedContent",
            id="there is no issuance manifest",
        ),
        pytest.param(
            lambda: outbound().retold(issuanceManifestSignedContent="e30.e30.AA").envelope(CQ),
            "the issuance manifest: the header's alg",
            id="the issuance manifest is no JWS",
        ),
        pytest.param(
            lambda: (
                outbound()
                .retold(issuanceManifestSignedContent=outbound().issuance(issueToChecksum=None))
                .envelope(CQ)
            ),
            "the issuance manifest: /issueToChecksum is missing",
            id="the issuance manifest does not fit its schema",
        ),
        pytest.param(
            lambda: outbound().retold(**{PREVIOUS: OTHER_SUM}).envelope(CQ),
            "entry 0 names a predecessor",
            id="the first entry follows another one",
        ),
        pytest.param(
            lambda: (
                outbound()
                .then(SG, act("TRANSFER", BANK, STRANGER))
                .retold(**{PREVIOUS: OTHER_SUM})
                .envelope(SG)
            ),
            f"entry 1 follows {OTHER_SUM}; entry 0 is",
            id="an entry follows another one than the one before",
        ),
        pytest.param(
            lambda: surrendered().retold(**{PREVIOUS: None}).envelope(SG),
            "entry 1 follows None",
            id="an entry follows nothing",
        ),
        pytest.param(
            lambda: surrendered().retold(issuanceManifestSignedContent="e30.e30.AA").envelope(SG),
            "entry 1 has a member that only the first",
            id="a later entry has an issuance manifest",
        ),
        pytest.param(
            lambda: surrendered().retold(controlTrackingRegistry="https://a.example").envelope(SG),
            "entry 1 has a member that only the first",
            id="a later entry names a registry",
        ),
        pytest.param(
            lambda: outbound().retold(controlTrackingRegistry="https://a.example/v1").envelope(CQ),
            "the registry https://a.example/v1 decides",
            id="a registry decides that is not consulted",
        ),
        pytest.param(
            lambda: Story().then(CQ, TO_BANK).envelope(CQ),
            "the chain begins with TRANSFER",
            id="the chain does not begin with ISSUE",
        ),
        pytest.param(
            lambda: Story().then(CQ, ISSUE, ISSUE, TO_BANK).envelope(CQ),
            "transaction 1 of entry 0 is ISSUE again",
            id="the bill is issued twice",
        ),
        pytest.param(
            lambda: replace(outbound().envelope(CQ), document=with_members(Story().document, x=1)),
            "the manifest is about the document",
            id="the document is another one",
        ),
        pytest.param(
            lambda: with_seal(outbound().envelope(CQ), transportDocumentChecksum=OTHER_SUM),
            f"the manifest is about the document {OTHER_SUM}",
            id="the manifest is about another document",
        ),
        pytest.param(
            lambda: outbound().retold(transportDocumentChecksum=OTHER_SUM).envelope(CQ),
            f"entry 0 is about the document {OTHER_SUM}",
            id="an entry is about another document",
        ),
        pytest.param(
            lambda: (
                outbound()
                .retold(
                    issuanceManifestSignedContent=outbound().issuance(documentChecksum=OTHER_SUM)
                )
                .envelope(CQ)
            ),
            f"the issuance manifest is about the document {OTHER_SUM}",
            id="the carrier issued another document",
        ),
        pytest.param(
            lambda: (
                outbound()
                .retold(
                    issuanceManifestSignedContent=outbound().issuance(issueToChecksum=OTHER_SUM)
                )
                .envelope(CQ)
            ),
            f"the carrier issued to {OTHER_SUM}; ISSUE is directed to ",
            id="the carrier issued to somebody else",
        ),
        pytest.param(
            lambda: with_seal(outbound().envelope(CQ), **{LAST: OTHER_SUM}),
            f"the manifest ends with {OTHER_SUM}",
            id="the manifest seals another chain",
        ),
        pytest.param(
            lambda: Story().then(CQ, ISSUE, act("TRANSFER", SHIPPER, STRANGER)).envelope(CQ),
            "the last transaction is directed to THXX; this is SGPX",
            id="the recipient is on another platform",
        ),
        pytest.param(
            lambda: (
                Story().then(CQ, ISSUE, act("TRANSFER", SHIPPER, party("nobody", SG))).envelope(CQ)
            ),
            "the recipient Nobody cannot be found",
            id="the recipient is not known",
        ),
        pytest.param(
            lambda: Story().then(CQ, ISSUE, act("SIGN", SHIPPER)).envelope(CQ),
            "the last transaction is SIGN, directed to nobody",
            id="the last transaction has no recipient",
        ),
        pytest.param(
            lambda: Story().then(CQ, ISSUE, act("GIVE", SHIPPER, BANK)).envelope(CQ),
            "transaction 1 of entry 0 has the actionCode GIVE",
            id="an action is not known",
        ),
        pytest.param(
            lambda: (
                Story(document=straight_document())
                .then(CQ, ISSUE, act("ENDORSE", SHIPPER, BANK))
                .envelope(CQ)
            ),
            "transaction 1 of entry 0 is ENDORSE; a straight bill",
            id="a straight bill is endorsed",
        ),
        pytest.param(
            lambda: outbound().then(TH, act("TRANSFER", STRANGER, BUYER)).envelope(TH),
            "transaction 0 of entry 1 was recorded on THXX; the original is on SGPX",
            id="a platform passes on what it does not have",
        ),
        pytest.param(
            lambda: outbound().envelope(
                CQ, supporting=[LIST_PDF, replace(LIST_PDF, size=LIST_PDF.size + 1)]
            ),
            f"the manifest declares {LIST_PDF.checksum} with",
            id="a document is declared with two sizes",
        ),
    ],
)
def test_content_that_is_not_acceptable_is_benv(
    envelope: Callable[[], EblEnvelope], reason: str
) -> None:
    told = refused(judged(envelope()))
    assert (told.code, told.reason[: len(reason)]) == (ResponseCode.BENV, reason)


def test_an_earlier_entry_that_is_unreadable_is_benv() -> None:
    story = outbound().then(SG, act("TRANSFER", BANK, STRANGER))
    for first in (signed([1], house(CQ).signer), story.retold(0, transactions=[]).chain[0]):
        told = refused(judged(replace(story.envelope(SG), chain=(first, story.chain[1])), me=TH))
        assert (told.code, told.reason[:8]) == (ResponseCode.BENV, "entry 0:")


def test_a_signature_is_judged_before_what_it_says() -> None:
    story = outbound().retold(transactions=[])
    told = refused(judged(replace(story.envelope(CQ), chain=(tampered(story.chain[0]),))))
    assert told.code is ResponseCode.BSIG


def test_the_visualisation_is_the_carrier_s() -> None:
    story = Story(visualisation_checksum=BILL_PDF.checksum).then(CQ, ISSUE, TO_BANK)
    assert accepted(judged(story.envelope(CQ, visualisation=BILL_PDF)))
    assert accepted(judged(story.envelope(CQ)))
    told = refused(judged(story.envelope(CQ, visualisation=LIST_PDF)))
    assert told.code is ResponseCode.BENV
    assert told.reason.startswith(f"the carrier's visualisation is {BILL_PDF.checksum}")


@pytest.mark.parametrize("sent", [LIST_PDF, None])
def test_the_visualisation_of_the_first_transfer_comes_with_all(sent: Any) -> None:
    known = KnownHistory(visualisation=BILL_PDF.checksum)
    assert accepted(judged(outbound().envelope(CQ, visualisation=BILL_PDF), known=known))
    told = refused(judged(outbound().envelope(CQ, visualisation=sent), known=known))
    assert told.code is ResponseCode.BENV
    assert told.reason.startswith(f"the visualisation was {BILL_PDF.checksum} at first")
