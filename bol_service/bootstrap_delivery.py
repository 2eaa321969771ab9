"""The part of the composition root that is about deliveries on other platforms.

It is there for the peers whose trust file `peers.json` names. Refused at start: a trust file that
cannot be used, or two peers with one origin.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta

import structlog
from flask import Flask

from bol_service.application.delivery_abroad_desk import DeskAbroad
from bol_service.application.delivery_abroad_home import Applicants, Home
from bol_service.application.delivery_abroad_kept import Keeper
from bol_service.application.delivery_abroad_parties import PartiesAbroad
from bol_service.application.delivery_abroad_ports import DeliveryPeers
from bol_service.application.delivery_abroad_push import Offering
from bol_service.application.delivery_abroad_release import GateAbroad, Pulling
from bol_service.application.delivery_abroad_sight import CrossingDesk, Reached
from bol_service.application.evidence import Evidence
from bol_service.application.ports import Clock
from bol_service.application.queries import Queries
from bol_service.application.record import Recorder
from bol_service.bootstrap_exchange import Border, callers_of
from bol_service.crypto import strictjson
from bol_service.crypto.peer_signers import EcSigner
from bol_service.crypto.signers import Signer
from bol_service.http.edge import Services
from bol_service.pint import relay
from bol_service.pint.caller import Callers
from bol_service.pint.client import HttpPeer
from bol_service.pint.relay import Relay
from bol_service.pint.relay_client import SignedPeer
from bol_service.settings import Settings, SettingsError
from bol_service.storage.delivery_abroad import SqlDelivery
from bol_service.storage.store import SqlStore
from bol_service.verification.trust import Trust, read_trust
from bol_service.verification.trust_problem import TrustError
from bol_service.wire.peers import Peers

INTERVAL_SECONDS = 0.5
COSIGNING = timedelta(seconds=2)
MAX_ANSWER_BYTES = 24_000_000  # evidence of a bill with many containers

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What one side needs of the other; made before the services that use it."""

    book: SqlDelivery
    peers: DeliveryPeers
    keeper: Keeper
    gate: GateAbroad
    parties: PartiesAbroad
    reached: Reached
    applicants: Applicants
    desk: DeskAbroad


class OfferingWorker:
    """Offers evidence, in a thread of its own, until it is stopped."""

    def __init__(self, offering: Offering) -> None:
        self._offering = offering
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="offering", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=15)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                busy = self._offering.step()
            except Exception:
                # The offer keeps its lease and is taken again when that ends; the others go on.
                log.exception("offering evidence failed")
                busy = False
            if not busy:
                self._stopped.wait(INTERVAL_SECONDS)


def delivery_of(
    settings: Settings, border: Border | None, store: SqlStore, clock: Clock
) -> Delivery | None:
    """None where no peer's trust file is named; raises SettingsError."""
    trusts = _trusts(border.peers) if border is not None else {}
    if border is None or not trusts:
        return None
    peers = {
        code: SignedPeer(
            code=code,
            me=settings.platform_code,
            link=HttpPeer(
                border.peers.platforms[code],
                settings.pint_certificate,
                settings.pint_certificate_key,
                settings.passphrase,
                most_bytes=MAX_ANSWER_BYTES,
            ),
            trust=trust,
            signer=EcSigner(border.signer),
            clock=clock,
        )
        for code, trust in trusts.items()
    }
    book = SqlDelivery(store)
    keeper = Keeper(store, clock, book)
    pulling = Pulling(book, keeper, peers)
    reached = Reached(store, book)
    return Delivery(
        book=book,
        peers=peers,
        keeper=keeper,
        gate=GateAbroad(
            clock=clock, book=book, pulling=pulling, max_age=settings.release_evidence_seconds
        ),
        parties=PartiesAbroad(store=store, clock=clock, book=book, peers=peers, pulling=pulling),
        reached=reached,
        applicants=Applicants(book, reached),
        desk=DeskAbroad(store, clock, book, peers),
    )


def relay_of(
    settings: Settings,
    border: Border,
    delivery: Delivery,
    store: SqlStore,
    clock: Clock,
    recorder: Recorder,
    queries: Queries,
    evidence: Evidence,
    signer: Signer,
    callers: Callers,
) -> tuple[Relay, OfferingWorker]:
    """The routes for peers and the worker; `signer` is that of the title statements."""
    crossings = CrossingDesk(
        store=store,
        clock=clock,
        reached=delivery.reached,
        evidence=evidence,
        signer=signer,
        origin=settings.origin,
    )
    home = Home(
        store=store,
        clock=clock,
        book=delivery.book,
        recorder=recorder,
        queries=queries,
        reached=delivery.reached,
        crossings=crossings,
        origin=settings.origin,
    )
    relay = Relay(
        home=home,
        keeper=delivery.keeper,
        peers=delivery.peers,
        callers=callers,
        pins=border.peers.pins,
        clock=clock,
        me=settings.platform_code,
    )
    offering = Offering(
        store=store,
        clock=clock,
        book=delivery.book,
        crossings=crossings,
        peers=delivery.peers,
        delay=COSIGNING if settings.witnesses is not None else timedelta(0),
    )
    return relay, OfferingWorker(offering)


def opened(
    settings: Settings,
    store: SqlStore,
    services: Services,
    border: Border | None,
    delivery: Delivery | None,
    statement_signer: Signer,
    app: Flask,
    clock: Clock,
) -> OfferingWorker | None:
    """The routes by which peers relay acts and evidence of deliveries, and the worker; started."""
    if border is None or delivery is None:
        return None
    routes, worker = relay_of(
        settings,
        border,
        delivery,
        store,
        clock,
        services.recorder,
        services.queries,
        services.evidence,
        statement_signer,
        callers_of(settings, border),
    )
    relay.install(app, routes)
    worker.start()
    return worker


def _trusts(peers: Peers) -> dict[str, Trust]:
    """By platform code; raises SettingsError."""
    trusts: dict[str, Trust] = {}
    for code, peer in peers.platforms.items():
        if peer.trust is None:
            continue
        try:
            trusts[code] = read_trust(strictjson.canonical(dict(peer.trust)))
        except TrustError as error:
            raise SettingsError(
                f"BOL_PEERS /platforms/{code}/trust is no trust file: {error}. {error.next_step}"
            ) from None
    origins = [trust.origin for trust in trusts.values()]
    if len(set(origins)) != len(origins):
        raise SettingsError("BOL_PEERS: two platforms have the trust file of one origin")
    return trusts
