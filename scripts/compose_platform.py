"""A platform of the compose dry run: what its operator prepares, and where it is on this machine.

1. `Platform` makes keys, passwords and `platform.env`, as `docker-compose.yml` tells operators.
2. `introduce` gives two platforms what BOL_EXCHANGE needs: certificates for TLS and pinned keys,
   each as the other's witness (docs/operations.md, "Other platforms" and "Witnesses").
3. `here` says a path, an address or a port of a container as it is on this machine.

The files are written with the names of the containers, as an operator writes them, and mapped.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bol_service.client import Client
from bol_service.crypto.certificates import self_signed
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate, write_private_key
from bol_service.ledger.note import KeyType, VerifierKey
from bol_service.verification.trust import DEFAULT_MAX_AGE
from scripts.compose_file import DryRunFailed
from scripts.local_postgres import free_port

SECRETS_IN_CONTAINER = "/run/secrets"
EXCHANGE_IN_CONTAINER = "/run/exchange"
STATE_IN_CONTAINER = "/var/lib/bol/state"
CODES = {"chongqing": "CQGY", "singapore": "SGPX"}
Json = dict[str, Any]


@dataclass(kw_only=True)
class Platform:
    """`folder` is where the file's `./secrets/NAME` is on this machine."""

    name: str
    folder: Path
    database_port: int = field(default_factory=free_port)
    service_port: int = field(default_factory=free_port)
    door_port: int = field(default_factory=free_port)
    passphrase: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
    signers: dict[str, LocalSigner] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.exchange.mkdir(parents=True)
        self.state.mkdir()
        self.signers["operator"] = LocalSigner(generate(Algorithm.ED25519))
        self._key(self.folder / "log.pem", Algorithm.ED25519)
        self._key(self.folder / "statement.pem", Algorithm.ED25519)
        self._write("passphrase", self.passphrase)
        self._write("database-password", secrets.token_urlsafe(16))
        for role in ("owner", "service"):
            password = secrets.token_urlsafe(16)
            self._write(f"{role}-password", password)
            self._write(f"{role}.pgpass", self.here(f"db:5432:bol:bol_{role}:{password}"))
        self._write(
            "platform.env", "\n".join(f"{name}={value}" for name, value in self._settings())
        )

    def _settings(self) -> Iterator[tuple[str, str]]:
        yield "BOL_ORIGIN", self.origin
        yield "BOL_PLATFORM_CODE", self.code
        yield "BOL_BASE_URL", self.base_url
        yield "BOL_REGISTRAR_KIDS", self.signers["operator"].public.kid

    @property
    def code(self) -> str:
        return CODES[self.name]

    @property
    def origin(self) -> str:
        return f"demo.{self.name}.example/ebl"

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.service_port}"

    @property
    def exchange(self) -> Path:
        return self.folder / "exchange"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def log_key(self) -> VerifierKey:
        public = self.signers["log"].public.public_bytes_raw
        return VerifierKey(name=self.origin, type=KeyType.ED25519, public=public)

    @property
    def witness_key(self) -> VerifierKey:
        public = self.signers["witness"].public.public_bytes_raw
        name = f"{self.origin}/witness"
        return VerifierKey(name=name, type=KeyType.COSIGNATURE, public=public)

    @property
    def trust(self) -> Json:
        """With which others verify its evidence; with it, deliveries are exchanged too."""
        return {
            "origin": self.origin,
            "code": self.code,
            "registrarKids": [self.signers["operator"].public.kid],
            "demo": True,
            "logKeys": [{"vkey": self.log_key.vkey, "fromSize": 0}],
            "statementKeys": [self.signers["statement"].public.to_jwk()],
            "witnesses": [],
            "quorum": 0,
            "maxAge": DEFAULT_MAX_AGE,
        }

    def client(self, party: str) -> Client:
        return Client(
            base_url=self.base_url, origin=self.origin, party=party, signer=self.signers[party]
        )

    def here(self, text: str) -> str:
        """What a container of this platform calls `text`, on this machine."""
        for there, here in (
            (EXCHANGE_IN_CONTAINER, str(self.exchange)),
            (STATE_IN_CONTAINER, str(self.state)),
            ("db:5432", f"127.0.0.1:{self.database_port}"),
            ("127.0.0.1:8080", f"127.0.0.1:{self.service_port}"),
            ("0.0.0.0:8443", f"127.0.0.1:{self.door_port}"),
        ):
            text = text.replace(there, here)
        return {"8080": str(self.service_port), "0.0.0.0": "127.0.0.1"}.get(text, text)

    def on_the_border(self, text: str) -> str:
        """What containers of other platforms call this one, on this machine."""
        for port, here in (("8443", self.door_port), ("8080", self.service_port)):
            text = text.replace(f"{self.name}:{port}", f"127.0.0.1:{here}")
        return text

    def _key(self, path: Path, algorithm: Algorithm) -> None:
        key = generate(algorithm)
        write_private_key(path, key, self.passphrase.encode())
        self.signers[path.stem] = LocalSigner(key)

    def _write(self, name: str, content: str) -> None:
        path = self.folder / name
        path.write_text(content + "\n", encoding="utf-8")
        path.chmod(0o600)

    # -- with another platform ---------------------------------------------------------------------

    def make_exchange_keys(self) -> None:
        """The keys of exchange desk, witness and TLS, and the latter's certificate."""
        for name in ("exchange", "peers-tls"):
            self._key(self.exchange / f"{name}.pem", Algorithm.ES256)
        self._key(self.exchange / "witness.pem", Algorithm.ED25519)
        now = datetime.now(UTC)
        certificate = self_signed(
            self.signers["peers-tls"],
            name=self.code,
            not_before=now - timedelta(minutes=5),
            not_after=now + timedelta(days=1),
            tls_hosts=(self.name,),
        )
        self._write("exchange/peers-tls.pem.crt", certificate)

    def know(self, other: Platform, carriers: Json) -> None:
        """Write the files that name `other`, whose exchange keys are made."""
        peer = {
            "url": f"https://{other.name}:8443",
            "keys": [{"jwk": other.signers["exchange"].public.to_jwk()}],
            "tlsCertificate": (other.exchange / "peers-tls.pem.crt").read_text(encoding="ascii"),
            "trust": other.trust,
        }
        peers = json.dumps({"platforms": {other.code: peer}, "carriers": carriers})
        asked = f"witness other {other.witness_key.vkey} http://{other.name}:8080/witness"
        self._write("exchange/peers.json", other.on_the_border(peers))
        self._write("exchange/witnesses.policy", other.on_the_border(f"{asked}\nquorum other"))
        self._write("exchange/witnessed.policy", f"log {other.log_key.vkey}\nquorum none")


def introduce(one: Platform, other: Platform, *, carriers: Json) -> None:
    """`carriers` are those whose bills may cross, as `peers.json` names them."""
    for platform in (one, other):
        platform.make_exchange_keys()
    one.know(other, carriers)
    other.know(one, carriers)


def platform_and_role(service: str) -> tuple[str, str]:
    """(`chongqing`, `db`) of `chongqing-db`; the role of `chongqing` itself is `service`."""
    name, _, role = service.partition("-")
    if name not in CODES:
        raise DryRunFailed(f"{service} belongs to none of the platforms {', '.join(CODES)}")
    return name, role or "service"
