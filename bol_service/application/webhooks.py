"""What a party may do with its webhooks: add, see, remove, read the log, send again.

Only its own: another party's webhook is as unknown as one that is not there. The address is checked
when it is added, and again at every attempt (`webhook_delivery`).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bol_service.application.ports import Clock
from bol_service.application.queries import Page
from bol_service.application.webhook_ports import Delivery, Receivers, Webhook, WebhookBook
from bol_service.domain import errors
from bol_service.domain.events import Action
from bol_service.domain.states import Status
from bol_service.wire.event_fields import instant_text

# What `application.notices` tells of beside the names of acts and of a bill's statuses.
WORDS: Final = (
    "ISSUED",
    "DRAFT_READY",
    "ON_BOARD",
    "ARRIVED",
    "REFUSED",
    "SURRENDER_ACCEPTED",
    "SURRENDER_REJECTED",
    "SEAL_EXCEPTION",
    "RELEASE_ALARM",
)
KINDS: Final = frozenset({*WORDS, *map(str, Action), *map(str, Status)})


class WebhooksOff(RuntimeError):  # noqa: N818 - says what is the matter
    """The operator has set no key to sign messages with."""


class UnknownKind(ValueError):  # noqa: N818 - says what is the matter
    """No notice is of this kind."""


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """`public_key` is the text that receivers verify with; None if nothing is ever sent."""

    book: WebhookBook
    receivers: Receivers
    clock: Clock
    public_key: str | None

    def add(
        self, party: str, *, url: str, kinds: Sequence[str], since: int | None, kid: str
    ) -> dict[str, Any]:
        """Send `party`'s notices to `url` from now on, or from after the notice `since`.

        Raises:
            BadReceiver, UnknownKind, TooManyWebhooks, WebhookExists, WebhooksOff: Nothing was kept.
        """
        self._require_key()
        unknown = sorted(set(kinds) - KINDS)
        if unknown:
            raise UnknownKind(f"no notice is of the kind {unknown[0]!r}; see docs/clients.md")
        self.receivers.check(url)
        webhook = Webhook(
            id=str(uuid.uuid4()),
            party=party,
            url=url,
            kinds=tuple(sorted(set(kinds))),
            kid=kid,
            since=0,
            created=instant_text(self.clock.now()),
        )
        return self._view(self.book.add(webhook, since=since))

    def of(self, party: str) -> list[dict[str, Any]]:
        return [self._view(webhook) for webhook in self.book.of(party)]

    def remove(self, party: str, webhook: str) -> None:
        """Raises errors.NotFound."""
        if not self.book.remove(party, webhook):
            raise errors.NotFound(f"{party} has no webhook {webhook}")

    def deliveries(self, party: str, webhook: str, before: int | None, limit: int) -> Page:
        """The log of a webhook, the newest notice first; raises errors.NotFound."""
        rows = self.book.deliveries(party, webhook, before, limit + 1)
        if rows is None:
            raise errors.NotFound(f"{party} has no webhook {webhook}")
        cursor = str(rows[limit - 1].number) if len(rows) > limit else None
        return Page(items=[_delivery_view(row) for row in rows[:limit]], cursor=cursor)

    def replay(self, party: str, webhook: str, number: int) -> None:
        """Send a notice once more, with all attempts anew; raises errors.NotFound, WebhooksOff."""
        self._require_key()
        if not self.book.replay(party, webhook, number, self.clock.now()):
            raise errors.NotFound(f"{party} has no delivery of {number} to webhook {webhook}")

    def _require_key(self) -> None:
        if self.public_key is None:
            raise WebhooksOff("this platform sends no webhooks; read GET /v1/notices instead")

    def _view(self, webhook: Webhook) -> dict[str, Any]:
        optional = {"paused": webhook.paused, "publicKey": self.public_key}
        return {
            "webhook": webhook.id,
            "url": webhook.url,
            "kinds": list(webhook.kinds),
            "since": webhook.since,
            "created": webhook.created,
            "addedWithKey": webhook.kid,
            **{name: value for name, value in optional.items() if value is not None},
        }


def _delivery_view(row: Delivery) -> dict[str, Any]:
    view = {
        "number": row.number,
        "kind": row.kind,
        "stage": str(row.stage),
        "attempts": row.attempts,
        "nextAttempt": row.due,
        "lastAttempt": row.tried,
        "status": row.status,
        "fault": row.fault,
        "answer": row.answer,
    }
    return {name: value for name, value in view.items() if value is not None}
