"""Surrenders: put to the carrier's system, and its answers signed.

1. `look` at a bill that waits for the carrier: its evidence must prove that an entitled holder
   signed the surrender, or that another platform attested it. Then the carrier's system is owed a
   request, with the endorsement chain, under the digest of that very event as reference.
2. `answer` signs SACC or SREJ as the next event after that surrender and after nothing else, so
   that an old answer can never meet a later surrender.
3. The answer is acknowledged only after a receipt proved it. What is in doubt is sent again, the
   same bytes, in later rounds and whenever the carrier's system asks again.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import structlog

from bol_service.client import Refused, Unreachable
from bol_service.crypto import strictjson
from bol_service.domain.events import (
    Action,
    Returned,
    SurrenderForAmendment,
    SurrenderForDelivery,
)
from bol_service.domain.states import Head
from bol_service.gateway.delivery import CARRIER
from bol_service.gateway.desk import Desk, History, InDoubt, NotProven, Rejected
from bol_service.gateway.directory import Directory
from bol_service.gateway.state import ANSWERED, CLOSED, OPEN, Surrender
from bol_service.wire import drafting
from bol_service.wire.dcsa_chain import Told, links
from bol_service.wire.dcsa_surrender import (
    SurrenderAction,
    SurrenderAnswer,
    SurrenderCode,
    SurrenderRequest,
)

Json = dict[str, Any]
REQUESTS: Final = "/v3/ebl-surrender-requests"
PENDING: Final = ("PENDING_SURRENDER_FOR_DELIVERY", "PENDING_SURRENDER_FOR_AMENDMENT")
_CODES: Final = {
    Action.SURRENDER_FOR_DELIVERY: SurrenderCode.SREQ,
    Action.SURRENDER_FOR_AMENDMENT: SurrenderCode.AREQ,
}
log = structlog.get_logger()


class UnknownRequest(Exception):  # noqa: N818 - says what is the matter
    """No surrender was put to the carrier's system under this reference."""


class AnsweredBefore(Exception):  # noqa: N818 - says what is the matter
    """The surrender has its answer, or needs none any more."""


@dataclass(frozen=True, kw_only=True)
class Surrendering:
    """One answer at a time, so that what is signed is what was answered last."""

    desk: Desk
    directory: Directory
    _mutex: threading.Lock = field(default_factory=threading.Lock, repr=False)

    # -- the request -----------------------------------------------------------------------------

    def look(self, bill: str, view: Json) -> None:
        """`view` is the bill as the platform shows it. Raises NotProven, Refused or Unreachable."""
        if view["status"] not in PENDING:
            self._close_stale(bill)
            return
        history = self.desk.history(bill)
        if history.status not in PENDING:
            return  # it moved on while we looked
        last = history.events[-1]
        if self.desk.state.surrender(last.digest) is not None:
            return
        request = self._request(view, history, last)
        body = strictjson.canonical(request.to_json())
        state = self.desk.state
        with state.transaction():
            state.add_surrender(last.digest, bill, last.event.sequence)
            state.owe(f"surrender:{last.digest}", CARRIER, REQUESTS, body, self.desk.now())
        log.info("surrender to answer", bill=bill, reference=last.digest, code=str(request.code))

    def _close_stale(self, bill: str) -> None:
        """It was answered elsewhere, by the carrier's own people."""
        state = self.desk.state
        for surrender in state.open_surrenders():
            if surrender.bill == bill and surrender.action is None:
                with state.transaction():
                    state.end_surrender(surrender.reference, CLOSED)
                    state.end_delivery(f"surrender:{surrender.reference}", "answered elsewhere")

    def _request(self, view: Json, history: History, last: Told) -> SurrenderRequest:
        asked, reason, comments = _asked(last)
        return SurrenderRequest(
            reference=last.digest,
            document=view["transportDocumentReference"],
            sub_reference=view.get("document", {}).get("transportDocumentSubReference"),
            code=_CODES[asked],
            reason_code=reason,
            comments=comments,
            chain=links(history.events, self.directory.chain_party),
        )

    # -- the answer ------------------------------------------------------------------------------

    def answer(self, answer: SurrenderAnswer) -> None:
        """Returns once the answer is in the ledger.

        Raises:
            UnknownRequest: Nothing was asked under this reference.
            AnsweredBefore: It was answered, or another answer is signed and in doubt.
            Rejected: The law does not allow this answer; another one may follow.
            InDoubt, NotProven: Ask again.
        """
        state = self.desk.state
        with self._mutex:
            surrender = state.surrender(answer.reference)
            if surrender is None:
                raise UnknownRequest(
                    f"no surrender was put to you under {answer.reference!r}; "
                    "repeat the surrenderRequestReference of the request"
                )
            _require_answerable(surrender, answer)
            state.answer_surrender(answer.reference, str(answer.action), answer.reason)
            self._sign(surrender, str(answer.action), answer.reason)
            # Only now, and only here: an answer that was never acknowledged may be repeated.
            state.end_surrender(answer.reference, ANSWERED)

    def settle_all(self) -> None:
        """Send again what is in doubt; the carrier's system still has to ask for the outcome."""
        for reference in [each.reference for each in self.desk.state.open_surrenders()]:
            try:
                self._settle(reference)
            except (InDoubt, NotProven, Rejected, Refused, Unreachable) as why:
                log.warning("answer not settled", reference=reference, why=str(why))
            except Exception as fault:
                log.error("answer failed", reference=reference, exc_info=fault)

    def _settle(self, reference: str) -> None:
        with self._mutex:
            surrender = self.desk.state.surrender(reference)
            if surrender is not None and surrender.state == OPEN and surrender.action is not None:
                self._sign(surrender, surrender.action, surrender.reason)

    def _sign(self, surrender: Surrender, action: str, reason: str | None) -> None:
        accepted = action == SurrenderAction.SURR
        draft = partial(
            drafting.payload,
            action=str(Action.SACC if accepted else Action.SREJ),
            actor=self.desk.me,
            at=self.desk.now(),
            audience=self.desk.client.origin,
            stream=f"bill:{surrender.bill}",
            after=Head(sequence=surrender.sequence, digest=surrender.reference),
            details={} if accepted else {"reason": reason},
        )
        try:
            self.desk.act(f"surrender:{surrender.reference}", draft)
        except Rejected:
            self.desk.state.forget_answer(surrender.reference)
            self.desk.state.see(surrender.bill)  # perhaps it was answered elsewhere
            raise
        self.desk.state.end_delivery(f"surrender:{surrender.reference}", "answered")
        self.desk.state.see(surrender.bill)
        log.info("surrender answered", bill=surrender.bill, action=action)


def _asked(last: Told) -> tuple[Action, str | None, str | None]:
    """What is asked, why, and in which words; raises NotProven. A surrender abroad is the last step
    of what came back from there."""
    match last.event:
        case SurrenderForDelivery():
            return last.event.action, None, None
        case SurrenderForAmendment():
            return last.event.action, last.event.reason, last.event.comments
        case Returned() if last.event.steps and last.event.steps[-1].action in _CODES:
            step = last.event.steps[-1]
            return step.action, step.reason, None
        case _:
            raise NotProven(f"the last event of a pending bill is {last.event.action}")


def _require_answerable(surrender: Surrender, answer: SurrenderAnswer) -> None:
    if surrender.state != OPEN:
        how = (
            f"answered {surrender.action}" if surrender.state == ANSWERED else "answered elsewhere"
        )
        raise AnsweredBefore(f"surrender {surrender.reference} was {how}")
    if surrender.action is None:
        return
    if (surrender.action, surrender.reason) != (str(answer.action), answer.reason):
        raise AnsweredBefore(
            f"{surrender.action} is signed already for surrender {surrender.reference}; "
            f"{answer.action} comes too late. Repeat the first answer to learn what became of it"
        )
