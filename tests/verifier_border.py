"""What platforms tell each other in a trace: mostly a course that the law allows, bent by chance.

The desk's entries about envelopes that go out and come in, with transactions of a chain from abroad
that a small model of possession and title keeps mostly lawful.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from bol_service.domain import errors
from bol_service.domain import events as e
from bol_service.domain.document import BillKind, DocumentFacts
from bol_service.domain.events import Action, PeerAnswer, Role, Step
from bol_service.domain.identifiers import is_foreign, platform_of
from bol_service.domain.states import OPERATOR, BillState, Control, Status
from tests.law import Voyage
from tests.law_scene import PARTIES, RULEBOOK, bill_of_lading, digest, key_of, shipped
from tests.verifier_steps import ABROAD, HERE, told

Bend = dict[str, Any]
DESK, SHADOW_DESK = "desk", "desk2"
CODES = ("RECE", "DUPE", "BSIG", "BENV", "DISE", "INCD", "MDOC")
CARRIER = "SGPX:line"


def open_desk(voyage: Voyage) -> Voyage:
    """Register the desk, and another one."""
    for slug in (DESK, SHADOW_DESK):
        voyage.sign(
            e.Register,
            OPERATOR,
            f"party:{slug}",
            identity=PARTIES["bankcq"].identity,
            roles=frozenset({Role.EXCHANGE}),
            key=key_of(slug),
        )
    return voyage


def gone(voyage: Voyage) -> Voyage:
    """The bill is abroad; a straight one, which has its consignee here, stays."""
    holder, to = voyage.bill.control.possessor, "SGPX:banksg"
    if voyage.bill.kind is not BillKind.STRAIGHT:
        voyage.endorse(holder, to=to, transfer_to=to)
        _sent(voyage)
        _answered(voyage, "RECE")
    return voyage


def arrived(voyage: Voyage, kind: BillKind) -> Voyage:
    """A bill of another platform is here, in the hands of `bankcq` or of the consignee."""
    voyage.take(bill_of_lading(kind, reference="SGX270300001"))
    holder = "straits" if kind is BillKind.STRAIGHT else "bankcq"
    give = Step(action=Action.TRANSFER, actor="SGPX:maker", recipient=holder)
    endorse = Step(action=Action.ENDORSE_TO_ORDER, actor="SGPX:maker", recipient=holder)
    steps = (give,) if kind is BillKind.STRAIGHT else (endorse, give)
    _import(voyage, voyage.document, steps=steps)
    return voyage


# -- out ------------------------------------------------------------------------------------------


def send(v: Voyage, c: random.Random, bend: Bend) -> object:
    return _sent(v, _desk(c), **{**_platform(c), **bend})


def answer(v: Voyage, c: random.Random, bend: Bend) -> object:
    """Of the other platform, about the envelope that was sent as a rule."""
    code = c.choice(("RECE", "RECE", "DUPE", "BENV", *CODES))
    changes: Bend = {} if c.random() < 0.9 else {"about": digest("another chain")}
    if c.random() < 0.05:
        changes["kind"] = c.choice((e.Moved, e.NotMoved))
    return _answered(v, code, _desk(c), **{**changes, **_platform(c), **bend})


def _away(v: Voyage) -> None:
    """The bill goes abroad, if its holder can let it go."""
    holder = v.bill.control.possessor
    with suppress(errors.Refusal):
        if v.bill.status is Status.ISSUED:
            v.transfer(holder, to=ABROAD[0])
            _sent(v)
            _answered(v, "RECE")


def a_stranger_signs(v: Voyage, c: random.Random, bend: Bend) -> object:
    """No desk, and perhaps behind the times too."""
    old = c.choice(({}, {"previous": digest("another")}, {"sequence": 0}))
    return _sent(v, c.choice(("yunling", "xlsc", "operator")), **{**old, **bend})


def _sent(v: Voyage, by: str = DESK, **how: Any) -> object:
    bill = v.world.bill(v.document.checksum)
    usual = {
        "platform": bill.transit.platform if bill and bill.transit else "SGPX",
        "envelope": _new(v, "envelope"),
        "last_entry": _new(v, "chain"),
    }
    return v.sign(e.Sent, by, v.stream, **{**usual, **how})


def _answered(v: Voyage, code: str, by: str = DESK, **how: Any) -> object:
    bill = v.world.bill(v.document.checksum)
    transit = bill.transit if bill else None
    sent = transit.sent.last_entry if transit and transit.sent else digest("nothing")
    kind = how.pop("kind", e.Moved if code in ("RECE", "DUPE") else e.NotMoved)
    usual = {
        "platform": transit.platform if transit else "SGPX",
        "answer": PeerAnswer(code=code, last_entry=how.pop("about", sent)),
    }
    return v.sign(kind, by, v.stream, **{**usual, **how})


def gives_abroad(v: Voyage, c: random.Random, bend: Bend) -> object:
    """The holder lets the bill go, by one of the acts that can."""
    holder, to = v.bill.control.possessor, c.choice(ABROAD)
    match c.randrange(5):
        case 0:
            v.transfer(holder, to=to, **bend)
        case 1:
            v.endorse(holder, to=c.choice((to, *HERE)), transfer_to=to, **bend)
        case 2:
            v.endorse_finally(holder, to=to, transfer_to=to, **bend)
        case 3:
            v.endorse_in_blank(holder, transfer_to=to, **bend)
        case _:
            v.endorse(holder, to=to, **bend)
    return None


def goes_abroad(v: Voyage, c: random.Random, bend: Bend) -> object:
    """The holder lets it go, the desk sends, the other platform answers."""
    gives_abroad(v, c, {})
    if c.random() < 0.9:
        send(v, c, {})
    if c.random() < 0.2:
        with suppress(errors.Refusal):
            send(v, c, {})
    return answer(v, c, bend)


def acts_meanwhile(v: Voyage, c: random.Random, bend: Bend) -> object:
    """Whoever acts while the bill is on its way, or away."""
    by = c.choice(("yunling", "xlsc", v.bill.carrier, v.bill.control.possessor))
    acts: tuple[Callable[..., object], ...] = (
        v.show_control,
        v.surrender,
        v.refuse,
        v.void,
        v.reject_surrender,
        v.accept_surrender,
        v.note_on_board,
        v.endorse_in_blank,
    )
    return c.choice(acts)(by, **bend)


# -- in -------------------------------------------------------------------------------------------


def comes_back(v: Voyage, c: random.Random, bend: Bend) -> object:
    if c.random() < 0.9:
        _away(v)
    steps = told(c, v.bill, c.randrange(1, 5))
    return _return(v, c, steps, **bend)


def comes_back_twice(v: Voyage, c: random.Random, bend: Bend) -> object:
    """The same chain is told a second time, after the bill went away again perhaps."""
    _away(v)
    with suppress(errors.Refusal):
        _return(v, c, told(c, v.bill, 2))
    _away(v)
    arrivals = v.bill.abroad.arrivals
    again = {"last_entry": arrivals[-1]} if arrivals else {}
    return _return(v, c, told(c, v.bill, 2), **again, **bend)


def surrendered_from_abroad(v: Voyage, c: random.Random, bend: Bend) -> object:
    """The holder abroad asks the carrier here, which answers; the answer is sent."""
    _away(v)
    holder = v.bill.control.possessor
    title = v.bill.control.title_holder or holder
    kind = c.choice((Action.SURRENDER_FOR_DELIVERY, Action.SURRENDER_FOR_AMENDMENT))
    ask = Step(action=kind, actor=title, recipient=v.bill.carrier, reason="COD")
    _return(v, c, (ask,))
    c.choice((v.accept_surrender, v.reject_surrender))(v.bill.carrier)
    send(v, c, {})
    return answer(v, c, bend)


def comes_in(v: Voyage, c: random.Random, bend: Bend) -> object:
    """A bill of another platform, with one thing wrong now and then."""
    kind = c.choice(tuple(BillKind))
    reference = f"SGX{c.randrange(3)}"
    containers = {"equipment": ()} if c.random() < 0.1 else {}
    made = shipped if c.random() < 0.3 else bill_of_lading
    facts = made(kind, reference=reference, **containers)
    v.take(facts)
    changes: Bend = c.choice(
        (
            {},
            {},
            {},
            {},
            {"carrier": "line"},
            {"carrier": "MYPX:line"},
            {"home": "MYPX"},
            {"shipper": c.choice(("yunling", DESK))},
            {"title_holder": c.choice((None, "yunling", "MYPX:trader", DESK, "operator"))},
            {"consignee": c.choice((None, "straits", "SGPX:straits"))},
            {"issue_to": c.choice(("bankcq", "nobody", "operator", DESK, CARRIER, "MYPX:trader"))},
            {"rulebook": digest("2.0")},
            {"received_bytes": digest("nothing")},
            {"received_bytes": v.documents[0].received_bytes},
        )
    )
    blank = replace(_as_issued(facts), carrier=changes.get("carrier", CARRIER))
    return _import(v, facts, c=c, steps=told(c, blank, c.randrange(4)), **{**changes, **bend})


def _as_issued(facts: DocumentFacts) -> BillState:
    """The bill from abroad before anything was done with it."""
    usual = _of(facts)
    return BillState(
        bill=facts.checksum,
        reference=facts.reference,
        kind=facts.kind,
        carrier=CARRIER,
        shipment="",
        shipper=usual["shipper"],
        consignee=usual["consignee"],
        notify=(),
        containers=facts.equipment,
        sailings=facts.sailings,
        rulebook=RULEBOOK,
        status=Status.MOVED,
        control=Control(possessor=usual["issue_to"], title_holder=usual["title_holder"]),
        giving=None,
        received_on=facts.received_for_shipment_date,
        on_board_on=facts.shipped_on_board_date,
    )


def _of(facts: DocumentFacts) -> dict[str, Any]:
    straight = facts.kind is BillKind.STRAIGHT
    return {
        "shipper": "SGPX:maker",
        "consignee": "straits" if straight else None,
        "title_holder": {
            BillKind.STRAIGHT: "straits",
            BillKind.ORDER: "SGPX:maker",
            BillKind.BLANK: None,
        }[facts.kind],
        "issue_to": "SGPX:maker",
    }


def _import(
    v: Voyage, facts: DocumentFacts, *, c: random.Random | None = None, **how: Any
) -> object:
    usual = {
        "platform": "SGPX",
        "envelope": _new(v, "envelope"),
        "last_entry": _new(v, "chain"),
        "home": "SGPX",
        "received_bytes": facts.received_bytes,
        "carrier": CARRIER,
        "rulebook": RULEBOOK,
        **_of(facts),
    }
    by = DESK if c is None else _desk(c)
    return v.sign(e.Imported, by, f"bill:{facts.checksum}", **{**usual, **how})


def _return(v: Voyage, c: random.Random, steps: tuple[Step, ...], **how: Any) -> object:
    bill = v.bill
    possessor = bill.control.possessor
    usual = {
        "platform": platform_of(possessor) if is_foreign(possessor) else "SGPX",
        "envelope": _new(v, "envelope"),
        "last_entry": _new(v, "chain"),
        "steps": steps,
    }
    return v.sign(e.Returned, _desk(c), v.stream, **{**usual, **how})


def _desk(c: random.Random) -> str:
    if c.random() < 0.93:
        return DESK
    return c.choice((SHADOW_DESK, "yunling", "xlsc", "operator", "nobody"))


def _platform(c: random.Random) -> Bend:
    return {} if c.random() < 0.95 else {"platform": "MYPX"}


def _new(v: Voyage, what: str) -> str:
    return digest((what, len(v.entries), v.now))


AT_THE_BORDER: tuple[Callable[[Voyage, random.Random, Bend], object], ...] = (
    gives_abroad,
    goes_abroad,
    goes_abroad,
    send,
    answer,
    acts_meanwhile,
    a_stranger_signs,
    comes_back,
    comes_back,
    comes_back_twice,
    surrendered_from_abroad,
    surrendered_from_abroad,
    comes_in,
    comes_in,
)
