"""Webhooks as values, and what delivering them needs from outside.

`storage` implements `WebhookBook` and `WebhookQueue`, `http` implements `Receivers`. A webhook is a
party's wish that its notices are sent to an address of its own; a delivery is one notice on its
way there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bol_service.application.ports import NoticeRow

MOST_PER_PARTY = 5
MOST_ANSWER_BYTES = 1024


class BadReceiver(ValueError):  # noqa: N818 - says what is the matter
    """Nothing may be sent to this address; the message says why."""


class NoAnswer(RuntimeError):  # noqa: N818 - says what is the matter
    """The receiver gave no HTTP answer in time; the message says what happened instead."""


class TooManyWebhooks(RuntimeError):  # noqa: N818 - says what is the matter
    """The party has as many as it may have."""


class WebhookExists(RuntimeError):  # noqa: N818 - says what is the matter
    """The party has one with this address."""


class Stage(StrEnum):
    WAITING = "WAITING"
    DELIVERED = "DELIVERED"
    GIVEN_UP = "GIVEN_UP"


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """`kinds` empty means every kind; `kid` is the key under whose token it was added.

    Notices after the number `since` go there. While `paused` is set, which says why, nothing does.
    """

    id: str
    party: str
    url: str
    kinds: tuple[str, ...]
    kid: str
    since: int
    created: str
    paused: str | None = None


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """`number` is the notice's; `due` the time of the next attempt, if there will be one."""

    number: int
    kind: str
    stage: Stage
    attempts: int
    due: str | None
    tried: str | None
    status: int | None
    fault: str | None
    answer: str | None


@dataclass(frozen=True, kw_only=True)
class Task:
    """One attempt that this process, and no other, makes until its lease ends."""

    webhook: Webhook
    notice: NoticeRow
    attempt: int
    failures: int
    lease: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an attempt leads to: without `due` it was the last one of this delivery.

    The webhook as a whole rests until `rests_until`; with `paused` it stops.
    """

    stage: Stage
    tried: str
    due: str | None = None
    status: int | None = None
    fault: str | None = None
    answer: str | None = None
    failures: int = 0
    rests_until: str = ""
    paused: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reply:
    """`text` is the beginning of the answer's body, at most 1,024 bytes of it."""

    status: int
    text: str


class WebhookBook(Protocol):
    def add(self, webhook: Webhook, *, since: int | None) -> Webhook:
        """Keep it, `since` being the latest notice of all if it is None.

        Raises:
            TooManyWebhooks, WebhookExists: Nothing was kept.
        """
        ...

    def of(self, party: str) -> list[Webhook]:
        """A party's webhooks, the oldest first."""
        ...

    def remove(self, party: str, webhook: str) -> bool:
        """With its deliveries; False if the party has no such webhook."""
        ...

    def deliveries(
        self, party: str, webhook: str, before: int | None, limit: int
    ) -> list[Delivery] | None:
        """The newest notices first, those below `before`; None if the party has no such webhook."""
        ...

    def replay(self, party: str, webhook: str, number: int, now: datetime) -> bool:
        """Let it be due now, as if never tried, and end a pause; False if there is none."""
        ...


class WebhookQueue(Protocol):
    def claim(self, now: datetime, lease_until: datetime) -> Task | None:
        """The attempt that is due longest, taken for this process until `lease_until`."""
        ...

    def settle(self, task: Task, outcome: Outcome) -> None:
        """Keep the outcome and give the lease back; nothing, if the lease was lost meanwhile."""
        ...

    def backlog(self) -> int:
        """How many deliveries wait, notices that were not looked at yet included."""
        ...

    def forget(self, before: str) -> None:
        """Drop what ended before that time from the delivery log."""
        ...


class Receivers(Protocol):
    def check(self, url: str) -> None:
        """Raises BadReceiver if nothing may be sent there, also for what its name resolves to."""
        ...

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Send once, to an address that was checked just now.

        Raises:
            BadReceiver: Nothing was sent.
            NoAnswer: What was sent may have arrived or not.
        """
        ...


class Resolver(Protocol):
    def __call__(self, host: str, port: int) -> Sequence[str]:
        """The IP addresses of a name; raises OSError."""
        ...
