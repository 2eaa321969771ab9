"""The part of the composition root that is about the portal."""

from __future__ import annotations

from functools import partial

from bol_service.application.portal_drafts import PortalDrafts
from bol_service.application.portal_lists import PortalLists
from bol_service.application.portal_register import PortalRegister
from bol_service.application.portal_views import PortalViews
from bol_service.application.ports import Clock
from bol_service.application.registrations import Registrations
from bol_service.bootstrap_delivery import Delivery
from bol_service.bootstrap_exchange import Border
from bol_service.bootstrap_trust import trust_file_of
from bol_service.copy.checking_apart import Checkers
from bol_service.crypto.signers import Signer
from bol_service.http.edge import Services
from bol_service.portal.desk import Desk
from bol_service.settings import Settings
from bol_service.storage.operator_book import SqlOperatorBook
from bol_service.storage.registrations import SqlApplications
from bol_service.storage.store import SqlStore
from bol_service.verification.trust import DEFAULT_MAX_AGE, LogKey, Trust
from bol_service.verification.trust_peers import TrustedPeers


def desk_of(
    settings: Settings,
    store: SqlStore,
    services: Services,
    keys: tuple[LogKey, ...],
    statement_signer: Signer,
    border: Border | None,
    delivery: Delivery | None,
    clock: Clock,
) -> Desk:
    """What the portal works with: the API's own services, and our keys to verify files with.

    Raises SettingsError for a BOL_TRUST_FILE that is not ours.
    """
    trust = Trust(
        origin=settings.origin,
        code=settings.platform_code,
        demo=settings.is_demo,
        log_keys=keys,
        registrar_kids=settings.registrar_kids,
        statement_keys=(statement_signer.public,),
        witnesses=(),
        quorum=0,
        max_age=DEFAULT_MAX_AGE,
        peers=TrustedPeers() if border is None else border.trusted,
    )
    return Desk(
        queries=services.queries,
        views=PortalViews(store, clock, settings.origin),
        lists=PortalLists(store, clock, settings.origin),
        drafts=PortalDrafts(store, clock, settings.origin),
        register=PortalRegister(store),
        registrations=Registrations(store, SqlApplications(store), clock, settings.origin),
        operator=SqlOperatorBook(store),
        faults=partial(_faults, services),
        peers=tuple(border.peers.platforms.values()) if border is not None else (),
        documents=services.documents,
        files=services.files,
        ledger=services.ledger,
        tokens=services.tokens,
        rates=services.rates,
        evidence=services.evidence,
        webhooks=services.webhooks,
        copies=services.copies,
        checkers=Checkers(),
        cosigning=services.cosigning,
        clock=clock,
        trust=trust,
        trust_file=trust_file_of(settings, trust),
        rulebook=services.rulebook,
        base_url=settings.base_url,
        exchanges=settings.peers is not None,
        abroad=services.abroad,
        abroad_desk=delivery.desk if delivery is not None else None,
        platform_code=settings.platform_code,
    )


def _faults(services: Services) -> dict[str, str]:
    """What keeps this process from recording, by part; empty while all is well."""
    found = {}
    if not services.sequencer.alive:
        found["sequencer"] = "it does not run"
    if services.sequencer.failure is not None:
        found["last commit"] = repr(services.sequencer.failure)
    return found
