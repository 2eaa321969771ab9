"""Telling a subscriber that a transport document's state changed (DCSA EBL 3.0, CloudEvents 1.0).

The light variant: state and references, without the document; who may read that asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bol_service.wire.event_fields import instant_text
from bol_service.wire.transport_document_fields import Code, Member, Moment, One, Text
from bol_service.wire.transport_document_forms import TRIMMED

TYPE: Final = "org.dcsa.transport-document.v3"


@dataclass(frozen=True, kw_only=True)
class DocumentNotification:
    """`source` with `id` is unique; a notification that is sent again keeps both."""

    id: str
    source: str
    at: datetime
    subscription: str
    status: str
    reference: str
    sub_reference: str | None = None

    def to_json(self) -> dict[str, Any]:
        data = {
            "transportDocumentStatus": self.status,
            "transportDocumentReference": self.reference,
            "transportDocumentSubReference": self.sub_reference,
        }
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": TYPE,
            "time": instant_text(self.at),
            "datacontenttype": "application/json",
            "subscriptionReference": self.subscription,
            "data": {name: value for name, value in data.items() if value is not None},
        }


class DocumentDataSchema(Member):
    transportDocumentStatus = Text(50, required=True)
    transportDocumentReference = Text(20, TRIMMED, required=True)
    transportDocumentSubReference = Text(100, TRIMMED)


class DocumentNotificationSchema(Member):
    specversion = Code("1.0", required=True)
    id = Text(100, required=True)
    source = Text(4096, required=True)
    type = Code(TYPE, required=True)
    time = Moment(required=True)
    datacontenttype = Code("application/json", required=True)
    subscriptionReference = Text(100, TRIMMED, required=True)
    data = One(DocumentDataSchema, required=True)
