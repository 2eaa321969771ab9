"""Words that clients, files and other software know the service by; they never change."""

from __future__ import annotations

from enum import StrEnum

import pytest

from bol_service.crypto import strictjson
from bol_service.domain import errors
from bol_service.domain.access import Group, Relation
from bol_service.domain.document import BillKind
from bol_service.domain.events import Action, Leg, Role
from bol_service.domain.identifiers import StreamKind
from bol_service.domain.states import DraftStatus, Place, Status
from bol_service.ledger import receipt
from bol_service.verification.disclosure_report import Step
from bol_service.verification.trust import DEFAULT_MAX_AGE

REFUSALS = {
    "already_on_board": 409,
    "already_registered": 409,
    "antedating": 422,
    "bad_chain": 409,
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
    "in_transit": 409,
    "key_revoked": 403,
    "moved": 409,
    "no_delivery_order": 409,
    "no_mandate": 403,
    "no_surrender": 403,
    "not_carrier": 403,
    "not_custodian": 403,
    "not_exchange": 403,
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
    "personal_data": 422,
    "recipient_unavailable": 409,
    "stale_draft": 409,
    "stale_head": 409,
    "suspended": 403,
    "terminal_state": 410,
    "unknown_peer": 409,
    "wrong_bill_type": 409,
    "wrong_code": 403,
    "wrong_key": 403,
    "wrong_pick_up": 403,
}


def test_every_refusal_has_the_code_and_status_that_clients_rely_on() -> None:
    law = [cls for cls in errors.Refusal.__subclasses__() if cls.__module__ == errors.__name__]
    assert {cls.code: cls.status for cls in law} == REFUSALS
    assert len(law) == len(REFUSALS)


def test_every_refusal_is_told_in_both_languages_with_what_to_do_next() -> None:
    for cls in errors.Refusal.__subclasses__():
        if cls.__module__ == errors.__name__:
            assert cls.title.isascii(), cls
            assert not cls.title_zh.isascii(), cls
            assert cls.next_step.endswith("."), cls


@pytest.mark.parametrize(
    "names",
    [Action, BillKind, DraftStatus, Group, Place, Relation, Role, Status],
    ids=lambda names: names.__name__,
)
def test_a_word_is_spelt_as_it_is_named(names: type[StrEnum]) -> None:
    assert [word.value for word in names] == [word.name for word in names]


def test_the_legs_and_streams_are_spelt_in_small_letters() -> None:
    assert list(Leg) == ["receipt", "rail", "loading", "discharge"]
    assert list(StreamKind) == ["bill", "draft", "custody", "party"]


def test_the_steps_of_checking_disclosed_fields_keep_their_names() -> None:
    assert list(Step) == ["file", "evidence", "bill", "commitment", "signature", "document"]


def test_numbers_that_others_rely_on_never_change() -> None:
    found = (DEFAULT_MAX_AGE, receipt.VERSION, strictjson.MAX_NUMBER_LENGTH)
    assert found == (600, 1, 400)
