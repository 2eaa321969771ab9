"""From the compact JWS of a party to the event that the law judges.

`decode` takes the text through these steps and refuses at the first that fails:

1. the JWS header is exactly alg, kid and typ: `ebl-event+jws` for the act of a party,
   `ebl-platform+jws` for what the platform records of an exchange;
2. the payload is strict JSON (no floats), NFC text without control or bidi characters, and
   byte-equal to its own RFC 8785 form;
3. version and action are known; an unknown one is `NotUnderstood`, which a verifier reports as
   CANNOT SAY, never as invalid;
4. envelope and details fit their schemas, the stream fits the action;
5. signatures inside it that prove themselves (a new key's proof) verify.

What still needs a registered key is returned beside the event in `signatures`: the event's own JWS,
and for ISSUE the carrier's DCSA issuance manifest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from marshmallow import ValidationError

from bol_service.crypto import base64url, jws, strictjson, text
from bol_service.crypto.keys import PublicKey
from bol_service.domain import errors, events, identifiers
from bol_service.domain.events import Action, Event, NewKey
from bol_service.domain.values import made
from bol_service.wire import compiled_schemas
from bol_service.wire.event_fields import ClosedSchema
from bol_service.wire.event_forms import EVENT_TYP, PLATFORM_TYP, Form, forms
from bol_service.wire.event_schemas import Envelope, IssuanceManifestSchema

__all__ = [
    "EVENT_TYP",
    "MAX_EVENT_BYTES",
    "PLATFORM_TYP",
    "PROOF_TYP",
    "VERSION",
    "NotUnderstood",
    "SignedEvent",
    "decode",
    "issue_to_checksum",
    "key_proof_payload",
]

PROOF_TYP = "ebl-key-proof+jws"
MAX_EVENT_BYTES = 60_000
MAX_PLATFORM_EVENT_BYTES = 1_500_000
"""What the exchange desk records holds whole answers of other platforms, and long chains."""
_LONGEST_HEADER = 1024  # what is longer is no header of ours, and is not worth remembering
VERSION = 1


class NotUnderstood(errors.BadEvent):
    """A version or action that this software does not know: neither valid nor invalid.

    `place` is the stream and sequence that it names, if it names them as version 1 does.
    """

    def __init__(self, message: str, *, pointer: str, value: dict[str, Any]) -> None:
        super().__init__(message, pointer=pointer)
        stream, sequence = value.get("stream"), value.get("sequence")
        self.place: tuple[str, int] | None = None
        if isinstance(stream, str) and type(sequence) is int and sequence >= 0:
            self.place = stream, sequence


@dataclass(frozen=True, kw_only=True)
class SignedEvent:
    """A well-formed event and the signatures that registered keys of its actor must verify.

    `payload_digest` is lower-hex SHA-256 of the payload: the same act, however it was signed again.
    """

    event: Event
    parsed: jws.ParsedJws
    signatures: tuple[jws.ParsedJws, ...]
    payload_digest: str


def decode(compact: str) -> SignedEvent:
    """Read one event.

    Raises:
        NotUnderstood: Unknown version or action.
        errors.BadEvent: Not well formed; `pointer` names the member.
        errors.BadSignature: A proof inside the event does not verify.
    """
    typ = _typ(compact[:_LONGEST_HEADER].partition(".")[0])
    most = MAX_PLATFORM_EVENT_BYTES if typ == PLATFORM_TYP else MAX_EVENT_BYTES
    try:
        parsed = jws.parse(compact, typ, max_bytes=most)
    except jws.BadJws as error:
        raise errors.BadEvent(str(error)) from None
    value = _payload(parsed.payload)
    event, inner = _event(value, typ)
    return made(
        SignedEvent,
        event=event,
        parsed=parsed,
        signatures=(parsed, *inner),
        payload_digest=hashlib.sha256(parsed.payload).hexdigest(),
    )


@lru_cache(maxsize=4096)
def _typ(header: str) -> str:
    """Which of the two kinds of event a header announces; `jws.parse` then holds it to that."""
    try:
        announced = PLATFORM_TYP.encode() in base64url.decode(header)
    except ValueError:
        announced = False
    return PLATFORM_TYP if announced else EVENT_TYP


def key_proof_payload(
    *, origin: str, party: str, key: PublicKey, identity: dict[str, Any] | None
) -> bytes:
    """What the new key signs, detached, to prove that its party holds it."""
    value: dict[str, Any] = {"key": key.to_jwk(), "origin": origin, "party": party, "v": VERSION}
    if identity is not None:
        value["identity"] = identity
    return strictjson.canonical(value)


def issue_to_checksum(issue_to_party: dict[str, Any]) -> str:
    """DCSA `issueToChecksum`: lower-hex SHA-256 of the RFC 8785 form."""
    return hashlib.sha256(strictjson.canonical(issue_to_party)).hexdigest()


def _payload(payload: bytes) -> dict[str, Any]:
    plain = strictjson.plain_event(payload)
    if plain is not None:
        return plain
    try:
        value = strictjson.loads_event(payload)
        text.check_strings(value)
        if not isinstance(value, dict):
            raise errors.BadEvent("the payload is not a JSON object", pointer="")
        if strictjson.canonical(value) != payload:
            raise errors.BadEvent("the payload differs from its own RFC 8785 form", pointer="")
    except strictjson.BadJson as error:
        raise errors.BadEvent(str(error), pointer=error.pointer) from None
    except ValueError as error:
        raise errors.BadEvent(str(error)) from None
    return value


def _event(value: dict[str, Any], typ: str) -> tuple[Event, tuple[jws.ParsedJws, ...]]:
    if value.get("v") != VERSION:
        raise NotUnderstood(
            f"version {value.get('v')!r} is not {VERSION}", pointer="/v", value=value
        )
    named = value.get("action")
    form = forms().get(named) if isinstance(named, str) else None
    if form is None:
        raise NotUnderstood(f"action {named!r} is not known", pointer="/action", value=value)
    envelope = _loaded(Envelope, value, "")
    details = _loaded(form.details, envelope.pop("details"), "/details")
    del envelope["v"], envelope["action"]
    if form.has_recipient != ("recipient" in envelope):
        wanted = "needs" if form.has_recipient else "has no"
        raise errors.BadEvent(f"{form.action} {wanted} recipient", pointer="/recipient")
    _check_stream(form, envelope["stream"])
    inner: tuple[jws.ParsedJws, ...] = ()
    if details:
        details, inner = _read_on(form.action, details, envelope, value["details"])
        envelope.update(details)
    event = form.made(envelope)
    if form.typ != typ:
        raise errors.BadEvent(f"{event.action} cannot be signed as {typ}", pointer="/action")
    return event, inner


def _read_on(
    action: Action, details: dict[str, Any], envelope: dict[str, Any], raw: dict[str, Any]
) -> tuple[dict[str, Any], tuple[jws.ParsedJws, ...]]:
    """Members of `details` that say more than one value does, and the signatures among them."""
    inner: tuple[jws.ParsedJws, ...] = ()
    if "key_proof" in details:
        details = _with_proven_key(details, envelope, raw)
    if action is Action.REGISTER:
        details["roles"] = frozenset(details["roles"])
    if action is Action.ISSUE:
        details, inner = _with_manifest(details)
    if action is Action.GATE_OUT:
        code = details.pop("code")
        details["code_digest"] = hashlib.sha256(code.encode("ascii")).hexdigest()
    if action in (Action.MOVED, Action.NOT_MOVED):
        details["answer"] = _peer_answer(details["answer"])
    return details, inner


def _loaded(schema: type[ClosedSchema], value: object, pointer: str) -> dict[str, Any]:
    loaded: dict[str, Any] = compiled_schemas.read(schema, value)
    if loaded is not compiled_schemas.REFUSED:
        return loaded
    try:
        loaded = _schema(schema).load(value)  # type: ignore[arg-type]
    except ValidationError as error:
        place, message = next(_messages(error.messages, pointer))
        raise errors.BadEvent(message, pointer=place) from None
    return loaded


@cache
def _schema(schema: type[ClosedSchema]) -> ClosedSchema:
    return schema()


def _messages(messages: object, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(messages, dict):
        for name, inner in messages.items():
            step = "" if name == "_schema" else f"/{name}"
            yield from _messages(inner, pointer + step)
    elif isinstance(messages, list):
        yield pointer, f"{pointer.rpartition('/')[2] or 'the event'}: {messages[0]}"


def _check_stream(form: Form, stream: str) -> None:
    try:
        parsed = identifiers.parse_stream(stream)
    except ValueError as error:
        raise errors.BadEvent(str(error), pointer="/stream") from None
    if parsed.kind is not form.stream:
        raise errors.BadEvent(
            f"{form.action} belongs on a {form.stream} stream, {stream} was named",
            pointer="/stream",
        )


def _with_proven_key(
    details: dict[str, Any], envelope: dict[str, Any], raw: dict[str, Any]
) -> dict[str, Any]:
    key: PublicKey = details.pop("key")
    payload = key_proof_payload(
        origin=envelope["audience"],
        party=envelope["stream"].removeprefix("party:"),
        key=key,
        identity=raw.get("identity"),
    )
    try:
        proof = jws.parse_detached(details.pop("key_proof"), payload, PROOF_TYP)
        jws.verify(proof, key)
    except jws.BadJws as error:
        raise errors.BadEvent(str(error), pointer="/details/keyProof") from None
    except jws.BadSignature as error:
        raise errors.BadSignature(str(error), pointer="/details/keyProof") from None
    new_key = NewKey(
        kid=key.kid,
        alg=str(key.alg),
        jwk=strictjson.canonical(key.to_jwk()).decode("ascii"),
        valid_from=details.pop("valid_from", None),
        valid_until=details.pop("valid_until", None),
    )
    return {**details, "key": new_key}


def _peer_answer(compact: str) -> events.PeerAnswer:
    """What another platform signed; by which key, only a pin outside the ledger can tell."""
    # Only bills that crossed the border need it, and `bol verify` has to start fast.
    from bol_service.crypto import peer_jws
    from bol_service.wire.pint_answers import read_finished_response
    from bol_service.wire.pint_forms import PintFormatError

    try:
        response = read_finished_response(peer_jws.parse(compact).value)
    except (jws.BadJws, PintFormatError) as error:
        raise errors.BadEvent(str(error), pointer="/details/answer") from None
    return events.PeerAnswer(code=str(response.code), last_entry=response.last_checksum)


def _with_manifest(details: dict[str, Any]) -> tuple[dict[str, Any], tuple[jws.ParsedJws, ...]]:
    """DCSA manifests carry no typ and need not be canonical (dcsa A.6)."""
    pointer = "/details/issuanceManifestSignedContent"
    try:
        parsed = jws.parse(details.pop("manifest"), None)
        value = strictjson.loads_event(parsed.payload)
    except (jws.BadJws, strictjson.BadJson) as error:
        raise errors.BadEvent(str(error), pointer=pointer) from None
    loaded = _loaded(IssuanceManifestSchema, value, pointer)
    manifest = events.IssuanceManifest(kid=parsed.kid, **loaded)
    issue_to_party = details.pop("issue_to_party")
    try:
        identifiers.check_shipment(details["shipment"])
    except ValueError as error:
        raise errors.BadEvent(str(error), pointer="/details/shipment") from None
    merged = {
        **details,
        "manifest": manifest,
        "issue_to_checksum": issue_to_checksum(issue_to_party),
    }
    return merged, (parsed,)
