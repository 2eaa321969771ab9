"""Witnessing other logs: one cosignature per size, and never two histories of one log.

For every request, in this order (C2SP tlog-witness):
1. it can be read, and its log is one of those that the settings name;
2. the log's own key signed the checkpoint; signatures of strangers are passed over;
3. the old size is at most the new one, and is the size cosigned last;
4. the proof leads from that tree to this one; a tree of the same size has the same root;
5. what was cosigned is durable before the cosignature leaves, and is checked and replaced in one
   transaction, so that two requests at once cannot turn the log back.

A size is cosigned once: who asks again for the same checkpoint gets the same line.

What may be a fork is kept with both notes, so that the alarm survives this process, and told in the
log once for each checkpoint. Anybody may send a published checkpoint with a proof that leads
nowhere: another root at the same size is a fork, a wrong proof need not be one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

import structlog

from bol_service.application.ports import Clock
from bol_service.application.witness_ports import Dispute, WitnessBook, Witnessed
from bol_service.crypto.signers import Signer
from bol_service.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from bol_service.ledger.merkle import EMPTY_ROOT, ProofError, verify_consistency
from bol_service.ledger.note import (
    KeyType,
    NoteError,
    VerifierKey,
    cosignature_line,
    parse_note,
    to_base64,
)
from bol_service.ledger.policy import KnownLog
from bol_service.ledger.witnessing import (
    AddCheckpoint,
    RequestError,
    is_by,
    line_of,
    origin_hash,
)

_MOST_ALARMS: Final = 1000  # that a process remembers to have told
log = structlog.get_logger()


class WitnessRefusal(RuntimeError):  # noqa: N818 - says what is the matter
    """The checkpoint is not cosigned; the message says why."""


class UnknownLog(WitnessRefusal):
    """No log of this origin is witnessed here."""


class NotSignedByLog(WitnessRefusal):
    """None of the log's known keys signed the checkpoint."""


class StaleSize(WitnessRefusal):
    """The old size is not the one cosigned last, which is `size`."""

    def __init__(self, size: int, message: str) -> None:
        super().__init__(message)
        self.size = size


class Inconsistent(WitnessRefusal):
    """The checkpoint is not shown to continue what was cosigned."""


class _Unproven(Inconsistent):
    """The same, by a proof against `kept`; the operator has to be told."""

    def __init__(self, kept: Witnessed | None, message: str) -> None:
        super().__init__(message)
        self.kept = kept


class Witness:
    """`logs` may hold several keys of one origin, as while a log's key is replaced."""

    def __init__(
        self,
        book: WitnessBook,
        clock: Clock,
        signer: Signer,
        name: str,
        logs: Sequence[KnownLog],
    ) -> None:
        self._book = book
        self._clock = clock
        self._signer = signer
        self.key = VerifierKey(
            name=name, type=KeyType.COSIGNATURE, public=signer.public.public_bytes_raw
        )
        self._keys: dict[str, list[VerifierKey]] = {}
        for known in logs:
            self._keys.setdefault(known.key.name, []).append(known.key)
        self._alarmed: deque[tuple[str, int, bytes, bool]] = deque(maxlen=_MOST_ALARMS)
        self._origins = {origin_hash(origin): origin for origin in self._keys}

    def add_checkpoint(self, content: bytes) -> str:
        """The signature line for the checkpoint in an add-checkpoint request.

        Raises:
            RequestError: The request is malformed, or its old size exceeds the new one.
            WitnessRefusal: Its subclasses say what is the matter.
            Unavailable: The database does not answer.
        """
        request = AddCheckpoint.from_bytes(content)
        checkpoint = self._checkpoint(request.note)
        own = self._own_note(request.note, checkpoint)
        if request.old > checkpoint.size:
            raise RequestError(
                f"the old size {request.old} exceeds the checkpoint's size {checkpoint.size}"
            )
        if checkpoint.extensions:
            raise Inconsistent("a checkpoint with extension lines is not witnessed here")
        try:
            kept = self._advanced(request, checkpoint, own)
        except _Unproven as unproven:  # and the transaction in which it was found is over
            self._alarm(request, checkpoint, own, unproven.kept)
            raise
        return line_of(kept.note, self.key)

    def _advanced(self, request: AddCheckpoint, checkpoint: Checkpoint, own: str) -> Witnessed:
        def decide(kept: Witnessed | None) -> Witnessed:
            self._require_growth(request, checkpoint, kept)
            return self._cosigned(own, checkpoint, kept)

        # Anyone may send a published checkpoint again: what changes nothing takes no write lock.
        kept = self._book.witnessed(checkpoint.origin)
        self._require_growth(request, checkpoint, kept)
        if kept is None or not self._has_cosigned(kept, checkpoint):
            return self._book.advance(checkpoint.origin, decide)
        return kept

    def latest(self, name: str) -> str:
        """The checkpoint cosigned last of the log whose `origin_hash` is `name`; raises
        UnknownLog."""
        origin = self._origins.get(name)
        kept = self._book.witnessed(origin) if origin is not None else None
        if kept is None:
            raise UnknownLog(f"no checkpoint is known of a log {name[:64]}")
        return kept.note

    def disputes(self) -> dict[tuple[str, bool], int]:
        """How many refused checkpoints are kept of each log that is witnessed now, by origin and
        whether it was a fork for certain. Raises Unavailable."""
        kept = self._book.count_disputes()
        named = ((origin, is_fork) for origin in self._keys for is_fork in (True, False))
        return {name: kept.get(name, 0) for name in named}

    def _checkpoint(self, note: str) -> Checkpoint:
        try:
            checkpoint = parse_checkpoint(parse_note(note).text)
        except NoteError as error:
            raise RequestError(f"no checkpoint: {error}") from None
        if checkpoint.origin not in self._keys:
            raise UnknownLog(f"the log {checkpoint.origin} is not witnessed here")
        return checkpoint

    def _own_note(self, note: str, checkpoint: Checkpoint) -> str:
        """The checkpoint under its log's signatures alone."""
        keys = self._keys[checkpoint.origin]
        try:
            signed = open_checkpoint(note, keys)
        except NoteError as error:
            raise NotSignedByLog(str(error)) from None
        lines = dict.fromkeys(line_of(note, by.key) for by in signed.by)
        return f"{checkpoint.body()}\n{''.join(lines)}"

    def _require_growth(
        self, request: AddCheckpoint, checkpoint: Checkpoint, kept: Witnessed | None
    ) -> None:
        size, root = (kept.size, kept.root) if kept is not None else (0, EMPTY_ROOT)
        if request.old != size:
            raise StaleSize(
                size,
                f"{checkpoint.origin} was cosigned last at size {size}, not {request.old}",
            )
        try:
            if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
                raise ProofError(f"an empty tree has not the root {checkpoint.root.hex()}")
            verify_consistency(size, checkpoint.size, request.proof, root, checkpoint.root)
        except ProofError as error:
            raise _Unproven(
                kept,
                f"{checkpoint.origin} at size {checkpoint.size} does not continue the tree of "
                f"size {size}: {error}",
            ) from None

    def _alarm(
        self, request: AddCheckpoint, checkpoint: Checkpoint, own: str, kept: Witnessed | None
    ) -> None:
        is_fork = kept is not None and kept.size == checkpoint.size and kept.root != checkpoint.root
        # What was unproven is a fork for certain once we have cosigned another root of its size.
        offered = (checkpoint.origin, checkpoint.size, checkpoint.root, is_fork)
        if offered in self._alarmed:
            return
        log.error(
            "a log has forked" if is_fork else "a log may have forked",
            origin=checkpoint.origin,
            kept=kept.note if kept is not None else None,
            offered=request.note,
            proof=[to_base64(item) for item in request.proof],
        )
        self._book.keep_dispute(
            Dispute(
                origin=checkpoint.origin,
                size=checkpoint.size,
                root=checkpoint.root,
                is_fork=is_fork,
                at=self._clock.now(),
                kept=kept.note if kept is not None else None,
                offered=own,
            )
        )
        self._alarmed.append(offered)

    def _cosigned(self, own: str, checkpoint: Checkpoint, kept: Witnessed | None) -> Witnessed:
        if kept is not None and self._has_cosigned(kept, checkpoint):
            return kept
        seconds = int(self._clock.now().timestamp())
        line = cosignature_line(
            checkpoint.body(), self.key.name, seconds, self._signer.sign, self.key.public
        )
        return Witnessed(
            origin=checkpoint.origin,
            size=checkpoint.size,
            root=checkpoint.root,
            note=own + line,
        )

    def _has_cosigned(self, kept: Witnessed, checkpoint: Checkpoint) -> bool:
        """Whether this size is cosigned; no longer once the witness has another key."""
        signatures = parse_note(kept.note).signatures
        return kept.size == checkpoint.size and any(is_by(line, self.key) for line in signatures)
