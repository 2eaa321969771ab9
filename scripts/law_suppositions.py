"""What is supposed when the law is asked: a world in which all is right but what is asked about.

Names and digests are the shortest that the trade allows; no key signs anything here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bol_service.domain import errors, events
from bol_service.domain.document import BillKind, DocumentFacts
from bol_service.domain.events import Action, Custodians, Leg, Recorded, Role
from bol_service.domain.states import (
    BillState,
    Carriage,
    Control,
    CustodyState,
    DeliveryOrder,
    DraftState,
    Giving,
    Head,
    Loading,
    PartyState,
    Place,
    Status,
    Transit,
)

Json = dict[str, Any]

NOON: Final = datetime(2027, 3, 5, 12, tzinfo=UTC)
DIGEST: Final = "0" * 64
SHIPMENT: Final = "00000000-0000-7000-8000-000000000000"
BOX: Final = "XLCU7001127"
DRAFT, BOXED, BILL = f"draft:{SHIPMENT}", f"custody:{SHIPMENT}:{BOX}", f"bill:{DIGEST}"
RULEBOOK: Final = "1" * 64
ABROAD: Final = "SGPX"
IDENTITY: Final = events.Identity(
    legal_name="N",
    country="CN",
    identifiers=(events.Identifier(type="AUTHORITY", value="N"),),
)
NEW_KEY: Final = events.NewKey(kid="new", alg="Ed25519", jwk="new")
COLLECTOR: Final = events.Collector(name="N", reference="R")
WITH_RAIL: Final = Custodians(receipt="t1", rail="rail", loading="t2", discharge="t3")
WITHOUT_RAIL: Final = Custodians(receipt="t1", loading="t1", discharge="t3")


@dataclass(kw_only=True)
class Scene:
    """A `Reader` in which exactly that is true which a question supposes."""

    origin: str = "demo.a"
    parties: dict[str, PartyState] = field(default_factory=dict)
    drafted: DraftState | None = None
    box: CustodyState | None = None
    billed: BillState | None = None

    def party(self, slug: str) -> PartyState | None:
        return self.parties.get(slug)

    def draft(self, shipment: str) -> DraftState | None:
        return self.drafted

    def custody(self, shipment: str, container: str) -> CustodyState | None:
        return self.box

    def bill(self, bill: str) -> BillState | None:
        return self.billed

    def head(self, stream: str) -> Head | None:
        return None

    def document(self, received_bytes: str) -> DocumentFacts | None:
        return None


def party_of(slug: str, *roles: Role) -> PartyState:
    return PartyState(slug=slug, identity=IDENTITY, roles=frozenset(roles), rulebooks=(RULEBOOK,))


def recorded(event: Any) -> Recorded:
    return Recorded(event=event, digest=DIGEST, kid="k", alg="Ed25519", recorded_at=NOON, index=1)


def example(action: Action, actor: str, stream: str, **changes: Any) -> Any:
    """A well-formed event of this action; where it is asked about, nothing in it is wrong."""
    cls = _class_of(action)
    envelope: Json = {
        "id": "i",
        "actor": actor,
        "at": NOON,
        "audience": "demo.a",
        "previous": None,
        "sequence": 0,
        "stream": stream,
    }
    wanted = cls.__dataclass_fields__
    usual = {name: value for name, value in _USUAL.items() if name in wanted}
    return cls(**{**envelope, **usual, **changes})


_USUAL: Final[Json] = {
    "recipient": "other",
    "identity": IDENTITY,
    "roles": frozenset({Role.SHIPPER}),
    "key": NEW_KEY,
    "kid": "old",
    "reason": "r",
    "rulebook": RULEBOOK,
    "reference": "R",
    "shipper": "shipper",
    "custodians": WITH_RAIL,
    "customs_release": False,
    "document": DIGEST,
    "version": 1,
    "content_digest": DIGEST,
    "comment": "c",
    "leg": Leg.DISCHARGE,
    "custodian": "t3",
    "occurred_at": NOON,
    "local_date": NOON.date(),
    "train": "T",
    "waybill": "W",
    "vessel": "V",
    "voyage": "1",
    "bill": DIGEST,
    "order": DIGEST,
    "code_digest": DIGEST,
    "collected_by": COLLECTOR,
    "port_of_loading": "CNQZH",
    "on_board_date": NOON.date(),
    "terminal": "t3",
    "containers": (BOX,),
    "pick_up": COLLECTOR,
    "code_hash": DIGEST,
    "expires": NOON + timedelta(days=1),
    "platform": ABROAD,
    "envelope": DIGEST,
    "last_entry": DIGEST,
}


def _class_of(action: Action) -> Any:
    kinds = (
        events.PartyEvent,
        events.DraftEvent,
        events.CustodyEvent,
        events.BillEvent,
        events.ExchangeEvent,
    )
    return next(cls for kind in kinds for cls in kind.__args__ if cls.action is action)


def answer(ask: Callable[[], object]) -> str | None:
    """The code of the refusal, or None."""
    try:
        ask()
    except errors.Refusal as refusal:
        return refusal.code
    return None


def allows(law: Callable[[Any, Recorded, Any], object], scene: Scene, event: Any) -> bool:
    """Whether the `apply` of a law accepts the event."""
    return answer(lambda: law(scene, recorded(event), event)) is None


def booking() -> DraftState:
    return DraftState(
        shipment=SHIPMENT,
        carrier="carrier",
        reference="R",
        shipper="shipper",
        forwarder=None,
        custodians=WITH_RAIL,
        containers=(),
        customs=(),
        customs_release=False,
    )


def custody_of_box(place: Place, *, loaded: bool = True) -> CustodyState:
    loading = Loading(vessel="V", voyage="1", local_date=NOON.date(), terminal="t2")
    return CustodyState(
        shipment=SHIPMENT,
        container=BOX,
        place=place,
        custodian="t1",
        since=NOON,
        received_on=NOON.date(),
        loading=loading if loaded else None,
    )


def releasable_bill() -> BillState:
    return replace(live_bill(), status=Status.SURRENDERED_FOR_DELIVERY, orders=(delivery_order(),))


def delivery_order(*, cancelled: bool = False) -> DeliveryOrder:
    return DeliveryOrder(
        digest=DIGEST,
        sequence=1,
        terminal="t3",
        containers=(BOX,),
        pick_up=COLLECTOR,
        code_hash=DIGEST,
        expires=NOON + timedelta(days=1),
        cancelled=cancelled,
    )


def on_its_way(*, sent: Carriage | None = None) -> Transit:
    """To a party abroad, with the control that it will have."""
    recipient = f"{ABROAD}:receiver"
    return Transit(
        platform=ABROAD,
        recipient=recipient,
        since=1,
        after=Control(possessor=recipient, title_holder=None),
        otherwise=Status.ISSUED,
        sent=sent,
    )


def live_bill() -> BillState:
    control = Control(possessor="holder", title_holder=None)
    return BillState(
        bill=DIGEST,
        reference="R",
        kind=BillKind.BLANK,
        carrier="carrier",
        shipment=SHIPMENT,
        shipper="shipper",
        consignee=None,
        notify=(),
        containers=(BOX,),
        sailings=(),
        rulebook=RULEBOOK,
        status=Status.ISSUED,
        control=control,
        giving=Giving(before=control),
    )
