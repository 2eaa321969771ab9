"""The columns of an entry repeat what its signed bytes say, so that rows can be found by them."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

from bol_service.application.audit_findings import Finding, Kind
from bol_service.application.ports import StoredEntry
from bol_service.crypto import base64url
from bol_service.wire.events import SignedEvent

Columns = tuple[object, ...]


def said(signed: SignedEvent) -> Columns:
    """What the columns should be."""
    event = signed.event
    return (
        event.stream,
        event.sequence,
        event.id,
        event.actor,
        str(event.action),
        signed.parsed.kid,
        signed.payload_digest,
    )


def read_again(compact: str) -> Columns:
    """The same, of bytes found well formed before; raises ValueError, KeyError, TypeError."""
    head, body, _ = compact.split(".")
    payload = base64url.decode(body)
    event, kid = json.loads(payload), _kid(head)
    digest = hashlib.sha256(payload).hexdigest()
    names = ("stream", "sequence", "id", "actor", "action")
    return (*(event[name] for name in names), kid, digest)


@lru_cache(maxsize=4096)
def _kid(head: str) -> str:
    return str(json.loads(base64url.decode(head))["kid"])


def wrong_columns(row: StoredEntry, should: Columns) -> list[Finding]:
    stored = (
        row.stream,
        row.sequence,
        row.event_id,
        row.actor,
        row.action,
        row.kid,
        row.payload_digest,
    )
    if stored == should:
        return []
    text = f"entry {row.index}: the columns say {stored}, the signed event says {should}"
    return [Finding(kind=Kind.ROW, text=text, index=row.index)]
