"""Carriers and platforms that sign with RSA: PS256, which we read and never write."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from bol_service.crypto.peer_keys import PeerAlgorithm, rsa_padding, thumbprint


class RsaSigner:
    """A `crypto.peer_signers.PeerSigner`."""

    alg = PeerAlgorithm.PS256

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key
        self.kid = thumbprint(key.public_key())

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, rsa_padding(self.alg), hashes.SHA256())
