"""The voyage of two containers from Chongqing to Singapore, as acts that tests can play and bend.

- Every act of the trade is a method of `Voyage`: see `law_acts`, and `law_journal` for how acts are
  signed, judged and refused.
- `until(stage)` plays the usual course up to a stage, at the usual times, so that a test begins
  where it matters. The shipper keeps the bill and surrenders it unless the test transfers it.
- `Refused` is one row of a table of refusals: a sentence, a beginning, an act, and the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest

from bol_service.domain import errors
from bol_service.domain import events as e
from bol_service.domain.document import BillKind, DocumentFacts
from bol_service.domain.states import Control
from tests.law_acts import BillActs, PartyActs
from tests.law_scene import BOXES, CUSTODIANS, PARTIES, bill_of_lading, moment


class Voyage(PartyActs, BillActs):
    """One shipment with its parties, boxes and bill; every party has accepted the rulebook."""

    def __init__(
        self,
        kind: BillKind = BillKind.ORDER,
        *,
        until: str = "",
        document: DocumentFacts | None = None,
        custodians: e.Custodians = CUSTODIANS,
        customs_release: bool = True,
    ) -> None:
        super().__init__()
        self.continue_from(_registered())
        self.custodians, self.customs_release = custodians, customs_release
        self._course = iter(COURSE)
        self.take(document or bill_of_lading(kind))
        if until:
            self.until(until)

    def take(self, document: DocumentFacts) -> Voyage:
        """Upload a document; acts on the bill are about the last one."""
        self.document = document
        return super().take(document)

    def holding(self, possessor: str, title_holder: str | None, *, final: bool = False) -> Voyage:
        """Set who controls the bill, even as no lawful act could have done."""
        control = Control(possessor=possessor, title_holder=title_holder, final=final)
        head = self.world.head(self.stream)
        assert head is not None
        self.world.put(self.stream, replace(self.bill, control=control), head)
        return self

    def then(self, *acts: Callable[[Voyage], object]) -> Voyage:
        for act in acts:
            act(self)
        return self

    def until(self, stage: str) -> Voyage:
        """Play the usual course up to and including `stage`, from wherever it stands."""
        for name, time, play in self._course:
            self.now = max(self.now, moment(time))
            play(self)
            if name == stage:
                return self
        raise AssertionError(f"{stage} does not come after what was played")


@cache
def _registered() -> PartyActs:
    journal = PartyActs()
    for slug in PARTIES:
        journal.register(slug)
    for slug in PARTIES:
        journal.accept_rulebook(slug)
    journal.grant_mandate("yunling", to="qiaolian")
    return journal


# -- the usual course ----------------------------------------------------------------------------


def _approved(v: Voyage) -> None:
    v.submit_instructions()
    v.publish_draft()
    v.approve()


def _carried(v: Voyage) -> None:
    if v.custodians.rail is None:
        return
    for act, time in (
        (v.load_on_train, "2027-03-01 22:30"),
        (v.train_departs, "2027-03-01 22:50"),
        (v.train_arrives, "2027-03-03 21:10"),
        (v.receive_for_transhipment, "2027-03-04 08:00"),
    ):
        v.clock(time)
        _both(act)


def _both(act: Callable[..., object]) -> None:
    for box in BOXES:
        act(box)


COURSE: tuple[tuple[str, str, Callable[[Voyage], object]], ...] = (
    ("booked", "2027-02-24 10:00", lambda v: v.book()),
    ("approved", "2027-02-26 09:30", _approved),
    ("received", "2027-03-01 10:20", lambda v: _both(v.gate_in)),
    ("issued", "2027-03-01 11:05", lambda v: v.issue()),
    ("carried", "2027-03-01 22:30", _carried),
    ("loaded", "2027-03-05 04:40", lambda v: _both(v.load_on_vessel)),
    ("sailed", "2027-03-05 06:10", lambda v: _both(v.vessel_departs)),
    ("noted", "2027-03-05 07:00", lambda v: v.note_on_board()),
    ("discharged", "2027-03-07 19:30", lambda v: _both(v.discharge)),
    ("surrendered", "2027-03-08 14:00", lambda v: v.surrender(v.bill.control.possessor)),
    ("accepted", "2027-03-08 15:20", lambda v: v.accept_surrender()),
    ("ordered", "2027-03-08 15:30", lambda v: v.order_delivery()),
    ("cleared", "2027-03-08 15:40", lambda v: _both(v.release_by_customs)),
    ("gone", "2027-03-08 18:00", lambda v: _both(v.gate_out)),
)


# -- where tables begin --------------------------------------------------------------------------


def issued(kind: BillKind = BillKind.ORDER) -> Voyage:
    return Voyage(kind, until="issued")


def with_bank() -> Voyage:
    """Endorsed to the issuing bank, in the hands of the nominated one."""
    return issued().then(
        lambda v: v.endorse("yunling", to="banksg"), lambda v: v.transfer("yunling", to="bankcq")
    )


def pending() -> Voyage:
    return Voyage(until="surrendered")


# -- tables of refusals --------------------------------------------------------------------------


@dataclass(frozen=True)
class Refused:
    """`act` is refused with `reason` where `begin` has led."""

    says: str
    reason: type[errors.Refusal]
    begin: Callable[[], Voyage]
    act: Callable[[Voyage], object]
    pointer: str | None = None

    def check(self) -> None:
        voyage = self.begin()
        with voyage.refuses(self.reason, pointer=self.pointer):
            self.act(voyage)


def rows(table: Iterable[Refused]) -> list[Any]:
    return [pytest.param(row, id=row.says) for row in table]
