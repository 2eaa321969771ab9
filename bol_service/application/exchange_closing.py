"""Closing a transfer that another platform began here and never finished.

While it is open, another chain of the same bill is disputed, since its sender would tell two
stories. Nothing ends it by itself: to end it is to sign a refusal, and that is for people.

1. It is open, and not being accepted just now.
2. It was begun at least `ABANDONED_AFTER` ago, or its sender has agreed.
3. The ledger does not know its chain: what was received cannot be refused.
4. Then BENV is signed and kept. Whoever sends that envelope again, or finishes it, gets the answer
   byte for byte; the original is the sender's. The same chain under a new manifest is a new
   transfer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bol_service.application.exchange_history import kept_envelope, last_known
from bol_service.application.exchange_ports import ExchangeBook, Inbound
from bol_service.application.ports import Clock, Reading, Store
from bol_service.crypto.peer_signers import PeerSigner
from bol_service.domain.states import BillState
from bol_service.wire import pint_answers
from bol_service.wire.event_fields import instant, instant_text
from bol_service.wire.pint_answers import HTTP_STATUS, ResponseCode
from bol_service.wire.pint_envelope import EblEnvelope

ABANDONED_AFTER: Final = timedelta(days=7)


class NotClosable(ValueError):  # noqa: N818 - says what is the matter
    """The transfer stays as it is; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A transfer that can be closed. `missing` are the checksums that never came, `reason` is what
    its sender will be told."""

    transfer: Inbound
    missing: tuple[str, ...]
    reason: str


class Closing:
    def __init__(
        self, *, store: Store, book: ExchangeBook, clock: Clock, signer: PeerSigner, platform: str
    ) -> None:
        self._store = store
        self._book = book
        self._clock = clock
        self._signer = signer
        self._platform = platform

    def look(self, reference: str, *, agreed: bool = False) -> Begun:
        """What closing would do; raises NotClosable."""
        transfer = self._book.inbound(reference)
        if transfer is None:
            raise NotClosable(
                f"no transfer {reference} was begun here; bol exchange arrivals --open lists those"
                " that wait"
            )
        if transfer.answer is not None:
            raise NotClosable(f"transfer {reference} is answered with a signature; it is closed")
        if transfer.status is not None:
            raise NotClosable(
                f"transfer {reference} is being accepted; the sender's next request ends it"
            )
        now = self._clock.now()
        if not agreed:
            _require_abandoned(transfer, now)
        with self._store.reading() as reading:
            envelope = kept_envelope(reading, transfer.envelope)
            self._require_unknown(reading, transfer, envelope.envelope)
        held = self._book.held(transfer.bill)
        missing = [one.checksum for one in envelope.manifest.documents if one.checksum not in held]
        return Begun(
            transfer=transfer,
            missing=tuple(missing),
            reason=f"closed by the operator of {self._platform} at {instant_text(now)}: begun at "
            f"{transfer.opened}, and {len(missing)} of its documents never came",
        )

    def close(self, begun: Begun) -> str:
        """Sign and keep the refusal; returns the compact JWS. Raises NotClosable when the transfer
        has changed since `look`."""
        with self._store.reading() as reading:
            last = kept_envelope(reading, begun.transfer.envelope).envelope.last_checksum
        answer = pint_answers.refused(last, ResponseCode.BENV, begun.reason)
        text = pint_answers.finished_response(answer, self._signer)
        closed = replace(begun.transfer, answer=text, status=HTTP_STATUS[ResponseCode.BENV])
        if not self._book.swap_inbound(begun.transfer, closed):
            raise NotClosable(
                f"transfer {begun.transfer.reference} has just gone on; look at it again"
            )
        return text

    def _require_unknown(self, reading: Reading, transfer: Inbound, envelope: EblEnvelope) -> None:
        stream = f"bill:{transfer.bill}"
        state, _ = reading.states([stream]).get(stream, (None, None))
        if not isinstance(state, BillState):
            return
        last = last_known(reading, state)
        known = () if last is None else last.envelope.chain
        if envelope.last_checksum in state.abroad.arrivals or envelope.chain[-1] in known:
            raise NotClosable(
                f"the ledger holds the chain of transfer {transfer.reference}: the bill was "
                "received, and its sender will be told so when it asks again"
            )


def _require_abandoned(transfer: Inbound, now: datetime) -> None:
    until = instant(transfer.opened) + ABANDONED_AFTER
    if now < until:
        raise NotClosable(
            f"transfer {transfer.reference} was begun at {transfer.opened} and may go on until "
            f"{instant_text(until)}; close it earlier only if {transfer.sender} agrees: --agreed"
        )
