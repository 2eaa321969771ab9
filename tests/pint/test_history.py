"""A chain only grows: what a platform knows of a bill must come again, text for text."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from bol_service.crypto import peer_jws
from bol_service.verification.pint_history import KnownEntry, KnownHistory, Original
from bol_service.verification.pint_judgement import Duplicate, Judgement, Unsigned
from bol_service.wire.pint_answers import ResponseCode
from tests.pint_story import (
    BANK,
    BUYER,
    CQ,
    SG,
    SHIPPER,
    STRANGER,
    TH,
    TO_BUYER,
    Story,
    accepted,
    act,
    judged,
    outbound,
    payload,
    pins,
    refused,
    surrendered,
)
from tests.security.test_bundle_splices import malleated

HERE: Final = Original.HERE


def known(
    story: Story, *flags: bool, original: Original = Original.ELSEWHERE, **more: object
) -> KnownHistory:
    """The first entries of the story, each with whether a transfer that ended there was taken."""
    entries = tuple(
        KnownEntry(text=text, accepted=flag) for text, flag in zip(story.chain, flags, strict=False)
    )
    return KnownHistory(entries=entries, original=original, **more)  # type: ignore[arg-type]


def resigned(story: Story) -> Story:
    """The last entry says the same under a new signature."""
    again = story.retold()
    assert again.chain[-1] != story.chain[-1]
    assert payload(again.chain[-1]) == payload(story.chain[-1])
    return again


def is_dispute(judgement: Judgement, reason: str) -> bool:
    told = refused(judgement)
    assert (told.code, told.reason[: len(reason)]) == (ResponseCode.DISE, reason)
    return True


# -- again ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("original", list(Original))
def test_the_same_transfer_again_is_a_duplicate_wherever_the_original_is(
    original: Original,
) -> None:
    story = outbound()
    told = judged(story.envelope(CQ), known=known(story, True, original=original))
    assert told == Duplicate(sender=CQ, of=story.chain[0], held=())


def test_a_new_signature_over_the_same_entry_is_a_duplicate_of_the_stored_one() -> None:
    story = outbound()
    told = judged(resigned(story).envelope(CQ), known=known(story, True, original=HERE))
    assert told == Duplicate(sender=CQ, of=story.chain[0], held=())


def test_a_duplicate_may_come_with_the_manifest_of_the_first_time() -> None:
    story = outbound()
    old = replace(story.envelope(CQ), chain=resigned(story).chain)
    told = judged(old, known=known(story, True, original=HERE))
    assert isinstance(told, Duplicate)


def test_an_old_transfer_is_still_a_duplicate_after_the_original_went_on() -> None:
    story = surrendered()
    first = replace(story, chain=story.chain[:1])
    for told_by in (first, resigned(first)):
        told = judged(told_by.envelope(CQ), known=known(story, True, False))
        assert told == Duplicate(sender=CQ, of=story.chain[0], held=())


def test_a_later_transfer_is_recognised_behind_known_entries() -> None:
    story = surrendered()
    told = judged(
        resigned(story).envelope(SG), me=CQ, known=known(story, False, True, original=HERE)
    )
    assert told == Duplicate(sender=SG, of=story.chain[1], held=())


# -- contradictions ------------------------------------------------------------------------------


def test_an_entry_that_says_something_else_contradicts_the_known_one() -> None:
    story = outbound()
    other = story.retold(
        transactions=[
            *payload(story.chain[0])["transactions"],
            act("TRANSFER", BANK, BUYER).to_json(),
        ]
    )
    envelope = other.envelope(CQ)
    for original in Original:
        assert is_dispute(
            judged(envelope, known=known(story, True, original=original)),
            "entry 0 is not the one that is known here",
        )


def test_a_second_issue_makes_no_sense_whatever_is_known() -> None:
    story = outbound().then(SG, act("ISSUE", BANK, STRANGER))
    told = refused(judged(story.envelope(SG), me=TH, known=KnownHistory(original=HERE)))
    assert (told.code, "ISSUE again" in told.reason) == (ResponseCode.BENV, True)


def test_a_contradiction_is_told_although_the_manifest_is_the_old_one() -> None:
    story = outbound()
    other = story.retold(x="manipulated")
    old = replace(story.envelope(CQ), chain=other.chain)
    assert is_dispute(judged(old, known=known(story, True, original=HERE)), "entry 0 is not")


def test_a_fork_behind_a_known_entry_is_a_contradiction() -> None:
    story = outbound().then(SG, TO_BUYER, act("TRANSFER", BUYER, STRANGER))
    fork = replace(story, chain=story.chain[:1]).then(SG, act("TRANSFER", BANK, STRANGER))
    assert is_dispute(
        judged(fork.envelope(SG), me=TH, known=known(story, False, True)),
        "entry 1 is not the one that is known here",
    )


def test_an_earlier_entry_signed_again_is_a_contradiction() -> None:
    story = outbound()
    fork = resigned(story).then(SG, act("TRANSFER", BANK, STRANGER))
    assert is_dispute(
        judged(fork.envelope(SG), me=TH, known=known(story, True)),
        "entry 0 is not the one that is known here",
    )


def test_an_earlier_entry_turned_over_by_who_passed_it_on_is_found_where_it_was_made() -> None:
    """ECDSA lets anybody turn (r, s) into (r, n-s). Who gets the chain first cannot know; who made
    the entry refuses the chain, and its forger has signed both digests: that of the entry in its
    answer when it got it, that of the other one as predecessor of its own."""
    story = outbound()
    forged = replace(story, chain=(malleated(story.chain[0]),))
    fork = forged.then(SG, act("TRANSFER", BANK, STRANGER))
    assert accepted(judged(fork.envelope(SG), me=TH)).moves
    back = fork.then(TH, act("TRANSFER", STRANGER, SHIPPER))
    assert is_dispute(
        judged(back.envelope(TH), me=CQ, known=known(story, False)),
        "entry 0 is not the one that is known here",
    )
    forger = payload(fork.chain[1])["previousEnvelopeTransferChainEntrySignedContentChecksum"]
    assert forger == peer_jws.text_digest(forged.chain[0]) != peer_jws.text_digest(story.chain[0])


def test_a_chain_without_the_last_known_entries_is_a_contradiction() -> None:
    story = surrendered()
    short = replace(story, chain=story.chain[:1])
    assert is_dispute(
        judged(short.envelope(CQ), known=known(story, False, True)),
        "the chain has 1 entries, 2 are known; known ones are missing",
    )


def test_an_original_that_is_here_cannot_come_from_elsewhere() -> None:
    longer = outbound().then(TH, act("TRANSFER", STRANGER, BUYER))
    assert is_dispute(
        judged(longer.envelope(TH), known=known(longer, True, original=HERE)),
        "the original is on SGPX; the chain has 2 entries, 1 are known",
    )


def test_an_original_that_never_left_cannot_come_from_elsewhere() -> None:
    nothing = KnownHistory(original=HERE)
    assert is_dispute(
        judged(outbound().envelope(CQ), known=nothing),
        "the original is on SGPX; the chain has 1 entries, 0 are known",
    )


def test_an_entry_in_our_name_that_we_do_not_know_is_a_contradiction() -> None:
    story = (
        outbound()
        .then(SG, act("TRANSFER", BANK, STRANGER))
        .then(TH, act("TRANSFER", STRANGER, BUYER))
    )
    assert is_dispute(
        judged(story.envelope(TH), known=known(story, True)),
        "entry 1 was not recorded by SGPX, whose name it bears",
    )
    assert accepted(judged(story.envelope(TH), known=known(story, True, False)))


def test_an_entry_in_our_name_needs_our_pinned_key_unless_we_know_it() -> None:
    story = (
        outbound()
        .then(SG, act("TRANSFER", BANK, STRANGER))
        .then(TH, act("TRANSFER", STRANGER, BUYER))
    )
    others = pins(CQ, TH)
    assert accepted(judged(story.envelope(TH), known=known(story, True, False), pins=others))
    told = refused(judged(story.envelope(TH), known=known(story, True), pins=others))
    assert told.code is ResponseCode.BSIG


# -- our own transfer is under way ---------------------------------------------------------------


def test_what_builds_on_our_own_unanswered_transfer_has_to_wait() -> None:
    story = surrendered()
    told = judged(story.envelope(SG), me=CQ, known=known(story, False, original=Original.LEAVING))
    assert told == Unsigned(
        reason="CQGY has sent the original and waits for the signed answer", may_retry=True
    )


def test_what_does_not_build_on_it_is_a_contradiction() -> None:
    sent = outbound()
    other = surrendered()
    assert is_dispute(
        judged(other.envelope(SG), me=CQ, known=known(sent, False, original=Original.LEAVING)),
        "entry 0 is not the one that is known here",
    )


# -- a transfer is open --------------------------------------------------------------------------


def test_the_same_chain_goes_on_with_the_open_transfer() -> None:
    story = outbound()
    begun = KnownHistory(open_chain=story.chain)
    assert accepted(judged(story.envelope(CQ), known=begun)).is_retry
    assert accepted(judged(resigned(story).envelope(CQ), known=begun)).is_retry
    assert not accepted(judged(story.envelope(CQ))).is_retry


def test_the_last_of_several_entries_may_be_signed_again_while_a_transfer_is_open() -> None:
    story = outbound().then(SG, act("TRANSFER", BANK, STRANGER))
    begun = KnownHistory(open_chain=story.chain)
    assert accepted(judged(resigned(story).envelope(SG), me=TH, known=begun)).is_retry


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda story: story.retold(x=1), id="another last entry"),
        pytest.param(
            lambda story: replace(story, chain=story.chain[:1]).then(
                SG, act("TRANSFER", BANK, STRANGER, comments="another")
            ),
            id="another act",
        ),
        pytest.param(
            lambda story: resigned(replace(story, chain=story.chain[:1])).then(
                SG, act("TRANSFER", BANK, STRANGER)
            ),
            id="another first entry",
        ),
    ],
)
def test_another_chain_beside_an_open_transfer_is_a_contradiction(other: object) -> None:
    story = outbound().then(SG, act("TRANSFER", BANK, STRANGER))
    begun = KnownHistory(open_chain=story.chain)
    rival = other(story)  # type: ignore[operator]
    assert is_dispute(
        judged(rival.envelope(SG), me=TH, known=begun), "a transfer with another chain is open"
    )


def test_a_shorter_or_longer_chain_beside_an_open_transfer_is_a_contradiction() -> None:
    first = outbound().then(SG, act("ENDORSE_TO_ORDER", BANK, STRANGER))
    longer = first.then(SG, act("TRANSFER", BANK, STRANGER))
    for begun, told in ((first, longer), (longer, first)):
        assert is_dispute(
            judged(told.envelope(SG), me=TH, known=KnownHistory(open_chain=begun.chain)),
            "a transfer with another chain is open",
        )


def test_a_history_knows_texts() -> None:
    story = outbound()
    assert known(story, True).knows(story.chain[0])
    assert not known(story, True).knows(resigned(story).chain[0])
