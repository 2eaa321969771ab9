"""The endorsement chain in DCSA's words, from the events of a bill's stream."""

from __future__ import annotations

from typing import Any

import pytest

from bol_service.domain.events import (
    AcceptSurrender,
    Action,
    BillEvent,
    BlankEndorse,
    Endorse,
    EndorseToOrder,
    ExchangeEvent,
    Moved,
    NotMoved,
    OnBoardNotation,
    PeerAnswer,
    Refuse,
    RejectSurrender,
    Returned,
    Sent,
    Sign,
    Step,
    SurrenderForDelivery,
    Transfer,
    Void,
)
from bol_service.wire.dcsa_chain import NO_PARTY, LinkSchema, Told, links
from bol_service.wire.pint_parties import ChainParty, IdentifyingCode
from tests.desk import STORY

Event = BillEvent | ExchangeEvent
AWAY = "SGPX:straits"


def act(cls: Any, actor: str = "yunling", **members: Any) -> Event:
    envelope = {
        "id": "01",
        "actor": actor,
        "at": STORY,
        "audience": "demo.cq.example/ebl",
        "previous": None,
        "sequence": 0,
        "stream": "bill:00",
    }
    event: Event = cls(**envelope, **members)
    return event


def party(name: str) -> ChainParty:
    platform, _, slug = name.rpartition(":")
    code = IdentifyingCode(provider="ZZZ", code=slug)
    return ChainParty(name=slug, platform=platform or "CQGY", codes=(code,))


def told(*events: Event) -> list[str]:
    """`actor ACTION recipient`, with the platform of whoever is elsewhere."""
    found = links([Told(event=event, digest="0" * 64) for event in events], party)
    return [
        " ".join(
            [_named(link.actor), link.action, *([_named(link.recipient)] if link.recipient else [])]
        )
        for link in found
    ]


def _named(who: ChainParty) -> str:
    return who.name if who.platform == "CQGY" else f"{who.platform}:{who.name}"


SURRENDER = act(SurrenderForDelivery)
TRANSFER = act(Transfer, recipient="bankcq")
ABROAD = act(Transfer, recipient=AWAY)
ANSWER = PeerAnswer(code="RECE", last_entry="0" * 64)
CARRIED = {"platform": "SGPX", "envelope": "1" * 64, "last_entry": "2" * 64}
SENT = act(Sent, "exchange", **CARRIED)
MOVED = act(Moved, "exchange", platform="SGPX", answer=ANSWER)
NOT_MOVED = act(NotMoved, "exchange", platform="SGPX", answer=ANSWER)


def returned(*steps: Step) -> Event:
    return act(Returned, "exchange", **CARRIED, steps=steps)


def step(action: Action, actor: str = AWAY, recipient: str | None = None) -> Step:
    return Step(action=action, actor=actor, recipient=recipient)


@pytest.mark.parametrize(
    ("events", "chain"),
    [
        pytest.param([TRANSFER], ["yunling TRANSFER bankcq"], id="a transfer"),
        pytest.param(
            [act(Endorse, recipient="banksg")], ["yunling ENDORSE banksg"], id="a final endorsement"
        ),
        pytest.param(
            [act(EndorseToOrder, recipient="banksg", transfer_to="bankcq")],
            ["yunling ENDORSE_TO_ORDER banksg", "yunling TRANSFER bankcq"],
            id="an endorsement that transfers is two links",
        ),
        pytest.param(
            [act(BlankEndorse, transfer_to="bankcq")],
            ["yunling BLANK_ENDORSE", "yunling TRANSFER bankcq"],
            id="a blank endorsement has no recipient",
        ),
        pytest.param(
            [act(Sign), SURRENDER, act(AcceptSurrender, "xlsc")],
            ["yunling SIGN", "yunling SURRENDER_FOR_DELIVERY", "xlsc SURRENDERED"],
            id="an accepted surrender",
        ),
        pytest.param(
            [SURRENDER, act(RejectSurrender, "xlsc", reason="unpaid"), TRANSFER],
            ["yunling TRANSFER bankcq"],
            id="a rejected surrender is as if it had not been",
        ),
        pytest.param(
            [TRANSFER, act(Refuse, "bankcq", reason="x")], [], id="so is what was refused"
        ),
        pytest.param(
            [
                TRANSFER,
                act(Sign, "bankcq"),
                act(EndorseToOrder, "bankcq", recipient="straits", transfer_to="straits"),
                act(Refuse, "straits", reason="x"),
            ],
            ["yunling TRANSFER bankcq", "bankcq SIGN"],
            id="a refusal takes all that one act said, and nothing before it",
        ),
        pytest.param(
            [
                act(
                    OnBoardNotation,
                    "xlsc",
                    vessel="V",
                    voyage="1",
                    port_of_loading="CNQZH",
                    on_board_date=STORY.date(),
                ),
                act(Void, "xlsc", reason="x"),
            ],
            [],
            id="what has no code in the standard stays out",
        ),
        pytest.param(
            [ABROAD, SENT, MOVED], [f"yunling TRANSFER {AWAY}"], id="a bill that went abroad"
        ),
        pytest.param([ABROAD, SENT, NOT_MOVED], [], id="a bill that was not taken abroad"),
        pytest.param(
            [ABROAD, SENT, MOVED, returned(), TRANSFER, NOT_MOVED],
            [f"yunling TRANSFER {AWAY}", "yunling TRANSFER bankcq"],
            id="an answer about something else takes nothing away",
        ),
        pytest.param(
            [ABROAD, SENT, MOVED, returned(step(Action.SIGN), step(Action.SURRENDER_FOR_DELIVERY))],
            [
                f"yunling TRANSFER {AWAY}",
                f"{AWAY} SIGN",
                f"{AWAY} SURRENDER_FOR_DELIVERY",
            ],
            id="a surrender from abroad",
        ),
        pytest.param(
            [
                returned(
                    step(Action.SURRENDER_FOR_DELIVERY),
                    step(Action.SREJ, "xlsc", AWAY),
                    step(Action.TRANSFER, AWAY, "yunling"),
                )
            ],
            [f"{AWAY} TRANSFER yunling"],
            id="a rejection that was told abroad",
        ),
        pytest.param(
            [returned(step(Action.SURRENDER_FOR_DELIVERY), step(Action.SACC, "xlsc", AWAY))],
            [f"{AWAY} SURRENDER_FOR_DELIVERY", "xlsc SURRENDERED"],
            id="an acceptance that was told abroad",
        ),
    ],
)
def test_the_chain_tells_what_stands(events: list[Event], chain: list[str]) -> None:
    assert told(*events) == chain


def test_a_link_names_no_party_only_where_a_recipient_is_demanded() -> None:
    (link,) = links([Told(event=act(Sign), digest="a" * 64)], party)

    demanded = link.to_json(recipient_needed=True)
    assert demanded["recipient"] == NO_PARTY.to_json()
    assert "recipient" not in link.to_json(recipient_needed=False)
    assert demanded["auditReference"] == "a" * 64
    assert LinkSchema().validate(demanded) == {}
