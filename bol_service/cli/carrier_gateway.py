"""`bol carrier-gateway`: a carrier's DCSA system on one side, signed events on the other.

It runs on the carrier's own machine, beside the carrier's key (docs/operations.md). Who calls it is
proven by the token of `--token-file`, by a TLS certificate, or by both; without either it does not
start. Without TLS it listens on this machine only.
"""

from __future__ import annotations

import json
import re
import ssl
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import click

from bol_service.cli.context import Connection, origin_option, passphrase_option
from bol_service.cli.journal import log_as_json
from bol_service.cli.output import ExitCode, NotSetUp, json_option, say, show, told
from bol_service.cli.own_files import trust_of
from bol_service.cli.parameters import file_bytes, slug
from bol_service.crypto.peer_keys import PinnedKey
from bol_service.gateway import server
from bol_service.gateway.delivery import AddressError, Receiver, is_loopback
from bol_service.gateway.service import DEFAULT_INTERVAL, Plan
from bol_service.gateway.subscribers import SubscribersError, read_subscribers
from bol_service.verification.trust import Trust

T = TypeVar("T")
LEAST_TOKEN: Final = 32
_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----"
_file = click.Path(path_type=Path, dir_okay=False)


@click.command("carrier-gateway")
@click.option("--key", envvar="BOL_KEY", help="The carrier's key: file:PATH, env:NAME. [BOL_KEY]")
@click.option("--party", "me", envvar="BOL_PARTY", type=slug, help="Its slug. [BOL_PARTY]")
@click.option("--platform", "url", envvar="BOL_URL", help="Address of the platform. [BOL_URL]")
@click.option(
    "--trust", required=True, type=file_bytes, metavar="FILE", help="The platform's trust file."
)
@click.option("--carrier-system", required=True, help="Address of the carrier's DCSA system.")
@click.option("--carrier-token-file", type=_file, help="Bearer token that it wants from us.")
@click.option("--carrier-ca", type=_file, help="Certificates that vouch for it, PEM.")
@click.option("--listen", default="127.0.0.1:8090", show_default=True, help="HOST:PORT.")
@click.option("--token-file", type=_file, help="Bearer token that the carrier's system sends us.")
@click.option("--tls-certificate", type=_file, help="Our certificate, PEM.")
@click.option("--tls-key", type=_file, help="Its key, PEM.")
@click.option("--client-ca", type=_file, help="Callers need a certificate that this vouches for.")
@click.option("--subscribers", type=file_bytes, metavar="FILE", help="Who is notified, JSON.")
@click.option(
    "--manifest-key",
    "manifest_keys",
    multiple=True,
    type=file_bytes,
    metavar="FILE",
    help="A key that signs issuance manifests, beside ours: JWK or certificate.",
)
@click.option(
    "--state",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that remembers what was signed, asked and answered; one per gateway.",
)
@click.option(
    "--interval",
    default=DEFAULT_INTERVAL,
    show_default=True,
    type=click.FloatRange(min=0.1),
    help="Seconds between two rounds.",
)
@origin_option
@passphrase_option
@json_option
def carrier_gateway(
    key: str | None,
    me: str | None,
    url: str | None,
    trust: bytes,
    carrier_system: str,
    carrier_token_file: Path | None,
    carrier_ca: Path | None,
    listen: str,
    token_file: Path | None,
    tls_certificate: Path | None,
    tls_key: Path | None,
    client_ca: Path | None,
    subscribers: bytes | None,
    manifest_keys: tuple[bytes, ...],
    state: Path,
    interval: float,
    origin: str | None,
    passphrase_file: Path | None,
) -> None:
    """Serve a carrier's DCSA system with the carrier's key (carrier). 承运人网关"""
    tls = _tls(tls_certificate, tls_key, client_ca)
    _check_door(listen, tls, token_file)
    trusted = _trust(trust, origin)
    connection = Connection(
        url=url, party=me, key=key, passphrase_file=passphrase_file, origin=trusted.origin
    )
    plan = Plan(
        client=connection.actor(),
        trust=trusted,
        state=state,
        carrier_system=_made(
            lambda: Receiver(
                url=carrier_system,
                token=None if carrier_token_file is None else _token(carrier_token_file),
                tls=_outward(carrier_ca, tls),
            ),
            "Give another address to --carrier-system.",
        ),
        token=None if token_file is None else _token(token_file),
        subscribers=_made(
            lambda: read_subscribers(subscribers or b"[]", lambda name: _token(Path(name))),
            "Correct the file of --subscribers.",
        ),
        manifest_keys=[_pin(raw) for raw in manifest_keys],
        interval=interval,
    )
    log_as_json()
    scheme = "http" if tls is None else "https"
    server.run(
        plan, listen, tls, ready=lambda bound: _tell(plan, f"{scheme}://{bound}"), told=told()
    )


def _tell(plan: Plan, address: str) -> None:
    party, origin = plan.client.party, plan.trust.origin
    with suppress(OSError):  # a full disk or a reader that is gone stops no gateway
        show(
            {"serving": address, "party": party, "origin": origin},
            lambda: say(f"serving {party} of {origin} on {address}"),
        )


def _check_door(listen: str, tls: server.Tls | None, token_file: Path | None) -> None:
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})", listen)
    if found is None or not 0 <= int(found[2]) <= 65535:
        raise NotSetUp(f"{listen!r} is no HOST:PORT", "Give one like 127.0.0.1:8090 to --listen.")
    if tls is None and not is_loopback(found[1].strip("[]")):
        raise NotSetUp(
            f"{found[1]} is not this machine alone, and there is no TLS",
            "Listen on 127.0.0.1, or give --tls-certificate and --tls-key.",
        )
    if token_file is None and (tls is None or tls.client_ca is None):
        raise NotSetUp(
            "nothing would prove who calls",
            "Give --token-file, or TLS with --client-ca, or both.",
        )


def _tls(certificate: Path | None, key: Path | None, client_ca: Path | None) -> server.Tls | None:
    if (certificate is None) != (key is None):
        raise NotSetUp("TLS needs a certificate and its key", "Give both, or neither.")
    if certificate is None or key is None:
        if client_ca is not None:
            raise NotSetUp("--client-ca means nothing without TLS", "Give --tls-certificate too.")
        return None
    for file in filter(None, (certificate, key, client_ca)):
        if not file.is_file():
            raise NotSetUp(f"{file} is no file", "Name PEM files.")
    return server.Tls(certificate=certificate, key=key, client_ca=client_ca)


def _outward(ca: Path | None, tls: server.Tls | None) -> ssl.SSLContext | None:
    """To the carrier's system: its own authority, and our certificate if we have one."""
    if ca is None and tls is None:
        return None
    try:
        context = ssl.create_default_context(cafile=ca)
        if tls is not None:
            context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError) as error:
        raise NotSetUp(f"TLS cannot be set up: {error}", "Name readable PEM files.") from None
    return context


def _trust(content: bytes, origin: str | None) -> Trust:
    trust = trust_of(content, exit_code=ExitCode.NOT_SET_UP)
    if origin not in (None, trust.origin):
        raise NotSetUp(
            f"the trust file is for {trust.origin}, you sign for {origin}",
            "Use the trust file of your platform.",
        )
    return trust


def _token(path: Path) -> str:
    """A secret, alone in a file that only its owner may read."""
    try:
        status = path.stat()
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotSetUp(f"the token file {path} cannot be read: {error}", "Name another.") from None
    if stat.S_IMODE(status.st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise NotSetUp(f"others may read the token in {path}", f"Run: chmod 600 {path}")
    if len(text) < LEAST_TOKEN or re.fullmatch(r"[A-Za-z0-9._~+/=-]+", text) is None:
        raise NotSetUp(
            f"{path} holds no token of at least {LEAST_TOKEN} characters",
            "Make one with: openssl rand -hex 32",
        )
    return text


def _pin(raw: bytes) -> PinnedKey:
    try:
        if raw.lstrip().startswith(_CERTIFICATE):
            return PinnedKey.from_certificate(raw.decode("ascii", "replace"))
        return PinnedKey.from_jwk(json.loads(raw))
    except ValueError as error:
        remedy = "Give a public JWK or one certificate to --manifest-key."
        raise NotSetUp(str(error), remedy) from None


def _made(make: Callable[[], T], remedy: str) -> T:
    try:
        return make()
    except (AddressError, SubscribersError, ValueError) as error:
        raise NotSetUp(str(error), remedy) from None
