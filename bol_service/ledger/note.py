"""Signed notes (C2SP signed-note v1.0.0) and witness cosignatures (C2SP tlog-cosignature).

1. A note is a text ending in a newline, an empty line, and signature lines: an em dash, the key
   name, base64 of key id and signature. The *last* empty line divides text from signatures.
2. The key id is the first 4 bytes of SHA-256(name, newline, type, public key). Published form
   (vkey): name+hex of the id+base64 of type and key.
3. Type 0x01 signs the text. Type 0x04, the witness, signs its clock in seconds with the text.
4. A line whose name and id are not both known is passed over. A known key whose signature fails
   condemns the note; so does a note that no known key has signed.
5. A point of small order is no key and begins no signature: libraries differ in what they make of
   one (`crypto.edwards` tells more), and the same note would hold here and not there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX_NOTE_BYTES: Final = 1_000_000
MAX_SIGNATURES: Final = 100
_KEY_SIZE: Final = 32
_MAX_TIMESTAMP: Final = 2**63 - 1
_P: Final = 2**255 - 19
_OF_ORDER_8: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# As in `crypto.edwards`, which the ledger does not import.
_SMALL_ORDERS: Final = frozenset({0, 1, _P - 1, _P, _P + 1, _OF_ORDER_8, _P - _OF_ORDER_8})
# No plus sign, no white space as Unicode has it, nothing that UTF-8 cannot carry.
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f\ud800-\udfff]+")
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")

Sign = Callable[[bytes], bytes]


class NoteError(ValueError):
    """A note, key or checkpoint is malformed, or its signatures do not hold."""


class KeyType(IntEnum):
    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifierKey:
    """A published note key; `public` is the 32 bytes of Ed25519."""

    name: str
    type: KeyType
    public: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise NoteError(f"key name {self.name!r} is empty or has a space or a plus sign")
        if len(self.public) != _KEY_SIZE:
            raise NoteError(f"an Ed25519 key has {_KEY_SIZE} bytes, not {len(self.public)}")
        if _has_small_order(self.public):
            raise NoteError(f"the key of {self.name} is a point of small order and binds nobody")

    @property
    def key_id(self) -> bytes:
        typed = bytes([self.type]) + self.public
        return hashlib.sha256(self.name.encode("utf-8") + b"\n" + typed).digest()[:4]

    @property
    def vkey(self) -> str:
        typed = bytes([self.type]) + self.public
        return f"{self.name}+{self.key_id.hex()}+{to_base64(typed)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class NoteSignature:
    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        return f"— {self.name} {to_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """Well formed, not verified; `text` includes its last newline."""

    text: str
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedBy:
    """`timestamp` is the witness's clock in seconds since 1970, None for a plain signature."""

    key: VerifierKey
    timestamp: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedNote:
    text: str
    by: tuple[VerifiedBy, ...]


def to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """Padded and canonical (RFC 4648 section 4); raises NoteError."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError(f"{text[:60]!r} is not base64: {error}") from error
    if to_base64(data) != text:
        raise NoteError(f"{text[:60]!r} is not the canonical base64 {to_base64(data)[:60]!r}")
    return data


def parse_vkey(vkey: str) -> VerifierKey:
    """Raises NoteError."""
    parts = vkey.split("+", 2)
    if len(parts) != 3:
        raise NoteError(f"a vkey is name+id+key, not {vkey[:60]!r}")
    typed = from_base64(parts[2])
    if typed[:1] not in [bytes([known]) for known in KeyType]:
        raise NoteError(f"vkey {vkey[:60]!r} has a key type other than 0x01 and 0x04")
    key = VerifierKey(name=parts[0], type=KeyType(typed[0]), public=typed[1:])
    if key.key_id.hex() != parts[1]:
        raise NoteError(f"vkey of {key.name} states the id {parts[1]}; it is {key.key_id.hex()}")
    return key


def sign_note(text: str, name: str, sign: Sign, public: bytes) -> str:
    """A whole note with one signature of type 0x01; raises NoteError for an impossible text."""
    _refuse_bad_text(text)
    key = VerifierKey(name=name, type=KeyType.ED25519, public=public)
    return f"{text}\n{_signed(key, sign(text.encode('utf-8'))).line()}"


def cosignature_line(text: str, name: str, timestamp: int, sign: Sign, public: bytes) -> str:
    """The signature line (type 0x04) a witness adds to a checkpoint at `timestamp`, seconds since
    1970; raises NoteError."""
    _refuse_bad_text(text)
    if not 0 < timestamp <= _MAX_TIMESTAMP:
        raise NoteError(f"a cosignature's time is in 1..2^63-1 seconds, not {timestamp}")
    key = VerifierKey(name=name, type=KeyType.COSIGNATURE, public=public)
    signature = sign(_cosigned(text, timestamp))
    return _signed(key, struct.pack(">Q", timestamp) + signature).line()


def parse_note(note: str) -> Note:
    """Raises NoteError."""
    if len(note) > MAX_NOTE_BYTES or _CONTROL.search(note):
        raise NoteError(f"a note has at most {MAX_NOTE_BYTES} characters and no control character")
    before, separator, lines = note.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise NoteError("a note is a text, an empty line, and signature lines ending in a newline")
    signatures = tuple(_parse_line(line) for line in lines[:-1].split("\n"))
    if len(signatures) > MAX_SIGNATURES:
        raise NoteError(f"a note has at most {MAX_SIGNATURES} signatures, not {len(signatures)}")
    text = f"{before}\n"
    _refuse_bad_text(text)
    return Note(text=text, signatures=signatures)


def verify_note(note: str, vkeys: Sequence[VerifierKey]) -> VerifiedNote:
    """Raises NoteError. Which keys must be among `by` is for the caller to ask."""
    parsed = parse_note(note)
    known = {(key.name, key.key_id): key for key in vkeys}
    by = []
    for signature in parsed.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is not None:
            by.append(_verified(parsed.text, key, signature.signature))
    if not by:
        raise NoteError(
            "no known key signed the note: it is signed by "
            f"{_told((by.name, by.key_id) for by in parsed.signatures)}; known are "
            f"{_told(known) or 'none'}"
        )
    return VerifiedNote(text=parsed.text, by=tuple(by))


def _told(keys: Iterable[tuple[str, bytes]]) -> str:
    """Name and id, as a vkey begins: after a key was changed the names alone are the same."""
    return ", ".join(f"{name}+{key_id.hex()}" for name, key_id in keys)


def _verified(text: str, key: VerifierKey, signature: bytes) -> VerifiedBy:
    timestamp = None
    message = text.encode("utf-8")
    if key.type is KeyType.COSIGNATURE:
        if len(signature) < 8:
            raise NoteError(f"the cosignature of {key.name} has no time")
        (timestamp,) = struct.unpack_from(">Q", signature)
        message, signature = _cosigned(text, timestamp), signature[8:]
    try:
        if _has_small_order(signature[:_KEY_SIZE]):
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature as error:
        raise NoteError(f"the signature of {key.name} ({key.key_id.hex()}) is wrong") from error
    return VerifiedBy(key=key, timestamp=timestamp)


def _has_small_order(point: bytes) -> bool:
    return int.from_bytes(point, "little") & (2**255 - 1) in _SMALL_ORDERS


def _cosigned(text: str, timestamp: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def _signed(key: VerifierKey, signature: bytes) -> NoteSignature:
    return NoteSignature(name=key.name, key_id=key.key_id, signature=signature)


def _parse_line(line: str) -> NoteSignature:
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None:
        raise NoteError(f"{line[:60]!r} is not a signature line: em dash, name, base64")
    raw = from_base64(match[2])
    if len(raw) < 5:
        raise NoteError(f"the signature of {match[1]} has {len(raw)} bytes, fewer than 5")
    return NoteSignature(name=match[1], key_id=raw[:4], signature=raw[4:])


def _refuse_bad_text(text: str) -> None:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteError("a note's text ends in a newline and has no other control character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NoteError("a note's text holds a lone surrogate") from error
