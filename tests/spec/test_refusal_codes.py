"""Codes and statuses of refusals are a promise to clients: this table only ever grows."""

from __future__ import annotations

import pytest

from bol_service.domain.access import Group, Relation
from bol_service.domain.document import BillKind
from bol_service.domain.errors import Refusal, refusals

FROZEN = {
    "already_on_board": 409,
    "already_registered": 409,
    "antedating": 422,
    "bad_event": 422,
    "bad_recipient": 409,
    "bad_signature": 422,
    "bad_time": 422,
    "bad_transition": 409,
    "consent_missing": 409,
    "customs": 409,
    "do_expired": 409,
    "do_replay": 409,
    "duplicate_cargo": 409,
    "final_endorsement": 409,
    "id_reused": 409,
    "key_revoked": 403,
    "no_delivery_order": 409,
    "no_mandate": 403,
    "no_surrender": 403,
    "not_carrier": 403,
    "not_custodian": 403,
    "not_found": 404,
    "not_holder": 403,
    "not_loaded": 409,
    "not_on_bill": 409,
    "not_operator": 403,
    "not_pending": 409,
    "not_refusable": 409,
    "not_supported": 422,
    "not_title_holder": 409,
    "number_used": 409,
    "pending_surrender": 409,
    "recipient_unavailable": 409,
    "stale_draft": 409,
    "stale_head": 409,
    "suspended": 403,
    "terminal_state": 410,
    "wrong_bill_type": 409,
    "wrong_code": 403,
    "wrong_key": 403,
    "wrong_pick_up": 403,
}


def test_no_code_and_no_status_ever_changes() -> None:
    assert {refusal.code: refusal.status for refusal in refusals()} == FROZEN


@pytest.mark.parametrize("refusal", refusals(), ids=lambda refusal: refusal.code)
def test_each_refusal_speaks_both_languages_and_tells_what_to_do(refusal: type[Refusal]) -> None:
    assert refusal.title.isascii()
    assert refusal.next_step.endswith(".")
    assert any("\u4e00" <= character <= "\u9fff" for character in refusal.title_zh)


@pytest.mark.parametrize("words", [Relation, Group, BillKind])
def test_words_that_answers_show_are_spelled_as_their_names(words: type[Relation]) -> None:
    assert [str(word) for word in words] == [word.name for word in words]
