"""The HTTP server of a gateway: gunicorn, one process with a few threads.

The carrier's system is one caller; what takes time is the platform's answer. The state is opened in
the worker, after the fork, because its lock belongs to the process that works with it.

Who comes to a door and does not say within `HEAD_SECONDS` what it wants is cut off, before and
during TLS too: otherwise a stranger with a few half requests would keep the carrier's system out.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from bol_service.gateway.service import Gateway, Plan, open_gateway
from bol_service.gateway.state import StateError

NOT_SET_UP: Final = 4
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


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(self, options: dict[str, Any], start: Callable[[], Gateway]) -> None:
        self._options = options
        self._start = start
        self._gateway: Gateway | None = None
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)
        self.cfg.set("worker_exit", self._stop)

    def _stop(self, _server: Any, _worker: Any) -> None:
        if self._gateway is not None:
            self._gateway.stop()

    def load(self) -> Any:
        try:
            self._gateway = self._start()
        except StateError as fault:
            print(f"bol carrier-gateway: {fault}", file=sys.stderr)
            # 4 is gunicorn's own code for "the app does not load": the arbiter stops, no retry.
            sys.exit(NOT_SET_UP)
        self._gateway.start()
        return self._gateway.app


def run(
    plan: Plan,
    address: str,
    tls: Tls | None,
    *,
    ready: Callable[[str], None] = lambda _: None,
    head_seconds: float = HEAD_SECONDS,
) -> None:
    """Serve until told to stop; exits the process. `address` is host:port; `ready` gets the one
    that was bound, when it answers."""
    options: dict[str, Any] = {
        "bind": address,
        # What fails at start has failed by then; what connects meanwhile waits in the socket.
        "post_worker_init": lambda worker: ready(_bound(worker)),
        "workers": 1,
        "worker_class": type("Worker", (_Worker,), {"head_seconds": head_seconds}),
        "threads": THREADS,
        "timeout": 120,
        "graceful_timeout": 10,
        "keepalive": 5,
        "limit_request_line": 4094,
        "limit_request_field_size": 8190,
        "loglevel": "warning",
    }
    if tls is not None:
        options |= {"certfile": str(tls.certificate), "keyfile": str(tls.key)}
        options["ssl_context"] = _modern
    if tls is not None and tls.client_ca is not None:
        options |= {"ca_certs": str(tls.client_ca), "cert_reqs": ssl.CERT_REQUIRED}
    _Server(options, lambda: open_gateway(plan)).run()


def _bound(worker: Any) -> str:
    host, port, *_ = worker.sockets[0].getsockname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _modern(_config: Any, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    context = make()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
