"""What an act has to be decided for beside the law; each line here fails until it is.

mypy names the law and the schema of a new act (docs/design.md, "Adding an event type"), other tests
its words, its meaning and its example. What is left are sets of acts: an act that nobody has
thought of would be missing there without a word. So each set stands here with its complement.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from bol_service.application.delivery_abroad_sight import HOLDER_ACTS
from bol_service.application.exchange_chain import Told
from bol_service.cli import words
from bol_service.domain.access import ENDORSEMENTS
from bol_service.domain.custody import TRANSITIONS
from bol_service.domain.events import Action, BillEvent, CustodyEvent, ExchangeEvent
from bol_service.portal.act_forms import OFFERED
from bol_service.wire.event_details_exchange import StepSchema

OFFLINE_LAW = Path(__file__).parents[2] / "verifier" / "law" / "title.js"
ON_A_BILL = {kind.action for kind in get_args(BillEvent)}
AT_THE_BORDER = {kind.action for kind in get_args(ExchangeEvent)}
IN_A_CHAIN = {kind.action for kind in get_args(Told)}
OF_THE_CARRIER_ALONE = {
    Action.ON_BOARD_NOTATION,
    Action.DELIVERY_ORDER,
    Action.CANCEL_DELIVERY_ORDER,
    Action.CONFIRM_DELIVERY,
    Action.VOID,
}
# Question: the acts of which it is so, those of which it is not, and all that it is asked of.
DECIDED = {
    "customs reads it, because possession or title passes (domain/access.py)": (
        ENDORSEMENTS,
        {*OF_THE_CARRIER_ALONE, Action.SIGN, Action.SACC, Action.SENT, Action.NOT_MOVED},
        ON_A_BILL | AT_THE_BORDER,
    ),
    "a holder abroad is shown it (application/delivery_abroad_sight.py)": (
        HOLDER_ACTS,
        IN_A_CHAIN - {Action.ISSUE, Action.SACC, Action.SREJ} | {Action.REFUSE},
        ON_A_BILL,
    ),
    "another platform learns of it in a chain (application/exchange_chain.py)": (
        IN_A_CHAIN,
        OF_THE_CARRIER_ALONE | {Action.REFUSE},
        ON_A_BILL,
    ),
}


@pytest.mark.parametrize("question", DECIDED)
def test_of_every_act_it_is_decided_whether(question: str) -> None:
    so, not_so, asked = DECIDED[question]

    assert not so & not_so
    assert so | not_so == asked


def test_every_act_of_custody_but_the_customs_release_has_its_place_in_the_journey() -> None:
    of_custody = {kind.action for kind in get_args(CustodyEvent)}

    assert set(TRANSITIONS) == of_custody - {Action.CUSTOMS_RELEASE}


def test_every_act_on_a_bill_but_its_issue_is_offered_on_its_page() -> None:
    assert set(OFFERED) == ON_A_BILL - {Action.ISSUE}
    assert len(OFFERED) == len(set(OFFERED))


def test_the_chains_that_come_tell_the_acts_that_the_chains_that_go_do() -> None:
    taken = StepSchema().fields["action"].validate

    assert set(taken.choices) == IN_A_CHAIN - {Action.ISSUE}  # ISSUE is told as IMPORTED itself


def test_every_act_has_its_name_on_the_command_line_and_in_the_offline_verifier() -> None:
    assert set(words.ACTIONS) == set(Action)


def test_the_offline_verifier_knows_what_every_act_on_a_bill_does() -> None:
    table = OFFLINE_LAW.read_text("utf-8").partition("const ACTS = {\n")[2].partition("\n};\n")[0]
    known = re.findall(r"^  ([A-Z_]+): \(", table, flags=re.MULTILINE)

    assert set(known) == ON_A_BILL - {Action.ISSUE}
