"""Asking a peer about a delivery. Implements `application.delivery_abroad_ports.DeliveryPeer`.

Each request is signed with our exchange key and sent over the peer's own connection, with its
pinned certificate. Whoever asks waits until the deadline and not longer, however slowly the peer
drips; how many may wait for one peer at once is limited, so that one that hangs holds up nobody
else.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from bol_service.application.exchange_ports import PeerAway, PeerLink, PeerReply
from bol_service.application.ports import Clock
from bol_service.crypto.peer_signers import PeerSigner
from bol_service.verification.trust import Trust
from bol_service.wire.abroad import Kind, PeerRequest, write_request

PREFIX: Final = "/peer/v1"
AT_ONCE: Final = 16


class SignedPeer:
    """The platform `code`, asked by the platform `me`."""

    def __init__(
        self,
        *,
        code: str,
        me: str,
        link: PeerLink,
        trust: Trust,
        signer: PeerSigner,
        clock: Clock,
    ) -> None:
        self.trust = trust
        self._code = code
        self._me = me
        self._link = link
        self._signer = signer
        self._clock = clock
        self._places = threading.Semaphore(AT_ONCE)

    def ask(self, kind: Kind, body: Mapping[str, Any], seconds: float) -> PeerReply:
        request = PeerRequest(
            kind=kind,
            sender=self._me,
            receiver=self._code,
            at=self._clock.now(),
            body=dict(body),
        )
        content = write_request(request, self._signer)
        if not self._places.acquire(blocking=False):
            raise PeerAway(f"{AT_ONCE} requests wait for {self._code} already")
        return self._within(seconds, lambda: self._link.post(f"{PREFIX}/{kind}", content))

    def _within(self, seconds: float, call: Callable[[], PeerReply]) -> PeerReply:
        """What `call` returns or raises; PeerAway if that takes longer. Frees the place."""
        outcome: queue.SimpleQueue[PeerReply | Exception] = queue.SimpleQueue()

        def run() -> None:
            try:
                outcome.put(call())
            except Exception as error:  # it belongs to who waits
                outcome.put(error)
            finally:
                self._places.release()

        threading.Thread(target=run, name=f"ask {self._code}", daemon=True).start()
        try:
            found = outcome.get(timeout=max(0.001, seconds))
        except queue.Empty:
            raise PeerAway(f"{self._code} gave no answer within {seconds:.1f} s") from None
        if isinstance(found, Exception):
            raise found
        return found
