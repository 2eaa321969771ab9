"""Bundles as a dishonest platform would make them: signed with its real log and statement keys.

Whoever has no platform key fails at a signature or at the tree. These bundles pass both, so that
the checks behind them (streams, party signatures, law, document, title) are what has to catch them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bol_service.domain import errors
from bol_service.domain.states import Head
from bol_service.ledger.checkpoint import Checkpoint
from bol_service.ledger.entry import Entry, leaf
from bol_service.ledger.note import sign_note
from bol_service.verification.bundle import (
    Bundle,
    ShownEntry,
    Statement,
    checkpoint_digest,
    read_bundle,
    read_statement,
)
from bol_service.wire.event_fields import instant
from bol_service.wire.events import NotUnderstood, decode
from tests.ledger_log import MemoryLog
from tests.minimal_bill import MinimalWorld


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the platform has and what it says of it."""

    entries: tuple[Entry, ...]
    statement: Statement
    document: bytes | None
    chains: tuple[str, ...] = ()


def genuine(content: bytes) -> Told:
    """What a real bundle tells."""
    bundle = read_bundle(content)
    shown = [entry for entry in bundle.entries if isinstance(entry, ShownEntry)]
    return Told(
        entries=tuple(entry.entry for entry in shown),
        statement=read_statement(bundle.statement)[0],
        document=bundle.document,
    )


def forge(world: MinimalWorld, told: Told, **statement: Any) -> bytes:
    """The platform's file about a log of exactly `told.entries`, all proofs and signatures right.

    Heads and time are those that the entries make, unless `statement` says otherwise.
    """
    log = MemoryLog()
    for entry in told.entries:
        log.append(leaf(*place(entry), entry))
    note = _note(world, log)
    stated = replace(
        told.statement,
        **{
            "heads": heads(told.entries),
            "at": max(instant(entry.recorded_at) for entry in told.entries),
            "size": log.frontier.size,
            "root": log.frontier.root(),
            "checkpoint_digest": checkpoint_digest(note),
            **statement,
        },
    )
    bundle = Bundle(
        document=told.document,
        entries=tuple(
            ShownEntry(
                index=index, entry=entry, proof=tuple(log.inclusion(index, log.frontier.size))
            )
            for index, entry in enumerate(told.entries)
        ),
        checkpoint=note,
        statement=stated.sign(world.statement_signer),
        chains=told.chains,
    )
    return bundle.to_bytes()


def place(entry: Entry) -> tuple[str, int]:
    """Stream and sequence of an entry, also of one that only a later version, or nobody, reads."""
    try:
        event = decode(entry.event).event
    except NotUnderstood as later:
        return later.place or ("", 0)
    except errors.Refusal:
        return "", 0
    return event.stream, event.sequence


def heads(entries: Sequence[Entry]) -> dict[str, Head]:
    """The last entry of each stream."""
    return {
        stream: Head(sequence=sequence, digest=entry.event_digest)
        for entry in entries
        for stream, sequence in [place(entry)]
    }


def _note(world: MinimalWorld, log: MemoryLog) -> str:
    checkpoint = Checkpoint(
        origin=world.settings.origin, size=log.frontier.size, root=log.frontier.root()
    )
    signer = world.log_signer
    return sign_note(
        checkpoint.body(), world.settings.origin, signer.sign, signer.public.public_bytes_raw
    )
