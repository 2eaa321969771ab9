"""What must be true before a process signs its first checkpoint.

A log must never sign two trees that contradict each other. So the tree in the database has to be
the one its own rows make, and it has to contain the tree of the last checkpoint that was kept
outside. A database older than that checkpoint is a restored backup: signing from it would fork the
log, so the service refuses and says how to recover.
"""

from __future__ import annotations

from collections.abc import Sequence

from bol_service.application.ports import CheckpointFile, LogState, Reading, Store
from bol_service.ledger.checkpoint import Checkpoint, open_checkpoint
from bol_service.ledger.merkle import EMPTY_ROOT, Frontier, NodeId
from bol_service.ledger.note import NoteError, VerifierKey
from bol_service.verification.trust import LogKey


class RollbackSuspected(RuntimeError):  # noqa: N818 - says what is the matter
    """The database is older than, or contradicts, a checkpoint this log has signed."""


def require_continuity(
    store: Store, checkpoint_file: CheckpointFile, log_keys: Sequence[VerifierKey]
) -> None:
    """Compare database and checkpoint file; raises RollbackSuspected naming both sizes.

    After a crash the database may be one group ahead; then the file is brought up to it, since the
    receipts of that group are given out from now on.
    """
    with store.reading() as reading:
        log = _head(reading)
        _require_root(log.size, log.frontier.root(), _root_at(reading, log.size), "the log's head")
        if log.note is not None:
            own = _require_note(reading, log.note, log_keys, "the database's own checkpoint")
            _require_covered(log.size, own.size)
        note = checkpoint_file.read()
        if note is None:
            if log.size > 0:
                raise RollbackSuspected(
                    f"the log has {log.size} entries, but the checkpoint file is missing. Put back "
                    "the file; if it is lost for good, take the latest checkpoint that a witness "
                    "or a party kept, check it with `bol ledger check --checkpoint FILE`, and put "
                    "it in the file's place"
                )
            return
        _require_note(reading, note, log_keys, "the checkpoint file")
    if log.note is not None and log.note != note:
        checkpoint_file.replace(log.note)


def require_key_times(
    store: Store, checkpoint_file: CheckpointFile, log_keys: Sequence[LogKey]
) -> None:
    """Each key of the log has signed only sizes that it is published for.

    Call it after `require_continuity`. Whoever stole a retired key could otherwise sign with it
    what readers of the trust file would refuse, and the service would go on from there.

    Raises:
        RollbackSuspected: Naming the key and both sizes.
    """
    with store.reading() as reading:
        log = _head(reading)
        retired = [key.to_size for key in log_keys if key.to_size is not None]
        after = [reading.checkpoint(size + 1) for size in retired]
    if retired and log.size < max(retired):
        raise RollbackSuspected(
            f"a retired key of the log signed {max(retired)} entries, the database has {log.size}: "
            "it is older than what was signed. Restore the newest backup or the standby"
        )
    notes = [
        ("database's own checkpoint", log.note),
        ("checkpoint file", checkpoint_file.read()),
        *(("first checkpoint after a key was retired", found[1]) for found in after if found),
    ]
    for name, note in notes:
        if note is not None:
            _require_key_time(name, note, log_keys)


def _require_key_time(name: str, note: str, log_keys: Sequence[LogKey]) -> None:
    signed = open_checkpoint(note, [key.key for key in log_keys])
    size, by = signed.checkpoint.size, {found.key for found in signed.by}
    if not any(key.key in by and key.covers(size) for key in log_keys):
        raise RollbackSuspected(
            f"the {name} of size {size} is signed by {', '.join(key.vkey for key in by)}, which "
            "was retired before, or was not in use yet. Find out who signed it; compare "
            "BOL_RETIRED_LOG_KEYS with the published trust file"
        )


def _head(reading: Reading) -> LogState:
    try:
        return reading.log()
    except ValueError as error:
        raise RollbackSuspected(
            f"the log's head cannot be read: {error}. Restore the newest backup or the standby "
            "(docs/operations.md, Restore)"
        ) from None


def _require_covered(size: int, covered: int) -> None:
    """Otherwise an older checkpoint would take the place of the newer one in the file."""
    if covered != size:
        raise RollbackSuspected(
            f"the database has {size} entries, its own checkpoint covers {covered}: one of them "
            "was changed. Run: bol ledger check"
        )


def require_kept(store: Store, note: str, log_keys: Sequence[VerifierKey], name: str) -> None:
    """Compare the database with a checkpoint that somebody else kept; raises RollbackSuspected."""
    with store.reading() as reading:
        _require_note(reading, note, log_keys, name)


def _require_note(
    reading: Reading, note: str, log_keys: Sequence[VerifierKey], name: str
) -> Checkpoint:
    try:
        checkpoint = open_checkpoint(note, log_keys).checkpoint
    except NoteError as error:
        raise RollbackSuspected(f"{name} cannot be trusted: {error}") from None
    size = reading.log().size
    if checkpoint.size > size:
        raise RollbackSuspected(
            f"{name} is of size {checkpoint.size}, the database has {size} entries: it is older "
            "than what was signed. Restore the newest backup or the standby; do not sign from this "
            "database (docs/operations.md, Restore)"
        )
    _require_root(checkpoint.size, checkpoint.root, _root_at(reading, checkpoint.size), name)
    return checkpoint


def _require_root(size: int, stated: bytes, computed: bytes, name: str) -> None:
    if stated != computed:
        raise RollbackSuspected(
            f"{name} has root {stated.hex()} at size {size}, the database's rows make "
            f"{computed.hex()}: rows were changed, or it was put back to an earlier day and "
            "another history was signed. Keep both, and run: bol ledger check --checkpoint FILE "
            "(docs/operations.md, Restore)"
        )


def _root_at(reading: Reading, size: int) -> bytes:
    """The root of the first `size` leaves, from the complete nodes of its frontier."""
    if size == 0:
        return EMPTY_ROOT
    wanted, first = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            wanted.append(NodeId(level, first >> level))
            first += 1 << level
    found = reading.nodes(wanted)
    missing = [node for node in wanted if node not in found]
    if missing:
        raise RollbackSuspected(f"the tree's node {missing[0]} is missing; run: bol ledger check")
    try:
        return Frontier(size, [found[node] for node in wanted]).root()
    except ValueError as error:
        raise RollbackSuspected(f"the tree is damaged: {error}; run: bol ledger check") from None
