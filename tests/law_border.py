"""A voyage with a border: what the exchange desk records, in Chongqing and in Singapore.

`Leaving` is a bill of this platform that goes to `SGPX`; `Arriving` is a ledger on which a bill of
`CQGY` arrives.
"""

from __future__ import annotations

from typing import Any

from bol_service.domain import events as e
from bol_service.domain.document import BillKind
from bol_service.domain.events import Action, PeerAnswer, Role, Step
from bol_service.domain.states import OPERATOR, State, Transit
from tests.law import Voyage
from tests.law_scene import PARTIES, RULEBOOK, bill_of_lading, digest, key_of

DESK = "desk"
HOME = "CQGY"
AWAY = "SGPX"


def open_desk(voyage: Voyage, slug: str = DESK, **how: Any) -> None:
    """Register the platform's exchange desk."""
    usual = {"roles": frozenset({Role.EXCHANGE}), "identity": PARTIES["bankcq"].identity}
    voyage.sign(e.Register, OPERATOR, f"party:{slug}", key=key_of(slug), **{**usual, **how})


class Leaving(Voyage):
    """Issued here, and on its way to a party of `SGPX` where a test says so."""

    def __init__(self, kind: BillKind = BillKind.ORDER, *, until: str = "issued") -> None:
        super().__init__(kind, until=until)
        open_desk(self)

    @property
    def transit(self) -> Transit:
        assert self.bill.transit is not None
        return self.bill.transit

    def send(self, *, by: str = DESK, platform: str = AWAY, **how: Any) -> State:
        number = len(self.entries)
        usual = {"envelope": digest(("envelope", number)), "last_entry": digest(("chain", number))}
        return self.sign(e.Sent, by, self.stream, platform=platform, **{**usual, **how})

    def moved(self, code: str = "RECE", *, by: str = DESK, **how: Any) -> State:
        return self._answered(e.Moved, code, by, how)

    def not_moved(self, code: str = "BENV", *, by: str = DESK, **how: Any) -> State:
        return self._answered(e.NotMoved, code, by, how)

    def returned(self, *steps: Step, by: str = DESK, platform: str = AWAY, **how: Any) -> State:
        number = len(self.entries)
        usual = {"envelope": digest(("envelope", number)), "last_entry": digest(("chain", number))}
        return self.sign(
            e.Returned, by, self.stream, platform=platform, steps=steps, **{**usual, **how}
        )

    def gone(self, to: str = "SGPX:banksg") -> Leaving:
        """Transferred, sent and received."""
        self.transfer("yunling", to=to)
        self.send()
        self.moved()
        return self

    def _answered(self, kind: type[e.Act], code: str, by: str, how: dict[str, Any]) -> State:
        sent = self.transit.sent
        last = sent.last_entry if sent is not None else digest("nothing was sent")
        answer = PeerAnswer(code=code, last_entry=how.pop("about", last))
        platform = how.pop("platform", AWAY)
        return self.sign(kind, by, self.stream, platform=platform, answer=answer, **how)


class Arriving(Leaving):
    """A ledger that knows no bill yet; `arrive` imports one of `CQGY`."""

    def __init__(self, kind: BillKind = BillKind.ORDER) -> None:
        Voyage.__init__(self, kind)
        open_desk(self)
        self.take(bill_of_lading(kind))

    def arrive(self, *steps: Step, by: str = DESK, **how: Any) -> State:
        kind = self.document.kind
        usual = {
            "platform": HOME,
            "envelope": digest("the first envelope"),
            "last_entry": digest("the first chain"),
            "home": HOME,
            "received_bytes": self.document.received_bytes,
            "carrier": "CQGY:xlsc",
            "shipper": "CQGY:yunling",
            "issue_to": "CQGY:yunling",
            "title_holder": None if kind is BillKind.BLANK else "CQGY:yunling",
            "consignee": "straits" if kind is BillKind.STRAIGHT else None,
            "rulebook": RULEBOOK,
        }
        return self.sign(e.Imported, by, self.stream, steps=steps, **{**usual, **how})


def step(action: Action, actor: str, recipient: str | None = None, reason: str = "") -> Step:
    return Step(action=action, actor=actor, recipient=recipient, reason=reason or None)


# -- how far a bill has come ---------------------------------------------------------------------


def leaving(kind: BillKind = BillKind.ORDER) -> Leaving:
    v = Leaving(kind)
    v.transfer("yunling", to="SGPX:banksg")
    return v


def sent() -> Leaving:
    v = leaving()
    v.send()
    return v


def gone() -> Leaving:
    return Leaving().gone()


def asked(until: str = "issued", surrender: Action = Action.SURRENDER_FOR_DELIVERY) -> Leaving:
    """Gone, endorsed on and surrendered in Singapore, and back with the carrier."""
    v = Leaving(until=until)
    v.endorse("yunling", to="SGPX:straits")
    v.gone()
    v.returned(
        step(Action.TRANSFER, "SGPX:banksg", "SGPX:straits"),
        step(surrender, "SGPX:straits", "xlsc"),
    )
    return v


TO_BANK = step(Action.TRANSFER, "CQGY:yunling", "banksg")
TO_STRAITS = step(Action.ENDORSE_TO_ORDER, "CQGY:yunling", "straits")


def arrived(kind: BillKind = BillKind.ORDER) -> Arriving:
    v = Arriving(kind)
    v.arrive(TO_STRAITS, step(Action.TRANSFER, "CQGY:yunling", "straits"))
    return v
