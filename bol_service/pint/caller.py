"""Which platform is calling: the one whose pinned certificate the connection shows.

The door for peers (`door.py`) hands the application the certificate of each connection. Without
that door, which is for platforms on one machine only, the caller is not known and the envelope's
own signatures stand alone.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Mapping
from typing import Any

from bol_service.domain import errors
from bol_service.wire.peers import Peers

CERTIFICATE = "bol.peer_certificate"
"""Where the door puts the DER bytes of the certificate that was shown."""


class Callers:
    """`required`: a caller without a pinned certificate is refused."""

    def __init__(self, peers: Peers, *, required: bool) -> None:
        self._required = required
        self._codes = {
            _fingerprint(ssl.PEM_cert_to_DER_cert(peer.tls_certificate)): code
            for code, peer in peers.platforms.items()
            if peer.tls_certificate is not None
        }

    def of(self, environ: Mapping[str, Any]) -> str | None:
        """The caller's platform code, None where nobody is authenticated.

        Raises:
            errors.NotExchange: A certificate is required, and there is none or an unknown one.
        """
        shown = environ.get(CERTIFICATE)
        code = self._codes.get(_fingerprint(shown)) if isinstance(shown, bytes) else None
        if code is None and self._required:
            raise errors.NotExchange(
                "the connection shows no certificate of a platform that is pinned here; exchange "
                "certificates, then connect with yours"
            )
        return code


def _fingerprint(certificate: bytes) -> bytes:
    return hashlib.sha256(certificate).digest()
