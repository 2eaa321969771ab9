"""Checking the signatures of an event against registered keys.

One function for the server, the audit and the offline verifier: they differ only in where a key
comes from. Whether a key may still sign is not asked here but by the law, at its place in the log.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from bol_service.crypto import jws, strictjson
from bol_service.crypto.keys import PublicKey
from bol_service.domain import errors
from bol_service.domain.events import Register
from bol_service.domain.states import OPERATOR
from bol_service.wire.events import SignedEvent

KeyOf = Callable[[str], PublicKey | None]


def verify(signed: SignedEvent, key_of: KeyOf) -> None:
    """Check every signature of `signed`; `key_of` finds a registered key by its kid.

    Raises:
        errors.BadSignature: A key is not registered, or a signature does not verify.
    """
    for parsed in signed.signatures:
        key = key_of(parsed.kid) or _own_key(signed, parsed.kid)
        if key is None:
            raise errors.BadSignature(f"no key {parsed.kid} is registered", pointer="/kid")
        try:
            jws.verify(parsed, key)
        except jws.BadSignature as error:
            raise errors.BadSignature(str(error)) from None


@lru_cache(maxsize=4096)
def public_key(jwk: str) -> PublicKey:
    """The key that a state or a row keeps as JWK text.

    Reading an Ed25519 point costs more than verifying with it, so keys are kept.
    """
    return PublicKey.from_jwk(strictjson.loads_event(jwk.encode("ascii")))


def _own_key(signed: SignedEvent, kid: str) -> PublicKey | None:
    """The operator's registration of itself is signed with the key that it registers."""
    event = signed.event
    if isinstance(event, Register) and event.actor == OPERATOR and event.key.kid == kid:
        return public_key(event.key.jwk)
    return None
