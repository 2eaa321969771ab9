"""Selective disclosure of a transport document: SD-JWT (RFC 9901), one profile of it.

    <issuer-signed JWT> "~" <disclosure> "~" ... <disclosure> "~"

1. The issuer-signed JWT is a compact JWS of typ `ebl-disclosure+sd-jwt`, signed by the carrier; its
   payload is canonical. What identifies the bill, and where to ask whether it is still current,
   stands in plain claims that nobody can leave out.
2. Each piece of the document (`field_classes.units`) is one disclosure: base64url of the canonical
   array [salt, JSON pointer, value], the salt 16 random bytes. `_sd` holds the SHA-256 of their
   ASCII text in ascending order, so that the order tells nothing.
3. ISSUE.details.disclosure is the SHA-256 of the issuer-signed JWT.
4. A full file has every disclosure, in the order of `_sd`: one commitment has one full file. A
   presentation has some of them, in the same order, byte for byte.

Of the standard's choices one is taken each: SHA-256, no nested `_sd`, no array elements `{"...":}`,
no decoys, no key binding (a file goes to whoever the holder sends it to, and proves no possession).
`parse` refuses everything else before any key is looked up. It knows nothing of who may sign.
`disclosure_making` writes the files, `disclosure_selection` chooses what is shown.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from marshmallow import ValidationError, fields, validate

from bol_service.crypto import base64url, jws, strictjson
from bol_service.domain.classification import FieldClass
from bol_service.wire.event_fields import ClosedSchema, Instant, StrictInteger, digest
from bol_service.wire.event_fields import slug as slug_field
from bol_service.wire.field_classes import is_at_or_below, units
from bol_service.wire.json_pointer import NoSuchPlace, assembled

TYP: Final = "ebl-disclosure+sd-jwt"
MEDIA_TYPE: Final = "application/sd-jwt"
VERSION: Final = 1
HASH: Final = "sha-256"
MAX_BYTES: Final = 4_000_000
MAX_JWT_BYTES: Final = 1_000_000
SALT_BYTES: Final = 16
RESERVED: Final = ("_sd", "_sd_alg", "...")
# Where to ask is an address of the very bill: this, then the bill.
STATUS_AT_FORM: Final = r"https?://[^\s?#]+/v1/bills/"
# No piece of a document stands deeper than JSON is read.
_POINTER: Final = re.compile(rf"(/([^~/]|~[01])*){{1,{strictjson.MAX_DOCUMENT_DEPTH}}}")


class BadDisclosure(ValueError):  # noqa: N818 - named by what is bad
    """The text is no disclosure file of this profile; the message says where and why."""


class UnknownVersion(BadDisclosure):
    """A later version: this software cannot say anything about it."""


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What is visible in every presentation. `status_at` is where to ask if it is current."""

    bill: str
    reference: str
    carrier: str
    carrier_code: str
    carrier_code_list_provider: str
    origin: str
    issued_at: datetime
    status_at: str


@dataclass(frozen=True, kw_only=True)
class Disclosed:
    """One disclosed piece: the value at `pointer`; `text` is the disclosure as in the file."""

    pointer: str
    value: object
    text: str

    @property
    def digest(self) -> str:
        return _digest_of(self.text)


@dataclass(frozen=True, kw_only=True)
class Presentation:
    """A well-formed file, its signature not verified. Made by `parse`."""

    signed: jws.ParsedJws
    claims: Claims
    committed: tuple[str, ...]
    disclosed: tuple[Disclosed, ...]

    @property
    def digest(self) -> str:
        """What ISSUE names: SHA-256 of the issuer-signed JWT, lower-case hex."""
        return self.signed.digest

    @property
    def hidden(self) -> int:
        """How many pieces were committed to and are not in this file."""
        return len(self.committed) - len(self.disclosed)

    def to_text(self) -> str:
        return to_text(self.signed.text, self.disclosed)

    def only(self, wanted: Callable[[Disclosed], bool]) -> Presentation:
        """The same commitment with fewer disclosures."""
        kept = tuple(piece for piece in self.disclosed if wanted(piece))
        return Presentation(
            signed=self.signed, claims=self.claims, committed=self.committed, disclosed=kept
        )

    def with_classes(self) -> list[tuple[Disclosed, FieldClass]]:
        """The disclosures of a full file with the class that each piece of its document has."""
        kinds = {unit.pointer: unit.kind for unit in units(self.document())}
        unknown = FieldClass.UNCLASSIFIED
        return [(piece, kinds.get(piece.pointer, unknown)) for piece in self.disclosed]

    def document(self) -> object:
        """What the disclosed pieces make together; the document itself for a full file.

        Raises BadDisclosure if they do not fit together.
        """
        try:
            return assembled((piece.pointer, piece.value) for piece in self.disclosed)
        except NoSuchPlace as error:
            raise BadDisclosure(str(error)) from None


class ClaimsSchema(ClosedSchema):
    v = StrictInteger(required=True)
    bill = digest(required=True)
    reference = fields.String(required=True, data_key="transportDocumentReference")
    carrier = slug_field(required=True)
    carrier_code = fields.String(required=True, data_key="carrierCode")
    carrier_code_list_provider = fields.String(required=True, data_key="carrierCodeListProvider")
    origin = fields.String(required=True)
    issued_at = Instant(required=True, data_key="issuedAt")
    status_at = fields.String(required=True, data_key="statusAt")
    digests = fields.List(
        fields.String(), required=True, data_key="_sd", validate=validate.Length(1, 100_000)
    )
    algorithm = fields.String(required=True, data_key="_sd_alg", validate=validate.Equal(HASH))


# -- reading -------------------------------------------------------------------------------------


def parse(text: str) -> Presentation:
    """Raises BadDisclosure unless every byte is as this profile writes it."""
    if len(text) > MAX_BYTES:
        raise BadDisclosure(f"the file has {len(text)} characters, at most {MAX_BYTES} are read")
    signed, *parts = text.split("~")
    if not parts:
        raise BadDisclosure("the file is a JWT alone; a disclosure file has ~ after each part")
    if parts.pop():
        raise BadDisclosure("something follows the last ~; key binding is not taken")
    try:
        parsed = jws.parse(signed, TYP, max_bytes=MAX_JWT_BYTES)
    except jws.BadJws as error:
        raise BadDisclosure(f"the issuer-signed JWT is refused: {error}") from None
    claims, committed = _claims(parsed.payload)
    disclosed = tuple(_disclosed(number, part) for number, part in enumerate(parts))
    _require_set(disclosed, committed)
    return Presentation(signed=parsed, claims=claims, committed=committed, disclosed=disclosed)


def parse_full(text: str) -> Presentation:
    """Raises BadDisclosure unless the file has every disclosure and they make a document whose
    checksum is the bill that it names."""
    found = parse(text)
    if found.hidden:
        raise BadDisclosure(
            f"{found.hidden} of {len(found.committed)} disclosures are missing; keep the full file"
        )
    document = found.document()
    try:
        checksum = hashlib.sha256(strictjson.canonical(document)).hexdigest()
    except strictjson.BadJson as error:
        raise BadDisclosure(f"the pieces make no document: {error}") from None
    if checksum != found.claims.bill:
        raise BadDisclosure(f"the pieces make the document {checksum}, not {found.claims.bill}")
    _require_own_claims(found.claims, document)
    expected = [unit.pointer for unit in units(document)]
    if sorted(expected) != sorted(piece.pointer for piece in found.disclosed):
        raise BadDisclosure("the document is not cut where this profile cuts it")
    return found


def _require_own_claims(claims: Claims, document: object) -> None:
    claimed = {
        "transportDocumentReference": claims.reference,
        "carrierCode": claims.carrier_code,
        "carrierCodeListProvider": claims.carrier_code_list_provider,
    }
    stated = document if isinstance(document, dict) else {}
    for name, claim in claimed.items():
        if stated.get(name) != claim:
            raise BadDisclosure(f"{name} is claimed as {claim!r}, not {stated.get(name)!r}")


def _claims(payload: bytes) -> tuple[Claims, tuple[str, ...]]:
    try:
        value = strictjson.loads_event(payload)
        if strictjson.canonical(value) != payload:
            raise BadDisclosure("the payload differs from its own RFC 8785 form")
        if isinstance(value, dict) and value.get("v") not in (VERSION, None):
            raise UnknownVersion(f"version {value['v']!r} is not known, {VERSION} is")
        loaded = ClaimsSchema().load(value)  # type: ignore[arg-type]
    except (strictjson.BadJson, ValidationError) as error:
        raise BadDisclosure(f"the payload is refused: {error}") from None
    digests = tuple(loaded.pop("digests"))
    _require_digests(digests)
    claims = Claims(**{name: loaded[name] for name in Claims.__dataclass_fields__})
    if not re.fullmatch(rf"{STATUS_AT_FORM}{claims.bill}", claims.status_at):
        raise BadDisclosure(f"statusAt {claims.status_at!r} is no address of bill {claims.bill}")
    return claims, digests


def _require_digests(digests: tuple[str, ...]) -> None:
    for found in digests:
        if not re.fullmatch(r"[A-Za-z0-9_-]{43}", found):
            raise BadDisclosure(f"{found!r} in _sd is not a SHA-256 in base64url")
    if any(after <= before for before, after in pairwise(digests)):
        raise BadDisclosure("_sd is not in ascending order, or holds a digest twice")


def _disclosed(number: int, text: str) -> Disclosed:
    where = f"disclosure {number}"
    try:
        raw = base64url.decode(text)
        value = strictjson.loads_document(raw)
        if strictjson.canonical(value) != raw:
            raise BadDisclosure(f"{where} differs from its own RFC 8785 form")
    except BadDisclosure:
        raise
    except ValueError as error:
        raise BadDisclosure(f"{where} is refused: {error}") from None
    if not isinstance(value, list) or len(value) != 3:
        raise BadDisclosure(f"{where} is not an array of salt, name and value")
    salt, name, inner = value
    if not isinstance(salt, str) or not _is_salt(salt):
        raise BadDisclosure(f"{where} has no salt of {SALT_BYTES} bytes in base64url")
    if not isinstance(name, str) or not _POINTER.fullmatch(name):
        raise BadDisclosure(f"{where} is named {name!r}, which is no JSON pointer to a member")
    refuse_reserved(inner, where)
    return Disclosed(pointer=name, value=inner, text=text)


def _is_salt(salt: str) -> bool:
    try:
        return len(base64url.decode(salt)) == SALT_BYTES
    except ValueError:
        return False


def _require_set(disclosed: tuple[Disclosed, ...], committed: tuple[str, ...]) -> None:
    """Each was committed to, none comes twice, none stands inside another, all are in order."""
    known = frozenset(committed)
    for piece in disclosed:
        if piece.digest not in known:
            raise BadDisclosure(f"{piece.pointer} is no disclosure that the carrier committed to")
    digests = [piece.digest for piece in disclosed]
    if any(after <= before for before, after in pairwise(digests)):
        raise BadDisclosure("the disclosures are not in the order of _sd, or one comes twice")
    if len({_salt(piece) for piece in disclosed}) != len(disclosed):
        raise BadDisclosure("two disclosures share a salt")
    pointers = sorted((piece.pointer for piece in disclosed), key=lambda text: text.split("/"))
    for before, after in pairwise(pointers):
        if is_at_or_below(after, before):
            raise BadDisclosure(f"{after} is disclosed twice, the first time with {before}")


def _salt(piece: Disclosed) -> object:
    value = strictjson.loads_document(base64url.decode(piece.text))
    assert isinstance(value, list)
    return value[0]


def refuse_reserved(value: object, where: str) -> None:
    """No name that the standard gives a meaning of its own, at any depth."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            reserved = next((name for name in RESERVED if name in found), None)
            if reserved is not None:
                raise BadDisclosure(f"{where} has a member {reserved!r}, which SD-JWT reserves")
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found


def _digest_of(text: str) -> str:
    return base64url.encode(hashlib.sha256(text.encode("ascii")).digest())


def to_text(signed: str, pieces: Iterable[Disclosed]) -> str:
    return "".join(f"{part}~" for part in (signed, *(piece.text for piece in pieces)))
