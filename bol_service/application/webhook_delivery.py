"""Delivering notices to webhooks, in the background.

1. One thread looks every second, and after every attempt, for what is due; up to 8 attempts are
   made at once, one at a time for each webhook. Nothing that writes ever waits for a receiver.
2. Delivered is what was answered by 2xx. 410 stops the webhook. Anything else, a redirect too, is
   tried again: after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 14 h, each up to a fifth longer; then
   it is given up, and the party may replay it.
3. A webhook that fails rests as a whole, from 5 s up to 5 min, whatever else is due there.
4. A webhook added under a key that its party has revoked stops: who had that key must not be told
   what happens to the cargo.
5. At least once: a process that dies between answer and record sends the same message again, with
   the same id, once its lease has ended.
6. What was delivered or given up 30 days ago leaves the log.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import SystemRandom
from time import monotonic
from typing import Final

import structlog

from bol_service.application.ports import Clock, Store
from bol_service.application.queries import notice_view
from bol_service.application.webhook_ports import (
    BadReceiver,
    NoAnswer,
    Outcome,
    Receivers,
    Reply,
    Stage,
    Task,
    WebhookQueue,
)
from bol_service.crypto.signers import Signer
from bol_service.domain.states import PartyState
from bol_service.wire.event_fields import instant_text
from bol_service.wire.webhook_message import message

INTERVAL_SECONDS: Final = 1.0
AT_ONCE: Final = 8
LEASE: Final = timedelta(minutes=2)
PAUSES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
)
LONGEST_REST: Final = timedelta(minutes=5)
KEPT: Final = timedelta(days=30)
_CLEANING_SECONDS: Final = 3600.0
_ENDING_SECONDS: Final = 2.0
_MOST_FAULT: Final = 250  # characters; what the table takes
_GONE: Final = 410

_RANDOM: Final = SystemRandom()

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Attempted:
    """One attempt as the metrics see it; `stage` is WAITING if it will be repeated."""

    stage: Stage
    seconds: float


class Postman:
    """Makes the attempt that is claimed; `deliver` may be called from any thread."""

    def __init__(
        self,
        queue: WebhookQueue,
        store: Store,
        receivers: Receivers,
        signer: Signer,
        clock: Clock,
        origin: str,
        *,
        observe: Callable[[Attempted], None] = lambda _: None,
        jitter: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self._queue = queue
        self._store = store
        self._receivers = receivers
        self._signer = signer
        self._clock = clock
        self._origin = origin
        self._observe = observe
        self._jitter = jitter

    def claim(self) -> Task | None:
        now = self._clock.now()
        return self._queue.claim(now, now + LEASE)

    def deliver(self, task: Task) -> None:
        """Make the attempt and keep what came of it."""
        began = monotonic()
        try:
            outcome = self._attempted(task)
        except Exception as error:  # counted too, or the message would come round for ever
            log.error("webhook attempt broke", webhook=task.webhook.id, error=repr(error))
            outcome = self._failed(task, f"the attempt broke here: {type(error).__name__}", None)
        self._queue.settle(task, outcome)
        self._observe(Attempted(stage=outcome.stage, seconds=monotonic() - began))
        if outcome.stage is not Stage.DELIVERED:
            log.info(
                "webhook not delivered",
                party=task.webhook.party,
                webhook=task.webhook.id,
                notice=task.notice.number,
                attempt=task.attempt,
                fault=outcome.fault,
            )

    def backlog(self) -> int:
        return self._queue.backlog()

    def forget(self) -> None:
        """Drop old rows of the delivery log."""
        self._queue.forget(instant_text(self._clock.now() - KEPT))

    def _attempted(self, task: Task) -> Outcome:
        if self._is_key_revoked(task):
            return self._stopped(task, f"key {task.webhook.kid} was revoked by its party")
        try:
            reply = self._send(task)
        except (BadReceiver, NoAnswer) as fault:
            return self._failed(task, str(fault), None)
        if 200 <= reply.status < 300:
            return Outcome(
                stage=Stage.DELIVERED,
                tried=self._now_text(),
                status=reply.status,
                answer=reply.text,
            )
        if reply.status == _GONE:
            return self._stopped(task, "the receiver answered 410 Gone", reply)
        return self._failed(task, f"the receiver answered {reply.status}", reply)

    def _send(self, task: Task) -> Reply:
        told = message(
            webhook=task.webhook.id,
            origin=self._origin,
            party=task.webhook.party,
            number=task.notice.number,
            notice=notice_view(task.notice),
        )
        timestamp = int(self._clock.now().timestamp())
        headers = told.headers(timestamp, self._signer.sign)
        return self._receivers.post(task.webhook.url, headers, told.body)

    def _is_key_revoked(self, task: Task) -> bool:
        stream = f"party:{task.webhook.party}"
        with self._store.reading() as reading:
            found = reading.states([stream]).get(stream)
        state = found[0] if found else None
        key = state.key(task.webhook.kid) if isinstance(state, PartyState) else None
        return key is None or key.ended_by == "REVOKE_KEY"

    def _stopped(self, task: Task, why: str, reply: Reply | None = None) -> Outcome:
        return Outcome(
            stage=Stage.GIVEN_UP,
            tried=self._now_text(),
            status=reply.status if reply else None,
            answer=reply.text if reply else None,
            fault=why,
            paused=why,
        )

    def _failed(self, task: Task, fault: str, reply: Reply | None) -> Outcome:
        now = self._clock.now()
        is_last = task.attempt > len(PAUSES)
        failures = task.failures + 1
        return Outcome(
            stage=Stage.GIVEN_UP if is_last else Stage.WAITING,
            tried=instant_text(now),
            due=None if is_last else instant_text(now + self._pause(task.attempt)),
            status=reply.status if reply else None,
            answer=reply.text if reply else None,
            fault=fault[:_MOST_FAULT],
            failures=failures,
            rests_until=instant_text(now + rest_after(failures)),
        )

    def _pause(self, attempt: int) -> timedelta:
        return PAUSES[attempt - 1] * (1 + self._jitter() / 5)

    def _now_text(self) -> str:
        return instant_text(self._clock.now())


def rest_after(failures: int) -> timedelta:
    """How long a webhook rests after so many failures in a row."""
    return min(PAUSES[0] * (1 << min(failures - 1, 20)), LONGEST_REST)


class Delivering:
    """The threads around a postman; start it once per process."""

    def __init__(self, postman: Postman, *, at_once: int = AT_ONCE) -> None:
        self._postman = postman
        self._free = threading.Semaphore(at_once)
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._under_way: set[threading.Thread] = set()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._cleaned = monotonic()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No attempt is begun any more; those under way have two seconds to end.

        The lease of one that does not end in time runs out by itself.
        """
        self._stopping.set()
        self._woken.set()
        deadline = monotonic() + _ENDING_SECONDS
        for thread in (self._thread, *list(self._under_way)):
            if thread.is_alive():
                thread.join(max(0.0, deadline - monotonic()))

    def backlog(self) -> int:
        """How many deliveries wait."""
        return self._postman.backlog()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                is_busy = self._begin_one()
                self._clean()
            except Exception as error:
                log.warning("webhooks wait for the database", error=repr(error))
                is_busy = False
            if not is_busy:
                self._woken.wait(INTERVAL_SECONDS)
                self._woken.clear()

    def _begin_one(self) -> bool:
        """Begin the attempt that is due longest; False if there is none, or no thread is free."""
        if not self._free.acquire(timeout=INTERVAL_SECONDS):
            return False
        task = None
        try:
            task = None if self._stopping.is_set() else self._postman.claim()
        finally:
            if task is None:
                self._free.release()
        if task is None:
            return False
        thread = threading.Thread(target=self._deliver, args=(task,), name="webhook", daemon=True)
        self._under_way.add(thread)
        thread.start()
        return True

    def _deliver(self, task: Task) -> None:
        try:
            self._postman.deliver(task)
        except Exception as error:
            # The lease ends by itself, and the attempt is made again.
            log.error("webhook attempt is not kept", webhook=task.webhook.id, error=repr(error))
        finally:
            self._under_way.discard(threading.current_thread())
            self._free.release()
            self._woken.set()

    def _clean(self) -> None:
        if monotonic() - self._cleaned >= _CLEANING_SECONDS:
            self._cleaned = monotonic()
            self._postman.forget()
