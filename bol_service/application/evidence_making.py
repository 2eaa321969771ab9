"""A bundle made of entries: their proofs, one checkpoint, and the signed title statement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from bol_service.application.cosigned import cosigned_size, with_cosignatures
from bol_service.application.ports import Reading, StoredEntry
from bol_service.application.receipts import NotCovered
from bol_service.crypto.signers import Signer
from bol_service.domain.events import Action, Imported, Returned
from bol_service.domain.states import Head
from bol_service.ledger.checkpoint import parse_checkpoint
from bol_service.ledger.entry import stream_tag
from bol_service.ledger.merkle import NodeId, inclusion_nodes_of, inclusion_paths
from bol_service.ledger.note import parse_note
from bol_service.ledger.policy import Policy
from bol_service.verification.bundle import (
    Bundle,
    BundleEntry,
    HiddenEntry,
    ShownEntry,
    Statement,
    checkpoint_digest,
)
from bol_service.wire.event_fields import instant
from bol_service.wire.events import decode
from bol_service.wire.pint_envelope import read_envelope

_ARRIVALS = frozenset({Action.IMPORTED, Action.RETURNED})


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How far a bundle reaches: entries up to `last`, stated at `at`; all of them for None."""

    last: int | None
    at: datetime


class BundleMaker:
    def __init__(self, signer: Signer, origin: str, policy: Policy) -> None:
        """`signer` signs title statements; `policy` names the witnesses whose quorum a checkpoint
        should have."""
        self._signer = signer
        self._origin = origin
        self._policy = policy

    def signed(
        self,
        reading: Reading,
        entries: list[StoredEntry],
        *,
        hidden: frozenset[int],
        document: bytes | None,
        cut: Cut,
        bill: str,
        status: str,
        control: tuple[str, str | None, bool] | None,
        with_chains: bool = False,
    ) -> bytes:
        """The bytes of a bundle of `entries`, in log order; raises NotCovered.

        Those at the indexes `hidden` are placeholders.
        """
        note = self._note(reading, cut.last, max(entry.index for entry in entries))
        checkpoint = parse_checkpoint(parse_note(note).text)
        last = {entry.stream: entry for entry in entries}  # in log order: the last one wins
        heads = {
            stream: Head(sequence=entry.sequence, digest=entry.entry.event_digest)
            for stream, entry in last.items()
        }
        statement = Statement(
            origin=self._origin,
            bill=bill,
            status=status,
            control=control,
            heads=heads,
            size=checkpoint.size,
            root=checkpoint.root,
            checkpoint_digest=checkpoint_digest(note),
            at=max(cut.at, instant(max(entry.entry.recorded_at for entry in entries))),
        )
        bundle = Bundle(
            document=document,
            entries=tuple(_with_proofs(reading, entries, hidden, checkpoint.size)),
            checkpoint=note,
            statement=statement.sign(self._signer),
            chains=_chains(reading, entries) if with_chains else (),
        )
        return bundle.to_bytes()

    def _note(self, reading: Reading, last: int | None, highest: int) -> str:
        """The checkpoint of now, or the first one that covers the entry `last`.

        Rather one with the quorum of witnesses, if it covers the entry `highest` of the bundle.
        """
        size = cosigned_size(reading, self._policy, highest + 1, newest=last is None)
        if size is None:
            size = reading.log().size if last is None else last + 1
        found = reading.checkpoint(size)
        if found is None:
            raise NotCovered(f"entry {size - 1} is under no checkpoint; run: bol ledger check")
        return with_cosignatures(reading, *found)


def _chains(reading: Reading, entries: Iterable[StoredEntry]) -> tuple[str, ...]:
    """The entries of the chains by which the bill came here, each once, oldest first."""
    arrivals = (decode(one.entry.event).event for one in entries if one.action in _ARRIVALS)
    envelopes = [event.envelope for event in arrivals if isinstance(event, Imported | Returned)]
    kept = reading.contents(envelopes) if envelopes else {}
    texts = (read_envelope(kept[digest]).chain for digest in envelopes if digest in kept)
    return tuple(dict.fromkeys(chain.from_iterable(texts)))


def _with_proofs(
    reading: Reading, entries: list[StoredEntry], hidden: frozenset[int], size: int
) -> list[BundleEntry]:
    indexes = [entry.index for entry in entries]
    nodes = reading.nodes(inclusion_nodes_of(indexes, size))
    paths = inclusion_paths(lambda level, idx: nodes[NodeId(level, idx)], indexes, size)
    shown: list[BundleEntry] = []
    for entry in entries:
        proof = tuple(paths[entry.index])
        if entry.index in hidden:
            shown.append(
                HiddenEntry(
                    index=entry.index,
                    tag=stream_tag(entry.stream),
                    sequence=entry.sequence,
                    digest=entry.entry.digest,
                    proof=proof,
                )
            )
        else:
            shown.append(ShownEntry(index=entry.index, entry=entry.entry, proof=proof))
    return shown
