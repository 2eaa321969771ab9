"""The door for other platforms: TLS on a port of its own, for pinned certificates only.

Parties come through the other door. Here the handshake already ends for who shows no certificate
that `peers.json` pins; the certificate shown is handed to the application, which knows from it who
is calling. Import it after `gevent.monkey.patch_all()`.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from flask import Flask
from gevent.pywsgi import WSGIHandler, WSGIServer

from bol_service.pint.caller import CERTIFICATE
from bol_service.settings import Settings, SettingsError
from bol_service.wire.peers import Peers


class _Handler(WSGIHandler):  # type: ignore[misc]  # gevent has no types
    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ[CERTIFICATE] = self.socket.getpeercert(binary_form=True)
        return environ


def open_door(settings: Settings, peers: Peers, app: Flask) -> WSGIServer | None:
    """The started server, None where no address for peers is set.

    Raises:
        SettingsError: Certificate or key cannot be used, or a peer has none that is pinned.
    """
    if settings.peer_listen is None:
        return None
    host, _, port = settings.peer_listen.rpartition(":")
    server = WSGIServer(
        (host.strip("[]"), int(port)),
        app,
        ssl_context=context_of(settings, peers),
        handler_class=_Handler,
        log=None,
    )
    server.start()
    return server


def context_of(settings: Settings, peers: Peers) -> ssl.SSLContext:
    """Raises SettingsError; see `open_door`."""
    own, key = settings.pint_certificate, settings.pint_certificate_key
    if own is None or key is None:
        raise SettingsError(
            "BOL_PEER_LISTEN needs BOL_PINT_CERTIFICATE and BOL_PINT_CERTIFICATE_KEY"
        )
    pinned = {code: peer.tls_certificate for code, peer in peers.platforms.items()}
    without = sorted(code for code, certificate in pinned.items() if certificate is None)
    if without:
        raise SettingsError(
            f"BOL_PEERS pins no tlsCertificate for {', '.join(without)}; without one it cannot "
            "be let in at BOL_PEER_LISTEN"
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata="\n".join(filter(None, pinned.values())))
    _load(context, own, key, settings.passphrase)
    return context


def _load(context: ssl.SSLContext, own: Path, key: Path, passphrase: bytes) -> None:
    try:
        context.load_cert_chain(own, key, password=passphrase)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"BOL_PINT_CERTIFICATE {own} with key {key}: {error}") from None
