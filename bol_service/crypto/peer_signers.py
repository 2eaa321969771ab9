"""Our own signature where other platforms read it: ES256.

DCSA fixes no algorithm, and its tools know no EdDSA; so an Ed25519 key is refused here although the
ledger prefers it. Peers pin the public half, as a JWK or in a certificate.
"""

from __future__ import annotations

from typing import Protocol

from bol_service.crypto.keys import Algorithm
from bol_service.crypto.peer_keys import PeerAlgorithm
from bol_service.crypto.signers import Signer


class PeerSigner(Protocol):
    """What signs envelopes and answers."""

    @property
    def alg(self) -> PeerAlgorithm: ...

    @property
    def kid(self) -> str: ...

    def sign(self, message: bytes) -> bytes: ...


class EcSigner:
    """ES256 by a signer of this service; ValueError for one of Ed25519."""

    alg = PeerAlgorithm.ES256

    def __init__(self, signer: Signer) -> None:
        if signer.public.alg is not Algorithm.ES256:
            raise ValueError(
                f"the key {signer.public.kid} is {signer.public.alg}; platforms exchange ES256."
                " Make one with: bol keys generate --alg ES256"
            )
        self._signer = signer
        self.kid = signer.public.kid

    def sign(self, message: bytes) -> bytes:
        return self._signer.sign(message)
