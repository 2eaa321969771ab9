"""A gateway: its parts put together, and the thread that does what is due.

A round settles what is in doubt, looks what happened on the platform, and posts what is owed. It
never ends by a fault: what could not be done stays on the disk for the next one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog
from flask import Flask

from bol_service.client import Client, Refused, Unreachable
from bol_service.crypto.peer_keys import PinnedKey
from bol_service.gateway.chains import Chains
from bol_service.gateway.delivery import CARRIER, Deliveries, Receiver
from bol_service.gateway.desk import Desk
from bol_service.gateway.directory import Directory
from bol_service.gateway.doors import Doors, create_app
from bol_service.gateway.issuing import Issuing
from bol_service.gateway.state import State
from bol_service.gateway.subscribers import Subscriber
from bol_service.gateway.surrendering import Surrendering
from bol_service.gateway.watching import Watching
from bol_service.verification.trust import Trust

DEFAULT_INTERVAL: Final = 5.0
log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a gateway is to be run; `token` None only where TLS asks callers for a certificate."""

    client: Client
    trust: Trust
    state: Path
    carrier_system: Receiver
    token: str | None
    subscribers: Sequence[Subscriber] = ()
    manifest_keys: Sequence[PinnedKey] = ()
    interval: float = DEFAULT_INTERVAL


@dataclass(kw_only=True)
class Gateway:
    """Make it with `open_gateway`; it works between `start` and `stop`, or by single `round`s."""

    state: State
    issuing: Issuing
    surrendering: Surrendering
    watching: Watching
    deliveries: Deliveries
    app: Flask = field(repr=False)
    interval: float
    _bell: threading.Event = field(repr=False)
    _ending: threading.Event = field(default_factory=threading.Event, repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)

    def round(self) -> None:
        """Everything that can be done now."""
        for work in (
            self.issuing.settle_all,
            self.surrendering.settle_all,
            self.watching.round,
            self.deliveries.send_due,
        ):
            _guarded(work)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._work, name="gateway", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """The round that runs is finished; then the state is closed."""
        self._ending.set()
        self._bell.set()
        if self._thread is not None:
            self._thread.join()
        self.state.close()

    def _work(self) -> None:
        while not self._ending.is_set():
            self._bell.clear()
            self.round()
            self._bell.wait(self.interval)


def open_gateway(plan: Plan) -> Gateway:
    """Raises StateError."""
    state = State(plan.state)
    state.belong_to(f"{plan.client.party} of {plan.trust.origin}")
    desk = Desk(client=plan.client, state=state, trust=plan.trust)
    directory = Directory(client=plan.client, code=plan.trust.code)
    issuing = Issuing(desk=desk, directory=directory, trusted=plan.manifest_keys)
    surrendering = Surrendering(desk=desk, directory=directory)
    bell = threading.Event()
    doors = Doors(
        desk=desk,
        issuing=issuing,
        surrendering=surrendering,
        chains=Chains(desk=desk, directory=directory),
        token=plan.token,
        awake=bell.set,
    )
    return Gateway(
        state=state,
        issuing=issuing,
        surrendering=surrendering,
        watching=Watching(
            desk=desk,
            surrendering=surrendering,
            subscribers=plan.subscribers,
            source=plan.trust.origin,
        ),
        deliveries=Deliveries(desk=desk, receivers=_receivers(plan)),
        app=create_app(doors),
        interval=plan.interval,
        _bell=bell,
    )


def _receivers(plan: Plan) -> Mapping[str, Receiver]:
    subscribers = {each.target: each.receiver for each in plan.subscribers}
    return {**subscribers, CARRIER: plan.carrier_system}


def _guarded(work: Callable[[], None]) -> None:
    try:
        work()
    except (Refused, Unreachable) as later:
        log.warning("the platform cannot be read", why=str(later))
    except Exception as fault:
        log.error("a round failed", exc_info=fault)
