"""Every act of the trade as a method with its usual content, ready to be bent by keywords.

`by` is who signs. `law_journal` tells which keywords replace members of the envelope or the entry;
any other keyword replaces a member of the act itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bol_service.domain import events as e
from bol_service.domain import title
from bol_service.domain.document import BillKind, DocumentFacts
from bol_service.domain.identifiers import custody_stream, draft_stream, party_stream
from bol_service.domain.states import (
    OPERATOR,
    BillState,
    CustodyState,
    DraftState,
    PartyState,
    State,
    Status,
)
from tests.law_journal import Journal
from tests.law_scene import (
    BOOKING_REFERENCE,
    BOX_1,
    BOXES,
    CODE,
    COLLECTOR,
    CUSTODIANS,
    LOADED_ON,
    PARTIES,
    RULEBOOK,
    SEALS,
    SHIPMENT,
    TRAIN,
    VESSEL,
    VOYAGE,
    digest,
    key_of,
    local_day,
)


class PartyActs(Journal):
    def register(self, slug: str, *, by: str = OPERATOR, stream: str = "", **how: Any) -> State:
        person = PARTIES[slug]
        usual = {
            "identity": person.identity,
            "roles": frozenset({person.role}),
            "carrier_code": person.carrier_code,
            "facilities": person.facilities,
            "key": key_of(slug),
        }
        return self.sign(e.Register, by, stream or party_stream(slug), **{**usual, **how})

    def accept_rulebook(self, slug: str, rulebook: str = RULEBOOK, **how: Any) -> State:
        return self._own(e.AcceptRulebook, slug, how, rulebook=rulebook)

    def add_key(self, slug: str, number: int = 2, **how: Any) -> State:
        return self._own(e.AddKey, slug, how, key=key_of(slug, number))

    def rotate_key(self, slug: str, number: int = 2, **how: Any) -> State:
        return self._own(e.RotateKey, slug, how, key=key_of(slug, number))

    def revoke_key(self, slug: str, number: int = 1, **how: Any) -> State:
        return self._own(e.RevokeKey, slug, how, kid=f"key-{slug}-{number}", reason="token lost")

    def grant_mandate(self, slug: str, to: str, until: datetime | None = None, **how: Any) -> State:
        return self._own(e.GrantMandate, slug, how, recipient=to, valid_until=until)

    def revoke_mandate(self, slug: str, to: str, **how: Any) -> State:
        return self._own(e.RevokeMandate, slug, how, recipient=to)

    def suspend(self, slug: str, *, by: str = OPERATOR, **how: Any) -> State:
        return self.sign(e.Suspend, by, party_stream(slug), reason="due diligence", **how)

    def reinstate(self, slug: str, *, by: str = OPERATOR, **how: Any) -> State:
        return self.sign(e.Reinstate, by, party_stream(slug), reason="cleared", **how)

    def party(self, slug: str) -> PartyState:
        party = self.world.party(slug)
        assert party is not None
        return party

    def _own(self, kind: type[e.Act], slug: str, how: dict[str, Any], **usual: Any) -> State:
        stream, by = how.pop("stream", party_stream(slug)), how.pop("by", slug)
        return self.sign(kind, by, stream, **{**usual, **how})


class DraftActs(Journal):
    custodians = CUSTODIANS
    customs_release = True
    document: DocumentFacts

    def book(self, carrier: str = "xlsc", *, shipment: str = SHIPMENT, **how: Any) -> State:
        usual = {
            "reference": BOOKING_REFERENCE,
            "shipper": "yunling",
            "forwarder": "qiaolian",
            "custodians": self.custodians,
            "containers": BOXES,
            "customs": ("cqcus", "sgcus"),
            "customs_release": self.customs_release,
        }
        return self.sign(e.Booking, carrier, draft_stream(shipment), **{**usual, **how})

    def submit_instructions(self, by: str = "yunling", **how: Any) -> State:
        usual = {"reference": "SI-YL-20270225-01", "document": digest("instructions")}
        return self._drafting(e.SubmitInstructions, by, how, **usual)

    def publish_draft(self, version: int = 1, *, by: str = "xlsc", **how: Any) -> State:
        content = self.document.content_digest
        usual = {"version": version, "document": digest("draft"), "content_digest": content}
        return self._drafting(e.PublishDraft, by, how, **usual)

    def request_change(self, version: int = 1, *, by: str = "yunling", **how: Any) -> State:
        return self._drafting(e.RequestChange, by, how, version=version, comment="weight of box 2")

    def approve(self, version: int = 1, *, by: str = "yunling", **how: Any) -> State:
        content = self.document.content_digest
        return self._drafting(e.ApproveDraft, by, how, version=version, content_digest=content)

    def appoint(self, leg: e.Leg, to: str, *, by: str = "xlsc", **how: Any) -> State:
        usual = {"leg": leg, "custodian": to, "reason": "berth is full"}
        return self._drafting(e.Appoint, by, how, **usual)

    @property
    def draft(self) -> DraftState:
        draft = self.world.draft(SHIPMENT)
        assert draft is not None
        return draft

    def _drafting(self, kind: type[e.Act], by: str, how: dict[str, Any], **usual: Any) -> State:
        stream = draft_stream(how.pop("shipment", SHIPMENT))
        return self.sign(kind, by, stream, **{**usual, **how})


class CustodyActs(DraftActs):
    def gate_in(self, box: str = BOX_1, *, by: str = "", **how: Any) -> State:
        return self._keep(e.GateIn, by or self.custodians.receipt, box, how, seals=SEALS[box])

    def load_on_train(self, box: str = BOX_1, *, by: str = "wrail", **how: Any) -> State:
        return self._keep(e.LoadedRail, by, box, how, train=TRAIN, waybill="R7781203")

    def train_departs(self, box: str = BOX_1, *, by: str = "wrail", **how: Any) -> State:
        return self._keep(e.RailDeparted, by, box, how, train=TRAIN)

    def train_arrives(self, box: str = BOX_1, *, by: str = "wrail", **how: Any) -> State:
        return self._keep(e.RailArrived, by, box, how, train=TRAIN)

    def receive_for_transhipment(
        self, box: str = BOX_1, *, by: str = "qinzhou", **how: Any
    ) -> State:
        return self._keep(e.ReceivedTranshipment, by, box, how, seals=SEALS[box])

    def load_on_vessel(self, box: str = BOX_1, *, by: str = "qinzhou", **how: Any) -> State:
        return self._keep(e.LoadedVessel, by, box, how, vessel=VESSEL, voyage=VOYAGE)

    def vessel_departs(self, box: str = BOX_1, *, by: str = "qinzhou", **how: Any) -> State:
        return self._keep(e.VesselDeparted, by, box, how, vessel=VESSEL, voyage=VOYAGE)

    def discharge(self, box: str = BOX_1, *, by: str = "sgterm", **how: Any) -> State:
        return self._keep(e.Discharged, by, box, how)

    def release_by_customs(self, box: str = BOX_1, *, by: str = "sgcus", **how: Any) -> State:
        return self._keep(e.CustomsRelease, by, box, how, reference="SG-REL-118")

    def gate_out(self, box: str = BOX_1, *, by: str = "sgterm", **how: Any) -> State:
        usual = {
            "bill": self.document.checksum,
            "order": self.order,
            "code_digest": digest(CODE),
            "collected_by": COLLECTOR,
        }
        return self._keep(e.GateOut, by, box, how, **usual)

    def box(self, container: str = BOX_1) -> CustodyState:
        box = self.world.custody(SHIPMENT, container)
        assert box is not None
        return box

    @property
    def order(self) -> str:
        """The digest of the delivery order signed last, or of none."""
        bill = self.world.bill(self.document.checksum)
        return bill.orders[-1].digest if bill and bill.orders else digest("no order")

    def _keep(
        self, kind: type[e.Act], by: str, box: str, how: dict[str, Any], **usual: Any
    ) -> State:
        stream = custody_stream(how.pop("shipment", SHIPMENT), box)
        when = how.get("occurred_at", how.get("at", self.now))
        dated = {"occurred_at": when, "local_date": local_day(when)}
        return self.sign(kind, by, stream, **{**dated, **usual, **how})


class BillActs(CustodyActs):
    def issue(self, by: str = "xlsc", **how: Any) -> State:
        """`manifest` and `parties` are given as changes to the usual ones."""
        facts, issue_to = self.document, digest("issue to")
        manifest = {
            "kid": f"key-{by}-1",
            "document_checksum": facts.checksum,
            "issue_to_checksum": issue_to,
            **how.pop("manifest", {}),
        }
        usual = {
            "shipment": SHIPMENT,
            "content_digest": facts.content_digest,
            "received_bytes": facts.received_bytes,
            "manifest": e.IssuanceManifest(**manifest),
            "issue_to": "yunling",
            "issue_to_checksum": issue_to,
            "parties": e.BillParties(**{**parties_of(facts), **how.pop("parties", {})}),
            "rulebook": RULEBOOK,
        }
        return self._control(e.Issue, by, how, **usual)

    def transfer(self, by: str, *, to: str, **how: Any) -> State:
        return self._control(e.Transfer, by, how, recipient=to)

    def refuse(self, by: str, **how: Any) -> State:
        return self._control(e.Refuse, by, how, reason="not ordered")

    def endorse_finally(self, by: str, *, to: str, **how: Any) -> State:
        return self._control(e.Endorse, by, how, recipient=to)

    def endorse(self, by: str, *, to: str, **how: Any) -> State:
        """To the order of `to`, who may endorse on."""
        return self._control(e.EndorseToOrder, by, how, recipient=to)

    def endorse_in_blank(self, by: str, **how: Any) -> State:
        return self._control(e.BlankEndorse, by, how)

    def show_control(self, by: str, **how: Any) -> State:
        return self._control(e.Sign, by, how)

    def note_on_board(self, by: str = "xlsc", **how: Any) -> State:
        usual = {
            "vessel": VESSEL,
            "voyage": VOYAGE,
            "port_of_loading": "CNQZH",
            "on_board_date": LOADED_ON,
        }
        return self._control(e.OnBoardNotation, by, how, **usual)

    def surrender(self, by: str, **how: Any) -> State:
        return self._control(e.SurrenderForDelivery, by, how)

    def surrender_for_amendment(self, by: str, **how: Any) -> State:
        return self._control(e.SurrenderForAmendment, by, how, reason="COD")

    def accept_surrender(self, by: str = "xlsc", **how: Any) -> State:
        return self._control(e.AcceptSurrender, by, how)

    def reject_surrender(self, by: str = "xlsc", **how: Any) -> State:
        return self._control(e.RejectSurrender, by, how, reason="local charges unpaid")

    def order_delivery(self, by: str = "xlsc", **how: Any) -> str:
        """The digest of the order."""
        usual = {
            "terminal": "sgterm",
            "containers": BOXES,
            "pick_up": COLLECTOR,
            "code_hash": digest(CODE),
            "expires": self.now + timedelta(days=2),
        }
        self._control(e.OrderDelivery, by, how, **usual)
        return self.order

    def cancel_order(self, order: str = "", *, by: str = "xlsc", **how: Any) -> State:
        return self._control(
            e.CancelDeliveryOrder, by, how, order=order or self.order, reason="wrong haulier"
        )

    def confirm_delivery(self, by: str = "xlsc", **how: Any) -> State:
        return self._control(e.ConfirmDelivery, by, how)

    def void(self, by: str = "xlsc", **how: Any) -> State:
        return self._control(e.Void, by, how, reason="issued to the wrong party")

    @property
    def stream(self) -> str:
        return f"bill:{self.document.checksum}"

    @property
    def bill(self) -> BillState:
        bill = self.world.bill(self.document.checksum)
        assert bill is not None
        return bill

    @property
    def status(self) -> Status:
        return title.status(self.world, self.bill)

    @property
    def control(self) -> tuple[str, str | None, bool]:
        """(possessor, title holder or None in blank, final)."""
        control = self.bill.control
        return control.possessor, control.title_holder, control.final

    def may(self, slug: str) -> frozenset[e.Action]:
        return frozenset(title.allowed_actions(self.world, self.bill, slug))

    def _control(self, kind: type[e.Act], by: str, how: dict[str, Any], **usual: Any) -> State:
        stream = how.pop("stream", self.stream)
        return self.sign(kind, by, stream, **{**usual, **how})


def parties_of(facts: DocumentFacts) -> dict[str, Any]:
    consignee = "straits" if facts.consignee else None
    titled = consignee if facts.kind is BillKind.STRAIGHT else "yunling" if facts.endorsee else None
    return {
        "shipper": "yunling",
        "consignee": consignee,
        "title_holder": titled,
        "notify": ("straits",),
    }
