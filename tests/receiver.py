"""A party's receiver of webhooks: a real HTTP or HTTPS server on loopback that keeps what comes.

It answers with the statuses it was given, one after the other, and then with 204.
"""

from __future__ import annotations

import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

PATIENCE = 60.0  # seconds until a message that does not come fails the test


@dataclass(frozen=True, kw_only=True)
class Got:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass(frozen=True, kw_only=True)
class Say:
    """One answer; `body` goes out as it is, over and over if `endless`; `drip` sends a byte of the
    head now and then."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    endless: bool = False
    drip: bool = False
    hold: threading.Event | None = None


@dataclass(kw_only=True)
class Receiver:
    url: str
    answers: list[Say] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    _came: threading.Condition = field(default_factory=threading.Condition)

    def keep(self, got: Got) -> Say:
        with self._came:
            self.got.append(got)
            self._came.notify_all()
            return self.answers.pop(0) if self.answers else Say()

    def wait(self, count: int) -> list[Got]:
        """The first `count` messages, as soon as they are here."""
        with self._came:
            came = self._came.wait_for(lambda: len(self.got) >= count, PATIENCE)
            assert came, f"{len(self.got)} of {count} messages came in {PATIENCE} s"
            return self.got[:count]


@contextmanager
def receiver(
    *, address: str = "127.0.0.1", secured: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """A receiver for the length of a block; its `url` is http, or https with `secured`."""
    server = _Server((address, 0), _Handler)
    if secured is not None:
        server.socket = secured.wrap_socket(server.socket, server_side=True)
    scheme = "https" if secured else "http"
    server.receiver = Receiver(url=f"{scheme}://localhost:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    receiver: Receiver

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who sends may break off; that is its affair."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        say = self.server.receiver.keep(Got(path=self.path, headers=headers, body=body))
        if say.hold is not None:
            say.hold.wait(PATIENCE)
        if say.drip:
            self._drip()
            return
        self.send_response(say.status)
        for name, value in say.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(say.body)
        while say.endless:  # until the other side breaks off
            self.wfile.write(say.body)

    def _drip(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while True:  # until the other side has enough
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.02)

    def log_message(self, *_: Any) -> None:
        pass


def certified(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(for a server with a certificate of these names, for a client that trusts it)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "receiver.pem"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem + certificate.public_bytes(Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    client = ssl.create_default_context()
    client.load_verify_locations(cadata=certificate.public_bytes(Encoding.PEM).decode())
    return server, client


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
