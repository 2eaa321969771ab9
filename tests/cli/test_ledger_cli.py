"""`bol ledger`: what is proven is told as proven, what could not be checked never is."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from bol_service.bootstrap import log_verifier_key
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from tests import kit
from tests.cli.conftest import Port
from tests.command_line import Ran, run, trust_value, write_json

STRANGER = log_verifier_key(kit.ORIGIN, LocalSigner(generate(Algorithm.ED25519))).vkey


def vkey(port: Port) -> str:
    return log_verifier_key(kit.ORIGIN, port.platform.log_signer).vkey


def ledger(port: Port, *words: object, key: str | None = None) -> Ran:
    known = ["--log-vkey", key or vkey(port)]
    return run("ledger", *words, *known, BOL_URL=port.platform.base_url)


def unknown(port: Port, *words: object) -> Ran:
    """Without the log's key."""
    return run("ledger", *words, BOL_URL=port.platform.base_url)


@pytest.fixture
def kept(port: Port, tmp_path: Path) -> Path:
    """A checkpoint that somebody keeps; the log has grown since."""
    file = tmp_path / "checkpoint"
    file.write_text(ledger(port, "checkpoint").out, encoding="utf-8")
    port.office.done("yunling", "bill", "sign", port.bill)
    return file


@pytest.fixture
def receipt(port: Port, tmp_path: Path) -> Path:
    receipts = port.office.done("yunling", "bill", "sign", port.bill)["receipts"]
    return write_json(tmp_path / "receipt.json", receipts[0])


# -- checkpoint ----------------------------------------------------------------------------------


def test_a_checkpoint_is_printed_as_it_is_and_verified(port: Port) -> None:
    ran = ledger(port, "checkpoint")
    assert ran.code == 0
    assert ran.out.encode() == port.platform.client("yunling").fetch("/ledger/checkpoint").content
    assert "signed by the log's own key" in ran.err


def test_a_trust_file_names_the_key_as_well(port: Port, tmp_path: Path) -> None:
    trust = write_json(tmp_path / "trust.json", trust_value(port.platform))
    ran = unknown(port, "checkpoint", "--trust", trust, "--json")
    assert (ran.code, ran.json()["verified"]) == (0, True)


def test_a_checkpoint_under_no_known_key_is_not_verified(port: Port) -> None:
    ran = unknown(port, "checkpoint", "--json")
    assert (ran.code, ran.json()["verified"]) == (3, False)


def test_a_checkpoint_of_another_key_is_refused(port: Port) -> None:
    ran = ledger(port, "checkpoint", key=STRANGER)
    assert (ran.code, ran.out) == (1, "")


# -- proofs --------------------------------------------------------------------------------------


def test_a_receipt_proves_that_the_log_still_holds_the_act(port: Port, receipt: Path) -> None:
    ran = ledger(port, "proof", "inclusion", "--receipt", receipt)
    assert ran.code == 0
    assert "✓ the proof holds" in ran.out


def test_an_act_that_the_log_does_not_hold_is_not_proven(port: Port, receipt: Path) -> None:
    value = json.loads(receipt.read_text())
    write_json(receipt, {**value, "sequence": value["sequence"] + 1})
    ran = ledger(port, "proof", "inclusion", "--receipt", receipt, "--json")
    assert ran.code == 1
    assert ran.problem()["code"] == "bad_proof"


def test_a_proof_under_an_unknown_key_is_not_verified(port: Port, receipt: Path) -> None:
    ran = unknown(port, "proof", "inclusion", "--receipt", receipt, "--json")
    assert (ran.code, ran.json()["verified"]) == (3, False)


def test_a_proof_for_a_mere_index_is_shown_and_not_verified(port: Port) -> None:
    ran = ledger(port, "proof", "inclusion", 0, "--json")
    assert (ran.code, ran.json()["verified"]) == (3, False)
    assert ran.json()["proof"]


def test_an_index_that_is_not_the_receipts_is_wrong_use(port: Port, receipt: Path) -> None:
    assert ledger(port, "proof", "inclusion", 0, "--receipt", receipt).code == 2
    assert ledger(port, "proof", "inclusion").code == 2


def test_a_kept_checkpoint_proves_that_the_log_only_grew(port: Port, kept: Path) -> None:
    ran = ledger(port, "proof", "consistency", kept, "--json")
    assert (ran.code, ran.json()["verified"]) == (0, True)
    assert ran.json()["new"] > ran.json()["old"]


def test_a_receipt_serves_as_kept_checkpoint(port: Port, receipt: Path) -> None:
    assert ledger(port, "proof", "consistency", receipt).code == 0


def test_two_kept_checkpoints_are_held_against_each_other(
    port: Port, kept: Path, receipt: Path
) -> None:
    assert ledger(port, "proof", "consistency", kept, receipt).code == 0


def test_a_checkpoint_that_was_changed_is_refused(port: Port, kept: Path) -> None:
    origin, size, *rest = kept.read_text().split("\n")
    kept.write_text("\n".join([origin, str(int(size) - 1), *rest]))
    assert ledger(port, "proof", "consistency", kept).code == 1


def test_a_checkpoint_of_another_history_is_not_proven(port: Port, kept: Path) -> None:
    origin, size, root, *rest = kept.read_text().split("\n")
    kept.write_text("\n".join([origin, size, "A" + root[1:][:-1] + "=", *rest]))
    # No key is known, so only the proof itself can find it out.
    assert unknown(port, "proof", "consistency", kept).code == 1


def test_mere_sizes_prove_nothing(port: Port) -> None:
    ran = ledger(port, "proof", "consistency", 1, 5, "--json")
    assert (ran.code, ran.json()["verified"]) == (3, False)


# -- audit ---------------------------------------------------------------------------------------


def copied(port: Port, folder: Path, change: str = "") -> dict[str, str]:
    """The settings for a copy of the database, in which `change` was done behind the triggers."""
    source = sqlite3.connect(port.platform.settings.database_url.removeprefix("sqlite:///"))
    copy = sqlite3.connect(folder / "copy.db")
    with source, copy:
        source.backup(copy)
        triggers = copy.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        guards = triggers.fetchall() if change else []
        for name, _ in guards:
            copy.execute(f"DROP TRIGGER {name}")
        copy.execute(change or "SELECT 1")
        for _, statement in guards:
            copy.execute(statement)
    source.close()
    copy.close()
    return {"BOL_ORIGIN": kit.ORIGIN, "BOL_DATABASE_URL": f"sqlite:///{folder / 'copy.db'}"}


def test_a_sound_ledger_passes_the_audit(port: Port, tmp_path: Path) -> None:
    ran = run("ledger", "check", "--log-vkey", vkey(port), "--json", **copied(port, tmp_path))
    assert ran.code == 0
    assert ran.json()["problems"] == []
    assert ran.json()["entries"] > 20


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            "UPDATE entries SET recorded_at = '2020-01-01T00:00:00.000Z' WHERE idx = 3",
            id="a time was changed",
        ),
        pytest.param(
            "UPDATE nodes SET hash = zeroblob(32) WHERE level = 0 AND idx = 2", id="a leaf"
        ),
        pytest.param("DELETE FROM states WHERE stream = 'party:yunling'", id="a state is missing"),
    ],
)
def test_a_ledger_that_was_changed_fails_the_audit(change: str, port: Port, tmp_path: Path) -> None:
    settings = copied(port, tmp_path, change)
    ran = run("ledger", "check", "--log-vkey", vkey(port), **settings)
    assert ran.code == 1
    assert "✗" in ran.out
    assert "Stop the service" in ran.out


def test_a_database_put_back_to_an_earlier_day_shows_against_a_kept_checkpoint(
    port: Port, tmp_path: Path
) -> None:
    settings = copied(port, tmp_path)
    check = ["ledger", "check", "--log-vkey", vkey(port), "--json"]
    kept = tmp_path / "kept"
    kept.write_text(ledger(port, "checkpoint").out, encoding="utf-8")
    assert run(*check, "--checkpoint", kept, **settings).code == 0
    port.office.done("yunling", "bill", "sign", port.bill)
    kept.write_text(ledger(port, "checkpoint").out, encoding="utf-8")
    ran = run(*check, "--checkpoint", kept, **settings)
    assert ran.code == 1
    assert "entries are lost" in ran.json()["problems"][0]


@pytest.mark.parametrize(
    "without",
    [
        pytest.param(lambda settings: settings.pop("BOL_ORIGIN"), id="origin"),
        pytest.param(lambda settings: settings.pop("BOL_DATABASE_URL"), id="database"),
        pytest.param(
            lambda settings: settings.update(BOL_ORIGIN="demo.other/ebl"), id="its right origin"
        ),
        pytest.param(
            lambda settings: settings.update(BOL_DATABASE_URL="sqlite:////nowhere/at/all.db"),
            id="a database that is there",
        ),
    ],
)
def test_an_audit_is_not_possible_without(
    without: Callable[[dict[str, str]], object], port: Port, tmp_path: Path
) -> None:
    settings = copied(port, tmp_path)
    without(settings)
    assert run("ledger", "check", "--log-vkey", vkey(port), **settings).code == 4


def test_an_audit_needs_the_logs_key(port: Port, tmp_path: Path) -> None:
    ran = run("ledger", "check", **copied(port, tmp_path))
    assert (ran.code, "--log-vkey" in ran.err) == (4, True)


def test_checkpoints_of_another_key_fail_the_audit(port: Port, tmp_path: Path) -> None:
    ran = run("ledger", "check", "--log-vkey", STRANGER, **copied(port, tmp_path))
    assert ran.code == 1
