"""The part of the composition root in which the services of the API are made of their parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from bol_service import bootstrap_webhooks, bootstrap_witness
from bol_service.application.access_tokens import AccessTokens
from bol_service.application.bill_files import BillFiles
from bol_service.application.commit import SignCheckpoint
from bol_service.application.documents import Documents
from bol_service.application.evidence import Evidence
from bol_service.application.ledger_queries import LedgerQueries
from bol_service.application.platform_guard import PlatformFacts
from bol_service.application.ports import Clock
from bol_service.application.queries import Queries
from bol_service.application.rates import Rates
from bol_service.application.record import Recorder
from bol_service.application.sequencer import Sequencer
from bol_service.bootstrap_delivery import Delivery
from bol_service.bootstrap_exchange import Border
from bol_service.bootstrap_witness import Witnesses
from bol_service.copy.apart import Copies
from bol_service.crypto.signers import Signer
from bol_service.http.edge import Services
from bol_service.http.metrics import Metrics
from bol_service.http.readiness import Readiness
from bol_service.portal import app as portal
from bol_service.settings import Settings
from bol_service.storage.checkpoint_file import FileCheckpoint
from bol_service.storage.exchange import SqlExchange
from bol_service.storage.store import SqlStore
from bol_service.storage.witnessing import SqlWitnessing
from bol_service.verification.trust import LogKey


@dataclass(frozen=True, kw_only=True)
class OwnKeys:
    """What the platform signs with: each key for one use."""

    log: Signer
    statement: Signer
    webhook: Signer | None
    witnesses: Witnesses
    border: Border | None

    @property
    def published(self) -> tuple[Signer, ...]:
        """Those under /.well-known/jwks.json; witness and exchange key are published elsewhere."""
        return tuple(key for key in (self.log, self.statement, self.webhook) if key is not None)


@dataclass(frozen=True, kw_only=True)
class Base:
    """What all services stand on, once the log has been found to be in order."""

    clock: Clock
    store: SqlStore
    own: OwnKeys
    log_keys: tuple[LogKey, ...]
    sign: SignCheckpoint
    checkpoint_file: FileCheckpoint
    rulebook: bytes


def services_of(
    settings: Settings,
    base: Base,
    delivery: Delivery | None,
    ended: Callable[[BaseException], None],
) -> Services:
    store, clock, own = base.store, base.clock, base.own
    metrics, rates = Metrics(), Rates()
    webhooks, delivering = bootstrap_webhooks.webhooks_of(
        settings, store, clock, own.webhook, metrics.attempt
    )
    sequencer = Sequencer(
        store,
        clock,
        base.sign,
        base.checkpoint_file,
        _platform_facts(settings, base),
        observe=metrics.group,
        failed=metrics.group_failed,
        ended=ended,
    )
    book, ledger = SqlWitnessing(store), LedgerQueries(store)
    cosigning = bootstrap_witness.cosigning(
        own.witnesses,
        store,
        book,
        [known.key for known in base.log_keys],
        lambda _reason: sequencer.stop(),
    )
    return Services(
        recorder=Recorder(store, sequencer),
        sequencer=sequencer,
        queries=Queries(
            store, clock, settings.origin, delivery.gate if delivery is not None else None
        ),
        ledger=ledger,
        documents=Documents(
            store, clock, settings.origin, refuse_personal_data=settings.refuse_personal_data
        ),
        files=BillFiles(store, SqlExchange(store), clock, settings.origin),
        tokens=AccessTokens(
            store,
            clock,
            f"{settings.base_url}/oauth/token",
            rates,
            delivery.reached.is_abroad if delivery is not None else lambda _: False,
        ),
        rates=rates,
        evidence=Evidence(store, clock, own.statement, settings.origin, own.witnesses.policy),
        copies=Copies(settings.verify_address or f"{settings.base_url}{portal.PREFIX}/verify"),
        metrics=metrics,
        readiness=Readiness(sequencer, ledger, cosigning, lambda: metrics.groups),
        origin=settings.origin,
        platform_code=settings.platform_code,
        rulebook=base.rulebook,
        public_keys=tuple(
            {**signer.public.to_jwk(), "kid": signer.public.kid, "use": "sig"}
            for signer in own.published
        ),
        webhooks=webhooks,
        delivering=delivering,
        abroad=delivery.parties if delivery is not None else None,
        applicants=delivery.applicants if delivery is not None else None,
        witness=bootstrap_witness.own_witness(own.witnesses, book, clock),
        cosigning=cosigning,
    )


def _platform_facts(settings: Settings, base: Base) -> PlatformFacts:
    own = base.own
    reserved = (*own.published, *own.witnesses.reserved())
    return PlatformFacts(
        reserved_keys=frozenset(signer.public.kid for signer in reserved),
        registrars=settings.registrar_kids,
        rulebooks=frozenset({hashlib.sha256(base.rulebook).hexdigest()}),
        peers=own.border.codes if own.border is not None else frozenset(),
    )
