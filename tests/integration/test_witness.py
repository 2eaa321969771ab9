"""Two live platforms witness each other's logs over loopback, and neither lets the other fork."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from structlog.testing import capture_logs

from bol_service import bootstrap
from bol_service.application.cosigning import Cosigning
from bol_service.application.startup import RollbackSuspected
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate, open_signer, write_private_key
from bol_service.ledger.checkpoint import open_checkpoint
from bol_service.ledger.note import KeyType, VerifierKey, parse_note, sign_note, verify_note
from bol_service.ledger.witnessing import AddCheckpoint, cosignature_in, origin_hash
from bol_service.settings import SettingsError
from bol_service.storage.engine import open_engine
from bol_service.verification.report import Check, Outcome, Verdict
from bol_service.verification.verifier import verify
from tests import minimal_bill
from tests.command_line import run
from tests.forged_log import ForgedLog, entries, entry
from tests.neighbours import (
    PASSPHRASE,
    Neighbour,
    away,
    closed_port,
    logs_file,
    neighbour,
    policy_file,
    served,
)

IN_THE_BACKGROUND = Cosigning.start
CQ, SG, KR = "demo.cq.example/ebl", "demo.sg.example/ebl", "demo.kr.example/ebl"


@dataclass(kw_only=True)
class Answer:
    status: int
    media_type: str
    content: bytes


def ask(url: str, method: str, path: str, body: bytes | None = None) -> Answer:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=120)
    connection.request(method, path, body)
    answer = connection.getresponse()
    found = Answer(
        status=answer.status,
        media_type=answer.headers.get("Content-Type", ""),
        content=answer.read(),
    )
    connection.close()
    return found


def make_witness(platform: Neighbour, *logs: VerifierKey) -> None:
    """Let a platform witness these logs from now on."""
    folder = platform.settings.state_dir.parent
    platform.restart(
        witness_key=f"file:{folder / 'witness.pem'}",
        witnessed_logs=logs_file(folder / "logs.txt", *logs),
    )


def ask_witnesses(platform: Neighbour, quorum: str, *witnesses: tuple[str, Neighbour, str]) -> None:
    """Let a platform ask these witnesses (name, platform, address)."""
    lines = [f"witness {name} {of.witness_key.vkey} {url}" for name, of, url in witnesses]
    path = platform.settings.state_dir.parent / "witnesses.txt"
    platform.restart(witnesses=policy_file(path, *lines, quorum))


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """A witness is asked in `collect` only: what the background collects comes when it likes."""
    monkeypatch.setattr(Cosigning, "start", lambda _: None)


def cosigning_of(running: bootstrap.Running) -> Cosigning:
    found = running.services.cosigning
    assert found is not None
    return found


def collect(platform: Neighbour) -> None:
    cosigning_of(platform.running).collect()


def alarms(journal: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [line for line in journal if line["log_level"] == "error"]


# -- the witness's answers -----------------------------------------------------------------------


@dataclass(kw_only=True)
class Desk:
    """A witness, and a log whose key is ours to misuse."""

    witness: Neighbour
    log: ForgedLog

    def add(self, old: int, size: int, *, log: ForgedLog | None = None) -> Answer:
        of = log or self.log
        proof = tuple(of.log.consistency(old, size)) if old <= size else ()
        return self.send(AddCheckpoint(old=old, proof=proof, note=of.note(size)))

    def send(self, request: AddCheckpoint) -> Answer:
        return self.post(request.to_bytes())

    def post(self, content: bytes) -> Answer:
        return ask(self.witness.url, "POST", "/witness/add-checkpoint", content)

    def fork(self, at: int) -> ForgedLog:
        """Another history from the entry `at`, under the same key."""
        kept = self.log.entries[:at]
        other = [entry(f"party:other{number}", 0) for number in range(20)]
        return ForgedLog(self.log.origin, self.log.signer, kept + other)

    def latest(self) -> Answer:
        return ask(self.witness.url, "GET", f"/witness/{origin_hash(self.log.origin)}/checkpoint")


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    signer = LocalSigner(generate(Algorithm.ED25519))
    log = ForgedLog(KR, signer, entries(20))
    with neighbour(tmp_path / "sg", SG, database_url=database_url) as witness:
        make_witness(witness, bootstrap.log_verifier_key(KR, signer))
        yield Desk(witness=witness, log=log)


def test_a_log_that_grows_is_cosigned_at_every_size(desk: Desk) -> None:
    for old, size in ((0, 5), (5, 5), (5, 6), (6, 16), (16, 20)):
        answer = desk.add(old, size)

        assert answer.status == 200
        line = cosignature_in(desk.log.note(size), answer.content, desk.witness.witness_key)
        assert line.encode() == answer.content
        latest = desk.latest().content.decode()
        keys = [desk.witness.witness_key, bootstrap.log_verifier_key(KR, desk.log.signer)]
        assert open_checkpoint(latest, keys).checkpoint.size == size
        assert len(verify_note(latest, keys).by) == 2


def test_an_empty_log_may_be_cosigned_first(desk: Desk) -> None:
    assert desk.add(0, 0).status == 200
    assert desk.add(0, 3).status == 200


def test_a_size_is_cosigned_once(desk: Desk) -> None:
    first, again = desk.add(0, 5), desk.add(5, 5)

    assert first.content == again.content


def test_a_stale_size_is_told_the_right_one(desk: Desk) -> None:
    desk.add(0, 5)
    answer = desk.add(3, 6)

    assert (answer.status, answer.media_type, answer.content) == (409, "text/x.tlog.size", b"5\n")


def test_a_log_that_was_never_seen_begins_at_zero(desk: Desk) -> None:
    answer = desk.add(3, 6)

    assert (answer.status, answer.content) == (409, b"0\n")


def test_a_log_that_shrinks_is_refused(desk: Desk) -> None:
    desk.add(0, 10)

    assert desk.add(10, 4).status == 400
    rolled_back = desk.add(4, 4)
    assert (rolled_back.status, rolled_back.content) == (409, b"10\n")


def test_a_fork_is_refused_and_both_histories_are_kept_in_the_journal(desk: Desk) -> None:
    desk.add(0, 10)
    fork = desk.fork(8)
    with capture_logs() as journal:
        answer = desk.add(10, 15, log=fork)

    assert answer.status == 422
    assert b'"code": "inconsistent_checkpoint"' in answer.content
    (alarm,) = [line for line in journal if line["event"] == "a log may have forked"]
    assert "\n10\n" in alarm["kept"]
    assert alarm["offered"] == fork.note(15)
    assert b"\n10\n" in desk.latest().content


def disputes(desk: Desk) -> dict[tuple[str, bool], int]:
    witness = desk.witness.running.services.witness
    assert witness is not None
    return witness.disputes()


def test_another_root_at_the_same_size_is_refused_and_told_as_a_fork(desk: Desk) -> None:
    desk.add(0, 10)
    with capture_logs() as journal:
        assert desk.add(10, 10, log=desk.fork(8)).status == 422
    assert [line["event"] for line in alarms(journal)] == ["a log has forked"]
    assert disputes(desk) == {(desk.log.origin, True): 1, (desk.log.origin, False): 0}


def test_an_alarm_about_a_fork_survives_a_restart_with_both_notes_to_show(desk: Desk) -> None:
    desk.add(0, 10)
    fork = desk.fork(8)
    stranger = ForgedLog(KR, LocalSigner(generate(Algorithm.ED25519)), entries(20))
    note = fork.note(10) + parse_note(stranger.note(5)).signatures[0].line()
    for _ in range(2):
        assert desk.send(AddCheckpoint(old=10, proof=(), note=note)).status == 422
        desk.witness.restart()

    assert disputes(desk) == {(KR, True): 1, (KR, False): 0}
    metrics = ask(desk.witness.url, "GET", "/metrics").content.decode()
    assert f'bol_witness_disputes{{kind="fork",log="{KR}"}} 1.0' in metrics
    settings = desk.witness.settings
    told = {"BOL_ORIGIN": settings.origin, "BOL_DATABASE_URL": settings.database_url}
    ran = run("ledger", "disputes", "--json", **told)
    assert ran.code == 1
    ((shown),) = json.loads(ran.out)
    keys = [bootstrap.log_verifier_key(KR, desk.log.signer)]
    both = [open_checkpoint(shown[name], keys).checkpoint for name in ("kept", "offered")]
    assert [said.size for said in both] == [10, 10]
    assert both[0].root != both[1].root
    assert shown["offered"] == fork.note(10)
    assert "FORK: the log has signed two histories" in run("ledger", "disputes", **told).out


def test_a_log_that_is_witnessed_no_more_alarms_no_more(desk: Desk, tmp_path: Path) -> None:
    desk.add(0, 10)
    assert desk.add(10, 10, log=desk.fork(8)).status == 422
    other = bootstrap.log_verifier_key(CQ, LocalSigner(generate(Algorithm.ED25519)))
    desk.witness.restart(witnessed_logs=logs_file(tmp_path / "other.txt", other))

    assert disputes(desk) == {(CQ, True): 0, (CQ, False): 0}


def test_what_was_unproven_is_told_as_a_fork_once_another_root_of_its_size_is_cosigned(
    desk: Desk,
) -> None:
    desk.add(0, 10)
    fork = desk.fork(8)
    assert desk.add(10, 15, log=fork).status == 422
    assert desk.add(10, 15).status == 200
    assert desk.add(15, 15, log=fork).status == 422
    assert disputes(desk) == {(KR, True): 1, (KR, False): 1}


def test_a_stranger_with_a_published_checkpoint_and_a_wrong_proof_alarms_once(desk: Desk) -> None:
    desk.add(0, 5)
    with capture_logs() as journal:
        for number in range(3):
            proof = (bytes([number]) * 32,)
            request = AddCheckpoint(old=5, proof=proof, note=desk.log.note(9))
            assert desk.send(request).status == 422
    assert [line["event"] for line in alarms(journal)] == ["a log may have forked"]
    assert disputes(desk) == {(desk.log.origin, True): 0, (desk.log.origin, False): 1}
    metrics = ask(desk.witness.url, "GET", "/metrics").content.decode()
    assert f'bol_witness_disputes{{kind="unproven",log="{desk.log.origin}"}} 1.0' in metrics
    assert f'bol_witness_disputes{{kind="fork",log="{desk.log.origin}"}} 0.0' in metrics


def test_a_proof_where_none_is_due_is_refused(desk: Desk) -> None:
    request = AddCheckpoint(old=0, proof=(b"\x00" * 32,), note=desk.log.note(5))

    assert desk.send(request).status == 422


def test_a_missing_proof_is_refused(desk: Desk) -> None:
    desk.add(0, 5)

    assert desk.send(AddCheckpoint(old=5, proof=(), note=desk.log.note(9))).status == 422


def test_an_empty_tree_with_a_root_is_refused(desk: Desk) -> None:
    desk.log.log.roots[0] = b"\x01" * 32

    assert desk.send(AddCheckpoint(old=0, proof=(), note=desk.log.note(0))).status == 422


def test_a_checkpoint_with_extensions_is_refused(desk: Desk) -> None:
    body = parse_note(desk.log.note(5)).text + "more\n"
    signer = desk.log.signer
    note = sign_note(body, KR, signer.sign, signer.public.public_bytes_raw)

    assert desk.send(AddCheckpoint(old=0, proof=(), note=note)).status == 422


def test_an_unknown_log_is_refused(desk: Desk) -> None:
    stranger = ForgedLog("demo.nobody.example/ebl", desk.log.signer, entries(5))
    answer = desk.add(0, 5, log=stranger)

    assert answer.status == 404
    assert b'"code": "log_not_witnessed"' in answer.content


def test_a_checkpoint_signed_by_a_stranger_is_refused(desk: Desk) -> None:
    forged = ForgedLog(KR, LocalSigner(generate(Algorithm.ED25519)), entries(5))
    answer = desk.add(0, 5, log=forged)

    assert answer.status == 403
    assert b'"code": "not_signed_by_log"' in answer.content


def test_signatures_of_strangers_are_passed_over_and_not_kept(desk: Desk) -> None:
    other = ForgedLog(KR, LocalSigner(generate(Algorithm.ED25519)), entries(20))
    stranger = parse_note(other.note(5)).signatures[0].line()
    note = desk.log.note(5) + stranger

    assert desk.send(AddCheckpoint(old=0, proof=(), note=note)).status == 200
    assert stranger not in desk.latest().content.decode()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"old 0\n\nno note\n", id="no note"),
        pytest.param(b"old x\n\n", id="no size"),
        pytest.param(b"\xff\xfe", id="no text"),
    ],
)
def test_a_malformed_request_is_refused(desk: Desk, content: bytes) -> None:
    assert desk.post(content).status == 400


def test_a_request_beyond_the_limit_is_refused(desk: Desk) -> None:
    assert desk.post(b"old 0\n\n" + b"a" * 65_536).status == 413


def test_what_was_cosigned_survives_a_restart(desk: Desk) -> None:
    first = desk.add(0, 10)
    desk.witness.restart()

    assert desk.add(0, 10).content == b"10\n"
    assert desk.add(10, 10).content == first.content
    assert desk.add(10, 15, log=desk.fork(8)).status == 422


def test_a_witness_with_a_new_key_cosigns_the_same_size_again(desk: Desk, tmp_path: Path) -> None:
    first = desk.add(0, 10)
    write_private_key(tmp_path / "new.pem", generate(Algorithm.ED25519), PASSPHRASE)
    desk.witness.restart(witness_key=f"file:{tmp_path / 'new.pem'}")

    again = desk.add(10, 10)
    assert again.status == 200
    assert again.content != first.content
    assert again.content in desk.latest().content


def test_of_two_histories_sent_at_once_one_is_cosigned(desk: Desk) -> None:
    desk.add(0, 8)
    fork = desk.fork(8)
    offers = [(log, size) for size in range(9, 13) for log in (desk.log, fork)]
    with ThreadPoolExecutor(len(offers)) as pool:
        answers = list(pool.map(lambda offer: desk.add(8, offer[1], log=offer[0]), offers))

    assert sorted(answer.status for answer in answers) == [200] + [409] * 7


def test_nothing_is_known_of_a_log_that_nobody_sent(desk: Desk) -> None:
    assert desk.latest().status == 404
    assert ask(desk.witness.url, "GET", "/witness/xyz/checkpoint").status == 404


def test_a_platform_without_a_witness_key_is_no_witness(desk: Desk) -> None:
    desk.witness.restart(witness_key=None, witnessed_logs=None)

    assert desk.add(0, 5).status == 404
    assert desk.latest().status == 404


# -- two platforms -------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Pair:
    cq: Neighbour
    sg: Neighbour


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Chongqing and Singapore, each the other's witness."""
    with (
        neighbour(tmp_path / "cq", CQ, entries=3) as cq,
        neighbour(tmp_path / "sg", SG, entries=2) as sg,
    ):
        make_witness(cq, sg.log_key)
        make_witness(sg, cq.log_key)
        ask_witnesses(cq, "quorum sg", ("sg", sg, f"{sg.url}/witness"))
        ask_witnesses(sg, "quorum cq", ("cq", cq, f"{cq.url}/witness"))
        yield Pair(cq=cq, sg=sg)


def witnesses_of(platform: Neighbour, *known: VerifierKey) -> list[str]:
    """Who cosigned the checkpoint that a platform serves now."""
    note = ask(platform.url, "GET", "/ledger/checkpoint").content.decode()
    by = open_checkpoint(note, [platform.log_key, *known]).by
    return [found.key.name for found in by if found.key.type is KeyType.COSIGNATURE]


def test_each_serves_its_checkpoint_with_the_others_cosignature(pair: Pair) -> None:
    for one, other in ((pair.cq, pair.sg), (pair.sg, pair.cq)):
        collect(one)

        assert witnesses_of(one, other.witness_key) == [f"{other.origin}/witness"]


def test_cosignatures_are_collected_in_the_background(pair: Pair) -> None:
    IN_THE_BACKGROUND(cosigning_of(pair.cq.running))
    deadline = monotonic() + 60

    while witnesses_of(pair.cq, pair.sg.witness_key) != [f"{SG}/witness"]:
        assert monotonic() < deadline


def test_a_log_that_grew_is_cosigned_anew(pair: Pair) -> None:
    collect(pair.cq)
    pair.cq.grow(4)
    assert witnesses_of(pair.cq, pair.sg.witness_key) == []

    collect(pair.cq)
    assert witnesses_of(pair.cq, pair.sg.witness_key) == [f"{SG}/witness"]


def test_a_platform_that_lost_count_of_its_witness_asks_again(pair: Pair) -> None:
    collect(pair.cq)
    note = pair.sg.running.services.witness
    assert note is not None
    pair.cq.grow(2)
    # The witness hears of the new size from elsewhere, so that our next request is stale.
    ledger = pair.cq.running.services.ledger
    size, proof = ledger.consistency(3, None)
    request = AddCheckpoint(old=3, proof=tuple(proof), note=ledger.checkpoint())
    note.add_checkpoint(request.to_bytes())
    pair.cq.grow(1)

    collect(pair.cq)
    assert size == 5
    assert witnesses_of(pair.cq, pair.sg.witness_key) == [f"{SG}/witness"]


def test_receipts_stay_as_they_were_given(pair: Pair) -> None:
    queries = pair.cq.running.services.queries
    before = queries.receipt("party:p1", 0, "operator")
    collect(pair.cq)

    assert queries.receipt("party:p1", 0, "operator") == before


def test_the_lag_of_each_witness_is_measured(pair: Pair) -> None:
    collect(pair.cq)
    pair.cq.grow(2)

    metrics = ask(pair.cq.url, "GET", "/metrics").content.decode()
    assert 'bol_witness_lag_entries{witness="sg"} 2.0' in metrics


def test_a_witness_that_is_away_blocks_no_write_and_is_asked_less_often(pair: Pair) -> None:
    address = f"http://127.0.0.1:{closed_port()}/witness"
    ask_witnesses(pair.cq, "quorum sg", ("sg", pair.sg, address))
    cosigning = cosigning_of(pair.cq.running)
    courier = cosigning._couriers[0]
    before = courier.pause
    collect(pair.cq)
    collect(pair.cq)
    pair.cq.grow(2)

    assert pair.cq.size == 5
    assert courier.pause >= 4 * before
    assert cosigning.lags()[0].failures >= 2
    assert ask(pair.cq.url, "GET", "/readyz").status == 200


def test_a_witness_that_comes_back_catches_up(pair: Pair) -> None:
    collect(pair.cq)
    pair.sg.stop()
    pair.cq.grow(6)
    pair.sg.start()

    collect(pair.cq)
    assert witnesses_of(pair.cq, pair.sg.witness_key) == [f"{SG}/witness"]


def test_a_cosignature_by_another_key_than_the_policys_is_not_kept(pair: Pair) -> None:
    folder = pair.cq.settings.state_dir.parent
    other = LocalSigner(generate(Algorithm.ED25519)).public.public_bytes_raw
    stranger = replace(pair.sg.witness_key, public=other)
    line = f"witness sg {stranger.vkey} {pair.sg.url}/witness"
    pair.cq.restart(witnesses=policy_file(folder / "wrong.txt", line, "quorum sg"))
    with capture_logs() as journal:
        collect(pair.cq)

    assert witnesses_of(pair.cq, pair.sg.witness_key) == []
    assert any("cannot be used" in str(line.get("error")) for line in journal)


# -- rollback ------------------------------------------------------------------------------------


def restored(platform: Neighbour, backup: Path) -> None:
    """Put back an older database together with the checkpoint file of that day."""
    folder = platform.settings.state_dir.parent
    for suffix in ("", "-wal", "-shm"):
        (folder / f"ledger.db{suffix}").unlink(missing_ok=True)
    shutil.copy(backup / "ledger.db", folder / "ledger.db")
    shutil.copy(backup / "checkpoint", folder / "state" / "checkpoint")


def backed_up(platform: Neighbour, folder: Path) -> Path:
    platform.stop()
    own = platform.settings.state_dir.parent
    engine = open_engine(platform.settings.database_url)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    folder.mkdir()
    shutil.copy(own / "ledger.db", folder / "ledger.db")
    shutil.copy(own / "state" / "checkpoint", folder / "checkpoint")
    platform.start()
    return folder


def test_a_restored_backup_is_found_by_the_witness_although_the_file_was_restored_too(
    pair: Pair, tmp_path: Path
) -> None:
    backup = backed_up(pair.cq, tmp_path / "backup")
    pair.cq.grow(4)
    collect(pair.cq)
    pair.cq.stop()
    restored(pair.cq, backup)

    with pytest.raises(RollbackSuspected, match=r"witness sg cosigned is of size 7, the database"):
        pair.cq.start()
    pair.cq.start(witnesses=None)  # so that the fixture has something to stop


def test_without_its_witness_a_platform_starts_and_stops_signing_once_the_witness_is_back(
    pair: Pair, tmp_path: Path
) -> None:
    backup = backed_up(pair.cq, tmp_path / "backup")
    pair.cq.grow(4)
    collect(pair.cq)
    pair.cq.stop()
    restored(pair.cq, backup)
    app, pair.sg.server.app = pair.sg.server.app, away
    with capture_logs() as journal:
        pair.cq.start()
    assert any(line["event"] == "a witness was not asked at start" for line in journal)
    pair.sg.server.app = app

    collect(pair.cq)

    assert not pair.cq.running.services.sequencer.alive
    ready = ask(pair.cq.url, "GET", "/readyz")
    assert ready.status == 503
    assert b"size 7, the database has 3 entries" in ready.content


def test_a_database_that_was_forked_does_not_start(pair: Pair, tmp_path: Path) -> None:
    backup = backed_up(pair.cq, tmp_path / "backup")
    pair.cq.grow(4)
    collect(pair.cq)
    pair.cq.stop()
    restored(pair.cq, backup)
    pair.cq.start(witnesses=None)
    pair.cq.grow(6)
    pair.cq.stop()

    with pytest.raises(RollbackSuspected, match="witness sg cosigned has root"):
        pair.cq.start(witnesses=pair.cq.settings.state_dir.parent / "witnesses.txt")
    pair.cq.start(witnesses=None)


def test_a_witness_that_shows_a_strangers_checkpoint_stops_nobody(pair: Pair) -> None:
    forged = ForgedLog(CQ, LocalSigner(generate(Algorithm.ED25519)), entries(50))

    def lying(_environ: object, answer: object) -> list[bytes]:
        answer("200 OK", [])  # type: ignore[operator]
        return [forged.note().encode()]

    with served(lying) as server, capture_logs() as journal:
        url = f"http://127.0.0.1:{server.server_port}"
        ask_witnesses(pair.cq, "quorum sg", ("sg", pair.sg, url))

        assert any("not ours" in str(line.get("error")) for line in journal)
        assert pair.cq.running.services.sequencer.alive


# -- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("use", ["log", "statement", "registrar"])
def test_a_witness_key_in_another_use_is_refused(tmp_path: Path, use: str) -> None:
    with neighbour(tmp_path, CQ) as cq, neighbour(tmp_path / "sg", SG) as sg:
        logs = logs_file(tmp_path / "logs.txt", sg.log_key)
        changes = {"witness_key": f"file:{tmp_path / 'witness.pem'}", "witnessed_logs": logs}
        if use == "registrar":
            kid = cq.settings.registrar_kids | {_witness_kid(tmp_path)}
            changed = replace(cq.settings, registrar_kids=kid, **changes)  # type: ignore[arg-type]
        else:
            own = {**changes, "witness_key": f"file:{tmp_path / f'{use}.pem'}"}
            changed = replace(cq.settings, **own)  # type: ignore[arg-type]

        with pytest.raises(SettingsError, match="key of its own"):
            bootstrap.start(changed)


def _witness_kid(folder: Path) -> str:
    return open_signer(f"file:{folder / 'witness.pem'}", lambda: PASSPHRASE).public.kid


def test_the_key_of_a_witness_is_published_as_a_cosigner(tmp_path: Path) -> None:
    with neighbour(tmp_path, CQ) as cq:
        path, name = tmp_path / "witness.pem", f"{CQ}/witness"
        secret = {"BOL_KEY_PASSPHRASE": PASSPHRASE.decode()}
        ran = run("keys", "vkey", path, "--name", name, "--witness", **secret)

        assert ran.out.strip() == cq.witness_key.vkey


def test_a_log_is_not_its_own_witness(tmp_path: Path) -> None:
    with neighbour(tmp_path, CQ) as cq:
        witness = {"witness_key": f"file:{tmp_path / 'witness.pem'}"}
        own_log = replace(
            cq.settings, witnessed_logs=logs_file(tmp_path / "logs.txt", cq.log_key), **witness
        )
        own_witness = replace(
            own_log,
            witnessed_logs=logs_file(tmp_path / "none.txt"),
            witnesses=policy_file(
                tmp_path / "own.txt", f"witness me {cq.witness_key.vkey}", "quorum me"
            ),
        )
        for settings, setting in ((own_log, "BOL_WITNESSED_LOGS"), (own_witness, "BOL_WITNESSES")):
            with pytest.raises(SettingsError, match=f"{setting} names our own"):
                bootstrap.start(settings)


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        pytest.param(["quorum w"], "line 1", id="a quorum of nobody"),
        pytest.param([], "quorum none", id="an empty file"),
    ],
)
def test_a_policy_that_cannot_be_read_refuses_the_start(
    tmp_path: Path, lines: list[str], fault: str
) -> None:
    with neighbour(tmp_path, CQ) as cq:
        policy = policy_file(tmp_path / "policy.txt", *lines)
        with pytest.raises(SettingsError, match=fault):
            bootstrap.start(replace(cq.settings, witnesses=policy))
        with pytest.raises(SettingsError, match="BOL_WITNESSES"):
            bootstrap.start(replace(cq.settings, witnesses=tmp_path / "missing.txt"))


# -- evidence ------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Witnessed:
    """A platform with one bill, whose trust file demands `quorum` of two witnesses."""

    world: minimal_bill.MinimalWorld
    bill: str
    sg: Neighbour
    kr: Neighbour

    def verdict(self, quorum: int) -> tuple[Verdict, Outcome]:
        trust = replace(
            self.world.trust(),
            witnesses=(self.sg.witness_key, self.kr.witness_key),
            quorum=quorum,
        )
        report = verify(self.world.bundle(self.bill), trust, datetime.now(UTC))
        (finding,) = [found for found in report.findings if found.check is Check.CHECKPOINT]
        return report.verdict, finding.outcome

    def collect(self) -> None:
        cosigning_of(self.world.running).collect()


@pytest.fixture
def witnessed(tmp_path: Path) -> Iterator[Witnessed]:
    own = tmp_path / "own"
    own.mkdir()
    with (
        minimal_bill.build(own) as world,
        neighbour(tmp_path / "sg", SG) as sg,
        neighbour(tmp_path / "kr", KR) as kr,
    ):
        bill = world.issue()
        key = bootstrap.log_verifier_key(minimal_bill.ORIGIN, world.log_signer)
        make_witness(sg, key)
        make_witness(kr, key)
        policy = policy_file(
            tmp_path / "policy.txt",
            f"witness sg {sg.witness_key.vkey} {sg.url}/witness",
            f"witness kr {kr.witness_key.vkey} {kr.url}/witness",
            "group both all sg kr",
            "quorum both",
        )
        world.running.stop()
        world.running = bootstrap.start(replace(world.settings, witnesses=policy))
        yield Witnessed(world=world, bill=bill, sg=sg, kr=kr)


def test_without_cosignatures_a_demanding_reader_cannot_say(witnessed: Witnessed) -> None:
    assert witnessed.verdict(1) == (Verdict.CANNOT_SAY, Outcome.UNKNOWN)
    assert witnessed.verdict(0)[1] is Outcome.VALID


def test_with_the_quorum_a_demanding_reader_is_satisfied(witnessed: Witnessed) -> None:
    witnessed.collect()

    for quorum in (0, 1, 2):
        assert witnessed.verdict(quorum) == (Verdict.CURRENT, Outcome.VALID)


def test_entries_after_the_quorum_do_not_make_a_bill_unwitnessed(witnessed: Witnessed) -> None:
    witnessed.collect()
    witnessed.world.issue(1)

    assert witnessed.verdict(2) == (Verdict.CURRENT, Outcome.VALID)


def test_a_witness_that_is_away_leaves_the_quorum_unmet(witnessed: Witnessed) -> None:
    witnessed.kr.server.app = away
    witnessed.collect()

    assert witnessed.verdict(1) == (Verdict.CURRENT, Outcome.VALID)
    assert witnessed.verdict(2) == (Verdict.CANNOT_SAY, Outcome.UNKNOWN)
