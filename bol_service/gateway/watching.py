"""What happened to the carrier's bills and drafts, and who is told.

1. A round reads the notices that are new since the last one and looks at what they name; up to
   where it read is kept on the disk, after what it found.
2. A sweep looks at all bills and drafts of the carrier: at the start and every `SWEEP`. It finds
   what no notice tells: acts of the carrier's own people, and what happened while the state was
   lost.
3. Where a state is another than the one kept, subscribers are owed a notification, with an id of
   its own per document and change.
4. A subscriber learns of the documents of its party only: as shipper, forwarder of the draft,
   possessor or title holder. `EVERYBODY` is for the carrier's own systems.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog

from bol_service.client import Refused
from bol_service.crypto import strictjson
from bol_service.gateway.desk import Desk, NotProven
from bol_service.gateway.subscribers import EVERYBODY, Subscriber
from bol_service.gateway.surrendering import Surrendering
from bol_service.wire.dcsa_notification import DocumentNotification
from bol_service.wire.event_fields import instant, instant_text

Json = dict[str, Any]
NOTIFICATIONS: Final = "/v3/transport-document-notifications"
SWEEP: Final = timedelta(minutes=10)
_NOTICES, _SWEPT = "notices", "swept"
# The names of the standard for our states; what has none is not told.
_STANDARD: Final = {
    **{
        name: name
        for name in (
            "DRAFT",
            "APPROVED",
            "ISSUED",
            "PENDING_SURRENDER_FOR_DELIVERY",
            "PENDING_SURRENDER_FOR_AMENDMENT",
            "SURRENDERED_FOR_DELIVERY",
            "SURRENDERED_FOR_AMENDMENT",
            "VOIDED",
        )
    },
    "ACCOMPLISHED": "SURRENDERED_FOR_DELIVERY",
}
log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class _Change:
    """`subject` is a bill's id or a draft's stream, `parties` who may learn of it."""

    subject: str
    status: str
    reference: str
    sub_reference: str | None
    parties: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Watching:
    """`source` is the CloudEvents source: the origin of the log."""

    desk: Desk
    surrendering: Surrendering
    subscribers: Sequence[Subscriber]
    source: str

    def round(self) -> None:
        """Raises Refused or Unreachable when the platform cannot be read."""
        if self._sweep_is_due():
            self.sweep()
        self._read_notices()
        for bill in self.desk.state.unseen():
            self._visit(bill)

    def sweep(self) -> None:
        """Look at every bill and draft whose state changed, or that waits for the carrier."""
        started = self.desk.now()
        for draft in self.desk.client.pages("/v1/drafts"):
            self._look_at_draft(draft)
        for summary in self.desk.client.pages("/v1/bills", carrier=self.desk.me):
            changed = self.desk.state.status(summary["bill"]) != summary["status"]
            if changed or str(summary["status"]).startswith("PENDING_"):
                self._visit(summary["bill"])
        self.desk.state.set_mark(_SWEPT, instant_text(started))

    def _sweep_is_due(self) -> bool:
        swept = self.desk.state.mark(_SWEPT)
        return not swept or self.desk.now() - instant(swept) >= SWEEP

    def _read_notices(self) -> None:
        cursor = self.desk.state.mark(_NOTICES)
        query = {"cursor": cursor} if cursor else {}
        notices = list(self.desk.client.pages("/v1/notices", **query))
        for stream in dict.fromkeys(str(notice["stream"]) for notice in notices):
            kind, _, name = stream.partition(":")
            if kind == "bill":
                self._visit(name)
            elif kind == "draft":
                self._look_at_draft(self.desk.client.get(f"/v1/drafts/{name}"))
        if notices:
            self.desk.state.set_mark(_NOTICES, str(notices[-1]["number"]))

    # -- bills -----------------------------------------------------------------------------------

    def _visit(self, bill: str) -> None:
        """A bill that cannot be looked at is tried again in the next round; others go on."""
        try:
            self._look(bill)
        except (NotProven, Refused) as why:
            self.desk.state.see(bill)
            log.error("a bill cannot be looked at", bill=bill, why=str(why))
        else:
            self.desk.state.seen(bill)

    def _look(self, bill: str) -> None:
        try:
            view = self.desk.client.get(f"/v1/bills/{bill}")
        except Refused as refused:
            if refused.status == 404:
                return
            raise
        if view.get("carrier") != self.desk.me:
            return
        self._note(_bill_change(bill, view))
        self.surrendering.look(bill, view)

    # -- drafts ----------------------------------------------------------------------------------

    def _look_at_draft(self, view: Json) -> None:
        subject = f"draft:{view['shipment']}"
        known = self.desk.state.status(subject) == view["status"]
        if known or view["status"] not in _STANDARD or view["carrier"] != self.desk.me:
            return
        content = self.desk.client.fetch(f"/v1/drafts/{view['shipment']}/document").content
        document = strictjson.loads_document(content)
        assert isinstance(document, dict)  # the platform took it as a transport document
        parties = (view["shipper"], view.get("forwarder"))
        self._note(
            _Change(
                subject=subject,
                status=view["status"],
                reference=document["transportDocumentReference"],
                sub_reference=document.get("transportDocumentSubReference"),
                parties=frozenset(slug for slug in parties if slug),
            )
        )

    # -- telling ---------------------------------------------------------------------------------

    def _note(self, change: _Change) -> None:
        state = self.desk.state
        before = state.status(change.subject)
        if before == change.status:
            return
        told = _STANDARD.get(change.status)
        with state.transaction():
            number = state.set_status(change.subject, change.status)
            if told is not None and told != _STANDARD.get(before or ""):
                self._notify(change, told, number)

    def _notify(self, change: _Change, status: str, number: int) -> None:
        now = self.desk.now()
        for subscriber in self.subscribers:
            if subscriber.party != EVERYBODY and subscriber.party not in change.parties:
                continue
            named = f"{change.subject}/{number}/{subscriber.target}"
            notification = DocumentNotification(
                id=hashlib.sha256(named.encode()).hexdigest(),
                source=self.source,
                at=now,
                subscription=subscriber.reference,
                status=status,
                reference=change.reference,
                sub_reference=change.sub_reference,
            )
            body = strictjson.canonical(notification.to_json())
            name = f"notification:{notification.id}"
            self.desk.state.owe(name, subscriber.target, NOTIFICATIONS, body, now)


def _bill_change(bill: str, view: Json) -> _Change:
    control = view.get("control", {})
    parties = (
        view.get("parties", {}).get("shipper"),
        control.get("possessor"),
        control.get("titleHolder"),
    )
    return _Change(
        subject=bill,
        status=str(view["status"]),
        reference=view["transportDocumentReference"],
        sub_reference=view.get("document", {}).get("transportDocumentSubReference"),
        parties=frozenset(slug for slug in parties if slug),
    )
