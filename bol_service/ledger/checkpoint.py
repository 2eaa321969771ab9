"""A log's signed head (C2SP tlog-checkpoint v1.0.0).

1. The text has three lines: the origin, the number of leaves in decimal, the root in base64;
   lines after them are extensions, which this log never writes and keeps when it reads.
2. It counts only with the log's own signature: type 0x01 under a key named like the origin.
3. Cosignatures under it say that a witness saw the log grow without forking.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bol_service.ledger.merkle import HASH_SIZE, MAX_SIZE
from bol_service.ledger.note import (
    KeyType,
    NoteError,
    VerifiedBy,
    VerifierKey,
    from_base64,
    to_base64,
    verify_note,
)

_ORIGIN = re.compile(r"[^\s+\x00-\x1f\x7f\ud800-\udfff]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_FIXED_LINES: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """Raises NoteError for an origin, size, root or extension no checkpoint can hold."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _ORIGIN.fullmatch(self.origin):
            raise NoteError(f"origin {self.origin!r} is empty or has a space or a plus sign")
        if not 0 <= self.size <= MAX_SIZE:
            raise NoteError(f"a checkpoint's size lies in 0..{MAX_SIZE}, not {self.size}")
        if len(self.root) != HASH_SIZE:
            raise NoteError(f"a root has {HASH_SIZE} bytes, not {len(self.root)}")
        if any(not line or "\n" in line for line in self.extensions):
            raise NoteError("an extension line is neither empty nor more than one line")

    def body(self) -> str:
        lines = [self.origin, str(self.size), to_base64(self.root), *self.extensions]
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedCheckpoint:
    """Verified: `by` holds the log's own signature and those of known witnesses."""

    checkpoint: Checkpoint
    by: tuple[VerifiedBy, ...]


def parse_checkpoint(body: str) -> Checkpoint:
    """Raises NoteError. `body` is a note's text."""
    lines = body.split("\n")
    if lines.pop() or len(lines) < _FIXED_LINES:
        raise NoteError("a checkpoint has an origin, a size and a root, each ending in a newline")
    origin, size, root, *extensions = lines
    if not _SIZE.fullmatch(size):
        raise NoteError(f"a checkpoint's size is a plain decimal number, not {size[:40]!r}")
    return Checkpoint(
        origin=origin, size=int(size), root=from_base64(root), extensions=tuple(extensions)
    )


def open_checkpoint(note: str, vkeys: Sequence[VerifierKey]) -> SignedCheckpoint:
    """Raises NoteError unless the log named by the origin signed it with one of `vkeys`."""
    verified = verify_note(note, vkeys)
    checkpoint = parse_checkpoint(verified.text)
    own = [by for by in verified.by if _is_log_key(by.key, checkpoint.origin)]
    if not own:
        raise NoteError(
            f"the checkpoint of {checkpoint.origin} lacks that log's own signature; it is signed by"
            f" {[by.key.name for by in verified.by]}"
        )
    return SignedCheckpoint(checkpoint=checkpoint, by=verified.by)


def _is_log_key(key: VerifierKey, origin: str) -> bool:
    return key.type is KeyType.ED25519 and key.name == origin
