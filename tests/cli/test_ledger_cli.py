"""`bol ledger`: what is proven is told as proven, what could not be checked never is."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bol_service.bootstrap import log_verifier_key
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.ledger.note import KeyType, VerifierKey
from tests import kit
from tests.cli.conftest import Port
from tests.cli.test_terminal_cli import at_terminal
from tests.command_line import Ran, run, write_json
from tests.trust_file import trust_value

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
    trust = write_json(tmp_path / "trust.json", trust_value(port.platform.trust()))
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


def test_a_proof_is_kept_as_a_file_and_checked_offline(
    port: Port, receipt: Path, tmp_path: Path
) -> None:
    ran = ledger(port, "proof", "file", "--receipt", receipt)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "c2sp.org/tlog-proof@v1")
    kept = tmp_path / "entry.tlog-proof"
    kept.write_text(ran.out, encoding="utf-8")

    def offline(*words: object) -> Ran:
        return run("ledger", "proof", "check", kept, "--receipt", receipt, *words)

    told = offline("--log-vkey", vkey(port), "--json").json()
    assert (told["verified"], told["index"]) == (True, json.loads(receipt.read_text())["index"])
    assert "under a checkpoint that its own key signed" in offline("--log-vkey", vkey(port)).out
    assert offline("--json").problem()["code"] == "not_set_up"
    assert offline("--log-vkey", STRANGER, "--json").problem()["code"] == "bad_proof"


def test_a_kept_proof_of_too_few_witnesses_is_told_as_that(
    port: Port, receipt: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "entry.tlog-proof"
    kept.write_text(ledger(port, "proof", "file", "--receipt", receipt).out, encoding="utf-8")
    witness = VerifierKey(
        name="demo.sg.example/ebl/witness", type=KeyType.COSIGNATURE, public=bytes(31) + b"\1"
    )
    value = {**trust_value(port.platform.trust()), "witnesses": [witness.vkey], "quorum": 1}
    trust = write_json(tmp_path / "trust.json", value)
    ran = run("ledger", "proof", "check", kept, "--receipt", receipt, "--trust", trust)
    assert ran.code == 3
    assert "0 witnesses cosigned, the trust file asks for 1" in ran.err


@pytest.mark.parametrize("member", ["index", "sequence"])
def test_a_kept_proof_proves_the_entry_of_its_receipt_alone(
    port: Port, receipt: Path, tmp_path: Path, member: str
) -> None:
    kept = tmp_path / "entry.tlog-proof"
    kept.write_text(ledger(port, "proof", "file", "--receipt", receipt).out, encoding="utf-8")
    value = json.loads(receipt.read_text())
    write_json(receipt, {**value, member: value[member] - 1})
    words = ("proof", "check", kept, "--receipt", receipt, "--log-vkey", vkey(port), "--json")
    ran = run("ledger", *words)
    assert (ran.code, ran.problem()["code"]) == (1, "bad_proof")


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
    other = "B" if root.startswith("A") else "A"
    kept.write_text("\n".join([origin, size, other + root[1:], *rest]))
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
    of_the_service = port.platform.settings.state_dir / "checkpoint"
    for file in (kept, of_the_service):
        assert run(*check, "--checkpoint", file, **settings).code == 0
    port.office.done("yunling", "bill", "sign", port.bill)
    kept.write_text(ledger(port, "checkpoint").out, encoding="utf-8")
    for file in (kept, of_the_service):
        ran = run(*check, "--checkpoint", file, **settings)
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


# -- audit: going on, rebuilding -----------------------------------------------------------------


def checked(port: Port, settings: dict[str, str], *words: object) -> Ran:
    return run("ledger", "check", "--log-vkey", vkey(port), *words, **settings)


def test_a_later_audit_says_what_it_did_not_look_at_again(port: Port, tmp_path: Path) -> None:
    settings, book = copied(port, tmp_path), tmp_path / "book"
    assert "not looked at again" not in checked(port, settings, "--since", book).out
    ran = checked(port, settings, "--since", book)
    assert ran.code == 0
    assert "signatures, law, documents and checkpoints were not looked at again" in ran.out
    value = checked(port, settings, "--since", book, "--json").json()
    assert value["since"] == value["entries"] > 20
    assert value["sinceAt"]


def test_a_file_that_is_no_book_is_told(port: Port, tmp_path: Path) -> None:
    settings = copied(port, tmp_path)
    ran = checked(
        port, settings, "--since", settings["BOL_DATABASE_URL"].removeprefix("sqlite:///")
    )
    assert ran.code == 4
    assert "not the book of an audit" in ran.err


def test_wrong_caches_are_rebuilt_and_sound_afterwards(port: Port, tmp_path: Path) -> None:
    settings = copied(port, tmp_path, "DELETE FROM states WHERE stream = 'party:yunling'")
    first = checked(port, settings)
    assert (first.code, "--rebuild" in first.out) == (1, True)
    ran = checked(port, settings, "--rebuild", "--json")
    assert (ran.code, ran.json()["rebuilt"]) == (0, True)
    again = checked(port, settings, "--rebuild")
    assert (again.code, "the ledger is sound" in again.out) == (0, True)


def test_the_caches_of_a_ledger_that_is_not_sound_are_left(port: Port, tmp_path: Path) -> None:
    settings = copied(port, tmp_path, "UPDATE entries SET kid = 'x' WHERE idx = 3")
    ran = checked(port, settings, "--rebuild", "--json")
    assert (ran.code, ran.json()["rebuilt"]) == (1, False)


def test_nothing_is_rebuilt_beside_a_running_service(port: Port) -> None:
    url = port.platform.settings.database_url
    ran = checked(port, {"BOL_ORIGIN": kit.ORIGIN, "BOL_DATABASE_URL": url}, "--rebuild")
    assert ran.code == 4
    assert "another process writes to this database" in ran.err


def test_a_running_service_is_audited(port: Port) -> None:
    url = port.platform.settings.database_url
    assert checked(port, {"BOL_ORIGIN": kit.ORIGIN, "BOL_DATABASE_URL": url}).code == 0


def test_the_first_finding_is_told_with_what_it_means_and_what_to_do(
    port: Port, tmp_path: Path
) -> None:
    settings = copied(port, tmp_path, "UPDATE entries SET kid = 'x' WHERE idx = 3")
    ran = checked(port, settings)
    assert "entry 3: the columns say" in ran.out
    assert "A row of the log was changed, taken away or damaged" in ran.out
    assert "→ Stop the service, keep this database as it is" in ran.out
    first = checked(port, settings, "--json").json()["first"]
    assert (first["kind"], first["entry"]) == ("row", 3)


def without(settings: dict[str, str], trigger: str) -> dict[str, str]:
    """The same database, from which somebody took a trigger away for good."""
    connection = sqlite3.connect(settings["BOL_DATABASE_URL"].removeprefix("sqlite:///"))
    with connection:
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.close()
    return settings


def test_a_database_without_its_guards_is_audited_and_is_not_sound(
    port: Port, tmp_path: Path
) -> None:
    settings = without(copied(port, tmp_path), "entries_no_update")
    ran = checked(port, settings, "--json")
    assert ran.code == 1
    assert ran.json()["problems"] == [
        "append-only triggers are not in place: entries_no_update (missing)"
    ]
    assert ran.json()["first"]["kind"] == "guards"
    assert "bol db restore-triggers" in ran.json()["first"]["do"]
    assert checked(port, settings, "--rebuild").code == 4


def test_what_was_changed_is_found_while_the_guards_are_gone(port: Port, tmp_path: Path) -> None:
    changed = copied(port, tmp_path, "UPDATE entries SET kid = 'x' WHERE idx = 3")
    ran = checked(port, without(changed, "entries_no_update"), "--json").json()
    assert (ran["first"]["kind"], ran["first"]["entry"]) == ("row", 3)
    assert "entries_no_update (missing)" in ran["problems"][-1]


def test_a_rebuild_does_not_hide_that_the_log_was_put_back(port: Port, tmp_path: Path) -> None:
    settings = copied(port, tmp_path, "DELETE FROM states WHERE stream = 'party:yunling'")
    port.office.done("yunling", "bill", "sign", port.bill)
    kept = tmp_path / "kept"
    kept.write_text(ledger(port, "checkpoint").out, encoding="utf-8")
    ran = checked(port, settings, "--rebuild", "--checkpoint", kept, "--json")
    assert (ran.code, ran.json()["rebuilt"]) == (1, True)
    ran = checked(port, settings, "--checkpoint", kept, "--json")
    assert "Do not let this database sign" in ran.json()["first"]["do"]


def test_an_interrupted_audit_says_how_to_go_on(
    port: Port, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bol_service.application.audit.pages", interrupt)
    settings = copied(port, tmp_path)
    ran = checked(port, settings, "--since", tmp_path / "book", "--json")
    assert (ran.code, ran.problem()["code"]) == (1, "interrupted")
    assert f"--since {tmp_path / 'book'}" in ran.problem()["nextStep"]
    assert "With --since FILE" in checked(port, settings).err


@pytest.mark.parametrize(
    ("words", "shown"), [([], True), (["--json"], False)], ids=["a person", "a machine"]
)
def test_a_bar_is_shown_to(port: Port, tmp_path: Path, words: list[str], shown: bool) -> None:
    command = ["ledger", "check", "--log-vkey", vkey(port), *words]
    code, screen = at_terminal(command, copied(port, tmp_path))
    assert code == 0
    assert ("━" in screen) is shown


# -- backup and restore --------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where a platform is to be restored: its database is not there yet."""

    port: Port
    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "restored.db"

    @property
    def backup(self) -> Path:
        return self.folder / "backup.db"

    def settings(self, **changes: object) -> dict[str, str]:
        settings = {
            "BOL_ORIGIN": kit.ORIGIN,
            "BOL_DATABASE_URL": f"sqlite:///{self.database}",
            "BOL_STATE_DIR": self.port.platform.settings.state_dir,
        }
        return {name: str(value) for name, value in (settings | changes).items()}

    def back_up(self, *words: object, **changes: object) -> Ran:
        url = self.port.platform.settings.database_url
        settings = self.settings(**{"BOL_DATABASE_URL": url} | changes)
        known = ["--log-vkey", vkey(self.port)]
        return run("ledger", "backup", self.backup, *known, *words, **settings)

    def restore(self, *words: object, **changes: object) -> Ran:
        known = ["--log-vkey", vkey(self.port)]
        return run("ledger", "restore", self.backup, *known, *words, **self.settings(**changes))

    def files(self) -> set[str]:
        return {file.name for file in self.folder.iterdir()}


@pytest.fixture
def place(port: Port, tmp_path: Path) -> Place:
    return Place(port, tmp_path)


def test_a_backup_of_a_running_service_is_whole_and_comes_with_its_checkpoint(
    place: Place,
) -> None:
    ran = place.back_up()
    assert ran.code == 0
    assert ran.out == ledger(place.port, "checkpoint").out
    assert place.files() == {"backup.db"}
    settings = place.settings(BOL_DATABASE_URL=f"sqlite:///{place.backup}")
    assert checked(place.port, settings).code == 0


def test_a_backup_is_never_written_over_a_file(place: Place) -> None:
    place.backup.write_bytes(b"what was kept")
    ran = place.back_up("--json")
    assert (ran.code, ran.problem()["code"]) == (1, "file_exists")
    assert place.backup.read_bytes() == b"what was kept"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("UPDATE nodes SET hash = zeroblob(32) WHERE idx = 0", id="tree"),
        pytest.param("UPDATE log SET frontier = x'00'", id="head"),
        pytest.param("DELETE FROM checkpoints WHERE size > 3", id="checkpoints"),
        pytest.param("DELETE FROM entries WHERE idx > 10", id="entries"),
    ],
)
def test_a_copy_that_does_not_make_its_own_checkpoint_is_no_backup(
    place: Place, change: str
) -> None:
    settings = copied(place.port, place.folder, change)
    ran = place.back_up("--json", **settings)
    assert (ran.code, ran.problem()["code"]) == (1, "bad_copy")
    assert not any(name.startswith("backup") for name in place.files())


def test_a_copy_of_another_key_is_no_backup(place: Place) -> None:
    ran = run(
        *("ledger", "backup", place.backup, "--log-vkey", STRANGER, "--json"),
        **place.settings(BOL_DATABASE_URL=place.port.platform.settings.database_url),
    )
    assert (ran.code, ran.problem()["code"]) == (1, "bad_copy")
    assert place.files() == set()


def test_a_damaged_file_is_no_backup(place: Place) -> None:
    settings = copied(place.port, place.folder)
    file = place.folder / "copy.db"
    content = bytearray(file.read_bytes())
    middle = len(content) // 4096 // 2 * 4096
    content[middle : middle + 4096 * 8] = bytes(4096 * 8)
    file.write_bytes(content)
    ran = place.back_up("--json", **settings)
    assert (ran.code, ran.problem()["code"]) == (1, "no_backup")
    assert not any(name.startswith("backup") for name in place.files())


def test_a_backup_in_a_place_that_is_not_there_is_told(place: Place) -> None:
    ran = run(
        *("ledger", "backup", place.folder / "nowhere" / "x", "--log-vkey", vkey(place.port)),
        **place.settings(BOL_DATABASE_URL=place.port.platform.settings.database_url),
    )
    assert ran.code == 1


def test_a_restored_backup_is_the_ledger_that_it_was(place: Place) -> None:
    assert place.back_up().code == 0
    value = place.restore("--json").json()
    assert value["setAside"] == ""
    assert checked(place.port, place.settings()).code == 0
    assert {"backup.db", "restored.db"} <= place.files()
    assert not any(name.endswith(".part") for name in place.files())


def test_a_backup_older_than_what_was_signed_is_not_restored(place: Place) -> None:
    """Signing from it would make a second history."""
    assert place.back_up().code == 0
    place.port.office.done("yunling", "bill", "sign", place.port.bill)
    ran = place.restore("--json")
    assert (ran.code, ran.problem()["code"]) == (1, "older_than_signed")
    assert "acknowledged and would be lost" in ran.problem()["detail"]
    assert place.files() == {"backup.db", "restored.db.lock"}


def test_a_database_that_is_there_is_set_aside(place: Place) -> None:
    assert place.back_up().code == 0
    assert place.restore().code == 0
    place.database.with_name("restored.db-wal").write_bytes(b"")
    old = place.database.read_bytes()
    aside = Path(place.restore("--json").json()["setAside"])
    assert aside.read_bytes() == old
    assert checked(place.port, place.settings()).code == 0


def test_a_newer_database_is_not_replaced(place: Place, tmp_path: Path) -> None:
    """The checkpoint file of the older day is there too: only the database itself knows."""
    assert place.back_up().code == 0
    state = tmp_path / "state"
    shutil.copytree(place.port.platform.settings.state_dir, state)
    place.port.office.done("yunling", "bill", "sign", place.port.bill)
    newer = place.folder / "newer.db"
    shutil.move(place.backup, newer)
    assert place.back_up().code == 0
    assert place.restore().code == 0
    shutil.move(newer, place.backup)
    before = place.database.read_bytes()
    ran = place.restore("--json", BOL_STATE_DIR=state)
    assert (ran.code, ran.problem()["code"]) == (1, "newer_database")
    assert place.database.read_bytes() == before


def test_a_database_that_cannot_be_read_is_set_aside(place: Place) -> None:
    assert place.back_up().code == 0
    place.database.write_bytes(b"ruined" * 1000)
    assert place.restore().code == 0
    assert checked(place.port, place.settings()).code == 0


@pytest.mark.parametrize(
    ("state", "code"),
    [
        pytest.param(None, 4, id="no folder is named"),
        pytest.param("nowhere", 4, id="its disk is not mounted"),
        pytest.param("empty", 1, id="the checkpoint file is lost"),
    ],
)
def test_nothing_is_restored_without_the_checkpoint_that_was_signed_last(
    place: Place, state: str | None, code: int
) -> None:
    assert place.back_up().code == 0
    (place.folder / "empty").mkdir()
    folder = place.folder / state if state else ""
    assert place.restore(BOL_STATE_DIR=folder).code == code
    assert not place.database.exists()


def test_nothing_is_restored_under_a_running_service(place: Place) -> None:
    assert place.back_up().code == 0
    ran = place.restore(BOL_DATABASE_URL=place.port.platform.settings.database_url)
    assert ran.code == 4
    assert "another process writes" in ran.err


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_for_postgresql_its_own_tools_are_named(place: Place, command: str) -> None:
    settings = place.settings(BOL_DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/x")
    known = ["--log-vkey", vkey(place.port)]
    ran = run("ledger", command, place.backup, *known, "--json", **settings)
    assert (ran.code, ran.problem()["code"]) == (1, "not_sqlite")
    assert "pgBackRest" in ran.problem()["nextStep"]


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_copy_needs_the_logs_key_and_a_file(place: Place, command: str) -> None:
    assert run("ledger", command, place.backup, **place.settings()).code == 4
    memory = place.settings(BOL_DATABASE_URL="sqlite://")
    assert run("ledger", command, place.backup, "--log-vkey", STRANGER, **memory).code == 4
