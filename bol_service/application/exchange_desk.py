"""The platform's own entries: the only writer of SENT, MOVED, NOT_MOVED, IMPORTED and RETURNED.

The desk is a registered party with the role EXCHANGE; which one is found by the key. What it signs
goes through the same door, law and sequencer as every act of a party.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bol_service.application.commit import Accepted
from bol_service.application.ports import Clock, DocumentRow, Store
from bol_service.application.record import Recorder
from bol_service.crypto.peer_signers import EcSigner
from bol_service.crypto.signers import Signer
from bol_service.domain.document import DocumentFacts
from bol_service.domain.events import Action
from bol_service.domain.states import BillState, Head
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from bol_service.wire.peers import Peers

KIND_ENVELOPE = "envelope"
KIND_ATTACHMENT = "attachment"


class NotReady(RuntimeError):  # noqa: N818 - says what is the matter
    """The desk cannot sign: its key is not registered."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A bill and its head, both None while it is not known here."""

    state: BillState | None
    head: Head | None


class Desk:
    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        recorder: Recorder,
        origin: str,
        platform: str,
        peers: Peers,
        signer: Signer,
    ) -> None:
        self.store = store
        self.clock = clock
        self.origin = origin
        self.platform = platform
        self.peers = peers
        self.signer = EcSigner(signer)
        self._recorder = recorder
        self._signer = signer

    def find(self, bill: str) -> Found:
        stream = f"bill:{bill}"
        with self.store.reading() as reading:
            state, head = reading.states([stream]).get(stream, (None, None))
        return Found(state=state if isinstance(state, BillState) else None, head=head)

    def record(
        self, action: Action, bill: str, after: Head | None, details: Mapping[str, Any]
    ) -> Accepted:
        """Sign and record one entry on the bill's stream.

        Raises:
            NotReady: The key is not registered for a desk.
            errors.Refusal: The law does not allow it; `StaleHead` when somebody was faster.
            Busy, Uncertain: See `Sequencer.submit`.
        """
        payload = drafting.payload(
            action=action,
            actor=self.slug(),
            at=self.clock.now(),
            audience=self.origin,
            stream=f"bill:{bill}",
            after=after,
            details=details,
        )
        return self._recorder.submit_own(drafting.sign_as_platform(payload, self._signer))

    def keep_document(self, content: bytes, kind: str, facts: DocumentFacts | None = None) -> str:
        """Keep bytes that crossed the border; returns their SHA-256."""
        digest = hashlib.sha256(content).hexdigest()
        row = DocumentRow(
            digest=digest,
            checksum=facts.checksum if facts else None,
            kind=kind,
            content=content,
            facts=facts,
            uploaded_by=self.slug(),
            uploaded_at=instant_text(self.clock.now()),
        )
        self.store.add_document(row)
        return digest

    def require_ready(self) -> None:
        """Raises NotReady."""
        self.slug()

    def slug(self) -> str:
        """The desk's own party; raises NotReady."""
        kid = self._signer.public.kid
        with self.store.reading() as reading:
            row = reading.key(kid)
        if row is None:
            raise NotReady(
                f"the exchange key {kid} belongs to no party; let the operator register a party "
                "with the role EXCHANGE and this key"
            )
        return row.party
