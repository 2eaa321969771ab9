"""The evidence bundle `*.ebl.json` and the title statement inside it.

    {"chains"?: [JWS...], "checkpoint": signed note, "document"?: text as received,
     "entries": [...], "statement": JWS, "v": 1}

`chains` are the entries of the chains by which the bill came from other platforms, each once.

An entry is `{"event", "index", "proof", "recordedAt"}`, or, where the reader may not see the event,
`{"digest", "index", "proof", "sequence", "tag"}`. The file is byte-equal to its own RFC 8785 form
and holds nothing that is not signed, hashed, or recomputed and compared.

The statement is a JWS of typ `ebl-title+jws` over {v, origin, bill, status, possessor, titleHolder,
final, heads {stream: {sequence, digest}}, size, root, checkpointDigest, at}. The three members of
control are left out of a partial bundle, whose reader may not know who controls the bill; only then
may the document be missing and entries be placeholders.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from bol_service.crypto import jws, strictjson
from bol_service.crypto.signers import Signer
from bol_service.domain.states import Head
from bol_service.ledger.entry import Entry
from bol_service.ledger.note import NoteError, from_base64, to_base64
from bol_service.wire.event_fields import (
    ClosedSchema,
    Instant,
    StrictInteger,
    Truth,
    digest,
    instant_text,
    party_name,
)

VERSION = 1
STATEMENT_TYP = "ebl-title+jws"
MAX_BUNDLE_BYTES = 20_000_000
MAX_STATEMENT_BYTES = 1_000_000
_COMPACT_JWS = r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"


class BundleError(ValueError):
    """The file is no bundle; the message says where and why."""


class UnknownVersionError(BundleError):
    """A later version: this software cannot say anything about it."""


@dataclass(frozen=True, kw_only=True)
class ShownEntry:
    index: int
    entry: Entry
    proof: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True)
class HiddenEntry:
    """An entry beyond the reader's rights; `digest` is SHA-256 of its entry bytes."""

    index: int
    tag: bytes
    sequence: int
    digest: bytes
    proof: tuple[bytes, ...]


BundleEntry = ShownEntry | HiddenEntry


@dataclass(frozen=True, kw_only=True)
class Bundle:
    document: bytes | None
    entries: tuple[BundleEntry, ...]
    checkpoint: str
    statement: str
    chains: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        value: dict[str, Any] = {
            "checkpoint": self.checkpoint,
            "entries": [_entry_value(entry) for entry in self.entries],
            "statement": self.statement,
            "v": VERSION,
        }
        if self.document is not None:
            value["document"] = self.document.decode("utf-8")
        if self.chains:
            value["chains"] = list(self.chains)
        return strictjson.canonical(value)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What the platform states of a bill at one moment. `control` is None for partial readers."""

    origin: str
    bill: str
    status: str
    control: tuple[str, str | None, bool] | None
    heads: dict[str, Head]
    size: int
    root: bytes
    checkpoint_digest: str
    at: datetime

    @property
    def is_partial(self) -> bool:
        """What the platform signed decides, not what is missing from the file.

        Otherwise anybody could take the document or an act out of a full bundle and pass the rest
        off as a partial one.
        """
        return self.control is None

    def sign(self, signer: Signer) -> str:
        value: dict[str, Any] = {
            "at": instant_text(self.at),
            "bill": self.bill,
            "checkpointDigest": self.checkpoint_digest,
            "heads": {
                stream: {"digest": head.digest, "sequence": head.sequence}
                for stream, head in self.heads.items()
            },
            "origin": self.origin,
            "root": to_base64(self.root),
            "size": self.size,
            "status": self.status,
            "v": VERSION,
        }
        if self.control is not None:
            value["possessor"], value["titleHolder"], value["final"] = self.control
        return jws.sign(strictjson.canonical(value), STATEMENT_TYP, signer)


def checkpoint_digest(note: str) -> str:
    """Lower-hex SHA-256 of the whole note, cosignatures included."""
    return hashlib.sha256(note.encode("utf-8")).hexdigest()


class _EntrySchema(Schema):
    class Meta:
        unknown = RAISE

    index = StrictInteger(required=True)
    proof = fields.List(fields.String(), required=True, validate=validate.Length(max=63))
    event = fields.String()
    recordedAt = fields.String()
    tag = fields.String()
    sequence = StrictInteger()
    digest = fields.String()


class BundleSchema(Schema):
    class Meta:
        unknown = RAISE

    v = StrictInteger(required=True)
    document = fields.String()
    chains = fields.List(
        fields.String(validate=validate.Regexp(rf"{_COMPACT_JWS}\Z")),
        validate=validate.Length(1, 10_000),
    )
    entries = fields.List(
        fields.Nested(_EntrySchema), required=True, validate=validate.Length(1, 100_000)
    )
    checkpoint = fields.String(required=True)
    statement = fields.String(required=True)


class _HeadSchema(ClosedSchema):
    sequence = StrictInteger(required=True)
    digest = digest(required=True)


class StatementSchema(ClosedSchema):
    v = StrictInteger(required=True)
    origin = fields.String(required=True)
    bill = digest(required=True)
    status = fields.String(required=True)
    possessor = party_name()
    title_holder = party_name(data_key="titleHolder", allow_none=True)
    final = Truth()
    heads = fields.Dict(keys=fields.String(), values=fields.Nested(_HeadSchema), required=True)
    size = StrictInteger(required=True)
    root = fields.String(required=True)
    checkpoint_digest = digest(required=True, data_key="checkpointDigest")
    at = Instant(required=True)


def read_bundle(content: bytes) -> Bundle:
    """Raises BundleError; UnknownVersionError for a version this software does not know."""
    if len(content) > MAX_BUNDLE_BYTES:
        raise BundleError(f"the file has {len(content)} bytes, at most {MAX_BUNDLE_BYTES} are read")
    try:
        value = strictjson.loads_event(content)
        if isinstance(value, dict) and value.get("v") not in (VERSION, None):
            raise UnknownVersionError(f"bundle version {value['v']!r} is not known, {VERSION} is")
        if strictjson.canonical(value) != content:
            raise BundleError("the file differs from its own RFC 8785 form")
        loaded = BundleSchema().load(value)  # type: ignore[arg-type]
        entries = tuple(_entry(entry) for entry in loaded["entries"])
    except strictjson.BadJson as error:
        raise BundleError(f"not a bundle: {error}") from None
    except ValidationError as error:
        raise BundleError(f"not a bundle: {error}") from None
    document = loaded.get("document")
    return Bundle(
        document=document.encode("utf-8") if document is not None else None,
        entries=entries,
        checkpoint=loaded["checkpoint"],
        statement=loaded["statement"],
        chains=tuple(loaded.get("chains", ())),
    )


def read_statement(text: str) -> tuple[Statement, jws.ParsedJws]:
    """The statement and its JWS, not yet verified; raises BundleError."""
    try:
        parsed = jws.parse(text, STATEMENT_TYP, max_bytes=MAX_STATEMENT_BYTES)
        value = strictjson.loads_event(parsed.payload)
        if strictjson.canonical(value) != parsed.payload:
            raise BundleError("the statement differs from its own RFC 8785 form")
        loaded = StatementSchema().load(value)  # type: ignore[arg-type]
        root = from_base64(loaded["root"])
    except (jws.BadJws, strictjson.BadJson, NoteError, ValidationError) as error:
        raise BundleError(f"no title statement: {error}") from None
    if loaded["v"] != VERSION:
        raise UnknownVersionError(f"statement version {loaded['v']} is not known, {VERSION} is")
    statement = Statement(
        origin=loaded["origin"],
        bill=loaded["bill"],
        status=loaded["status"],
        control=_control(loaded),
        heads={
            stream: Head(sequence=head["sequence"], digest=head["digest"])
            for stream, head in loaded["heads"].items()
        },
        size=loaded["size"],
        root=root,
        checkpoint_digest=loaded["checkpoint_digest"],
        at=loaded["at"],
    )
    return statement, parsed


def _control(loaded: dict[str, Any]) -> tuple[str, str | None, bool] | None:
    present = {"possessor", "title_holder", "final"} & loaded.keys()
    if not present:
        return None
    if len(present) < 3:
        raise BundleError("the statement names possessor, titleHolder and final, or none of them")
    return loaded["possessor"], loaded["title_holder"], loaded["final"]


def _entry_value(entry: BundleEntry) -> dict[str, Any]:
    proof = [to_base64(item) for item in entry.proof]
    if isinstance(entry, ShownEntry):
        return {
            "event": entry.entry.event,
            "index": entry.index,
            "proof": proof,
            "recordedAt": entry.entry.recorded_at,
        }
    return {
        "digest": entry.digest.hex(),
        "index": entry.index,
        "proof": proof,
        "sequence": entry.sequence,
        "tag": entry.tag.hex(),
    }


def _entry(value: dict[str, Any]) -> BundleEntry:
    try:
        proof = tuple(from_base64(item) for item in value["proof"])
        if value.keys() == {"index", "proof", "event", "recordedAt"}:
            entry = Entry(event=value["event"], recorded_at=value["recordedAt"])
            return ShownEntry(index=value["index"], entry=entry, proof=proof)
        if value.keys() == {"index", "proof", "tag", "sequence", "digest"}:
            return HiddenEntry(
                index=value["index"],
                tag=_bytes32(value["tag"]),
                sequence=value["sequence"],
                digest=_bytes32(value["digest"]),
                proof=proof,
            )
    except (ValueError, NoteError) as error:
        raise BundleError(f"entry {value['index']}: {error}") from None
    raise BundleError(f"entry {value['index']} is neither an event nor a placeholder of one")


def _bytes32(text: str) -> bytes:
    raw = bytes.fromhex(text)
    if len(raw) != 32 or raw.hex() != text:
        raise ValueError(f"{text!r} is not a lower-case hex SHA-256")
    return raw
