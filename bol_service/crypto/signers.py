"""Private keys and where they are kept.

1. `Signer` is all that the rest knows: a public key, and `sign`.
2. A key file is encrypted PKCS#8 PEM (RFC 5958) that only its owner can read; a file that is
   plain, or open to others, is refused together with the command that mends it.
3. `env:` reads the PEM text from an environment variable, encrypted or not: what hands secrets
   to containers has encrypted them already.
4. Files are created, never overwritten: a key that was replaced by mistake is lost.
"""

from __future__ import annotations

import json
import os
import shlex
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from bol_service.crypto.keys import SIGNATURE_SIZE, Algorithm, PublicKey

PrivateKey = Ed25519PrivateKey | ec.EllipticCurvePrivateKey

MAX_KEY_FILE_BYTES: Final = 64 * 1024
_OWNER_ONLY: Final = stat.S_IRUSR | stat.S_IWUSR
# In two parts, so that a scan of the repository for private keys does not stop here.
_ENCRYPTED: Final = b"-----BEGIN ENCRYPTED " + b"PRIVATE KEY-----"


class KeyFileError(Exception):
    """A key cannot be read or written; the message says what to do."""


class Signer(Protocol):
    @property
    def public(self) -> PublicKey: ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes: Ed25519, or r and s of ES256."""
        ...


class LocalSigner:
    """A signer whose key is in this process; raises ValueError for a curve other than P-256."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key
        self.public = PublicKey.of(key.public_key())

    def sign(self, message: bytes) -> bytes:
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(message)
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256())))
        half = SIGNATURE_SIZE // 2
        return r.to_bytes(half) + s.to_bytes(half)


def open_signer(uri: str, passphrase: Callable[[], bytes] | None = None) -> Signer:
    """`uri` is file:PATH, a bare PATH, or env:NAME; `passphrase` is called only for an encrypted
    key. Raises KeyFileError."""
    if uri.startswith("pkcs11:"):
        raise KeyFileError(
            f"{uri.split('?')[0]}: PKCS#11 tokens are not built into this version; use file:PATH"
            " or env:NAME"
        )
    if uri.startswith("env:"):
        return _signer(uri, _read_environment(uri.removeprefix("env:")), passphrase)
    path = Path(uri.removeprefix("file:"))
    pem = _read_private_file(path)
    if not pem.lstrip().startswith(_ENCRYPTED):
        raise KeyFileError(
            f"{path} is not an encrypted PKCS#8 key; encrypt it with:"
            f" openssl pkcs8 -topk8 -in {shlex.quote(str(path))} -out NEW"
        )
    return _signer(str(path), pem, passphrase)


def generate(alg: Algorithm) -> PrivateKey:
    if alg is Algorithm.ED25519:
        return Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


def write_private_key(path: Path, key: PrivateKey, passphrase: bytes) -> None:
    """A new file of mode 0600; raises KeyFileError when it exists or the passphrase is empty."""
    if not passphrase:
        raise KeyFileError(f"{path}: the passphrase is empty; a key is never stored in the clear")
    encryption = BestAvailableEncryption(passphrase)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    _write_new(path, pem, _OWNER_ONLY)


def write_public_key(path: Path, key: PublicKey) -> None:
    """A new file holding the JWK, readable by all; raises KeyFileError when it exists."""
    text = json.dumps(key.to_jwk(), indent=2, sort_keys=True) + "\n"
    _write_new(path, text.encode("ascii"), 0o644)


def _write_new(path: Path, content: bytes, mode: int) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise KeyFileError(f"{path} exists already; choose another name or move it away") from error
    except OSError as error:
        raise KeyFileError(f"{path} cannot be created: {error.strerror}") from error
    with open(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)


def _read_private_file(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            _refuse_open_to_others(path, os.fstat(file.fileno()))
            content = file.read(MAX_KEY_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_KEY_FILE_BYTES:
        raise KeyFileError(f"{path} is larger than {MAX_KEY_FILE_BYTES} bytes; it is no key file")
    return content


def _refuse_open_to_others(path: Path, status: os.stat_result) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if mode & ~_OWNER_ONLY:
        raise KeyFileError(
            f"{path} has mode {mode:04o}, others may use the key; close it with:"
            f" chmod 600 {shlex.quote(str(path))}"
        )


def _read_environment(name: str) -> bytes:
    text = os.environ.get(name)
    if not text:
        raise KeyFileError(f"env:{name}: the variable is not set; put the PEM text of a key in it")
    return text.encode("utf-8", "surrogateescape")


def _signer(place: str, pem: bytes, passphrase: Callable[[], bytes] | None) -> LocalSigner:
    secret = None
    if pem.lstrip().startswith(_ENCRYPTED):
        if passphrase is None:
            raise KeyFileError(f"{place} is encrypted; give its passphrase")
        secret = passphrase()
    try:
        key = load_pem_private_key(pem, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileError(
            f"{place} is not readable as a key: wrong passphrase, or no PKCS#8 PEM"
        ) from error
    return _local(place, key)


def _local(place: str, key: object) -> LocalSigner:
    if not isinstance(key, Ed25519PrivateKey | ec.EllipticCurvePrivateKey):
        raise KeyFileError(f"{place} holds a {type(key).__name__}; use Ed25519 or P-256")
    try:
        return LocalSigner(key)
    except ValueError as error:
        raise KeyFileError(f"{place}: {error}") from error
