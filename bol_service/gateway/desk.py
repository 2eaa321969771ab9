"""The carrier's desk at its platform: signs with the carrier's key, and believes only receipts.

An act has a name of its own (`issue:7`, `surrender:<digest>`) and happens at most once:

1. it is signed and its text kept on the disk before it is sent;
2. no answer, or an answer that decides nothing: it is in doubt, and the very same text is sent
   again; the platform then gives the first receipt, or records it now;
3. a refusal of the law: it was not recorded; the text is dropped and `Rejected` tells why;
4. a receipt counts once it proves under the log's key of the trust file that this text is in the
   log at the place that was signed. Otherwise nobody is told that anything was done.

What a bill has come to is read from its evidence, verified like any stranger's file, never from
the platform's word.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bol_service.client import Client, Refused, Unreachable
from bol_service.crypto.signers import Signer
from bol_service.domain import errors
from bol_service.domain.events import BillEvent, ExchangeEvent
from bol_service.gateway.state import State
from bol_service.ledger import receipt as receipts
from bol_service.ledger.merkle import ProofError
from bol_service.ledger.note import NoteError
from bol_service.ledger.receipt import Receipt
from bol_service.verification.bundle import ShownEntry, read_bundle
from bol_service.verification.report import Verdict
from bol_service.verification.trust import Trust
from bol_service.verification.verifier import verify
from bol_service.wire import drafting
from bol_service.wire.dcsa_chain import Told
from bol_service.wire.events import decode

LAW: Final = frozenset(refusal.code for refusal in errors.refusals())
STALE_AFTER: Final = timedelta(hours=1)
_GENUINE: Final = (Verdict.CURRENT, Verdict.ENDED, Verdict.NOT_KNOWN_CURRENT)


class Rejected(Exception):  # noqa: N818 - says what happened
    """The act was not recorded and will not be; `code` is a refusal's, or ours."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class InDoubt(Exception):  # noqa: N818 - says what is the matter
    """Whether the act was recorded is not known yet; it is sent again."""


class NotProven(Exception):  # noqa: N818 - says what is the matter
    """The platform's receipt or evidence does not prove what it should."""


@dataclass(frozen=True, kw_only=True)
class History:
    """A bill as its verified evidence tells it."""

    status: str
    events: tuple[Told, ...]


@dataclass(kw_only=True)
class Desk:
    """`client` is the carrier's own connection."""

    client: Client
    state: State
    trust: Trust
    _mutex: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def me(self) -> str:
        assert self.client.party is not None  # the gateway is started for a party
        return self.client.party

    @property
    def signer(self) -> Signer:
        assert self.client.signer is not None  # the gateway is started with a key
        return self.client.signer

    def now(self) -> datetime:
        return self.client.now()

    # -- acting ----------------------------------------------------------------------------------

    def act(self, name: str, draft: Callable[[], bytes]) -> Receipt:
        """Do the act once; `draft` makes its payload if none was signed yet.

        Raises:
            Rejected: It was not recorded, also where `draft` raises it.
            InDoubt: Ask again with the same name.
            NotProven: The platform claims what it does not prove.
        """
        with self._mutex:
            kept = self.state.act(name)
            if kept is not None and kept.receipt is not None:
                return self._proven(kept.compact, json.loads(kept.receipt))
            if kept is not None:
                return self._send(name, kept.compact)
            compact = drafting.sign(draft(), self.signer)
            _require_well_formed(compact)
            self.state.keep_act(name, compact)
            return self._send(name, compact)

    def _send(self, name: str, compact: str) -> Receipt:
        try:
            answered = self.client.send(compact)
        except Unreachable as error:
            raise InDoubt(str(error)) from error
        except Refused as refused:
            raise self._refused(name, compact, refused) from refused
        except ValueError as error:
            raise InDoubt(f"the platform's answer cannot be read: {error}") from error
        proven = self._proven(compact, answered)
        self.state.keep_receipt(name, json.dumps(answered))
        return proven

    def _refused(self, name: str, compact: str, refused: Refused) -> Exception:
        """Only the law decides: what a proxy or a tired server says leaves the act in doubt."""
        if refused.code not in LAW:
            return InDoubt(str(refused))
        if refused.code == errors.BadTime.code and not self._is_old(compact):
            return InDoubt(f"{refused}; set the clock of this machine")
        self.state.drop_act(name)
        if refused.code == errors.BadTime.code:
            return InDoubt("the platform was away too long; the act is signed anew")
        return Rejected(refused.code, str(refused.problem.get("detail", refused.code)))

    def _is_old(self, compact: str) -> bool:
        return self.now() - decode(compact).event.at > STALE_AFTER

    def _proven(self, compact: str, answered: object) -> Receipt:
        try:
            receipt = Receipt.from_value(answered)
            signed = receipts.verify(receipt, [entry.key for entry in self.trust.log_keys])
        except (ValueError, NoteError, ProofError) as error:
            raise NotProven(f"the receipt proves nothing: {error}") from error
        by, size = {each.key for each in signed.by}, signed.checkpoint.size
        if not any(entry.key in by and entry.covers(size) for entry in self.trust.log_keys):
            raise NotProven(f"no key of the trust file that signed the receipt counts at {size}")
        event = decode(compact).event
        if signed.checkpoint.origin != self.trust.origin:
            raise NotProven(f"the receipt is of {signed.checkpoint.origin}")
        wanted = (compact, event.stream, event.sequence)
        if (receipt.entry.event, receipt.stream, receipt.sequence) != wanted:
            raise NotProven(
                f"the receipt is for {receipt.sequence} of {receipt.stream}, signed was "
                f"{event.sequence} of {event.stream}"
            )
        return receipt

    # -- reading ---------------------------------------------------------------------------------

    def history(self, bill: str) -> History:
        """Raises NotProven, Refused or Unreachable."""
        content = self.client.fetch(f"/v1/bills/{bill}/evidence").content
        report = verify(content, self.trust, self.now())
        title = report.title
        if report.verdict not in _GENUINE or title is None or not title.replayed:
            told = "; ".join(
                each.message for each in report.findings if each.outcome.value != "VALID"
            )
            raise NotProven(f"the evidence of bill {bill[:12]}… is {report.verdict}: {told}")
        if title.bill != bill:
            raise NotProven(f"the evidence is of bill {title.bill}, {bill} was asked for")
        return History(status=title.status, events=tuple(_events(content, bill)))


def _require_well_formed(compact: str) -> None:
    """What cannot be an event is never kept, or it would stay in doubt for ever."""
    try:
        decode(compact)
    except errors.Refusal as refusal:
        raise Rejected(refusal.code, refusal.message) from None


def _events(content: bytes, bill: str) -> list[Told]:
    stream = f"bill:{bill}"
    found = []
    for entry in read_bundle(content).entries:
        assert isinstance(entry, ShownEntry)  # the bundle was replayed, so nothing is hidden
        event = decode(entry.entry.event).event
        if event.stream == stream:
            assert isinstance(event, BillEvent | ExchangeEvent)  # its stream
            found.append(Told(event=event, digest=entry.entry.event_digest))
    return found
