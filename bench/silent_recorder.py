"""A recorder that checks what it is sent and forgets it, and a service around it.

Before it, everything is the service's own: route, strict parse, marshmallow, signature check
against the registered key. After it, a receipt of the usual size is written: made from the event
itself, a path as long as that of a log of some ten thousand entries, and a note nobody signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from bol_service.application.commit import Accepted, Answer
from bol_service.application.record import Recorder
from bol_service.bootstrap import Running
from bol_service.http.app import create_app
from bol_service.ledger.entry import Entry
from bol_service.ledger.receipt import Receipt
from bol_service.wire.events import SignedEvent

_PATH = tuple(sha256(bytes([level])).digest() for level in range(14))
_LINE = "demo.cq.example/ebl"
_NOTE = f"{_LINE}\n10000\n{'A' * 43}=\n\n— {_LINE} {'A' * 92}\n"
_RECORDED_AT = "2027-03-01T04:00:00.000Z"


class SilentRecorder(Recorder):
    """Checks what the real one checks before the sequencer, and answers at once."""

    def submit(self, compact: str) -> Accepted:
        return _accepted(self._verified(compact))

    def submit_all(self, compacts: Sequence[str]) -> list[Answer]:
        return [self.submit(compact) for compact in compacts]


def silenced(running: Running) -> Running:
    """The same service with its recorder exchanged."""
    recorder = SilentRecorder(running.store, running.services.sequencer)
    services = replace(running.services, recorder=recorder)
    return replace(running, app=create_app(services), services=services)


def _accepted(signed: SignedEvent) -> Accepted:
    receipt = Receipt(
        entry=Entry(event=signed.parsed.text, recorded_at=_RECORDED_AT),
        index=9_999,
        stream=signed.event.stream,
        sequence=signed.event.sequence,
        inclusion_path=_PATH,
        checkpoint=_NOTE,
    )
    return Accepted(receipt=receipt, resend=False)
