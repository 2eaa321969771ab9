"""The HTTP server of a gateway: gunicorn, one process with a few threads.

The carrier's system is one caller; what takes time is the platform's answer. The state is opened in
the worker, after the fork, because its lock belongs to the process that works with it.

Who comes to a door and does not say within `HEAD_SECONDS` what it wants is cut off, before and
during TLS too: otherwise a stranger with a few half requests would keep the carrier's system out.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker

from bol_service.gateway.service import Plan, open_gateway
from bol_service.one_worker import OneWorker, Told

THREADS: Final = 16
HEAD_SECONDS: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class Tls:
    """With `client_ca` only callers with a certificate that it vouches for get in."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


class _Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    head_seconds = HEAD_SECONDS

    def handle(self, conn: Any) -> Any:
        conn.patience = threading.Timer(self.head_seconds, _cut, (conn,))
        conn.patience.daemon = True
        conn.patience.start()
        try:
            return super().handle(conn)
        finally:
            conn.patience.cancel()

    def handle_request(self, req: Any, conn: Any) -> Any:
        conn.patience.cancel()
        return super().handle_request(req, conn)


def _cut(conn: Any) -> None:
    with suppress(OSError):  # it may have ended by itself
        socket.socket.shutdown(conn.sock, socket.SHUT_RDWR)  # below TLS, which another thread is in


def run(
    plan: Plan,
    address: str,
    tls: Tls | None,
    *,
    ready: Callable[[str], None] = lambda _: None,
    told: Told = lambda _: False,
    head_seconds: float = HEAD_SECONDS,
) -> None:
    """Serve until told to stop; exits the process. `address` is host:port; `ready` gets the one
    that was bound, when it answers. `told` gets what keeps it from starting, a StateError."""
    options: dict[str, Any] = {
        "bind": address,
        "worker_class": type("Worker", (_Worker,), {"head_seconds": head_seconds}),
        "threads": THREADS,
    }
    if tls is not None:
        options |= {"certfile": str(tls.certificate), "keyfile": str(tls.key)}
        options["ssl_context"] = _modern
    if tls is not None and tls.client_ca is not None:
        options |= {"ca_certs": str(tls.client_ca), "cert_reqs": ssl.CERT_REQUIRED}
    OneWorker(options, lambda held: _started(plan, held), told=told, ready=ready).run()


def _started(plan: Plan, held: ExitStack) -> Any:
    gateway = open_gateway(plan)
    held.callback(gateway.stop)
    gateway.start()
    return gateway.app


def _modern(_config: Any, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    context = make()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
