"""Whether an audit may go on from an earlier one: of this log, judged alike, under known keys."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from bol_service.application.audit_ports import BookError, Reached
from bol_service.application.ports import LogState
from bol_service.ledger.note import VerifierKey


def require_usable(reached: Reached, log: LogState, log_keys: Sequence[VerifierKey]) -> None:
    """Raises BookError unless the earlier audit was of this log, by this version and keys."""
    if reached.origin != log.origin:
        raise BookError(
            f"the book is of the log {reached.origin}, the database is {log.origin}; each log "
            "needs a book of its own"
        )
    if reached.version != version("bol-service"):
        raise BookError(
            f"the book was made by version {reached.version}, this is {version('bol-service')}, "
            "which may judge otherwise; remove the book to audit from the beginning"
        )
    unknown = set(reached.vkeys) - {key.vkey for key in log_keys}
    if unknown:
        raise BookError(
            f"checkpoints were verified under {', '.join(sorted(unknown))}, which is not given "
            "now; give it with --log-vkey, or remove the book to audit from the beginning"
        )
