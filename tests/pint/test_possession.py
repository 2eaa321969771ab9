"""Where an original is, by its transactions; a chain that makes no sense is told where."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from bol_service.verification.pint_possession import (
    ACTIONS,
    ChainError,
    ForeignAct,
    Possession,
    possession,
    transactions,
)
from bol_service.wire.peers import PeerOptions
from bol_service.wire.pint_entry import ChainEntry, Transaction
from bol_service.wire.pint_parties import ChainParty, IdentifyingCode
from tests.pint_story import (
    BANK,
    BUYER,
    CARRIER_PARTY,
    CQ,
    ISSUE,
    SACC,
    SG,
    SHIPPER,
    SREJ,
    STRANGER,
    SURRENDER,
    TH,
    TO_BANK,
    TO_BUYER,
    act,
    party,
)

LOOSE: Final = PeerOptions(without_continuity=True)
COLLEAGUE: Final = party("bankcq", CQ)
Entry = tuple[str, tuple[Transaction, ...]]
FIRST: Final = (CQ, (ISSUE, TO_BANK))


def acts(*entries: Entry) -> tuple[ForeignAct, ...]:
    chain = [
        ChainEntry(platform=platform, document_checksum="0" * 64, transactions=each)
        for platform, each in entries
    ]
    return transactions(chain)


def after(*entries: Entry, to_order: bool = True, options: PeerOptions | None = None) -> Possession:
    return possession(acts(*entries), to_order=to_order, options=options)


def test_each_act_knows_its_place() -> None:
    told = acts(FIRST, (SG, (TO_BUYER,)))
    assert [(a.entry, a.place, a.platform) for a in told] == [(0, 0, CQ), (0, 1, CQ), (1, 0, SG)]


@pytest.mark.parametrize(
    ("entries", "state"),
    [
        pytest.param([(CQ, (ISSUE,))], {"possessor": SHIPPER}, id="issued"),
        pytest.param([FIRST], {"possessor": BANK}, id="transferred abroad"),
        pytest.param(
            [FIRST, (SG, (TO_BUYER,))], {"possessor": BUYER}, id="transferred on from there"
        ),
        pytest.param(
            [(CQ, (ISSUE, act("SIGN", SHIPPER)))], {"possessor": SHIPPER}, id="signed: no move"
        ),
        pytest.param(
            [(CQ, (ISSUE, act("ENDORSE", SHIPPER, BANK)))],
            {"possessor": SHIPPER, "final": True},
            id="endorsed: no move, and no further endorsement",
        ),
        pytest.param(
            [(CQ, (ISSUE, act("ENDORSE_TO_ORDER", SHIPPER, BANK)))],
            {"possessor": SHIPPER},
            id="endorsed to order: no move",
        ),
        pytest.param(
            [(CQ, (ISSUE, act("ENDORSE_TO_ORDER", SHIPPER, BANK), act("BLANK_ENDORSE", SHIPPER)))],
            {"possessor": SHIPPER},
            id="endorsed in blank: no move",
        ),
        pytest.param(
            [(CQ, (ISSUE, act("BLANK_ENDORSE", SHIPPER), act("ENDORSE", SHIPPER, BANK)))],
            {"possessor": SHIPPER, "final": True},
            id="endorsed to a name after blank",
        ),
        pytest.param(
            [FIRST, (SG, (TO_BUYER, SURRENDER))],
            {"possessor": CARRIER_PARTY, "surrendered_by": BUYER},
            id="surrendered: with the carrier",
        ),
        pytest.param(
            [
                FIRST,
                (SG, (act("SURRENDER_FOR_AMENDMENT", BANK, CARRIER_PARTY, reason_code="SWI"),)),
            ],
            {"possessor": CARRIER_PARTY, "surrendered_by": BANK},
            id="surrendered for amendment",
        ),
        pytest.param(
            [FIRST, (SG, (TO_BUYER, SURRENDER)), (CQ, (SACC,))],
            {"possessor": CARRIER_PARTY, "surrendered_by": BUYER, "ended": True},
            id="surrender accepted: ended",
        ),
        pytest.param(
            [FIRST, (SG, (TO_BUYER, SURRENDER)), (CQ, (SREJ,))],
            {"possessor": BUYER},
            id="surrender refused: back",
        ),
        pytest.param(
            [FIRST, (SG, (TO_BUYER, SURRENDER)), (CQ, (SREJ,)), (SG, (SURRENDER,)), (CQ, (SACC,))],
            {"possessor": CARRIER_PARTY, "surrendered_by": BUYER, "ended": True},
            id="surrendered once more",
        ),
        pytest.param(
            [(CQ, (ISSUE, act("TRANSFER", COLLEAGUE, BANK)))],
            {"possessor": BANK},
            id="a move inside the platform went unrecorded",
        ),
    ],
)
def test_possession_follows_the_transactions(
    entries: list[Entry], state: dict[str, object]
) -> None:
    wanted = {"issuer": CARRIER_PARTY, "issued_on": CQ, **state}
    assert after(*entries) == Possession(**wanted)  # type: ignore[arg-type]


def test_possession_says_on_which_platform() -> None:
    assert after(FIRST).is_at(SG)
    assert not after(FIRST).is_at(CQ)


ENDED: Final = (FIRST, (SG, (TO_BUYER, SURRENDER)), (CQ, (SACC,)))
WAITING: Final = ENDED[:2]


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        pytest.param([(CQ, (TO_BANK,))], "the chain begins with TRANSFER", id="no issue"),
        pytest.param(
            [(CQ, (ISSUE, ISSUE))], "transaction 1 of entry 0 is ISSUE again", id="two issues"
        ),
        pytest.param(
            [FIRST, (SG, (TO_BUYER, replace(ISSUE, actor=BANK)))],
            "transaction 1 of entry 1 is ISSUE again",
            id="an issue later on",
        ),
        pytest.param(
            [(CQ, (act("ISSUE", CARRIER_PARTY),))], "of entry 0: ISSUE has a", id="to nobody"
        ),
        pytest.param(
            [(CQ, (replace(ISSUE, actor=STRANGER),))],
            "recorded on CQGY; its actor is on THXX",
            id="issued by a carrier of another platform",
        ),
        pytest.param(
            [(CQ, (ISSUE, act("TRANSFER", STRANGER, BANK)))],
            "recorded on CQGY; its actor is on THXX",
            id="acted by a party of another platform",
        ),
        pytest.param(
            [FIRST, (CQ, (act("TRANSFER", SHIPPER, BUYER),))],
            "transaction 0 of entry 1 was recorded on CQGY; the original is on SGPX",
            id="given twice, in another entry",
        ),
        pytest.param(
            [(CQ, (ISSUE, TO_BANK, act("TRANSFER", SHIPPER, BUYER)))],
            "transaction 2 of entry 0 was recorded on CQGY; the original is on SGPX",
            id="given twice, in one entry",
        ),
        pytest.param(
            [(CQ, (ISSUE, act("ENDORSE", SHIPPER, BANK))), (SG, (TO_BUYER,))],
            "recorded on SGPX; the original is on CQGY",
            id="a notice is no possession",
        ),
        pytest.param(
            [(CQ, (ISSUE, act("ENDORSE", SHIPPER, BANK), act("ENDORSE", SHIPPER, BUYER)))],
            "transaction 2 of entry 0 is ENDORSE; the endorsee may not endorse on",
            id="endorsed on by a final endorsee",
        ),
        pytest.param(
            [*WAITING, (CQ, (act("TRANSFER", CARRIER_PARTY, BUYER),))],
            "transaction 0 of entry 2 is TRANSFER; a surrender waits",
            id="another act while a surrender waits",
        ),
        pytest.param(
            [FIRST, (SG, (act("SACC", BANK, BUYER),))],
            "a surrender does not wait",
            id="no surrender",
        ),
        pytest.param(
            [FIRST, (SG, (act("SREJ", BANK, BUYER),))],
            "a surrender does not wait",
            id="none, refused",
        ),
        pytest.param(
            [*WAITING, (CQ, (SREJ,)), (CQ, (SACC,))], "a surrender does not wait", id="two answers"
        ),
        pytest.param(
            [*WAITING, (CQ, (act("SACC", SHIPPER, BUYER),))],
            "answers from Yunling on CQGY to Straits on SGPX; the surrender was from Straits",
            id="an answer by another party",
        ),
        pytest.param(
            [*WAITING, (CQ, (act("SREJ", CARRIER_PARTY, BANK),))],
            "answers from Xlsc on CQGY to Banksg on SGPX",
            id="a refusal that gives the bill to another",
        ),
        pytest.param(
            [*ENDED, (CQ, (SREJ,))],
            "transaction 0 of entry 3 is SREJ after SACC",
            id="a refusal after acceptance",
        ),
        pytest.param(
            [*ENDED, (CQ, (act("SIGN", CARRIER_PARTY),))],
            "SIGN after SACC",
            id="an act after the end",
        ),
        pytest.param(
            [FIRST, (SG, (act("SURRENDER_FOR_DELIVERY", BANK, SHIPPER),))],
            "surrenders to Yunling on CQGY; the bill was issued by Xlsc on CQGY",
            id="a surrender to another than the carrier",
        ),
        pytest.param(
            [FIRST, (SG, (act("SURRENDER_FOR_DELIVERY", BANK, party("xlsc", SG)),))],
            "surrenders to Xlsc on SGPX; the bill was issued by Xlsc on CQGY",
            id="a surrender on another platform than that of issue",
        ),
        pytest.param(
            [(CQ, (ISSUE, replace(TO_BANK, reason_code="COD")))],
            "transaction 1 of entry 0: only SURRENDER_FOR_AMENDMENT has a reasonCode",
            id="a reason for a transfer",
        ),
        pytest.param(
            [(CQ, (replace(ISSUE, reason_code="COD"),))], "only SURRENDER_FOR", id="for an issue"
        ),
        pytest.param(
            [(CQ, (ISSUE, act("REFUSE", SHIPPER, BANK)))],
            "has the actionCode REFUSE, which is not known",
            id="an act of our own ledger",
        ),
    ],
)
def test_a_chain_that_makes_no_sense_is_told_where(entries: list[Entry], reason: str) -> None:
    with pytest.raises(ChainError) as caught:
        after(*entries)
    assert reason in str(caught.value)


@pytest.mark.parametrize("action", sorted(ACTIONS - {"ISSUE", "SACC", "SREJ"}))
def test_each_act_has_a_recipient_or_none(action: str) -> None:
    alone = action in ("SIGN", "BLANK_ENDORSE")
    other = CARRIER_PARTY if action.startswith("SURRENDER") else BANK
    right, wrong = (None, other) if alone else (other, None)
    assert after((CQ, (ISSUE, act(action, SHIPPER, right))))
    with pytest.raises(ChainError, match=f"{action} has {'no' if alone else 'a'} recipient"):
        after((CQ, (ISSUE, act(action, SHIPPER, wrong))))


@pytest.mark.parametrize("action", ["SACC", "SREJ"])
def test_the_answer_to_a_surrender_has_a_recipient(action: str) -> None:
    with pytest.raises(ChainError, match=f"{action} has a recipient"):
        after(*WAITING, (CQ, (act(action, CARRIER_PARTY),)))


@pytest.mark.parametrize("action", ["ENDORSE", "ENDORSE_TO_ORDER", "BLANK_ENDORSE"])
def test_a_straight_bill_is_never_endorsed(action: str) -> None:
    endorsed = act(action, SHIPPER, None if action == "BLANK_ENDORSE" else BANK)
    assert after((CQ, (ISSUE, endorsed)))
    with pytest.raises(ChainError, match=f"is {action}; a straight bill"):
        after((CQ, (ISSUE, endorsed)), to_order=False)


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([FIRST, (TH, (act("TRANSFER", STRANGER, BUYER),))], id="by another platform"),
        pytest.param([(CQ, (replace(ISSUE, actor=STRANGER), TO_BANK))], id="for another platform"),
        pytest.param(
            [*WAITING, (CQ, (act("SACC", SHIPPER, BANK),))], id="an answer between others"
        ),
    ],
)
def test_without_continuity_the_places_are_not_compared(entries: list[Entry]) -> None:
    assert after(*entries, options=LOOSE)
    with pytest.raises(ChainError):
        after(*entries)


def test_without_continuity_the_end_is_still_the_end() -> None:
    with pytest.raises(ChainError, match="after SACC"):
        after(*ENDED, (TH, (act("SIGN", STRANGER),)), options=LOOSE)


def test_a_party_is_the_same_on_one_platform_under_a_shared_code() -> None:
    lei = IdentifyingCode(provider="GLEIF", code="ZZZZ00BANKSGSTRAIT37")
    two = replace(BANK, codes=(*BANK.codes, lei), name="Straits Bank")
    other_list = replace(BANK.codes[0], list_name="OTHER")
    assert two.is_same(BANK)
    assert BANK.is_same(two)
    assert ChainParty(name="x", platform=SG, codes=(lei,)).is_same(two)
    assert not ChainParty(name="x", platform=SG, codes=(lei,)).is_same(BANK)
    assert not replace(BANK, platform=CQ).is_same(BANK)
    assert not replace(BANK, codes=(other_list,)).is_same(BANK)
