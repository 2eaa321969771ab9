"""The audit verifies what witnesses signed, and finds again what an earlier audit verified."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bol_service.application import audit_cosignatures
from bol_service.application.witness_ports import Cosignature
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.ledger.note import KeyType, VerifierKey, cosignature_line, parse_note
from bol_service.ledger.policy import witness_id
from bol_service.storage.witnessing import SqlWitnessing
from tests import audited
from tests.audited import Audited
from tests.command_line import run
from tests.desk import ORIGIN

NAME, TIME = "witness.example/w1", 1_803_000_000
WANTED = (20, 26, 30, 39)


class Witness:
    def __init__(self, name: str = NAME) -> None:
        self._signer = LocalSigner(generate(Algorithm.ED25519))
        public = self._signer.public.public_bytes_raw
        self.key = VerifierKey(name=name, type=KeyType.COSIGNATURE, public=public)

    def line(self, note: str, time: int = TIME) -> str:
        text, public = parse_note(note).text, self.key.public
        return cosignature_line(text, self.key.name, time, self._signer.sign, public)

    def cosign(self, ledger: Audited, size: int) -> None:
        with ledger.store() as store:
            with store.reading() as reading:
                found = reading.checkpoint(size)
            assert found is not None
            line = self.line(found[1])
            SqlWitnessing(store).add_cosignature(
                Cosignature(size=found[0], witness=witness_id(self.key), line=line)
            )


@pytest.fixture(scope="module")
def witness() -> Witness:
    return Witness()


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory, witness: Witness) -> Audited:
    ledger = audited.made(tmp_path_factory.mktemp("genuine"))
    for size in WANTED:
        witness.cosign(ledger, size)
    return ledger


@pytest.fixture
def sizes(genuine: Audited) -> list[int]:
    """Where they stand: how many entries a commit takes is not the same each time."""
    return [size for (size,) in genuine.rows("SELECT size FROM cosignatures ORDER BY size")]


@pytest.fixture
def ledger(genuine: Audited, tmp_path: Path) -> Audited:
    return genuine.copy(tmp_path)


@pytest.fixture(params=[500, 2, 1], ids=["one page", "pages of two", "pages of one"])
def page(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(audit_cosignatures, "PAGE", request.param)
    return int(request.param)


@pytest.mark.usefixtures("page")
def test_cosignatures_hold_under_the_key_of_their_witness(
    ledger: Audited, witness: Witness
) -> None:
    report = ledger.audit(witnesses=(witness.key,))
    assert (report.problems, report.cosignatures, report.unverified_cosignatures) == ([], 4, 0)


def test_without_any_witness_s_key_they_are_told_to_be_unverified(ledger: Audited) -> None:
    report = ledger.audit()
    assert (report.problems, report.cosignatures, report.unverified_cosignatures) == ([], 4, 4)


def test_another_key_of_the_same_name_is_another_witness(ledger: Audited) -> None:
    problems = ledger.audit(witnesses=(Witness().key,)).problems
    assert len(problems) == 4
    assert all("is of none of the witnesses" in problem for problem in problems)


def test_a_row_is_one_line_and_no_more(ledger: Audited, witness: Witness, sizes: list[int]) -> None:
    ledger.tamper(f"UPDATE cosignatures SET line = line || line WHERE size = {sizes[1]}")
    (problem,) = ledger.audit(witnesses=(witness.key,)).problems
    assert f"under size {sizes[1]} is more than one signature line" in problem


def test_a_row_under_no_checkpoint_is_named(
    ledger: Audited, witness: Witness, sizes: list[int]
) -> None:
    ledger.tamper(f"UPDATE cosignatures SET size = 1000 WHERE size = {sizes[1]}")
    (problem,) = ledger.audit(witnesses=(witness.key,)).problems
    assert "under size 1000 stands under no checkpoint" in problem


# -- what an earlier audit verified --------------------------------------------------------------


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("place", range(len(WANTED)))
def test_one_that_was_taken_away_since_is_named(
    ledger: Audited, witness: Witness, tmp_path: Path, sizes: list[int], place: int
) -> None:
    book, size = tmp_path / "book", sizes[place]
    assert ledger.audit(since=book, witnesses=(witness.key,)).problems == []
    ledger.tamper(f"DELETE FROM cosignatures WHERE size = {size}")
    (problem,) = ledger.audit(since=book, witnesses=(witness.key,)).problems
    assert f"under size {size} is not the one that an earlier audit saw" in problem


def test_another_good_one_in_its_place_is_named(
    ledger: Audited, witness: Witness, tmp_path: Path, sizes: list[int]
) -> None:
    book = tmp_path / "book"
    ledger.audit(since=book, witnesses=(witness.key,))
    ((note,),) = ledger.rows(f"SELECT note FROM checkpoints WHERE size = {sizes[2]}")
    other = witness.line(note, TIME + 1).strip()
    ledger.tamper(f"UPDATE cosignatures SET line = '{other}' || char(10) WHERE size = {sizes[2]}")
    assert ledger.audit(witnesses=(witness.key,)).problems == []
    (problem,) = ledger.audit(since=book, witnesses=(witness.key,)).problems
    assert f"under size {sizes[2]} is not the one" in problem


@pytest.mark.usefixtures("page")
def test_those_that_came_since_are_verified_and_kept(
    ledger: Audited, witness: Witness, tmp_path: Path, sizes: list[int]
) -> None:
    book, late = tmp_path / "book", Witness("witness.example/w2")
    keys = (witness.key, late.key)
    ledger.audit(since=book, witnesses=keys)
    late.cosign(ledger, sizes[1])
    report = ledger.audit(since=book, witnesses=keys)
    assert (report.problems, report.cosignatures) == ([], 5)
    ledger.tamper(f"DELETE FROM cosignatures WHERE witness = '{witness_id(late.key)}'")
    (problem,) = ledger.audit(since=book, witnesses=keys).problems
    assert f"the cosignature of {witness_id(late.key)} under size {sizes[1]}" in problem


def test_what_nobody_could_verify_is_not_taken_for_verified_later(
    ledger: Audited, witness: Witness, tmp_path: Path, sizes: list[int]
) -> None:
    book = tmp_path / "book"
    ledger.tamper(f"UPDATE cosignatures SET line = replace(line, 'A', 'B') WHERE size = {sizes[1]}")
    assert ledger.audit(since=book).problems == []
    problems = ledger.audit(since=book, witnesses=(witness.key,)).problems
    assert [problem for problem in problems if f"under size {sizes[1]} does not hold" in problem]


def test_a_book_of_before_learns_to_remember_them(
    ledger: Audited, witness: Witness, tmp_path: Path, sizes: list[int]
) -> None:
    book = tmp_path / "book"
    ledger.audit(since=book, witnesses=(witness.key,))
    with closing(sqlite3.connect(book)) as connection:
        connection.execute("DROP TABLE cosigned")
        connection.commit()
    report = ledger.audit(since=book, witnesses=(witness.key,))
    assert (report.problems, report.cosignatures) == ([], 4)
    ledger.tamper(f"DELETE FROM cosignatures WHERE size = {sizes[1]}")
    assert len(ledger.audit(since=book, witnesses=(witness.key,)).problems) == 1


# -- the command -----------------------------------------------------------------------------------


def test_the_command_takes_witnesses_from_the_policy_of_the_service(
    ledger: Audited, witness: Witness, tmp_path: Path, sizes: list[int]
) -> None:
    policy = tmp_path / "policy"
    settings = {
        "BOL_ORIGIN": ORIGIN,
        "BOL_DATABASE_URL": f"sqlite:///{ledger.database}",
        "BOL_LOG_VKEY": ledger.log_key.vkey,
        "BOL_WITNESSES": str(policy),
    }
    policy.write_text(f"witness w1 {witness.key.vkey}\nquorum none\n", encoding="utf-8")
    sound = json.loads(run("ledger", "check", "--json", **settings).out)
    assert (sound["cosignatures"], sound["unverifiedCosignatures"], sound["problems"]) == (4, 0, [])
    ledger.tamper(f"UPDATE cosignatures SET line = replace(line, 'A', 'B') WHERE size = {sizes[1]}")
    ran = run("ledger", "check", "--json", **settings)
    first = json.loads(ran.out)["first"]
    assert (ran.code, first["kind"], first["entry"]) == (1, "cosignature", sizes[1] - 1)
