"""The `bol` command in this process, as its parties run it: own settings, own key, no terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from structlog.testing import capture_logs

from bol_service.cli.main import cli
from bol_service.crypto.signers import LocalSigner
from tests import kit


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one JSON value on stdout."""
        return json.loads(self.out)

    def problem(self) -> Any:
        """The one JSON value on stderr, of a command that failed under `--json`."""
        assert self.out == ""
        return json.loads(self.err)


def run(*arguments: object, stdin: str | None = None, **settings: str) -> Ran:
    """Run `bol` with no setting but these; whatever the tester's own shell has set is unset."""
    unset: dict[str, str | None] = {
        name: None for name in os.environ if name.startswith("BOL_") or name == "NO_COLOR"
    }
    words = [str(argument) for argument in arguments]
    environment = {**unset, "COLUMNS": "400", **settings}
    with capture_logs():  # the platform under test runs in this process; its log is not our output
        done = CliRunner().invoke(cli, words, input=stdin, env=environment, prog_name="bol")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ran(code=done.exit_code, out=done.stdout, err=done.stderr)


@dataclass(kw_only=True)
class Office:
    """Runs `bol` as a party of a platform: `office("yunling", "bill", "list")`."""

    url: str
    keys: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def settings(self, party: str) -> dict[str, str]:
        return {
            "BOL_URL": self.url,
            "BOL_ORIGIN": kit.ORIGIN,
            "BOL_PARTY": party,
            "BOL_PLATFORM_CODE": kit.CODE,
            **self.keys.get(party, {}),
        }

    def __call__(self, party: str, *arguments: object, **settings: str) -> Ran:
        return run(*arguments, **{**self.settings(party), **settings})

    def done(self, party: str, *arguments: object) -> Any:
        """Run with `--json`; the command has to succeed."""
        ran = self(party, *arguments, "--json")
        assert ran.code == 0, ran.err
        return ran.json()


def office_of(platform: kit.Platform) -> Office:
    """An office in which every party of the platform's cast has its key in the environment."""
    keys = {slug: in_environment(signer) for slug, signer in platform.signers.items()}
    return Office(url=platform.base_url, keys=keys)


def in_environment(signer: LocalSigner) -> dict[str, str]:
    """The settings that give `bol` this key."""
    return {"BOL_KEY": "env:BOL_TEST_KEY", "BOL_TEST_KEY": pem(signer)}


def pem(signer: LocalSigner) -> str:
    raw = signer._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return raw.decode("ascii")


def write_json(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path
