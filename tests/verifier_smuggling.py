"""What dishonest platforms can make of a bill that crossed, for two engines.

Who signs what, what is done meanwhile, and what is told from abroad; see `verifier_telling`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from bol_service.domain.states import BillState
from bol_service.wire.events import EVENT_TYP, PLATFORM_TYP
from tests.two_platforms import CQ, DESK, SG
from tests.verifier_answers import answers
from tests.verifier_cases import SEED, mutants
from tests.verifier_crossings import HOLDER_ABROAD, Base, Border
from tests.verifier_steps import told as told_abroad
from tests.verifier_telling import (
    ANOTHER,
    BAD_EVENT,
    LAWFUL,
    Attempt,
    Caught,
    attempt,
    last_payload,
    law,
    payload,
    plus,
    replayed,
    signed,
    then,
)

Json = dict[str, Any]

# -- who signs what -------------------------------------------------------------------------------


def signers(border: Border) -> Iterator[Attempt]:
    """Entries of the desk by others, acts of parties by the desk, and the two kinds mixed up."""
    sent, moved, imported = (border.bases[name] for name in ("sent", "moved", "imported"))
    genuine = last_payload(moved)
    for actor in ("yunling", "xlsc", "operator", "guoyuan"):
        event = payload(sent, "MOVED", actor, genuine["details"])
        name = f"MOVED by {actor}"
        yield attempt(plus(sent, signed(sent, event)), name, law("not_exchange"))
        typed = signed(sent, event, typ=EVENT_TYP)
        yield attempt(plus(sent, typed), f"{name} as an act of its own", BAD_EVENT)
    event = payload(sent, "MOVED", DESK, genuine["details"])
    yield attempt(plus(sent, signed(sent, event)), "MOVED as it was", LAWFUL)
    as_act = signed(sent, event, typ=EVENT_TYP)
    yield attempt(plus(sent, as_act), "the desk's entry as a party's act", BAD_EVENT)
    as_yunling = signed(sent, event, by="yunling")
    yield attempt(
        plus(sent, as_yunling), "MOVED in the desk's name", ("signatures", "bad_signature")
    )
    sign = payload(moved, "SIGN", DESK, {"nonce": "A" * 43})
    yield attempt(plus(moved, signed(moved, sign)), "SIGN by the desk", law("not_found"))
    for base, actor in ((imported, "banksg"), (sent, "yunling")):
        own = payload(base, "SIGN", actor, {"nonce": "A" * 43})
        as_platform = signed(base, own, typ=PLATFORM_TYP)
        yield attempt(plus(base, as_platform), f"{actor}'s act as an entry of the desk", BAD_EVENT)
        for typ in ("ebl-platform+jws ", "EBL-PLATFORM+JWS", "ebl-key-proof+jws", "jwt"):
            other = signed(base, own, typ=typ)
            yield attempt(plus(base, other), f"{actor}'s act as {typ!r}", BAD_EVENT)
    yield from _arrival_by_others(border)


def _arrival_by_others(border: Border) -> Iterator[Attempt]:
    imported = border.bases["imported"]
    before, details = imported.without_last(), last_payload(imported)["details"]
    for actor in ("banksg", "operator"):
        event = payload(before, "IMPORTED", actor, details)
        yield attempt(
            plus(before, signed(before, event)), f"IMPORTED by {actor}", law("not_exchange")
        )


# -- while it is away -----------------------------------------------------------------------------


def meanwhile(border: Border) -> Iterator[Attempt]:
    """Acts of parties on a bill that is on its way, or away."""
    acts: tuple[tuple[str, str, Json, Json], ...] = (
        ("TRANSFER", "yunling", {}, {"recipient": "bankcq"}),
        ("TRANSFER", "yunling", {}, {"recipient": HOLDER_ABROAD}),
        ("ENDORSE_TO_ORDER", "yunling", {}, {"recipient": "bankcq"}),
        ("BLANK_ENDORSE", "yunling", {}, {}),
        ("SIGN", "yunling", {"nonce": "A" * 43}, {}),
        ("REFUSE", "yunling", {"reason": "no"}, {}),
        ("SURRENDER_FOR_DELIVERY", "yunling", {}, {}),
        ("SACC", "xlsc", {}, {}),
        ("SREJ", "xlsc", {"reason": "no"}, {}),
        ("VOID", "xlsc", {"reason": "no"}, {}),
    )
    for name, code in (("waits", "in_transit"), ("sent", "in_transit"), ("moved", "moved")):
        base = border.bases[name]
        for action, actor, details, more in acts:
            made = then(base, action, actor, details, **more)
            yield attempt(made, f"{action} while it {name}", law(code))
    moved = border.bases["moved"]
    again = then(moved, "SENT", DESK, _carried("one more"))
    yield attempt(again, "SENT while it is away", law("bad_chain"))
    second = then(border.bases["sent"], "SENT", DESK, _carried("one more"))
    yield attempt(second, "a second envelope", law("bad_chain"))
    elsewhere = then(border.bases["waits"], "SENT", DESK, _carried("x") | {"platform": "MYPX"})
    yield attempt(elsewhere, "SENT to elsewhere", law("bad_chain"))
    yield attempt(then(border.bases["waits"], "SENT", DESK, _carried("x")), "SENT", LAWFUL)


def _carried(of: str) -> Json:
    return {"platform": SG, "envelope": of.encode().hex().ljust(64, "0")[:64], "lastEntry": ANOTHER}


# -- what is told from abroad ---------------------------------------------------------------------


def returns(border: Border, count: int) -> Iterator[Attempt]:
    """The bill comes back with these transactions, and `count` times with others by chance."""
    moved, sent = border.bases["moved"], border.bases["sent"]
    other = "SGPX:straits"
    give = _step("TRANSFER", HOLDER_ABROAD, "yunling")
    ask = _step("SURRENDER_FOR_DELIVERY", HOLDER_ABROAD, "xlsc")
    rows: tuple[tuple[str, list[Json], Caught | None], ...] = (
        ("given back", [give], LAWFUL),
        ("surrendered", [ask], LAWFUL),
        ("surrendered and rejected", [ask, _step("SREJ", "xlsc", HOLDER_ABROAD)], law("bad_chain")),
        ("surrendered and accepted", [ask, _step("SACC", "xlsc", HOLDER_ABROAD)], law("bad_chain")),
        (
            "given back, and on from here",
            [give, _step("TRANSFER", "yunling", "straits")],
            law("bad_chain"),
        ),
        ("given on abroad", [_step("TRANSFER", HOLDER_ABROAD, other)], LAWFUL),
        (
            "to somebody unknown",
            [_step("TRANSFER", HOLDER_ABROAD, "nobody")],
            law("recipient_unavailable"),
        ),
        ("to the carrier", [_step("TRANSFER", HOLDER_ABROAD, "xlsc")], law("bad_chain")),
        ("from another platform", [_step("TRANSFER", "MYPX:trader", "yunling")], law("bad_chain")),
        ("from whom it is with here", [_step("TRANSFER", "yunling", "bankcq")], law("bad_chain")),
        *(
            (f"to {slug}, who runs the platform", [_step("TRANSFER", HOLDER_ABROAD, slug)], caught)
            for slug, caught in (
                ("operator", law("bad_recipient")),
                (DESK, law("bad_recipient")),
            )
        ),
        *(
            (f"endorsed to {slug}", [_step("ENDORSE_TO_ORDER", HOLDER_ABROAD, slug)], caught)
            for slug, caught in (
                ("operator", law("bad_recipient")),
                (DESK, law("bad_recipient")),
                ("xlsc", law("bad_recipient")),
                ("nobody", law("recipient_unavailable")),
                ("yunling", LAWFUL),
            )
        ),
        ("endorsed by a stranger", [_step("ENDORSE", other, "bankcq"), give], law("bad_chain")),
        ("surrendered by a stranger", [_step(ask["action"], other, "xlsc")], law("bad_chain")),
        (
            "surrendered to a stranger",
            [_step(ask["action"], HOLDER_ABROAD, other)],
            law("bad_chain"),
        ),
        ("accepted unasked", [_step("SACC", "xlsc", HOLDER_ABROAD)], law("bad_chain")),
        ("accepted by a stranger", [ask, _step("SACC", other, HOLDER_ABROAD)], law("bad_chain")),
        ("accepted for a stranger", [ask, _step("SACC", "xlsc", other)], law("bad_chain")),
        ("given while the carrier is asked", [ask, give], law("bad_chain")),
        (
            "given after delivery",
            [ask, _step("SACC", "xlsc", HOLDER_ABROAD), give],
            law("bad_chain"),
        ),
        ("given to nobody", [_step("TRANSFER", HOLDER_ABROAD, None)], law("bad_chain")),
        (
            "amended",
            [
                _step("SURRENDER_FOR_AMENDMENT", HOLDER_ABROAD, "xlsc") | {"reasonCode": "COD"},
                _step("SACC", "xlsc", HOLDER_ABROAD),
            ],
            law("bad_chain"),
        ),
        (
            "endorsed finally, and on",
            [
                _step("ENDORSE", HOLDER_ABROAD, HOLDER_ABROAD),
                _step("ENDORSE_TO_ORDER", HOLDER_ABROAD, "bankcq"),
            ],
            law("bad_chain"),
        ),
        ("with an act of no chain", [_step("ISSUE", "xlsc", "yunling")], BAD_EVENT),
        ("with nothing told", [], BAD_EVENT),
        ("with a reason of no list", [ask | {"reasonCode": "OTHER"}], BAD_EVENT),
        ("with too many steps", [give] * 5_001, BAD_EVENT),
    )
    for name, steps, caught in rows:
        yield attempt(_returned(moved, steps), f"back: {name}", caught)
    yield attempt(_returned(sent, [give]), "back before it was answered", law("in_transit"))
    back = _returned(moved, [give])
    yield attempt(_returned(back, [give]), "back twice", law("bad_chain"))
    facts = _bill_of(moved)
    for seed in range(count):
        steps = [_plain(step) for step in told_abroad(random.Random(seed), facts, 1 + seed % 5)]
        yield attempt(_returned(moved, steps), f"back: by chance {seed}", None)


def _returned(base: Base, steps: list[Json], **changes: Any) -> Base:
    details = _carried("back") | {"lastEntry": "1" * 64, "steps": steps, **changes}
    return then(base, "RETURNED", DESK, details)


def arrivals(border: Border, count: int) -> Iterator[Attempt]:
    """The bill becomes known in Singapore, otherwise than it did."""
    imported = border.bases["imported"]
    before, genuine = imported.without_last(), last_payload(imported)["details"]
    rows: tuple[tuple[str, Json, Caught], ...] = (
        ("as it was", {}, LAWFUL),
        ("with another document", {"receivedBytes": ANOTHER}, law("bad_event")),
        ("of a carrier here", {"carrier": "banksg"}, law("bad_chain")),
        ("of a carrier elsewhere", {"carrier": "MYPX:line"}, law("bad_chain")),
        ("of another platform", {"home": "MYPX"}, law("bad_chain")),
        ("under another rulebook", {"rulebook": ANOTHER}, law("consent_missing")),
        ("without its transactions", {"steps": []}, LAWFUL),
        ("to the order of the operator", {"titleHolder": "operator"}, law("bad_recipient")),
        ("for the desk", {"shipper": DESK}, law("bad_recipient")),
        ("to the desk", {"issueTo": DESK, "steps": []}, law("bad_recipient")),
        ("to a stranger", {"issueTo": "MYPX:trader"}, law("bad_chain")),
        ("to the order of a stranger", {"titleHolder": "MYPX:trader"}, law("bad_chain")),
        ("in lower case", {"home": "cqgy"}, BAD_EVENT),
        ("of a code too long", {"home": "CQGYX"}, BAD_EVENT),
    )
    for name, changes, caught in rows:
        made = then(before, "IMPORTED", DESK, genuine | changes)
        yield attempt(made, f"imported {name}", caught)
    twice = then(imported, "IMPORTED", DESK, genuine)
    yield attempt(twice, "IMPORTED twice", law("number_used"))
    restarted = then(imported, "IMPORTED", DESK, genuine, sequence=0, previous=None)
    yield attempt(restarted, "IMPORTED at two beginnings", ("streams", "broken_stream"))
    home = then(border.bases["moved"], "IMPORTED", DESK, genuine)
    yield attempt(home, "IMPORTED where it was issued", law("number_used"))
    unknown = then(before, "SENT", DESK, _carried("x") | {"platform": CQ})
    yield attempt(unknown, "SENT of an unknown bill", law("not_found"))
    facts = _bill_of(imported)
    for seed in range(count):
        steps = [_plain(step) for step in told_abroad(random.Random(seed), facts, 1 + seed % 5)]
        made = then(before, "IMPORTED", DESK, genuine | {"steps": genuine["steps"] + steps})
        yield attempt(made, f"imported: by chance {seed}", None)


def members(border: Border, count: int) -> Iterator[Attempt]:
    """Every member of the desk's entries bent; `count` of them by chance."""
    made = []
    give = _step("TRANSFER", HOLDER_ABROAD, "yunling")
    told = (
        border.bases["sent"],
        border.bases["moved"],
        border.bases["imported"],
        _returned(border.bases["moved"], [give]),
    )
    for base in told:
        event = last_payload(base)
        for name, changed in mutants(event, prefix=str(event["action"])):
            made.append((base.without_last(), name, changed))
    chosen = made if len(made) <= count else random.Random(SEED).sample(made, count)
    for before, name, changed in chosen:
        compact = signed(before, changed, typ=PLATFORM_TYP)
        yield attempt(plus(before, compact), name, None)


def _bill_of(base: Base) -> BillState:
    world = replayed(base)
    assert world is not None
    bill = world.bill(base.told.statement.bill)
    assert bill is not None
    return bill


def _step(action: str, actor: str, recipient: str | None) -> Json:
    named = {} if recipient is None else {"recipient": recipient}
    return {"action": action, "actor": actor, **named}


def _plain(step: Any) -> Json:
    reason = {} if step.reason is None else {"reasonCode": step.reason}
    return {**_step(str(step.action), step.actor, step.recipient), **reason}


def smuggled(border: Border, count: int) -> Iterator[Attempt]:
    """All that is named, and `count` of each group that chance makes."""
    yield from answers(border)
    yield from signers(border)
    yield from meanwhile(border)
    yield from returns(border, min(count, 500))
    yield from arrivals(border, min(count, 500))
    yield from members(border, count)
