"""Who asks, whom, and with which key: options that every command shares, and their variables.

`--url`/BOL_URL, `--party`/BOL_PARTY, `--key`/BOL_KEY (`file:PATH`, `env:NAME` or a path), and for
signing `--origin`/BOL_ORIGIN: the origin is part of what is signed, so it is never taken from the
platform that is talked to. `--ledger`/BOL_LEDGER takes its place for acts that count on another
platform's log and go through one's own. A passphrase comes from `--passphrase-file`,
BOL_KEY_PASSPHRASE, or is asked for on a terminal; never from the command line, which other users
can read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from bol_service.cli import parameters
from bol_service.cli.output import F, NotSetUp, is_interactive, json_option
from bol_service.client import Client
from bol_service.client_abroad import through
from bol_service.crypto.signers import Signer, open_signer

PASSPHRASE_VARIABLE: Final = "BOL_KEY_PASSPHRASE"  # noqa: S105 - where it is, not what it is


@dataclass(frozen=True, kw_only=True)
class Connection:
    """The settings as given; each method asks only for those that it needs. Raises NotSetUp."""

    url: str | None
    party: str | None
    key: str | None
    passphrase_file: Path | None
    origin: str | None = None
    ledger: str | None = None
    name_there: str | None = None

    def public(self) -> Client:
        """For what anyone may read."""
        return Client(base_url=self._url(), origin=self.origin or "")

    def reader(self) -> Client:
        """For what my party may read."""
        return Client(
            base_url=self._url(),
            origin=self.origin or "",
            party=self._slug(),
            signer=open_key(self.key, self.passphrase_file),
        )

    def actor(self) -> Client:
        """For signing: for the platform's own ledger, or through it for another one's."""
        if self.ledger is not None:
            return through(self.reader(), origin=self.ledger, name=self.name_there)
        require_origin(self.origin)
        return self.reader()

    def me(self) -> str:
        """The slug with which I sign."""
        if self.ledger is not None and self.name_there is not None:
            return self.name_there
        return self._slug()

    def _slug(self) -> str:
        return _given(self.party, "party", "BOL_PARTY", "the slug that your party is registered as")

    def _url(self) -> str:
        url = _given(self.url, "url", "BOL_URL", "the address of the platform")
        if not url.startswith(("https://", "http://")):
            raise NotSetUp(
                f"{url!r} is no address of a platform", "Give one like https://cq.example to --url."
            )
        return url.rstrip("/")


def _given(value: str | None, option: str, variable: str, meaning: str) -> str:
    if not value:
        raise NotSetUp(
            f"neither --{option} nor {variable} is given", f"Give --{option}: {meaning}."
        )
    return value


def require_origin(origin: str | None) -> str:
    """Raises NotSetUp."""
    return _given(origin, "origin", "BOL_ORIGIN", "the origin of the platform's log")


def open_key(uri: str | None, passphrase_file: Path | None) -> Signer:
    """The signer; raises NotSetUp or KeyFileError."""
    place = _given(uri, "key", "BOL_KEY", "your party's key, file:PATH or env:NAME")
    return open_signer(place, lambda: passphrase(passphrase_file, place))


def passphrase(file: Path | None, purpose: str, *, twice: bool = False) -> bytes:
    """From the file, the environment, or the keyboard; raises NotSetUp."""
    if file is not None:
        try:
            return file.read_bytes().rstrip(b"\r\n")
        except OSError as error:
            raise NotSetUp(
                f"the passphrase file {file} cannot be read: {error.strerror}",
                "Give another one to --passphrase-file.",
            ) from None
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given:
        return given.encode()
    if not is_interactive():
        raise NotSetUp(
            f"the passphrase of {purpose} is not known and there is no terminal to ask for it",
            f"Set {PASSPHRASE_VARIABLE} or give --passphrase-file.",
        )
    asked: str = click.prompt(
        f"Passphrase of {purpose}", hide_input=True, confirmation_prompt=twice, err=True
    )
    return asked.encode()


# -- options -------------------------------------------------------------------------------------

_url = click.option("--url", envvar="BOL_URL", help="Address of the platform. [BOL_URL]")
_party = click.option(
    "--party", "me", envvar="BOL_PARTY", type=parameters.slug, help="Your party's slug. [BOL_PARTY]"
)
_key = click.option(
    "--key", envvar="BOL_KEY", help="Your key: file:PATH, env:NAME or a path. [BOL_KEY]"
)
origin_option = click.option(
    "--origin",
    envvar="BOL_ORIGIN",
    type=parameters.origin,
    help="The log's origin; signed. [BOL_ORIGIN]",
)
_ledger = click.option(
    "--ledger",
    envvar="BOL_LEDGER",
    type=parameters.origin,
    help="Origin of another platform's log, if you sign for that one through yours. [BOL_LEDGER]",
)
_name_there = click.option(
    "--name-there",
    envvar="BOL_NAME_THERE",
    type=parameters.slug,
    help="With --ledger: your slug there, if it is another one. [BOL_NAME_THERE]",
)
passphrase_option = click.option(
    "--passphrase-file",
    envvar="BOL_KEY_PASSPHRASE_FILE",
    type=click.Path(path_type=Path),
    help="File with the key's passphrase. [BOL_KEY_PASSPHRASE_FILE, or BOL_KEY_PASSPHRASE]",
)


def reading(command: F) -> Callable[..., Any]:
    """A command that reads as a party: its first argument is the `Connection`."""
    return _decorated(_connected(command), _url, _party, _key, passphrase_option, json_option)


def public(command: F) -> Callable[..., Any]:
    """A command that needs nothing but the platform's address."""
    return _decorated(_connected(command), _url, json_option)


def all_options(command: F) -> Callable[..., Any]:
    """A command that signs; see `signing.signing`."""
    own = (
        *(_url, origin_option, _party, _key, passphrase_option),
        *(_ledger, _name_there, json_option),
    )
    return _decorated(_connected(command), *own)


def _connected(command: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(command)
    def run(
        *args: Any,
        url: str | None,
        origin: str | None = None,
        me: str | None = None,
        key: str | None = None,
        passphrase_file: Path | None = None,
        ledger: str | None = None,
        name_there: str | None = None,
        **options: Any,
    ) -> Any:
        connection = Connection(
            url=url,
            party=me,
            key=key,
            passphrase_file=passphrase_file,
            origin=origin,
            ledger=ledger,
            name_there=name_there,
        )
        return command(connection, *args, **options)

    return run


def _decorated(command: Callable[..., Any], *options: Any) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command
