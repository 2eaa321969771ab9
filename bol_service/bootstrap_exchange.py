"""The part of the composition root that is about other platforms: peers, our PINT key, the worker.

Refused at start: a key that is not ES256 or used for anything else, a `peers.json` that cannot be
read or that names ourselves. A peer that does not answer refuses nothing.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import structlog
from flask import Flask

from bol_service.application.exchange_closing import Closing
from bol_service.application.exchange_desk import Desk
from bol_service.application.exchange_inbound import Reception
from bol_service.application.exchange_outbound import Dispatch
from bol_service.application.ports import Clock
from bol_service.application.rates import Rates
from bol_service.application.record import Recorder
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.peer_signers import EcSigner
from bol_service.crypto.signers import Signer, open_signer
from bol_service.http.edge import Services
from bol_service.pint import routes
from bol_service.pint.caller import Callers
from bol_service.pint.client import HttpPeer
from bol_service.pint.routes import Exchange
from bol_service.settings import Settings, SettingsError
from bol_service.storage.exchange import SqlExchange
from bol_service.storage.store import SqlStore
from bol_service.verification.trust_peers import TrustedPeers
from bol_service.wire.peers import Peers, PeersError, read_peers

INTERVAL_SECONDS = 0.5
STOP_SECONDS = 15

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Border:
    """The peers that the settings name, and our key towards them; nothing where none is set."""

    peers: Peers
    signer: Signer

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(self.peers.platforms)

    @property
    def trusted(self) -> TrustedPeers:
        """The keys of today; those of yesterday are no longer in the file."""
        pins = self.peers.pins
        return TrustedPeers(platforms=pins.platforms, carriers=pins.carriers, all_keys=False)


class Worker:
    """Sends what waits, each peer's in a thread of its own, until it is stopped."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(lane,), name="exchange", daemon=True)
            for lane in dispatch.lanes
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        deadline = monotonic() + STOP_SECONDS
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=max(0.0, deadline - monotonic()))

    def _run(self, lane: str | None) -> None:
        while not self._stopped.is_set():
            try:
                busy = self._dispatch.step(lane)
            except Exception:
                # The row keeps its lease and is taken again when that ends; the others go on.
                log.exception("sending an original failed")
                busy = False
            if not busy:
                self._stopped.wait(INTERVAL_SECONDS)


def border_of(settings: Settings, *others: Signer) -> Border | None:
    """Raises SettingsError, KeyFileError; each names the setting at fault."""
    if settings.pint_key is None or settings.peers is None:
        return None
    signer = open_signer(settings.pint_key, lambda: settings.passphrase)
    if signer.public.alg is not Algorithm.ES256:
        raise SettingsError(
            f"BOL_PINT_KEY is {signer.public.alg}; platforms exchange ES256. Make one with: "
            "bol keys generate --alg ES256"
        )
    if signer.public.kid in {other.public.kid for other in others} | settings.registrar_kids:
        raise SettingsError(
            f"BOL_PINT_KEY {signer.public.kid} signs something else too; make a key of its own"
        )
    try:
        peers = read_peers(settings.peers.read_bytes())
    except OSError as error:
        raise SettingsError(f"BOL_PEERS {settings.peers}: {error.strerror}") from None
    except PeersError as error:
        raise SettingsError(f"BOL_PEERS {settings.peers}: {error}") from None
    if settings.platform_code in peers.platforms:
        raise SettingsError(f"BOL_PEERS names ourselves, {settings.platform_code}; leave it out")
    return Border(peers=peers, signer=signer)


def desk_of(
    settings: Settings, border: Border, store: SqlStore, clock: Clock, recorder: Recorder
) -> Desk:
    return Desk(
        store=store,
        clock=clock,
        recorder=recorder,
        origin=settings.origin,
        platform=settings.platform_code,
        peers=border.peers,
        signer=border.signer,
    )


def exchange_of(
    settings: Settings,
    border: Border,
    desk: Desk,
    store: SqlStore,
    rulebook: bytes,
    rates: Rates,
) -> Exchange:
    reception = Reception(desk, SqlExchange(store), hashlib.sha256(rulebook).hexdigest())
    return Exchange(reception, callers_of(settings, border), rates)


def callers_of(settings: Settings, border: Border) -> Callers:
    """By their certificates, where connections have them."""
    https = any(peer.url.startswith("https:") for peer in border.peers.platforms.values())
    return Callers(border.peers, required=https or settings.peer_listen is not None)


def closing_of(settings: Settings, border: Border, store: SqlStore, clock: Clock) -> Closing:
    """For the operator's command; it needs no running service."""
    return Closing(
        store=store,
        book=SqlExchange(store),
        clock=clock,
        signer=EcSigner(border.signer),
        platform=settings.platform_code,
    )


def worker_of(
    settings: Settings,
    border: Border,
    desk: Desk,
    store: SqlStore,
    observe: Callable[[str], None] = lambda _: None,
) -> Worker:
    links = {
        code: HttpPeer(
            peer, settings.pint_certificate, settings.pint_certificate_key, settings.passphrase
        )
        for code, peer in border.peers.platforms.items()
    }
    return Worker(Dispatch(desk, SqlExchange(store), links, observe))


def opened(
    settings: Settings,
    store: SqlStore,
    services: Services,
    border: Border | None,
    app: Flask,
    clock: Clock,
) -> Worker | None:
    """The routes that other platforms call, and the worker that calls them; started."""
    if border is None:
        return None
    desk = desk_of(settings, border, store, clock, services.recorder)
    exchange = exchange_of(settings, border, desk, store, services.rulebook, services.rates)
    routes.install(app, exchange)
    worker = worker_of(settings, border, desk, store)
    worker.start()
    return worker
