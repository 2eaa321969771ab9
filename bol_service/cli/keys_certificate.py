"""`bol keys certificate`: the X.509 form in which other platforms pin a key of ours."""

from __future__ import annotations

import ipaddress
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from bol_service.cli.context import open_key, passphrase_option
from bol_service.cli.output import facts, json_option, say, show
from bol_service.crypto.certificates import self_signed
from bol_service.crypto.signers import KeyFileError
from bol_service.wire.event_fields import instant_text

LONGEST_DAYS: Final = 730
SLACK: Final = timedelta(minutes=5)  # a peer's clock may be behind ours


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9 ._:-]{0,62}[A-Za-z0-9])?", text):
        raise click.BadParameter(
            f"{text!r} is no name for a certificate; give a platform or carrier code such as CQGY"
        )
    return text


def _host(text: str) -> str:
    label = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
    is_name = re.fullmatch(rf"{label}(?:\.{label})*", text) and not re.fullmatch("[0-9.]+", text)
    if not (is_name and len(text) <= 253) and not _is_address(text):
        raise click.BadParameter(f"{text!r} is no host; give a name or an IP address, without port")
    return text


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # a zone means something on one machine only


@click.command("certificate")
@click.argument("path")
@click.option(
    "--name",
    required=True,
    type=_name,
    metavar="CODE",
    help="Platform or carrier code, e.g. CQGY.",
)
@click.option(
    "--days", type=click.IntRange(1, LONGEST_DAYS), default=365, show_default=True, help="Validity."
)
@click.option("--tls", is_flag=True, help="For mutual TLS, not for signing; needs --host.")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    type=_host,
    metavar="HOST",
    help="Host of --tls; may be repeated.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The certificate's file.  [default: the key's path with .crt added]",
)
@passphrase_option
@json_option
def certificate(
    path: str,
    name: str,
    days: int,
    tls: bool,
    hosts: tuple[str, ...],
    out: Path | None,
    passphrase_file: Path | None,
) -> None:
    """Make a self-signed certificate for a key.

    PATH is an ES256 key: a file or env:NAME. Send the certificate to the peers, who pin it as it
    is, and make another one before it ends. Take one key for signing and another one for TLS.
    """
    if tls != bool(hosts):
        raise click.UsageError("--tls and --host go together: who connects compares the host")
    target = out or _default_target(path)
    if target.exists():
        raise KeyFileError(f"{target} exists already; choose another name or move it away")
    signer = open_key(path, passphrase_file)
    begin = datetime.now(UTC).replace(microsecond=0) - SLACK
    end = begin + timedelta(days=days)
    try:
        pem = self_signed(signer, name=name, not_before=begin, not_after=end, tls_hosts=hosts)
    except ValueError as error:
        raise KeyFileError(f"{path}: {error}") from None
    _write_new(target, pem)
    value = {
        "certificate": str(target),
        "name": name,
        "kid": signer.public.kid,
        "notBefore": instant_text(begin),
        "notAfter": instant_text(end),
        "hosts": list(hosts),
    }
    show(value, lambda: _tell(value))


def _tell(value: dict[str, Any]) -> None:
    pairs = [("certificate", "certificate"), ("name", "name"), ("key id", "kid")]
    facts([(shown, value[member]) for shown, member in [*pairs, ("valid until", "notAfter")]])
    say("→ Send the certificate to your peers over a channel that they trust; they pin it.")


def _default_target(path: str) -> Path:
    if path.startswith("env:"):
        raise click.UsageError("the key is in the environment; say with --out where to write")
    return Path(f"{path.removeprefix('file:')}.crt")


def _write_new(path: Path, pem: str) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be created: {error.strerror}") from error
    with open(handle, "w", encoding="ascii") as file:
        file.write(pem)
