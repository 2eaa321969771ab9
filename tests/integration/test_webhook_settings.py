"""What a platform refuses to start with, and which key it keeps for its messages alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bol_service import bootstrap
from bol_service.application.webhook_ports import BadReceiver
from bol_service.bootstrap_webhooks import webhooks_of
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import (
    KeyFileError,
    LocalSigner,
    generate,
    open_signer,
    write_private_key,
)
from bol_service.domain import errors
from bol_service.settings import SettingsError, from_environment
from bol_service.wire import drafting
from tests.neighbours import PASSPHRASE, Neighbour, logs_file, neighbour

ORIGIN = "demo.cq.example/ebl"


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Neighbour]:
    with neighbour(tmp_path / "platform", ORIGIN) as found:
        key = generate(Algorithm.ED25519)
        write_private_key(tmp_path / "platform" / "webhook.pem", key, PASSPHRASE)
        yield found


def key_file(there: Neighbour, name: str) -> str:
    return f"file:{there.settings.state_dir.parent / name}.pem"


@pytest.mark.parametrize("use", ["log", "statement", "witness"])
def test_a_webhook_key_that_signs_something_else_is_refused(there: Neighbour, use: str) -> None:
    there.stop()
    logs = logs_file(there.settings.state_dir.parent / "logs.txt")
    with pytest.raises(SettingsError, match=r"BOL_WEBHOOK_KEY .* signs as log, statement, witness"):
        there.start(
            webhook_key=key_file(there, use),
            witness_key=key_file(there, "witness"),
            witnessed_logs=logs,
        )
    there.start(webhook_key=key_file(there, "webhook"))


def test_the_registrar_s_key_is_refused(there: Neighbour) -> None:
    there.stop()
    signer = open_signer(key_file(there, "webhook"), lambda: PASSPHRASE)
    registrars = there.settings.registrar_kids
    with pytest.raises(SettingsError, match="registrar too"):
        there.start(
            webhook_key=key_file(there, "webhook"),
            registrar_kids=registrars | {signer.public.kid},
        )
    there.start(webhook_key=key_file(there, "webhook"), registrar_kids=registrars)


def test_a_key_of_a_party_is_refused(there: Neighbour) -> None:
    there.grow()
    party = there.parties["p1"]
    there.stop()
    path = there.settings.state_dir.parent / "party.pem"
    write_private_key(path, party._key, PASSPHRASE)
    with pytest.raises(SettingsError, match="is registered for p1"):
        there.start(webhook_key=f"file:{path}")
    there.start(webhook_key=None)


def test_no_party_can_register_the_webhook_key(there: Neighbour) -> None:
    there.restart(webhook_key=key_file(there, "webhook"))
    signer = open_signer(key_file(there, "webhook"), lambda: PASSPHRASE)
    assert isinstance(signer, LocalSigner)
    with pytest.raises(errors.AlreadyRegistered):
        _register(there, "thief", signer)


def test_only_ed25519_signs_messages(there: Neighbour) -> None:
    path = there.settings.state_dir.parent / "es256.pem"
    write_private_key(path, generate(Algorithm.ES256), PASSPHRASE)
    there.stop()
    with pytest.raises(SettingsError, match="BOL_WEBHOOK_KEY is ES256"):
        there.start(webhook_key=f"file:{path}")
    with pytest.raises(KeyFileError, match="cannot be read"):
        there.start(webhook_key=f"file:{path}.missing")
    there.start(webhook_key=None)


ENVIRONMENT = {
    "BOL_ORIGIN": ORIGIN,
    "BOL_PLATFORM_CODE": "DEMO",
    "BOL_DATABASE_URL": "sqlite:///x",
    "BOL_STATE_DIR": "state",
    "BOL_BASE_URL": "https://cq.example",
    "BOL_LOG_KEY": "file:log.pem",
    "BOL_STATEMENT_KEY": "file:statement.pem",
    "BOL_KEY_PASSPHRASE": "p",
    "BOL_REGISTRAR_KIDS": "k",
}


def test_without_the_settings_nothing_is_sent_and_loopback_is_closed() -> None:
    settings = from_environment(ENVIRONMENT)
    assert settings.webhook_key is None
    assert not settings.webhook_loopback


def test_loopback_is_for_demonstrations() -> None:
    open_to_us = {**ENVIRONMENT, "BOL_WEBHOOK_LOOPBACK": "1"}
    assert from_environment(open_to_us).webhook_loopback
    with pytest.raises(SettingsError, match=r"BOL_WEBHOOK_LOOPBACK is for origins .* cq\.example"):
        from_environment({**open_to_us, "BOL_ORIGIN": "cq.example/ebl"})


@pytest.mark.parametrize("value", ["yes", "true", "2"])
def test_a_switch_is_on_or_left_out(value: str) -> None:
    with pytest.raises(SettingsError, match="set it to 1 or leave it out"):
        from_environment({**ENVIRONMENT, "BOL_WEBHOOK_LOOPBACK": value})


def test_the_setting_alone_opens_nothing_under_another_origin(there: Neighbour) -> None:
    """Whoever makes `Settings` without reading the environment."""
    settings = bootstrap.Settings(
        **{**vars(there.settings), "origin": "cq.example/ebl", "webhook_loopback": True}
    )
    store = there.running.store
    webhooks, _ = webhooks_of(settings, store, bootstrap.clock_of(settings), None, print)
    with pytest.raises(BadReceiver):
        webhooks.receivers.check("http://127.0.0.1:9/")


def _register(there: Neighbour, slug: str, signer: LocalSigner) -> None:
    identity = {
        "country": "CN",
        "identifiers": [{"type": "AUTHORITY", "value": slug}],
        "legalName": slug,
    }
    proof = drafting.prove_key(signer, origin=ORIGIN, party=slug, identity=identity)
    payload = drafting.payload(
        action="REGISTER",
        actor="operator",
        at=datetime.now(UTC),
        audience=ORIGIN,
        stream=f"party:{slug}",
        after=None,
        details={**proof, "identity": identity, "roles": ["SHIPPER"]},
        recipient=None,
    )
    there.running.services.recorder.submit(drafting.sign(payload, there.operator))
