"""`bol ledger follow`: what a monitor remembers, and the misbehaviour that it finds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bol_service import bootstrap
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.ledger.checkpoint import open_checkpoint
from bol_service.ledger.note import VerifierKey
from tests.command_line import Ran, run
from tests.forged_log import ForgedLog, entries, entry
from tests.neighbours import Neighbour, closed_port, neighbour, served

ORIGIN = "demo.cq.example/ebl"
Json = dict[str, Any]


@dataclass(kw_only=True)
class Monitor:
    """Visits one log, each time with the same state file."""

    url: str
    key: VerifierKey
    state: Path
    options: list[str] = field(default_factory=list)

    def visit(self, *more: str) -> Ran:
        given = ["--vkey", self.key.vkey, "--state", str(self.state), *self.options, *more]
        return run("ledger", "follow", self.url, "--once", "--json", *given)

    def seen(self, *more: str) -> Json:
        ran = self.visit(*more)
        assert ran.code == 0, ran.err
        found: Json = ran.json()
        return found

    def alarm(self, *more: str) -> Json:
        ran = self.visit(*more)
        assert ran.code == 1, ran.out
        found: Json = ran.problem()
        return found

    @property
    def evidence(self) -> list[Json]:
        files = sorted(self.state.parent.glob(f"{self.state.name}.alarm-*.json"))
        return [json.loads(path.read_text(encoding="utf-8")) for path in files]


# -- an honest log -------------------------------------------------------------------------------


@pytest.fixture
def honest(tmp_path: Path) -> Iterator[Neighbour]:
    with neighbour(tmp_path / "cq", ORIGIN, entries=5) as platform:
        yield platform


@pytest.fixture
def monitor(honest: Neighbour, tmp_path: Path) -> Monitor:
    return Monitor(url=honest.url, key=honest.log_key, state=tmp_path / "state")


def test_a_log_that_grows_is_followed_from_visit_to_visit(
    honest: Neighbour, monitor: Monitor
) -> None:
    sizes = []
    for more in (0, 3, 0, 260):
        honest.grow(more)
        seen = monitor.seen()
        sizes.append((seen["before"], seen["size"]))

    assert sizes == [(0, 5), (5, 8), (8, 8), (8, 268)]
    assert monitor.evidence == []


def test_a_person_is_told_in_a_sentence(honest: Neighbour, monitor: Monitor) -> None:
    state = str(monitor.state)
    ran = run(
        "ledger", "follow", honest.url, "--once", "--vkey", monitor.key.vkey, "--state", state
    )

    assert ran.out.startswith("✓ demo.cq.example/ebl: 5 entries, 5 of them new")


def test_without_a_key_nothing_is_followed(honest: Neighbour, tmp_path: Path) -> None:
    ran = run("ledger", "follow", honest.url, "--once", "--state", tmp_path / "state")

    assert ran.code == 4


def test_a_log_that_does_not_answer_is_no_alarm(monitor: Monitor) -> None:
    monitor.url = f"http://127.0.0.1:{closed_port()}"

    assert monitor.visit().code == 3
    assert monitor.evidence == []


def test_a_file_that_is_no_state_is_refused(monitor: Monitor) -> None:
    monitor.state.write_text("this is a letter, not a database" * 100, encoding="utf-8")

    assert monitor.visit().code == 4


def test_a_log_signed_by_a_stranger_is_an_alarm(honest: Neighbour, monitor: Monitor) -> None:
    stranger = LocalSigner(generate(Algorithm.ED25519))
    monitor.key = bootstrap.log_verifier_key(ORIGIN, stranger)

    assert monitor.alarm()["code"] == "bad_checkpoint"


def test_new_acts_of_a_watched_party_are_told(honest: Neighbour, monitor: Monitor) -> None:
    monitor.options = ["--watch", "p2"]
    first = monitor.seen()

    assert first["acts"] == [{"party": "p2", "sequence": 0, "index": 2}]
    assert first["notedParties"] == ["p2"]
    assert monitor.seen()["notedParties"] == []


def test_a_key_registered_in_a_watched_partys_name_is_an_alarm(
    honest: Neighbour, monitor: Monitor
) -> None:
    monitor.options = ["--watch", "newcomer"]
    assert monitor.seen()["notedParties"] == ["newcomer"]
    honest.register("newcomer")
    kid = honest.parties["newcomer"].public.kid

    alarm = monitor.alarm()
    assert alarm["code"] == "new_key"
    assert kid in alarm["detail"]
    assert monitor.alarm()["code"] == "new_key"  # until its owner says that it is its own
    assert monitor.seen("--known-key", kid)["size"] == 6
    assert monitor.seen()["size"] == 6


def test_the_keys_of_a_party_are_shown_when_it_is_watched_for_the_first_time(
    honest: Neighbour, monitor: Monitor
) -> None:
    given = ["--vkey", monitor.key.vkey, "--state", str(monitor.state)]
    told = run("ledger", "follow", honest.url, "--once", *given, "--watch", "p2", "--watch", "p9")

    assert f"compare them: {honest.parties['p2'].public.kid}" in told.out
    assert "p9 is watched from now on; it has no key yet" in told.out


def test_an_alarm_about_a_key_says_how_its_owner_ends_it(
    honest: Neighbour, monitor: Monitor
) -> None:
    monitor.seen("--watch", "newcomer")
    honest.register("newcomer")
    alarm = monitor.alarm("--watch", "newcomer")

    assert "watched party's name" in alarm["title"]
    assert "--known-key" in alarm["nextStep"]
    assert "bol party revoke-key" in alarm["nextStep"]
    assert alarm["evidence"] in alarm["nextStep"]


# -- a platform that forks its log ---------------------------------------------------------------


def twin(honest: Neighbour, folder: Path) -> Path:
    """The keys of a platform in another folder: what a thief, or its operator, can use."""
    folder.mkdir()
    own = honest.settings.state_dir.parent
    for name in ("log", "statement", "witness"):
        shutil.copy(own / f"{name}.pem", folder / f"{name}.pem")
    return folder


def test_a_second_log_under_the_same_key_is_an_alarm(
    honest: Neighbour, monitor: Monitor, tmp_path: Path
) -> None:
    monitor.seen()
    with neighbour(twin(honest, tmp_path / "twin"), ORIGIN, entries=9) as forged:
        monitor.url = forged.url
        alarm = monitor.alarm()

    assert alarm["code"] == "fork"
    (evidence,) = monitor.evidence
    kept = open_checkpoint(evidence["kept"], [honest.log_key]).checkpoint
    served_ = open_checkpoint(evidence["served"], [honest.log_key]).checkpoint
    assert (kept.size, served_.size) == (5, 9)
    assert evidence["proof"]


def test_a_second_log_of_the_same_size_is_an_alarm(
    honest: Neighbour, monitor: Monitor, tmp_path: Path
) -> None:
    monitor.seen()
    with neighbour(twin(honest, tmp_path / "twin"), ORIGIN, entries=5) as forged:
        monitor.url = forged.url

        assert monitor.alarm()["code"] == "fork"


def test_a_shorter_log_is_an_alarm(honest: Neighbour, monitor: Monitor, tmp_path: Path) -> None:
    monitor.seen()
    with neighbour(twin(honest, tmp_path / "twin"), ORIGIN, entries=2) as forged:
        monitor.url = forged.url
        alarm = monitor.alarm()

    assert alarm["code"] == "rollback"
    assert "2 entries, it has signed 5" in alarm["detail"]


def test_an_alarm_changes_nothing_that_is_remembered(
    honest: Neighbour, monitor: Monitor, tmp_path: Path
) -> None:
    monitor.seen()
    url = monitor.url
    with neighbour(twin(honest, tmp_path / "twin"), ORIGIN, entries=9) as forged:
        monitor.url = forged.url
        monitor.alarm()
    monitor.url = url
    honest.grow(1)

    assert (monitor.seen()["before"], len(monitor.evidence)) == (5, 1)


# -- a log that says what it likes ---------------------------------------------------------------


@dataclass(kw_only=True)
class Liar:
    log: ForgedLog
    monitor: Monitor


@pytest.fixture
def liar(tmp_path: Path) -> Iterator[Liar]:
    signer = LocalSigner(generate(Algorithm.ED25519))
    log = ForgedLog(ORIGIN, signer, entries(300))
    with served(log) as server:
        monitor = Monitor(
            url=f"http://127.0.0.1:{server.server_port}",
            key=bootstrap.log_verifier_key(ORIGIN, signer),
            state=tmp_path / "state",
        )
        yield Liar(log=log, monitor=monitor)


def test_a_stream_that_counts_on_is_sound(liar: Liar) -> None:
    liar.log.add(entry("party:p0", 1), entry("bill:b", 0), entry("party:p0", 2))

    assert liar.monitor.seen()["size"] == 303


@pytest.mark.parametrize(
    ("second", "code", "told"),
    [
        pytest.param(
            entry("bill:b", 1, "to another"), "forked_stream", "repeats sequence 1", id="a repeat"
        ),
        pytest.param(entry("bill:b", 3), "gap", "2 is missing", id="a gap"),
        pytest.param(entry("bill:c", 1), "gap", "0 is missing", id="a beginning that is missing"),
    ],
)
@pytest.mark.parametrize("visited", [False, True], ids=["in one visit", "over two visits"])
def test_a_stream_that_miscounts_is_an_alarm(
    liar: Liar, second: bytes, code: str, told: str, visited: bool
) -> None:
    liar.log.add(entry("bill:b", 0), entry("bill:b", 1))
    if visited:
        liar.monitor.seen()
    liar.log.add(entry("bill:x", 0), second)

    alarm = liar.monitor.alarm()
    assert alarm["code"] == code
    assert told in alarm["detail"]
    assert "entry 303" in alarm["detail"]


def test_entries_that_do_not_make_the_signed_root_are_an_alarm(liar: Liar) -> None:
    liar.log.entries[290] = entry("party:p290", 0, "not what was signed")

    assert liar.monitor.alarm()["code"] == "wrong_root"


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"\x00" * 71, id="an entry of 71 bytes"),
        pytest.param(b"\x00" * 32 + b"\xff" * 8 + b"\x00" * 32, id="a sequence beyond all"),
    ],
)
def test_entries_of_another_form_are_an_alarm(liar: Liar, broken: bytes) -> None:
    liar.log.add(broken)

    assert liar.monitor.alarm()["code"] == "bad_entries"


def test_entries_that_are_withheld_are_an_alarm(liar: Liar) -> None:
    del liar.log.entries[299]

    assert liar.monitor.alarm()["code"] == "bad_entries"


def test_another_log_under_the_state_of_the_first_is_an_alarm(liar: Liar) -> None:
    liar.monitor.seen()
    signer = liar.log.signer
    other = ForgedLog("demo.sg.example/ebl", signer, liar.log.entries)
    with served(other) as server:
        liar.monitor.url = f"http://127.0.0.1:{server.server_port}"
        liar.monitor.key = bootstrap.log_verifier_key("demo.sg.example/ebl", signer)

        assert liar.monitor.alarm()["code"] == "other_log"


def test_a_key_that_comes_back_is_no_news(liar: Liar) -> None:
    liar.monitor.options = ["--watch", "p1"]
    for shown, code in ((["a", "b"], 0), (["a"], 0), (["a", "b"], 0), (["a", "c"], 1)):
        liar.log.parties["p1"] = shown

        assert liar.monitor.visit().code == code


OWN, STRANGE = "A" * 43, "B" * 43


@pytest.mark.parametrize(
    ("shown", "watched", "code"),
    [
        pytest.param([OWN], ["p1"], 0, id="its own key alone is no alarm"),
        pytest.param([OWN, STRANGE], ["p1"], 1, id="another key beside its own is an alarm"),
        pytest.param([STRANGE], ["p1"], 1, id="another key in place of its own is an alarm"),
        pytest.param([STRANGE], ["p1", "p2"], 0, id="with two watched it may be the other's key"),
        pytest.param([OWN, STRANGE], ["p1", "p2"], 1, id="with two watched its own key tells"),
    ],
)
def test_a_known_key_counts_from_the_first_visit_on(
    liar: Liar, shown: list[str], watched: list[str], code: int
) -> None:
    liar.log.parties["p1"] = shown
    liar.log.parties["p2"] = []
    liar.monitor.options = [option for slug in watched for option in ("--watch", slug)]

    assert liar.monitor.visit("--known-key", OWN).code == code


def test_an_act_of_a_watched_party_that_its_page_does_not_show_is_an_alarm(liar: Liar) -> None:
    liar.monitor.options = ["--watch", "p1"]
    liar.log.parties["p1"] = [OWN]
    liar.log.add(entry("party:p1", 1))
    assert liar.monitor.seen()["notedKeys"] == {"p1": [OWN]}

    liar.log.add(entry("party:p1", 2))
    liar.log.hidden = 1
    alarm = liar.monitor.alarm()
    assert alarm["code"] == "hidden_act"
    assert "holds 3 events" in alarm["detail"]
    assert "what 2 of them" in alarm["detail"]
