"""What the log records of one signed act, in bytes.

1. Entry bytes: RFC 8785 of {"event": compact JWS, "recordedAt": UTC time in milliseconds}. They go
   only to those who may read the stream.
2. Public entry, 72 bytes: SHA-256("ebl-stream/v1" NUL stream), the sequence in the stream as 8
   bytes big-endian, SHA-256(entry bytes). Anyone can rebuild the tree from these, nobody learns
   who shipped what, and a stream forked inside one tree shows as a (tag, sequence) that occurs
   twice.
3. The tree's leaf is SHA-256(0x00 public entry).
"""

from __future__ import annotations

import builtins
import hashlib
import json
import re
import string
import struct
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from bol_service.ledger.merkle import leaf_hash

PUBLIC_ENTRY_SIZE: Final = 72
MAX_SEQUENCE: Final = 2**63 - 1
_SIGNS: Final = f"{string.ascii_letters}{string.digits}-_.".encode("ascii")
_PARTS: Final = 3  # of a compact JWS: header, payload, signature
_RECORDED_AT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """`event` is a compact JWS, `recorded_at` is YYYY-MM-DDTHH:MM:SS.mmmZ, UTC; ValueError else."""

    event: str
    recorded_at: str

    def __post_init__(self) -> None:
        if not _is_compact_jws(self.event):
            raise ValueError(f"an entry holds a compact JWS, not {self.event[:40]!r}")
        _check_time(self.recorded_at)

    def bytes(self) -> bytes:
        # The RFC 8785 form, since neither text has a character that JSON would escape.
        return f'{{"event":"{self.event}","recordedAt":"{self.recorded_at}"}}'.encode("ascii")

    @classmethod
    def from_bytes(cls, data: builtins.bytes) -> Entry:
        """Raises ValueError unless `data` is exactly what `bytes` writes."""
        try:
            value = json.loads(data)
        except RecursionError as error:
            raise ValueError("an entry is not nested") from error
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise ValueError("an entry is a JSON object of two texts, event and recordedAt")
        entry = cls(event=value.get("event", ""), recorded_at=value.get("recordedAt", ""))
        if entry.bytes() != data:
            raise ValueError("the entry is not in its RFC 8785 form of event and recordedAt")
        return entry

    @property
    def digest(self) -> builtins.bytes:
        """SHA-256 of the entry bytes."""
        return hashlib.sha256(self.bytes()).digest()

    @property
    def event_digest(self) -> str:
        """SHA-256 of the JWS text, lower-case hex: `previous` of the stream's next event."""
        return hashlib.sha256(self.event.encode("ascii")).hexdigest()


def _is_compact_jws(text: str) -> bool:
    """Raises TypeError for what is no text, as SQLite may keep it."""
    if str.encode(text, "ascii", "replace").translate(None, _SIGNS):
        return False
    parts = text.split(".")
    return len(parts) == _PARTS and all(parts)


@lru_cache(maxsize=64)
def _check_time(recorded_at: str) -> None:
    """A commit gives all its entries one time; raises ValueError."""
    if not _RECORDED_AT.fullmatch(recorded_at):
        raise ValueError(
            f"recordedAt is written 2027-03-05T08:00:00.000Z, not {recorded_at[:40]!r}"
        )
    datetime.fromisoformat(recorded_at)  # refuses a 30 February


@lru_cache(maxsize=4096)
def stream_tag(stream: str) -> bytes:
    return hashlib.sha256(b"ebl-stream/v1\0" + stream.encode("utf-8")).digest()


def public_entry(tag: bytes, sequence: int, entry_digest: bytes) -> bytes:
    """Raises ValueError for a tag or digest that is not 32 bytes, or a sequence out of range."""
    if len(tag) != 32 or len(entry_digest) != 32:
        raise ValueError(f"tag and digest have 32 bytes, not {len(tag)} and {len(entry_digest)}")
    if not 0 <= sequence <= MAX_SEQUENCE:
        raise ValueError(f"a sequence lies in 0..{MAX_SEQUENCE}, not {sequence}")
    return tag + struct.pack(">Q", sequence) + entry_digest


def split_public_entry(data: bytes) -> tuple[bytes, int, bytes]:
    """(tag, sequence, digest of the entry bytes); raises ValueError for what is none."""
    if len(data) != PUBLIC_ENTRY_SIZE:
        raise ValueError(f"a public entry has {PUBLIC_ENTRY_SIZE} bytes, not {len(data)}")
    (sequence,) = struct.unpack_from(">Q", data, 32)
    if sequence > MAX_SEQUENCE:
        raise ValueError(f"a sequence lies in 0..{MAX_SEQUENCE}, not {sequence}")
    return data[:32], sequence, data[40:]


def leaf(stream: str, sequence: int, entry: Entry) -> bytes:
    """The leaf hash of an entry at its place in its stream."""
    return leaf_hash(public_entry(stream_tag(stream), sequence, entry.digest))
