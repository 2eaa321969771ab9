"""What is owed to the carrier's system and to subscribers: posted until it has arrived.

1. Any 2xx is arrival; so is 409, by which DCSA's receivers say that they have the message already.
2. Everything else is tried again after 1, 2, 4 ... seconds, at most an hour apart; the same bytes.
3. The carrier's system is tried without end. A subscriber that takes nothing `PATIENCE` times loses
   that notification: its state can be asked for at any time.
4. Redirects are not followed, and a token leaves in the clear only within this machine.
5. The head of the answer counts, its body is not read. A system that does not come to the end of it
   is left after `LIMITS`: nobody can keep the others waiting. The carrier's own comes first.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import structlog

from bol_service.bounded_request import Limits, NoAnswer, Server
from bol_service.gateway.desk import Desk
from bol_service.gateway.state import Delivery

CARRIER: Final = "carrier"
PATIENCE: Final = 30
LONGEST_PAUSE: Final = timedelta(hours=1)
LIMITS: Final = Limits(wait=15, total=30, most=0)
log = structlog.get_logger()


class AddressError(ValueError):
    """An address to which nothing may be sent."""


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """A system that messages are posted to; `token` is sent as bearer token.

    Raises AddressError for an address without TLS beyond this machine.
    """

    url: str
    token: str | None = None
    tls: ssl.SSLContext | None = None
    limits: Limits = LIMITS

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise AddressError(f"{self.url!r} is no address; give one like https://carrier.example")
        if parts.username is not None or parts.fragment:
            raise AddressError(f"{parts.hostname}: give address and token apart")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise AddressError(f"{self.url} is not on this machine; use https")

    def post(self, path: str, body: bytes) -> int:
        """The status; raises NoAnswer."""
        server = Server(url=self.url, limits=self.limits, tls=self.tls)
        headers = {"Content-Type": "application/json", "API-Version": "3"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        target = f"{urlsplit(self.url).path.rstrip('/')}{path}"
        return server.ask("POST", target, body, headers).status


@dataclass(frozen=True, kw_only=True)
class Deliveries:
    """`receivers` by the target that deliveries name."""

    desk: Desk
    receivers: Mapping[str, Receiver]

    def send_due(self) -> None:
        """Everything that is due, once; a system that does not answer is left for this time."""
        away: set[str] = set()
        owed = self.desk.state.owed(self.desk.now())
        for delivery in sorted(owed, key=lambda each: each.target != CARRIER):
            if delivery.target not in away and not self._send(delivery):
                away.add(delivery.target)

    def _send(self, delivery: Delivery) -> bool:
        """Whether the receiver answered at all."""
        state, receiver = self.desk.state, self.receivers.get(delivery.target)
        if receiver is None:  # a subscriber that was taken out of the file
            state.end_delivery(delivery.name, "no receiver")
            return True
        try:
            status = receiver.post(delivery.path, delivery.body)
        except NoAnswer as error:
            self._postpone(delivery, str(error))
            return False
        if 200 <= status < 300 or status == 409:
            state.end_delivery(delivery.name, str(status))
            log.info("delivered", name=delivery.name, to=delivery.target, status=status)
            return True
        self._postpone(delivery, f"answered {status}")
        return True

    def _postpone(self, delivery: Delivery, why: str) -> None:
        state, attempts = self.desk.state, delivery.attempts + 1
        log.warning("not delivered", name=delivery.name, to=delivery.target, why=why)
        if delivery.target != CARRIER and attempts >= PATIENCE:
            state.end_delivery(delivery.name, "given up")
            return
        pause = min(timedelta(seconds=2 ** min(delivery.attempts, 12)), LONGEST_PAUSE)
        state.postpone(delivery.name, self.desk.now() + pause)


def is_loopback(host: str) -> bool:
    """A name may lead elsewhere tomorrow; only `localhost` is reserved (RFC 6761)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
