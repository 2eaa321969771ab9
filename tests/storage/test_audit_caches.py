"""What repeats the entries is compared with what they make, named where it differs, and healed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bol_service.application import audit_caches
from bol_service.application.audit import audit
from bol_service.application.audit_caches import Changed
from bol_service.application.audit_findings import SHOWN, AuditReport, Kind
from bol_service.application.audit_ports import Cache
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore
from tests import audited
from tests.audited import Audited
from tests.documents import draft_of
from tests.many_bills import HOLDER, one_box_document
from tests.recording import WritePath, write_path


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    return audited.made(tmp_path_factory.mktemp("genuine"))


@pytest.fixture
def ledger(genuine: Audited, tmp_path: Path) -> Audited:
    return genuine.copy(tmp_path)


CHANGED = {
    "states": ("UPDATE states SET sequence = sequence + 1 WHERE kind = 'draft'", "cached state of"),
    "states, whose index": ("UPDATE states SET idx = 0 WHERE kind = 'bill'", "cached state of"),
    "claims": ("UPDATE claims SET owner = 'bill:x' WHERE kind = 'shipment'", "claim to shipment"),
    "keys": ("UPDATE keys SET party = 'xlsc' WHERE party = 'operator'", "the cached key"),
    "keys, whose JWK": ("UPDATE keys SET jwk = '{}' WHERE party = 'operator'", "the cached key"),
    "bills": ("UPDATE bills SET status = 'VOIDED'", "the row by which bill"),
    "bill_parties": ("UPDATE bill_parties SET party = 'zz' WHERE party = 'bankcq'", "bankcq finds"),
    "bill_containers": ("UPDATE bill_containers SET container = 'X'", "container XLCU800000"),
    "draft_parties": ("UPDATE draft_parties SET party = 'zz' WHERE party = 'xlsc'", "xlsc finds"),
    "mandates": ("UPDATE mandates SET forwarder = 'banksg'", "the mandate of yunling"),
}
MISSING = {cache: f"DELETE FROM {cache}" for cache in Cache}
EXTRA = {
    "states": "INSERT INTO states SELECT 'party:x', kind, state, sequence, digest, idx FROM states "
    "WHERE stream = 'party:xlsc'",
    "claims": "INSERT INTO claims VALUES ('cargo', 'x', 'bill:x')",
    "keys": "INSERT INTO keys VALUES ('x', 'xlsc', '{}')",
    "bills": "INSERT INTO bills SELECT 'x', reference, carrier, country, shipment, shipper, status "
    "FROM bills LIMIT 1",
    "bill_parties": "INSERT INTO bill_parties SELECT 'zz', bill FROM bills LIMIT 1",
    "bill_containers": "INSERT INTO bill_containers SELECT 'zz', bill FROM bills LIMIT 1",
    "draft_parties": "INSERT INTO draft_parties VALUES ('zz', 'x')",
    "mandates": "INSERT INTO mandates VALUES ('zz', 'x')",
}


ROWS = [(f"k{number}", number) for number in range(6)]


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("fault", ["missing", "one too many", "another", "nothing"])
def test_rows_are_set_side_by_side_wherever_the_first_difference_is(
    monkeypatch: pytest.MonkeyPatch, fault: str, place: int
) -> None:
    """Parts that are the same are passed over; here each has two rows."""
    monkeypatch.setattr(audit_caches, "_PART", 2)
    key, number = ROWS[place]
    stored, told = {
        "missing": ([*ROWS[:place], *ROWS[place + 1 :]], [(ROWS[place], None)]),
        "one too many": (
            [*ROWS[: place + 1], (f"{key}a", 0), *ROWS[place + 1 :]],
            [(None, (f"{key}a", 0))],
        ),
        "another": (
            [*ROWS[:place], (key, number + 1), *ROWS[place + 1 :]],
            [(ROWS[place], (key, number + 1))],
        ),
        "nothing": (list(ROWS), []),
    }[fault]
    found = audit_caches._side_by_side(Cache.KEYS, iter(ROWS), iter(stored))
    assert list(found) == told


def require_healed(ledger: Audited) -> None:
    """`--rebuild` names what was wrong, writes it anew, and nothing is wrong then."""
    report = ledger.audit(rebuild=True)
    assert report.rebuilt
    assert report.problems
    assert ledger.audit().problems == []


def test_every_kind_of_cache_has_rows_to_compare(ledger: Audited) -> None:
    assert [cache for cache in Cache if not ledger.rows(f"SELECT 1 FROM {cache}")] == []
    assert ledger.audit().problems == []


@pytest.mark.parametrize("case", CHANGED)
def test_a_changed_row_is_named_and_healed(ledger: Audited, case: str) -> None:
    statement, named = CHANGED[case]
    ledger.tamper(statement)
    report = ledger.audit()
    assert named in report.problems[0]
    assert {finding.kind for finding in report.findings} == {Kind.CACHE}
    require_healed(ledger)


@pytest.mark.parametrize("cache", Cache)
def test_a_table_that_was_emptied_is_named_and_healed(ledger: Audited, cache: Cache) -> None:
    rows = len(ledger.rows(f"SELECT 1 FROM {cache}"))
    ledger.tamper(MISSING[cache])
    report = ledger.audit()
    assert report.counted == {Kind.CACHE: rows}
    assert all(problem.endswith("is missing") for problem in report.problems)
    require_healed(ledger)


@pytest.mark.parametrize("cache", Cache)
def test_a_row_too_many_is_named_and_healed(ledger: Audited, cache: Cache) -> None:
    ledger.tamper(EXTRA[cache])
    (problem,) = ledger.audit().problems
    what = "cached states" if cache == "states" else f"rows of {cache}"
    assert problem.startswith(f"1 {what} belong to no entry; the first is ")
    require_healed(ledger)


def test_a_key_that_is_no_text_is_named(ledger: Audited) -> None:
    """SQLite keeps bytes where text belongs, and sorts them after all text."""
    ledger.tamper(
        "INSERT INTO mandates VALUES (x'00', 'x')", "INSERT INTO mandates VALUES (x'ff', 'x')"
    )
    (problem,) = ledger.audit().problems
    assert problem.startswith("2 rows of mandates belong to no entry")
    require_healed(ledger)


@pytest.mark.parametrize("facts", ["x'7b7d'", "NULL", "'no facts'"])
def test_wrong_facts_of_a_document_are_named_and_healed(ledger: Audited, facts: str) -> None:
    ledger.tamper(f"UPDATE documents SET facts = {facts} WHERE checksum IS NOT NULL")
    assert all("cached facts of document" in problem for problem in ledger.audit().problems)
    (all_of_them,) = ledger.rows("SELECT count(checksum) FROM documents")[0]  # drafts too
    assert ledger.audit().counted == {Kind.CACHE: all_of_them}
    require_healed(ledger)


def test_more_findings_than_anybody_reads_are_counted(ledger: Audited) -> None:
    ledger.tamper(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
        "INSERT INTO states SELECT 'party:x' || i, 'party', x'', 0, '', 0 FROM n",
        "DELETE FROM states WHERE stream NOT LIKE 'party:x%'",
        "DELETE FROM bill_parties",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120) "
        "UPDATE claims SET owner = 'x'",
    )
    report = AuditReport()
    while report.unshown == 0:
        for finding in ledger.audit().findings:
            report.add(finding)
    assert len(report.findings) == SHOWN
    assert report.counted.total() == SHOWN + report.unshown


# -- what a rebuild needs ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("UPDATE entries SET actor = 'xx' WHERE idx = 3", id="a row was changed"),
        pytest.param("UPDATE nodes SET hash = zeroblob(32) WHERE idx = 2", id="a node was changed"),
        pytest.param("UPDATE nodes SET hash = 'text' WHERE idx = 2", id="a node was made text"),
        pytest.param("UPDATE checkpoints SET note = 'x' WHERE size = 2", id="no checkpoint"),
        pytest.param("UPDATE log SET note = 'x'", id="the head's note was changed"),
        pytest.param("DELETE FROM entries WHERE idx = 5", id="an entry is missing"),
    ],
)
def test_nothing_is_rebuilt_from_entries_that_are_not_sound(ledger: Audited, fault: str) -> None:
    ledger.tamper(fault, "DELETE FROM mandates")
    report = ledger.audit(rebuild=True)
    assert not report.rebuilt
    assert report.problems
    assert ledger.rows("SELECT 1 FROM mandates") == []


def test_a_sound_ledger_is_not_written_to(ledger: Audited) -> None:
    before = ledger.database.read_bytes()
    assert not ledger.audit(rebuild=True).rebuilt
    assert ledger.database.read_bytes()[100:] == before[100:]


def test_a_log_that_went_on_meanwhile_is_not_rebuilt(ledger: Audited) -> None:
    report = ledger.audit()
    report.entries -= 1
    with (
        ledger.store() as store,
        store.audit_book(None) as book,
        pytest.raises(Changed, match="stop the service"),
    ):
        audit_caches.rebuild(store, book, report)
    assert ledger.audit().problems == []


def test_both_databases_are_compared_and_rebuilt(database_url: str) -> None:
    with write_path(database_url) as path:
        maker = path.maker
        maker.act(HOLDER, "GRANT_MANDATE", f"party:{HOLDER}", audited.MANDATE, recipient="qiaolian")
        bill, _ = maker.issue(2)
        log_key = path.log_key
        engine = open_engine(database_url)
        with engine.begin() as connection:
            for statement in ("DELETE FROM mandates", *EXTRA.values(), CHANGED["claims"][0]):
                connection.exec_driver_sql(statement)
        report = audit(SqlStore(engine), [log_key], rebuild=True)
        assert report.rebuilt
        assert report.counted == {Kind.CACHE: 1 + len(EXTRA) + 2}
        assert audit(SqlStore(engine), [log_key]).problems == []
        maker.act(HOLDER, "TRANSFER", f"bill:{bill}", recipient="bankcq")  # it can go on
        assert audit(SqlStore(engine), [log_key]).problems == []
        engine.dispose()


# -- rows that depend on which events shared a commit ---------------------------------------------


def another_terminal(path: WritePath) -> None:
    """Commits of one event each: the bill is listed for the old terminal, then for the new one."""
    heads = path.desk.heads
    bill = next(name for name in heads if name.startswith("bill:") and not heads[name].sequence)
    with path.store.reading() as reading:
        (shipment,) = [
            str(row[4]) for row in reading.ordered(Cache.BILLS) if f"bill:{row[0]}" == bill
        ]
    details = {"leg": "discharge", "custodian": "qinzhou", "reason": "another berth"}
    path.maker.act("xlsc", "APPOINT", f"draft:{shipment}", details)
    path.maker.act(HOLDER, "TRANSFER", bill, recipient="bankcq")


def test_rows_are_those_of_each_commit_not_only_of_the_last(tmp_path: Path) -> None:
    ledger = audited.made(tmp_path, another_terminal)
    assert ledger.audit().problems == []
    named = "SELECT bill FROM bill_parties WHERE party = 'sgterm'"
    assert len(ledger.rows(named)) == len(ledger.rows("SELECT 1 FROM bills"))


# -- what belongs to one stream only -------------------------------------------------------------


def same_number_again(path: WritePath) -> None:
    """The carrier issues a second bill under a number that is in use, past the platform's guard."""
    maker = path.maker
    engine = path.store.engine
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM claims")
    document = one_box_document(0)
    document["termsAndConditions"] = "other terms"
    uploads = (maker._keep(draft_of(document)), maker._keep(document))
    maker._issue(0, uploads)


def test_a_number_that_was_given_twice_past_the_guard_is_found(tmp_path: Path) -> None:
    later: Callable[[WritePath], None] = same_number_again
    problems = audited.made(tmp_path, later).audit().problems
    assert "(ISSUE by xlsc" in problems[0]
    assert "does not stand: number_used" in problems[0]
