"""Applications for registration: what a new party's browser hands in, until the operator decides.

1. An application is the registration file of `bol keys proof --identity`: party, identity, key and
   the key's own proof. Its id is the SHA-256 of its RFC 8785 form: sent twice, it is kept once.
2. It is kept only if its proof verifies for this ledger and neither the name nor the key is
   registered. Who somebody is, no proof tells: that the operator finds out by its own means.
3. Accepting it is the operator's REGISTER, an entry of the ledger as ever. A refusal is no entry,
   since nothing came to be: it is a text signed with the operator's key, shown to the applicant.
4. Anybody can apply, so little is kept: of one size, so many at once, for so many days.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

from marshmallow import ValidationError

from bol_service.application.platform_guard import identity_claims
from bol_service.application.ports import Clock, Reading, Store
from bol_service.crypto import jws, strictjson, text
from bol_service.crypto.keys import PublicKey
from bol_service.domain import errors, identifiers
from bol_service.domain.events import Action, Role
from bol_service.domain.party import check_identity
from bol_service.domain.states import OPERATOR, PartyState
from bol_service.verification.signatures import public_key
from bol_service.wire.event_fields import instant, instant_text
from bol_service.wire.event_schemas import details_schema
from bol_service.wire.events import PROOF_TYP, key_proof_payload

REFUSAL_TYP: Final = "ebl-registration-refusal+jws"
MAX_BYTES: Final = 8192
MOST: Final = 500
KEPT_FOR: Final = timedelta(days=30)
_MAX_REASON: Final = 500
_MEMBERS: Final = {"party", "identity", "key", "keyProof"}
_REFUSAL_MEMBERS: Final = {"application", "at", "origin", "party", "reason", "v"}

Json = dict[str, Any]


class BadApplication(ValueError):  # noqa: N818 - says what is the matter
    """It is not kept; the message says why and what to do."""


class Standing(StrEnum):
    WAITING = "WAITING"
    REGISTERED = "REGISTERED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, kw_only=True)
class Application:
    """`asked` is what was handed in; `refusal` the operator's compact JWS."""

    id: str
    party: str
    kid: str
    asked: Json
    at: str
    refusal: str | None = None


@dataclass(frozen=True, kw_only=True)
class Judged:
    """An application, where it stands, and who already owns what it claims (by what)."""

    application: Application
    standing: Standing
    reason: str | None = None
    taken: Sequence[tuple[str, str]] = ()


class ApplicationBook(Protocol):
    def add(self, application: Application, *, most: int) -> bool:
        """Keep it, unless it is there; False if `most` others are."""
        ...

    def get(self, application: str) -> Application | None: ...

    def all(self) -> list[Application]:
        """The oldest first."""
        ...

    def refuse(self, application: str, refusal: str) -> bool:
        """False if it is not there or was refused before."""
        ...

    def forget(self, before: str) -> None: ...


class Registrations:
    def __init__(self, store: Store, book: ApplicationBook, clock: Clock, origin: str) -> None:
        self._store = store
        self._book = book
        self._clock = clock
        self._origin = origin

    def apply(self, content: bytes) -> Application:
        """Keep an application; raises BadApplication."""
        asked = _read(content)
        party, key = asked["party"], _proven(asked, self._origin)
        now = self._clock.now()
        found = Application(
            id=hashlib.sha256(strictjson.canonical(asked)).hexdigest(),
            party=party,
            kid=key.kid,
            asked=asked,
            at=instant_text(now),
        )
        with self._store.reading() as reading:
            if _party(reading, party) is not None:
                raise BadApplication(
                    f"{party} is registered already; choose another name, or have its own party "
                    "add your key"
                )
            if reading.key(key.kid) is not None:
                raise BadApplication(f"the key {key.kid} is registered already; make a new one")
        self._book.forget(instant_text(now - KEPT_FOR))
        if not self._book.add(found, most=MOST):
            raise BadApplication(
                f"{MOST} applications wait already; send your file to the operator instead"
            )
        return found

    def all(self) -> list[Judged]:
        """Those that wait come first, the oldest of them at the top."""
        oldest = instant_text(self._clock.now() - KEPT_FOR)
        with self._store.reading() as reading:
            found = [_judged(reading, one) for one in self._book.all() if one.at >= oldest]
        return sorted(found, key=lambda one: one.standing is not Standing.WAITING)

    def one(self, application: str) -> Judged:
        """Raises errors.NotFound."""
        found = self._book.get(application)
        if found is None or found.at < instant_text(self._clock.now() - KEPT_FOR):
            raise errors.NotFound(f"application {application} is unknown")
        with self._store.reading() as reading:
            return _judged(reading, found)

    def refuse(self, application: str, compact: str) -> None:
        """Keep the operator's signed refusal.

        Raises:
            errors.NotFound: There is no such application that waits.
            BadApplication: The refusal is not one, or not signed by the operator.
        """
        found = self.one(application)
        if found.standing is not Standing.WAITING:
            raise errors.NotFound(f"application {application} does not wait any more")
        with self._store.reading() as reading:
            _require_refusal(reading, compact, found.application, self._origin, self._clock)
        if not self._book.refuse(application, compact):
            raise errors.NotFound(f"application {application} does not wait any more")


def refusal_payload(application: Application, origin: str, at: str, reason: str) -> Json:
    """What the operator signs, as RFC 8785, to refuse an application."""
    return {
        "application": application.id,
        "at": at,
        "origin": origin,
        "party": application.party,
        "reason": reason,
        "v": 1,
    }


# -- reading -------------------------------------------------------------------------------------


def _read(content: bytes) -> Json:
    if len(content) > MAX_BYTES:
        raise BadApplication(f"the file has {len(content)} bytes; at most {MAX_BYTES} are taken")
    try:
        value = strictjson.loads_event(content)
        text.check_strings(value)
    except ValueError as error:
        raise BadApplication(f"this is no registration file: {error}") from None
    if not isinstance(value, dict) or value.keys() != _MEMBERS:
        raise BadApplication(f"a registration file has exactly the members {sorted(_MEMBERS)}")
    try:
        identifiers.parse_stream(f"party:{value['party']}")
    except ValueError as error:
        raise BadApplication(str(error)) from None
    return value


def _proven(asked: Json, origin: str) -> PublicKey:
    """The key, if it has signed this identity and name for this ledger; raises BadApplication."""
    details = {name: asked[name] for name in ("identity", "key", "keyProof")}
    try:
        # A role is the operator's to give; the form of an entry only asks for one.
        loaded = details_schema(Action.REGISTER)().load({**details, "roles": [Role.CONSIGNEE]})
        key: PublicKey = loaded["key"]
        payload = key_proof_payload(
            origin=origin, party=asked["party"], key=key, identity=asked["identity"]
        )
        jws.verify(jws.parse_detached(loaded["key_proof"], payload, PROOF_TYP), key)
        check_identity(loaded["identity"])
    except errors.BadEvent as error:
        raise BadApplication(error.message) from None
    except (ValidationError, jws.BadJws, jws.BadSignature) as error:
        raise BadApplication(
            f"the proof does not fit: {error}; prepare the file again on this platform"
        ) from None
    return key


def _judged(reading: Reading, application: Application) -> Judged:
    holder = reading.key(application.kid)
    if holder is not None and holder.party == application.party:
        return Judged(application=application, standing=Standing.REGISTERED)
    taken = _taken(reading, application)
    if application.refusal is None:
        return Judged(application=application, standing=Standing.WAITING, taken=taken)
    told: Any = strictjson.loads_event(jws.parse(application.refusal, REFUSAL_TYP).payload)
    return Judged(
        application=application, standing=Standing.REFUSED, reason=told["reason"], taken=taken
    )


def _taken(reading: Reading, application: Application) -> list[tuple[str, str]]:
    """What it claims and who has it: its name, its key, its legal identifiers."""
    found = []
    if _party(reading, application.party) is not None:
        found.append((application.party, application.party))
    key = reading.key(application.kid)
    if key is not None:
        found.append((application.kid, key.party))
    loaded = details_schema(Action.REGISTER)(only=("identity",)).load(
        {"identity": application.asked["identity"]}
    )
    for claim in identity_claims(loaded["identity"]):
        owner = reading.claim_owner(claim)
        if owner is not None:
            found.append((claim.value, owner.removeprefix("party:")))
    return found


def _party(reading: Reading, slug: str) -> PartyState | None:
    stream = f"party:{slug}"
    state, _ = reading.states([stream]).get(stream, (None, None))
    return state if isinstance(state, PartyState) else None


def _require_refusal(
    reading: Reading, compact: str, application: Application, origin: str, clock: Clock
) -> None:
    try:
        parsed = jws.parse(compact, REFUSAL_TYP, max_bytes=MAX_BYTES)
        told: Any = strictjson.loads_event(parsed.payload)
        text.check_strings(told)
        instant(told["at"])
    except (ValueError, TypeError, KeyError) as error:
        raise BadApplication(f"this is no refusal: {error}") from None
    if not isinstance(told, dict) or told.keys() != _REFUSAL_MEMBERS:
        raise BadApplication(f"a refusal has exactly the members {sorted(_REFUSAL_MEMBERS)}")
    reason = told["reason"]
    if not isinstance(reason, str) or not 0 < len(reason) <= _MAX_REASON:
        raise BadApplication(f"a refusal has a reason of 1 to {_MAX_REASON} characters")
    wanted = refusal_payload(application, origin, told["at"], reason)
    if strictjson.canonical(wanted) != parsed.payload:
        raise BadApplication(
            f"the refusal is not about application {application.id} of {application.party}"
        )
    operator, now = _party(reading, OPERATOR), clock.now()
    key = operator.key(parsed.kid) if operator is not None else None
    if key is None or not key.counts_at(now):
        raise BadApplication(f"{parsed.kid} is no valid key of {OPERATOR}; only it can refuse")
    try:
        jws.verify(parsed, public_key(key.jwk))
    except jws.BadSignature as error:
        raise BadApplication(str(error)) from None
