"""An audit that goes on from an earlier one believes the book, and never the database, for what was
before; an interrupted one goes on where it was.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bol_service.application import audit_replay
from bol_service.application.audit_findings import Kind
from bol_service.application.audit_ports import BookError
from bol_service.bootstrap import log_verifier_key
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.ledger.entry import leaf
from bol_service.ledger.merkle import Frontier
from bol_service.storage.audit_book import MARK
from bol_service.wire.event_fields import instant
from tests import audited
from tests.audited import Audited
from tests.desk import ORIGIN
from tests.many_bills import HOLDER
from tests.recording import WritePath


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Audited, Audited]:
    """A ledger, and the same ledger some entries later."""
    folder = tmp_path_factory.mktemp("grown")

    def later(path: WritePath) -> None:
        copy = sqlite3.connect(folder / "earlier.db")
        with closing(sqlite3.connect(folder / "ledger.db")) as source, closing(copy):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        heads = path.desk.heads
        bill = next(name for name in heads if name.startswith("bill:") and heads[name].sequence)
        path.maker.act("bankcq", "TRANSFER", bill, recipient=HOLDER)
        path.maker.act(HOLDER, "TRANSFER", bill, recipient="bankcq")

    ledger = audited.made(folder, later)
    return Audited(database=folder / "earlier.db", log_key=ledger.log_key), ledger


@pytest.fixture
def earlier(grown: tuple[Audited, Audited], tmp_path: Path) -> Audited:
    (tmp_path / "earlier").mkdir()
    return grown[0].copy(tmp_path / "earlier")


@pytest.fixture
def ledger(grown: tuple[Audited, Audited], tmp_path: Path) -> Audited:
    return grown[1].copy(tmp_path)


@pytest.fixture
def book(earlier: Audited, tmp_path: Path) -> Path:
    """The book of an audit of the ledger as it was earlier."""
    file = tmp_path / "book"
    assert earlier.audit(since=file).problems == []
    return file


def size_of(book: Path) -> int:
    with closing(sqlite3.connect(book)) as connection:
        row = connection.execute("SELECT frontier FROM reached").fetchone()
    return int.from_bytes(row[0][:8]) if row else 0


# -- going on ------------------------------------------------------------------------------------


def test_the_first_audit_looks_at_everything(earlier: Audited, tmp_path: Path) -> None:
    report = earlier.audit(since=tmp_path / "book")
    assert (report.since, report.problems) == (0, [])
    assert size_of(tmp_path / "book") == report.entries > 20


def test_a_later_audit_goes_on_and_remembers(earlier: Audited, ledger: Audited, book: Path) -> None:
    before = size_of(book)
    report = ledger.audit(since=book)
    assert (report.since, report.problems) == (before, [])
    assert report.entries == before + 2 == size_of(book)
    assert report.root == ledger.audit().root
    assert instant(report.since_at)
    assert ledger.audit(since=book).since == report.entries


def test_a_later_audit_compares_all_caches(ledger: Audited, book: Path) -> None:
    ledger.tamper("UPDATE states SET sequence = 9 WHERE stream = 'party:xlsc'")
    assert ledger.audit(since=book).problems == [
        "the cached state of party:xlsc is not what its events make"
    ]
    assert ledger.audit(since=book, rebuild=True).rebuilt
    assert ledger.audit(since=book).problems == []


def test_what_was_audited_before_is_not_judged_again(ledger: Audited, book: Path) -> None:
    """This is what the report says with `since`; here it shows."""
    ledger.tamper("UPDATE checkpoints SET note = 'x' WHERE size = 3")
    assert ledger.audit(since=book).problems == []
    assert "checkpoint of size 3" in ledger.audit().problems[0]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("stream = 'party:zz'", id="stream"),
        pytest.param("sequence = 7", id="sequence"),
        pytest.param("event = replace(event, 'e', 'f')", id="event"),
        pytest.param("event = 'e30.e30.e30'", id="event, by one that is no event"),
        pytest.param("event = 'a.a.a'", id="event, by one that cannot be read"),
        pytest.param("event = 'x'", id="event, by no JWS"),
        pytest.param("recorded_at = '2027-03-01T03:00:00.000Z'", id="time"),
        pytest.param("event_id = 'x'", id="event id"),
        pytest.param("actor = 'zz'", id="actor"),
        pytest.param("action = 'SIGN'", id="action"),
        pytest.param("kid = 'x'", id="key"),
        pytest.param("payload_digest = 'x'", id="payload digest"),
        pytest.param("idx = 1000", id="index"),
    ],
)
def test_a_row_changed_since_the_earlier_audit_is_named(
    ledger: Audited, book: Path, change: str
) -> None:
    ledger.tamper(f"UPDATE entries SET {change} WHERE idx = 5")
    assert "entry 5" in ledger.audit(since=book).problems[0]


def test_rows_changed_together_with_their_nodes_are_not_those_audited(
    ledger: Audited, book: Path
) -> None:
    """The stored tree was made to fit; the book knows what it was."""
    root = ledger.audit().root
    ledger.tamper("UPDATE entries SET recorded_at = '2027-03-01T04:00:00.001Z' WHERE idx = 5")
    ledger.tamper(*fitting_nodes(ledger))
    report = ledger.audit(since=book)
    assert [finding.kind for finding in report.findings] == [Kind.EARLIER]
    assert report.root != root


def fitting_nodes(ledger: Audited) -> list[str]:
    """Statements that write the tree of the rows as they are."""
    frontier = Frontier()
    with ledger.store() as store, store.reading() as reading:
        made = [
            node
            for row in reading.scan(0, 10_000)
            for node in frontier.append(leaf(row.stream, row.sequence, row.entry))
        ]
    return [
        f"UPDATE nodes SET hash = x'{node.hash.hex()}' WHERE level = {node.level} "
        f"AND idx = {node.position}"
        for node in made
    ]


def test_a_log_with_fewer_entries_than_were_audited_is_an_older_one(
    earlier: Audited, ledger: Audited, tmp_path: Path
) -> None:
    book = tmp_path / "newest"
    assert ledger.audit(since=book).problems == []
    (finding,) = earlier.audit(since=book).findings
    assert finding.kind is Kind.EARLIER
    assert "saw" in finding.text


def test_rows_taken_from_the_end_are_missed(ledger: Audited, book: Path) -> None:
    size = size_of(book)
    ledger.tamper(f"DELETE FROM entries WHERE idx >= {size - 2}")
    (finding,) = ledger.audit(since=book).findings
    assert finding.kind is Kind.EARLIER
    assert f"there are {size - 2} rows" in finding.text


def test_the_book_never_goes_past_a_finding(ledger: Audited, book: Path) -> None:
    size = size_of(book)
    ledger.tamper(f"UPDATE nodes SET hash = zeroblob(32) WHERE level = 0 AND idx = {size}")
    for _ in range(2):
        assert f"tree node 0/{size}" in ledger.audit(since=book).problems[0]
        assert size_of(book) == size


# -- interrupted ---------------------------------------------------------------------------------


def test_an_interrupted_audit_goes_on_where_it_was(
    ledger: Audited, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_replay, "FLUSH", 5)

    def interrupt(_done: int, _all: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger.audit(since=tmp_path / "book", progress=interrupt)
    reached = size_of(tmp_path / "book")
    assert 5 <= reached <= ledger.audit().entries
    report = ledger.audit(since=tmp_path / "book")
    assert (report.since, report.problems) == (reached, [])
    assert report.root == ledger.audit().root


# -- which books are used ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("origin = 'demo.other/ebl'", "demo.other/ebl"),
        ("version = '0.0.0'", "version 0.0.0"),
        ("vkeys = '[\"x+0+y\"]'", "x+0+y"),
        ("vkeys = 7", "damaged"),
        ("frontier = x'00'", "damaged"),
    ],
)
def test_a_book_that_does_not_fit_is_refused(
    ledger: Audited, book: Path, change: str, named: str
) -> None:
    with closing(sqlite3.connect(book)) as connection:
        connection.execute(f"UPDATE reached SET {change}")
        connection.commit()
    with pytest.raises(BookError) as refused:
        ledger.audit(since=book)
    assert named in str(refused.value)


def test_a_book_is_used_with_more_keys_than_it_was_made_under(ledger: Audited, book: Path) -> None:
    new = log_verifier_key(ORIGIN, LocalSigner(generate(Algorithm.ED25519)))
    assert ledger.audit(since=book, keys=(new,)).problems == []


def test_a_ledger_is_never_taken_for_a_book(ledger: Audited) -> None:
    other = ledger.database.with_name("other.db")
    shutil.copy(ledger.database, other)
    before = other.read_bytes()
    with pytest.raises(BookError, match="not the book of an audit"):
        ledger.audit(since=other)
    assert other.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"x"])
def test_any_other_file_is_never_taken_for_a_book(
    ledger: Audited, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(BookError, match="cannot be used as the book"):
        ledger.audit(since=file)
    assert file.read_bytes() == content


def test_a_place_where_no_file_can_be_is_told(ledger: Audited, tmp_path: Path) -> None:
    with pytest.raises(BookError, match="unable to open"):
        ledger.audit(since=tmp_path / "nowhere" / "book")


def test_two_audits_never_share_a_book(ledger: Audited, book: Path) -> None:
    with closing(sqlite3.connect(book, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BookError, match="locked"):
            ledger.audit(since=book)


def test_a_book_is_marked_as_one(book: Path) -> None:
    with closing(sqlite3.connect(book)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (MARK,)
