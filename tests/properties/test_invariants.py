"""The invariants of the law, over whatever parties may try in whatever order.

A machine plays one shipment with two boxes under three bills (one of each kind, one after the
other as far as the first is voided). Every rule is an attempt: the law accepts or refuses it, and
after each the invariants must hold. Numbers are those of the domain notes, C.1:

- I1 one possessor; I2 nothing succeeds on an ended bill; I3 who changes title; I4 the gate; I5
  accomplished; I6 keys; I7 replay; I8 the base of a bill; I9 one live bill per container; I11 on
  board; I12 the operator.
- I9 spans the platform: the guard in `application` keeps it, the machine plays that guard. What
  the law itself keeps is that a bill's containers never change and that an ended bill never lives
  again.
- I10 (pledged means the pledgee possesses) does not apply yet: there is no pledge and no hold. Its
  invariant here fails as soon as such a status comes into the law without it.
- Nobody loses sight of what it signed on a bill, whatever becomes of its control.
- Offered is accepted: `allowed_actions` names exactly the acts of which a well-formed example is
  accepted.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bol_service.domain import access, errors, title, world
from bol_service.domain import events as e
from bol_service.domain.document import BillKind
from bol_service.domain.issue import latest_loading
from bol_service.domain.states import BillState, CustodyState, Place, Status
from tests.law import Voyage
from tests.law_journal import verdict
from tests.law_scene import (
    BOX_1,
    BOX_2,
    BOXES,
    COLLECTOR,
    ORIGIN,
    PARTIES,
    SHIPMENT,
    VESSEL,
    VOYAGE,
    bill_of_lading,
    digest,
    local_day,
)

TRADERS = ("yunling", "bankcq", "banksg", "straits", "nusantara")
ACTORS = (*TRADERS, "xlsc", "shadow", "operator", "sgterm")
ENDED = {Status.VOIDED, Status.ACCOMPLISHED}
CONTROL = {
    e.Action.TRANSFER,
    e.Action.REFUSE,
    e.Action.ENDORSE,
    e.Action.ENDORSE_TO_ORDER,
    e.Action.BLANK_ENDORSE,
    e.Action.SIGN,
    e.Action.SURRENDER_FOR_DELIVERY,
    e.Action.SURRENDER_FOR_AMENDMENT,
}

actors = st.sampled_from(ACTORS)
traders = st.sampled_from((*TRADERS, "xlsc"))
boxes = st.sampled_from(BOXES)
JOURNEY: tuple[Callable[[Voyage, str], object], ...] = (
    Voyage.load_on_train,
    Voyage.train_departs,
    Voyage.train_arrives,
    Voyage.receive_for_transhipment,
    Voyage.load_on_vessel,
    Voyage.vessel_departs,
    Voyage.discharge,
)


class Law(RuleBasedStateMachine):
    @initialize(
        kind=st.sampled_from(list(BillKind)),
        stage=st.sampled_from(("issued", "loaded", "discharged", "accepted", "cleared")),
    )
    def begin(self, kind: BillKind, stage: str) -> None:
        self.voyage = Voyage(kind, customs_release=False, until="received")
        self.voyage.thrifty = False
        self.voyage.until(stage)
        self.kind = kind
        self.first_seen: dict[str, tuple[object, ...]] = {}
        self.last: tuple[e.Recorded, BillState | None, BillState | None] | None = None

    def attempt(self, act: Callable[[], object]) -> bool:
        """Try an act; remember the bill before and after it."""
        before, count = self.voyage.bill, len(self.voyage.entries)
        try:
            act()
        except errors.Refusal:
            assert len(self.voyage.entries) == count
            assert self.voyage.bill is before
            self.last = None
            return False
        self.last = self.voyage.entries[-1], before, self.voyage.bill
        return True

    @property
    def holder(self) -> str:
        return self.voyage.bill.control.possessor

    # -- what parties may try ----------------------------------------------------------------

    @rule(who=actors, to=traders)
    def transfer(self, who: str, to: str) -> None:
        self.attempt(lambda: self.voyage.transfer(who, to=to))

    @rule(to=traders)
    def the_holder_transfers(self, to: str) -> None:
        self.attempt(lambda: self.voyage.transfer(self.holder, to=to))

    @rule(
        to=traders,
        then_to=st.none() | traders,
        how=st.sampled_from(("endorse", "endorse_finally", "endorse_in_blank")),
    )
    def the_holder_endorses(self, to: str, then_to: str | None, how: str) -> None:
        named = {} if how == "endorse_in_blank" else {"to": to}
        endorse = getattr(self.voyage, how)
        self.attempt(lambda: endorse(self.holder, transfer_to=then_to, **named))

    @rule(who=actors, how=st.sampled_from(("refuse", "show_control", "surrender", "void")))
    def anybody_acts(self, who: str, how: str) -> None:
        self.attempt(lambda: getattr(self.voyage, how)(who))

    @rule(how=st.sampled_from(("refuse", "show_control", "surrender", "surrender_for_amendment")))
    def the_holder_acts(self, how: str) -> None:
        self.attempt(lambda: getattr(self.voyage, how)(self.holder))

    @rule(
        how=st.sampled_from(
            ("accept_surrender", "reject_surrender", "note_on_board", "void", "cancel_order")
        )
    )
    def the_carrier_acts(self, how: str) -> None:
        self.attempt(lambda: getattr(self.voyage, how)())

    @rule(covering=st.sampled_from(((BOX_1,), (BOX_2,), BOXES)))
    def the_carrier_orders_delivery(self, covering: tuple[str, ...]) -> None:
        self.attempt(lambda: self.voyage.order_delivery(containers=covering))

    @rule(box=boxes, step=st.sampled_from(JOURNEY))
    def a_custodian_reports(self, box: str, step: Callable[[Voyage, str], object]) -> None:
        self.attempt(lambda: step(self.voyage, box))

    @rule(box=boxes, right=st.booleans())
    def the_gate_is_asked(self, box: str, right: bool) -> None:
        order = self.voyage.bill.order_for(box)
        named = order.digest if order and right else digest("forged")
        self.attempt(lambda: self.voyage.gate_out(box, order=named))

    @rule()
    def the_carrier_issues_again(self) -> None:
        self.attempt(lambda: self.voyage.issue())

    @precondition(lambda self: self.voyage.status is Status.VOIDED)
    @rule(kind=st.sampled_from(list(BillKind)))
    def the_carrier_issues_a_corrected_bill(self, kind: BillKind) -> None:
        voyage, number = self.voyage, len(self.voyage.documents)
        before = voyage.document
        today = local_day(voyage.now)
        voyage.take(bill_of_lading(kind, place_of_delivery=f"SG-{number}", issue_date=today))
        version = voyage.draft.version
        assert version is not None
        try:
            voyage.publish_draft(version.version + 1)
            voyage.approve(version.version + 1)
            voyage.issue()
        except errors.Refusal:
            voyage.document = before
        self.last = None

    @rule(slug=st.sampled_from(("bankcq", "banksg", "nusantara")))
    def the_operator_suspends_or_reinstates(self, slug: str) -> None:
        suspended = self.voyage.party(slug).suspended
        self.attempt(lambda: (self.voyage.reinstate if suspended else self.voyage.suspend)(slug))

    @rule(slug=st.sampled_from((*TRADERS, "xlsc")))
    def a_party_adds_a_key(self, slug: str) -> None:
        keys = self.voyage.party(slug).keys
        self.attempt(lambda: self.voyage.add_key(slug, len(keys) + 1))

    @rule(slug=st.sampled_from((*TRADERS, "xlsc")), number=st.integers(2, 3))
    def a_party_revokes_a_key(self, slug: str, number: int) -> None:
        self.attempt(lambda: self.voyage.revoke_key(slug, number))

    @rule(slug=st.sampled_from(TRADERS), to=traders)
    def a_later_key_signs_a_transfer(self, slug: str, to: str) -> None:
        second = f"key-{slug}-2"
        self.attempt(lambda: self.voyage.transfer(slug, to=to, signed_with=second))

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.voyage.wait(hours=hours)

    # -- what must hold ----------------------------------------------------------------------

    def bills(self) -> list[BillState]:
        states = self.voyage.world.states.values()
        return [state for state in states if isinstance(state, BillState)]

    def containers(self, bill: BillState) -> list[CustodyState]:
        found = [self.voyage.world.custody(bill.shipment, box) for box in bill.containers]
        return [box for box in found if box is not None]

    @invariant()
    def i1_exactly_one_possessor_who_may_alone_control(self) -> None:
        for bill in self.bills():
            if bill.status is not Status.ISSUED:
                continue
            assert bill.control.possessor in PARTIES
            assert bill.control.possessor not in ("operator", bill.carrier)
            able = [
                slug
                for slug in PARTIES
                if set(title.allowed_actions(self.voyage.world, bill, slug)) & CONTROL
            ]
            idle = self.voyage.party(bill.control.possessor).suspended
            assert able == [bill.control.possessor] or (idle and able == [])
        act, before, after = self.last or (None, None, None)
        if act is None or before is None or after is None or before.bill != after.bill:
            return
        if before.control.possessor != after.control.possessor:
            assert act.event.actor == before.control.possessor, "nobody else takes it away"

    @invariant()
    def i2_no_control_action_is_possible_on_an_ended_bill(self) -> None:
        for bill in self.bills():
            if bill.status is Status.ISSUED:
                continue
            for slug in PARTIES:
                assert not set(title.allowed_actions(self.voyage.world, bill, slug)) & CONTROL
        act, before, _ = self.last or (None, None, None)
        if act is not None and before is not None and before.status is not Status.ISSUED:
            assert act.event.action not in CONTROL

    @invariant()
    def i3_only_a_possessor_with_title_changes_the_title(self) -> None:
        act, before, after = self.last or (None, None, None)
        if act is None or before is None or after is None or before.bill != after.bill:
            return
        if before.control.title_holder == after.control.title_holder:
            return
        if isinstance(act.event, e.Refuse):
            assert before.giving is not None
            undone = before.giving.before.title_holder
            returned = before.carrier if before.giving.is_issue else undone
            assert after.control.title_holder == returned
            return
        assert isinstance(act.event, e.Endorse | e.EndorseToOrder | e.BlankEndorse)
        assert act.event.actor == before.control.possessor
        assert before.control.title_holder in (None, act.event.actor)
        assert not before.control.final

    @invariant()
    def i4_a_container_leaves_only_on_a_surrendered_bill_that_names_it(self) -> None:
        for box in BOXES:
            state = self.voyage.world.custody(SHIPMENT, box)
            if state is None or state.place is not Place.GATE_OUT:
                continue
            assert any(
                bill.status is Status.SURRENDERED_FOR_DELIVERY
                and box in bill.containers
                and any(order.digest == state.released_under for order in bill.orders)
                for bill in self.bills()
            )

    @invariant()
    def i5_accomplished_means_every_container_has_left(self) -> None:
        for bill in self.bills():
            gone = [box.place is Place.GATE_OUT for box in self.containers(bill)]
            accomplished = title.status(self.voyage.world, bill) is Status.ACCOMPLISHED
            surrendered = bill.status is Status.SURRENDERED_FOR_DELIVERY
            assert accomplished == (surrendered and all(gone))

    @invariant()
    def i6_every_entry_was_signed_with_a_key_that_counted(self) -> None:
        if self.last is None:
            return
        entry = self.last[0]
        key = self.voyage.party(entry.event.actor).key(entry.kid)
        assert key is not None
        assert key.added < entry.index
        assert key.ended is None or key.ended >= entry.index

    @invariant()
    def i8_the_base_of_a_bill_never_changes(self) -> None:
        for bill in self.bills():
            base = (
                bill.bill,
                bill.reference,
                bill.kind,
                bill.carrier,
                bill.shipment,
                bill.shipper,
                bill.consignee,
                bill.notify,
                bill.containers,
                bill.sailings,
                bill.rulebook,
                bill.received_on,
            )
            assert self.first_seen.setdefault(bill.bill, base) == base
        act, before, _ = self.last or (None, None, None)
        assert act is None or before is None or not isinstance(act.event, e.Issue)

    @invariant()
    def i9_a_container_is_on_one_live_bill_and_no_ended_bill_lives_again(self) -> None:
        live = [bill for bill in self.bills() if bill.status is not Status.VOIDED]
        covered = [box for bill in live for box in bill.containers]
        assert len(covered) == len(set(covered))
        _, before, after = self.last or (None, None, None)
        if before is not None and after is not None and before.bill == after.bill:
            ended = before.status in (Status.VOIDED, Status.SURRENDERED_FOR_DELIVERY)
            assert not ended or after.status is before.status

    @invariant()
    def i10_there_is_no_pledge_and_no_hold_yet(self) -> None:
        assert not any("PLEDGE" in status or "HOLD" in status for status in Status)
        fields = set(BillState.__dataclass_fields__)
        assert not any("pledge" in name or name == "hold" for name in fields)

    @invariant()
    def i11_on_board_means_every_container_was_loaded_on_that_day(self) -> None:
        for bill in self.bills():
            if bill.on_board_on is None:
                continue
            loading = latest_loading(self.containers(bill))
            assert loading is not None
            assert loading.local_date == bill.on_board_on
            assert len(self.containers(bill)) == len(bill.containers)

    @invariant()
    def nobody_loses_sight_of_what_it_signed_on_a_bill(self) -> None:
        for bill in self.bills():
            stream = f"bill:{bill.bill}"
            signed = [one.event for one in self.voyage.entries if one.event.stream == stream]
            for actor, last in {event.actor: event.sequence for event in signed}.items():
                related = access.relations(self.voyage.world, bill, actor)
                if access.Group.CHAIN in access.groups(related):
                    continue
                disposal = access.disposal(bill, actor)
                assert disposal is not None
                assert disposal >= last

    @invariant()
    def i12_the_operator_never_controls(self) -> None:
        for bill in self.bills():
            assert "operator" not in (bill.control.possessor, bill.control.title_holder)
            assert title.allowed_actions(self.voyage.world, bill, "operator") == ()
        if self.last is not None and self.last[0].event.actor == "operator":
            assert self.last[0].event.stream.startswith("party:")

    @invariant()
    def what_is_offered_is_what_is_accepted(self) -> None:
        voyage = self.voyage
        for slug in ("yunling", "bankcq", "straits", "xlsc", "shadow"):
            accepted = {
                action for action, acts in EXAMPLES.items() if accepts(voyage, acts(voyage, slug))
            }
            offered = set() if voyage.party(slug).suspended else voyage.may(slug)
            assert offered == accepted, (slug, offered ^ accepted)

    def teardown(self) -> None:
        """I7: replaying what was accepted gives the same states, heads and all."""
        if not hasattr(self, "voyage"):
            return
        replayed = world.World(ORIGIN, self.voyage.documents)
        for entry in self.voyage.entries:
            replayed.apply(entry)
        assert replayed.states == self.voyage.world.states
        assert replayed.heads == self.voyage.world.heads


# -- a well-formed example of every act on a bill ------------------------------------------------

Acts = Callable[[Voyage, str], list[e.Recorded]]


def accepts(voyage: Voyage, tried: list[e.Recorded]) -> bool:
    return any(not isinstance(verdict(voyage.world, act), tuple) for act in tried)


def _plain(kind: type[e.Act], **members: Any) -> Acts:
    return lambda v, slug: [v.signed(kind, slug, v.stream, **members)]


def _to_somebody(kind: type[e.Act]) -> Acts:
    return lambda v, slug: [
        v.signed(kind, slug, v.stream, recipient=to) for to in ("yunling", "straits")
    ]


def _notation(v: Voyage, slug: str) -> list[e.Recorded]:
    days = [v.box(box).loading for box in v.bill.containers]
    dates = {loading.local_date for loading in days if loading is not None}
    common = {"vessel": VESSEL, "voyage": VOYAGE, "port_of_loading": "CNQZH"}
    return [
        v.signed(e.OnBoardNotation, slug, v.stream, on_board_date=day, **common) for day in dates
    ]


def _orders(v: Voyage, slug: str) -> list[e.Recorded]:
    left = tuple(box for box in v.bill.containers if v.box(box).place is not Place.GATE_OUT)
    return [
        v.signed(
            e.OrderDelivery,
            slug,
            v.stream,
            terminal="sgterm",
            containers=left,
            pick_up=COLLECTOR,
            code_hash=digest("code"),
            expires=v.now + timedelta(days=1),
        )
    ]


def _cancellations(v: Voyage, slug: str) -> list[e.Recorded]:
    names = [order.digest for order in v.bill.orders] or [digest("no order")]
    return [
        v.signed(e.CancelDeliveryOrder, slug, v.stream, order=name, reason="r") for name in names
    ]


EXAMPLES: dict[e.Action, Acts] = {
    e.Action.TRANSFER: _to_somebody(e.Transfer),
    e.Action.REFUSE: _plain(e.Refuse, reason="r"),
    e.Action.ENDORSE: _to_somebody(e.Endorse),
    e.Action.ENDORSE_TO_ORDER: _to_somebody(e.EndorseToOrder),
    e.Action.BLANK_ENDORSE: _plain(e.BlankEndorse),
    e.Action.SIGN: _plain(e.Sign),
    e.Action.ON_BOARD_NOTATION: _notation,
    e.Action.SURRENDER_FOR_DELIVERY: _plain(e.SurrenderForDelivery),
    e.Action.SURRENDER_FOR_AMENDMENT: _plain(e.SurrenderForAmendment, reason="COD"),
    e.Action.SACC: _plain(e.AcceptSurrender),
    e.Action.SREJ: _plain(e.RejectSurrender, reason="r"),
    e.Action.DELIVERY_ORDER: _orders,
    e.Action.CANCEL_DELIVERY_ORDER: _cancellations,
    e.Action.CONFIRM_DELIVERY: _plain(e.ConfirmDelivery),
    e.Action.VOID: _plain(e.Void, reason="r"),
}


def test_every_act_on_a_bill_but_its_issue_has_an_example_and_a_guard() -> None:
    of_a_bill = {kind.action for kind in e.BillEvent.__args__} - {e.Action.ISSUE}

    assert set(EXAMPLES) == of_a_bill == set(title.GUARDS)


TestLaw = Law.TestCase
TestLaw.settings = settings(
    max_examples=50,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),  # add Phase.shrink to look for the shortest voyage that fails
)
