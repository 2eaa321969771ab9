"""What a log and a witness say to each other (C2SP tlog-witness).

1. The log sends `old <size>`, the consistency proof from that size, one base64 hash a line and at
   most 63, an empty line, and its checkpoint with every signature it has.
2. The witness answers with signature lines; only those of its known keys count.
3. Where the witness publishes what it cosigned last is named by the SHA-256 of the log's origin.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from bol_service.ledger.merkle import HASH_SIZE
from bol_service.ledger.note import (
    NoteError,
    NoteSignature,
    VerifierKey,
    from_base64,
    parse_note,
    to_base64,
    verify_note,
)

MAX_PROOF_LINES: Final = 63
MAX_REQUEST_BYTES: Final = 65_536
SIZE_MEDIA_TYPE: Final = "text/x.tlog.size"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_SIZE = re.compile(r"(?:0|[1-9][0-9]{0,18})\n")


class RequestError(ValueError):
    """An add-checkpoint request or its answer is malformed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AddCheckpoint:
    """`old` is the size that the witness has cosigned last; `note` the whole signed checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def to_bytes(self) -> bytes:
        lines = [f"old {self.old}", *(to_base64(item) for item in self.proof), "", self.note]
        return "\n".join(lines).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> AddCheckpoint:
        """Raises RequestError. The note's signatures are not looked at."""
        try:
            head, separator, note = content.decode().partition("\n\n")
        except UnicodeDecodeError as error:
            raise RequestError(f"the request is not UTF-8: {error}") from None
        first, *hashes = head.split("\n")
        old = _OLD.fullmatch(first)
        if not separator or old is None:
            raise RequestError("a request begins with: old <size>, hashes, and an empty line")
        if len(hashes) > MAX_PROOF_LINES:
            raise RequestError(f"a proof has at most {MAX_PROOF_LINES} hashes, not {len(hashes)}")
        return cls(old=int(old[1]), proof=tuple(_hash(line) for line in hashes), note=note)


def read_size(content: bytes) -> int:
    """The size in a witness's answer of type text/x.tlog.size; raises RequestError."""
    found = _SIZE.fullmatch(content.decode(errors="replace"))
    if found is None:
        raise RequestError(f"a size is a decimal number and a newline, not {content[:40]!r}")
    return int(found[0])


def cosignature_in(note: str, answer: bytes, key: VerifierKey) -> str:
    """The signature line of `key` over `note` in a witness's answer; raises NoteError if it is
    missing or wrong."""
    try:
        whole = note + answer.decode()
    except UnicodeDecodeError as error:
        raise NoteError(f"the witness's answer is not UTF-8: {error}") from None
    text = parse_note(note).text
    if verify_note(whole, [key]).text != text:
        raise NoteError("the witness's answer holds more than signature lines")
    return line_of(whole, key)


def line_of(note: str, key: VerifierKey) -> str:
    """The signature line of `key` in a note, not verified; raises NoteError without one."""
    for signature in parse_note(note).signatures:
        if is_by(signature, key):
            return signature.line()
    raise NoteError(f"{key.name} ({key.key_id.hex()}) has not signed the note")


def is_by(signature: NoteSignature, key: VerifierKey) -> bool:
    """Whether the line names this key; nothing is verified."""
    return (signature.name, signature.key_id) == (key.name, key.key_id)


def origin_hash(origin: str) -> str:
    """The name of a log in a witness's addresses: SHA-256 of the origin, lower-case hex."""
    return hashlib.sha256(origin.encode()).hexdigest()


def _hash(line: str) -> bytes:
    try:
        value = from_base64(line)
    except NoteError as error:
        raise RequestError(f"a proof line is no hash: {error}") from None
    if len(value) != HASH_SIZE:
        raise RequestError(f"a hash has {HASH_SIZE} bytes, not {len(value)}")
    return value
