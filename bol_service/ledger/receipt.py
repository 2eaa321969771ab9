"""What the sender of an act keeps: proof that the log holds it, checkable without the platform.

Steps of `verify`:
1. the checkpoint carries the signature of the log that its origin names;
2. the stated head is the digest of the event's own text;
3. the leaf computed from entry, stream and sequence is at the index, under the checkpoint's root.
Whether the event's own signature holds, and what it says, is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bol_service.ledger.checkpoint import SignedCheckpoint, open_checkpoint
from bol_service.ledger.entry import Entry, leaf
from bol_service.ledger.merkle import HASH_SIZE, MAX_SIZE, verify_inclusion
from bol_service.ledger.note import VerifierKey, from_base64, to_base64

VERSION: Final = 1
MAX_PATH_LENGTH: Final = 63
_MEMBERS: Final = {
    "v",
    "event",
    "recordedAt",
    "index",
    "stream",
    "sequence",
    "head",
    "inclusionProof",
    "checkpoint",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """`index` is the leaf's place in the log, `sequence` the event's in its stream, both from 0;
    `checkpoint` is a whole signed note."""

    entry: Entry
    index: int
    stream: str
    sequence: int
    inclusion_path: tuple[bytes, ...]
    checkpoint: str

    @property
    def head(self) -> str:
        """What the stream's next event must name as `previous`."""
        return self.entry.event_digest

    def to_value(self) -> dict[str, object]:
        return {
            "v": VERSION,
            "event": self.entry.event,
            "recordedAt": self.entry.recorded_at,
            "index": self.index,
            "stream": self.stream,
            "sequence": self.sequence,
            "head": self.head,
            "inclusionProof": [to_base64(value) for value in self.inclusion_path],
            "checkpoint": self.checkpoint,
        }

    @classmethod
    def from_value(cls, value: object) -> Receipt:
        """`value` is a parsed JSON value; raises ValueError naming the member that is wrong."""
        members = _members(value)
        receipt = cls(
            entry=Entry(event=_text(members, "event"), recorded_at=_text(members, "recordedAt")),
            index=_number(members, "index"),
            stream=_text(members, "stream"),
            sequence=_number(members, "sequence"),
            inclusion_path=_path(members["inclusionProof"]),
            checkpoint=_text(members, "checkpoint"),
        )
        head = _text(members, "head")
        if head != receipt.head:
            raise ValueError(f"head is {head!r}, but the event's digest is {receipt.head!r}")
        return receipt


def verify(receipt: Receipt, vkeys: Sequence[VerifierKey]) -> SignedCheckpoint:
    """Returns the checkpoint it rests on, for the caller's quorum of witnesses. Raises NoteError
    for the checkpoint, ProofError for the inclusion."""
    signed = open_checkpoint(receipt.checkpoint, vkeys)
    verify_inclusion(
        leaf(receipt.stream, receipt.sequence, receipt.entry),
        receipt.index,
        signed.checkpoint.size,
        receipt.inclusion_path,
        signed.checkpoint.root,
    )
    return signed


def _members(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"a receipt is a JSON object, not {type(value).__name__}")
    if value.keys() != _MEMBERS:
        raise ValueError(f"a receipt has exactly {sorted(_MEMBERS)}, not {sorted(value)}")
    if type(value["v"]) is not int or value["v"] != VERSION:
        raise ValueError(f"receipt version {value['v']!r} is not known; this reads {VERSION}")
    return value


def _text(members: dict[str, Any], name: str) -> str:
    value = members[name]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is a non-empty text, not {value!r}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"{name} holds a lone surrogate: {value!r}") from error
    return value


def _number(members: dict[str, Any], name: str) -> int:
    value = members[name]
    if type(value) is not int or not 0 <= value <= MAX_SIZE:
        raise ValueError(f"{name} is a whole number from 0, not {value!r}")
    return value


def _path(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > MAX_PATH_LENGTH:
        raise ValueError(f"inclusionProof is a list of at most {MAX_PATH_LENGTH} hashes")
    hashes = tuple(from_base64(_hash_text(item)) for item in value)
    for item in hashes:
        if len(item) != HASH_SIZE:
            raise ValueError(f"inclusionProof has a hash of {len(item)} bytes, not {HASH_SIZE}")
    return hashes


def _hash_text(item: object) -> str:
    if not isinstance(item, str):
        raise ValueError(f"inclusionProof has {item!r} where base64 text belongs")
    return item
