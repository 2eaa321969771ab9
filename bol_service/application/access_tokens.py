"""Reading rights: OAuth 2 client credentials with `private_key_jwt` (RFC 6749, RFC 7523).

The assertion is signed with a registered key of the party, lives at most 60 seconds and is used
once. The token is random, lives five minutes, is stored only as a hash, and is dead the moment its
key is revoked or its owner logs out. Tokens read; they never act: every act is a signed event.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bol_service.application.ports import Bearer, Clock, Store
from bol_service.application.rates import Rates
from bol_service.crypto import jws, strictjson
from bol_service.domain.states import PartyState, State
from bol_service.verification.signatures import public_key
from bol_service.wire.event_fields import instant, instant_text

ASSERTION_TYP = "client-authentication+jwt"
ASSERTION_LIFE = timedelta(seconds=60)
CLOCK_TOLERANCE = timedelta(seconds=30)
TOKEN_LIFE = timedelta(minutes=5)
_CLAIMS = {"iss", "sub", "aud", "iat", "exp", "jti"}


class NotAuthenticated(Exception):  # noqa: N818 - says what is the matter
    """The assertion or token does not prove a party; the message says why."""


@dataclass(frozen=True, kw_only=True)
class IssuedToken:
    """`expires_in` is seconds."""

    token: str
    party: str
    expires_in: int


class AccessTokens:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        audience: str,
        rates: Rates,
        is_abroad: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """`is_abroad` tells of a party that is reached through another platform; it reads there,
        where each crossing is a line of the flow log."""
        self._is_abroad = is_abroad
        self._store = store
        self._clock = clock
        self._audience = audience
        self._rates = rates

    def exchange(self, assertion: str) -> IssuedToken:
        """A token for a client assertion; raises NotAuthenticated, and TooMany for a party that has
        proven itself too often."""
        try:
            parsed = jws.parse(assertion, ASSERTION_TYP, max_bytes=4096)
            claims = strictjson.loads_event(parsed.payload)
        except (jws.BadJws, strictjson.BadJson) as error:
            raise NotAuthenticated(str(error)) from None
        now = self._clock.now()
        party, jti = _checked(claims, now, self._audience)
        with self._store.reading() as reading:
            stream = f"party:{party}"
            state, _ = reading.states([stream]).get(stream, (None, None))
            _require_key(state, party, parsed.kid, now)
            row = reading.key(parsed.kid)
        assert row is not None  # _require_key found it in the party's state
        try:
            jws.verify(parsed, public_key(row.jwk))
        except jws.BadSignature as error:
            raise NotAuthenticated(str(error)) from None
        if self._is_abroad(party):
            raise NotAuthenticated(f"{party} is reached through its own platform; read there")
        self._rates.token_for(party)
        return self._issue(party, parsed.kid, jti, now)

    def party_of(self, token: str) -> str:
        """The party whose token this is; raises NotAuthenticated."""
        now = self._clock.now()
        found = self._found(token)
        if instant(found.expires) <= now:
            raise NotAuthenticated(f"the access token expired at {found.expires}; get a new one")
        _require_key(found.state, found.party, found.kid, now)
        return found.party

    def kid_of(self, token: str) -> str:
        """The key that got this token; raises NotAuthenticated."""
        return self._found(token).kid

    def end(self, token: str) -> None:
        """The token reads no more; its assertion stays used. An unknown token changes nothing."""
        self._store.end_token(_hash(token), instant_text(self._clock.now()))

    def _found(self, token: str) -> Bearer:
        found = self._store.bearer(_hash(token))
        if found is None:
            raise NotAuthenticated("the access token is unknown; get a new one")
        return found

    def _issue(self, party: str, kid: str, jti: str, now: datetime) -> IssuedToken:
        token = secrets.token_urlsafe(32)
        expires = instant_text(now + TOKEN_LIFE)
        # Rows are kept until the assertion they came from could no longer be replayed.
        self._store.forget_tokens(instant_text(now - TOKEN_LIFE))
        if not self._store.add_token(_hash(token), party, kid, jti, expires):
            raise NotAuthenticated(f"the assertion {jti} was used before; make a new one")
        return IssuedToken(token=token, party=party, expires_in=int(TOKEN_LIFE.total_seconds()))


def _checked(claims: Any, now: datetime, audience: str) -> tuple[str, str]:
    """The party and the jti of sound claims; raises NotAuthenticated."""
    if not isinstance(claims, dict) or claims.keys() != _CLAIMS:
        raise NotAuthenticated(f"the assertion has exactly the claims {sorted(_CLAIMS)}")
    issuer, subject, jti = claims["iss"], claims["sub"], claims["jti"]
    if not isinstance(issuer, str) or issuer != subject:
        raise NotAuthenticated(f"iss {issuer!r} and sub {subject!r} are both the party's slug")
    if claims["aud"] != audience:
        raise NotAuthenticated(f"aud is {claims['aud']!r}, this is {audience!r}")
    if not isinstance(jti, str) or not 16 <= len(jti) <= 100:
        raise NotAuthenticated("jti is 16 to 100 characters, new each time")
    issued, expires = claims["iat"], claims["exp"]
    if type(issued) is not int or type(expires) is not int:
        raise NotAuthenticated("iat and exp are whole seconds since 1970")
    seconds = now.timestamp()
    if not 0 < expires - issued <= ASSERTION_LIFE.total_seconds():
        raise NotAuthenticated(f"exp lies {expires - issued} s after iat, 1 to 60 are allowed")
    tolerance = CLOCK_TOLERANCE.total_seconds()
    if not issued - tolerance <= seconds < expires + tolerance:
        raise NotAuthenticated(
            f"the assertion is valid from {issued} to {expires}, it is {int(seconds)}; check your "
            "clock"
        )
    return issuer, jti


def _require_key(state: State | None, party: str, kid: str, now: datetime) -> None:
    key = state.key(kid) if isinstance(state, PartyState) else None
    if key is None or not key.counts_at(now):
        raise NotAuthenticated(f"{kid} is no valid key of {party}")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
