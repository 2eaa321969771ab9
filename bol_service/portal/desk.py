"""What the pages work with; made in `bootstrap`, kept in the Flask application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast
from urllib.parse import urlsplit

from flask import current_app

from bol_service.application.access_tokens import AccessTokens
from bol_service.application.bill_files import BillFiles
from bol_service.application.cosigning import Cosigning
from bol_service.application.delivery_abroad_desk import DeskAbroad
from bol_service.application.delivery_abroad_parties import PartiesAbroad
from bol_service.application.documents import Documents
from bol_service.application.evidence import Evidence
from bol_service.application.ledger_queries import LedgerQueries
from bol_service.application.operator_desk import OperatorBook
from bol_service.application.portal_drafts import PortalDrafts
from bol_service.application.portal_lists import PortalLists
from bol_service.application.portal_register import PortalRegister
from bol_service.application.portal_views import PortalViews
from bol_service.application.ports import Clock
from bol_service.application.queries import Queries
from bol_service.application.rates import Rates
from bol_service.application.registrations import Registrations
from bol_service.application.webhooks import Webhooks
from bol_service.copy.apart import Copies
from bol_service.copy.checking_apart import Checkers
from bol_service.verification.trust import Trust
from bol_service.wire.peers import Peer

EXTENSION = "bol-portal"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class HandedOut(Protocol):
    """The trust file that the portal hands out, and what a verifier makes of it; `published`: it is
    the one that the operator publishes."""

    @property
    def content(self) -> bytes: ...

    @property
    def read(self) -> Trust: ...

    @property
    def published(self) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Desk:
    """`trust` names the platform's own keys: what an uploaded file is verified with.

    `faults` tells, by part, what of this process is not as it should be.
    """

    queries: Queries
    views: PortalViews
    lists: PortalLists
    drafts: PortalDrafts
    register: PortalRegister
    registrations: Registrations
    operator: OperatorBook
    faults: Callable[[], dict[str, str]]
    peers: Sequence[Peer]
    documents: Documents
    files: BillFiles
    ledger: LedgerQueries
    tokens: AccessTokens
    rates: Rates
    evidence: Evidence
    webhooks: Webhooks
    copies: Copies
    checkers: Checkers
    cosigning: Cosigning | None
    clock: Clock
    trust: Trust
    trust_file: HandedOut
    rulebook: bytes
    base_url: str
    exchanges: bool
    platform_code: str
    abroad: PartiesAbroad | None = None
    abroad_desk: DeskAbroad | None = None

    @property
    def origin(self) -> str:
        """The ledger's origin, the audience of every act."""
        return self.trust.origin

    @property
    def web_origin(self) -> str:
        """The address under which browsers reach this platform, as their Origin header tells it."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_secure(self) -> bool:
        """Whether cookies are for HTTPS only; plain HTTP is for this very machine."""
        parts = urlsplit(self.base_url)
        return parts.scheme == "https" or parts.hostname not in _LOOPBACK


def desk() -> Desk:
    return cast(Desk, current_app.extensions[EXTENSION])
