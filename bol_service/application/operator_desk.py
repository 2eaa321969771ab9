"""What an operator has to see to run the platform: deliveries, transfers, crossings of the border.

Only reading, and only what stands beside the ledger: whatever the parties signed, the operator sees
like everybody else, as far as the matrix of `domain.access` allows, and it can sign for nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from bol_service.application.exchange_ports import Flow, Outbound


@dataclass(frozen=True, kw_only=True)
class HookLine:
    """A party's webhook: how many notices wait for it, were delivered lately, or were given up.

    `tried`, `status` and `fault` tell of the last attempt; of its answer nothing: that is the
    party's own.
    """

    party: str
    host: str
    created: str
    paused: str | None
    failures: int
    waiting: int
    delivered: int
    given_up: int
    tried: str | None = None
    status: int | None = None
    fault: str | None = None


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """An envelope that a peer offered to us; without `status` it is not answered yet."""

    reference: str
    bill: str
    sender: str
    opened: str
    status: int | None


@dataclass(frozen=True, kw_only=True)
class Applicant:
    """A party that asks to be registered through its own platform, under which it is `name`.

    `details` are those of its REGISTER as it sent them.
    """

    number: int
    platform: str
    name: str
    party: str
    kid: str
    details: dict[str, Any]
    at: str


class OperatorBook(Protocol):
    def hooks(self, limit: int) -> list[HookLine]:
        """Those with the most failures first."""
        ...

    def applicants(self, limit: int) -> list[Applicant]:
        """Those through other platforms whose key is not registered, the oldest first."""
        ...

    def arrivals(self, limit: int) -> list[Arrival]:
        """Envelopes that were offered to us, the newest first."""
        ...

    def departures(self, limit: int) -> list[Outbound]:
        """What has to reach other platforms, the newest first."""
        ...

    def flows(self, before: int | None, limit: int) -> list[tuple[int, Flow]]:
        """Lines of the log of crossings with a number below `before`, the newest first."""
        ...
