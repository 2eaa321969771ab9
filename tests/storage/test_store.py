"""What the store keeps comes back as it was; what failed is not there; nothing is kept twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from bol_service.application.audit_ports import Cache
from bol_service.application.ports import (
    Batch,
    Bearer,
    Claim,
    DocumentRow,
    LogState,
    Notice,
    Reading,
    StoredEntry,
)
from bol_service.domain.document import DocumentFacts
from bol_service.domain.states import BillState, CustodyState, DraftState, PartyState
from bol_service.ledger.entry import Entry
from bol_service.ledger.merkle import Frontier, NodeId
from bol_service.storage import codec, tables
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore, WrongDatabase
from bol_service.storage.writing import LogMoved, SqlWriting
from tests.desk import ORIGIN, STORY
from tests.fresh_database import migrate
from tests.many_bills import HOLDER
from tests.recording import WritePath, write_path

KINDS = {"party": PartyState, "draft": DraftState, "custody": CustodyState, "bill": BillState}
NOBODY = "0" * 64

st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
st.register_type_strategy(date, st.dates())


# -- codec ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_every_state_comes_back_as_it_was(kind: str, data: st.DataObject) -> None:
    state = data.draw(st.from_type(KINDS[kind]))
    again = codec.decode_state(kind, codec.encode_state(state))
    assert again == state
    assert type(again) is type(state)
    hash(again)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(facts=st.from_type(DocumentFacts))
def test_every_documents_facts_come_back_as_they_were(facts: DocumentFacts) -> None:
    assert codec.decode_facts(codec.encode_facts(facts)) == facts


# -- the log of a database -----------------------------------------------------------------------


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_engine(database_url)
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def store(engine: Engine) -> SqlStore:
    made = SqlStore(engine)
    made.create_log(ORIGIN)
    return made


def test_a_new_log_is_empty_and_bears_its_name(store: SqlStore) -> None:
    with store.reading() as reading:
        log = reading.log()
    assert (log.origin, log.size, log.recorded_at, log.note) == (ORIGIN, 0, None, None)


def test_naming_a_log_twice_changes_nothing_and_another_name_is_refused(store: SqlStore) -> None:
    store.create_log(ORIGIN)
    with pytest.raises(WrongDatabase, match=rf"the log of {ORIGIN}, the settings say demo\.sg"):
        store.create_log("demo.sg.example/ebl")
    store.require_origin(ORIGIN)


def test_a_database_without_tables_is_told_to_upgrade(database_url: str) -> None:
    with pytest.raises(WrongDatabase, match=r"no tables; run: bol db upgrade"):
        SqlStore(open_engine(database_url)).require_origin(ORIGIN)


def test_a_database_without_a_name_is_told_to_upgrade(engine: Engine) -> None:
    with pytest.raises(WrongDatabase, match=r"names no log; run: bol db upgrade"):
        SqlStore(engine).require_origin(ORIGIN)


# -- transactions --------------------------------------------------------------------------------


def a_notice(store: SqlStore) -> tuple[Batch, LogState]:
    notice = Notice(party=HOLDER, kind="TEST", stream="party:x", facts={"舱单": "提单", "n": 1})
    log = LogState(origin=ORIGIN, frontier=Frontier(), recorded_at=STORY, note=None)
    return Batch(notices=[(notice, None)]), log


def notices(store: SqlStore) -> list[Any]:
    with store.reading() as reading:
        return reading.notices(HOLDER, 0, 10)


def test_a_writing_that_ends_well_is_kept(store: SqlStore) -> None:
    with store.writing() as writing:
        writing.append(*a_notice(store))
    [found] = notices(store)
    assert (found.kind, found.facts, found.index) == ("TEST", {"舱单": "提单", "n": 1}, None)


def test_a_writing_that_fails_halfway_leaves_nothing(store: SqlStore) -> None:
    unwritable = Notice(party=HOLDER, kind="TEST", stream="party:x", facts={"n": object()})
    batch = Batch(entries=[an_entry()], notices=[(unwritable, 0)])
    log = LogState(origin=ORIGIN, frontier=Frontier(1, [bytes(32)]), recorded_at=STORY, note="note")
    with pytest.raises(TypeError), store.writing() as writing:
        writing.append(batch, log)
    with store.reading() as reading:
        assert (reading.scan(0, 10), reading.log().size) == ([], 0)


def an_entry() -> StoredEntry:
    return StoredEntry(
        index=0,
        stream="party:x",
        sequence=0,
        entry=Entry(event="aaaa.aaaa.aaaa", recorded_at=EARLY),
        event_id="id",
        actor="operator",
        action="REGISTER",
        kid="kid",
        payload_digest="digest",
    )


def test_a_head_that_moved_under_the_lock_is_noticed_and_nothing_is_written(
    store: SqlStore,
) -> None:
    [notice] = a_notice(store)[0].notices
    log = LogState(origin=ORIGIN, frontier=Frontier(), recorded_at=STORY, note="note")

    with pytest.raises(LogMoved, match="no longer at size 0"), store.writing() as writing:
        append_to_moved(writing, Batch(entries=[an_entry()], notices=[notice]), log)

    assert notices(store) == []
    with store.reading() as reading:
        assert reading.scan(0, 10) == []


def append_to_moved(writing: SqlWriting, batch: Batch, log: LogState) -> None:
    writing._connection.execute(update(tables.log).values(size=3))
    writing.append(batch, log)


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(lambda reading: reading.notices(HOLDER, 0, 10), id="a query"),
        pytest.param(lambda reading: reading.states(["party:x"]), id="a question of the hot path"),
    ],
)
def test_a_reading_sees_one_moment_from_beginning_to_end(
    store: SqlStore, begin: Callable[[Reading], object]
) -> None:
    with store.reading() as reading:
        assert not begin(reading)
        with store.writing() as writing:
            writing.append(*a_notice(store))
        assert reading.notices(HOLDER, 0, 10) == []
    assert len(notices(store)) == 1


# -- documents -----------------------------------------------------------------------------------


def a_document(**changes: Any) -> DocumentRow:
    row = DocumentRow(
        digest="d" * 64,
        checksum=None,
        kind="shipping-instructions",
        content=b'{"x":"\xe6\x8f\x90"}',
        facts=None,
        uploaded_by="qiaolian",
        uploaded_at="2027-03-01T04:00:00.000Z",
    )
    return replace(row, **changes)


def test_a_document_comes_back_byte_for_byte(store: SqlStore) -> None:
    store.add_document(a_document())
    with store.reading() as reading:
        assert reading.document("d" * 64) == a_document()
        assert reading.document(NOBODY) is None


def test_the_same_bytes_are_kept_once_as_they_came_first(store: SqlStore) -> None:
    store.add_document(a_document())
    store.add_document(a_document(uploaded_by="yunling", uploaded_at="2027-03-02T04:00:00.000Z"))
    with store.reading() as reading:
        assert reading.document("d" * 64) == a_document()


def test_all_who_sent_the_same_bytes_are_kept(store: SqlStore) -> None:
    for sender in ("qiaolian", "yunling", "qiaolian"):
        store.add_document(a_document(uploaded_by=sender))
    with store.reading() as reading:
        senders = ("qiaolian", "yunling", "xlsc")
        assert [reading.has_uploaded(who, "d" * 64) for who in senders] == [True, True, False]
        assert not reading.has_uploaded("qiaolian", NOBODY)


# -- access tokens -------------------------------------------------------------------------------

EARLY, LATE = "2027-03-01T04:05:00.000Z", "2027-03-01T04:06:00.000Z"


def test_a_token_is_found_by_its_hash_until_it_is_forgotten(store: SqlStore) -> None:
    assert store.add_token("h1", "bankcq", "kid", "jti-1", EARLY)
    assert store.add_token("h2", "bankcq", "kid", "jti-2", LATE)
    assert store.bearer("h1") == Bearer(party="bankcq", kid="kid", expires=EARLY, state=None)
    assert store.bearer("h3") is None
    store.forget_tokens(LATE)
    assert store.bearer("h1") is None
    assert store.bearer("h2") == Bearer(party="bankcq", kid="kid", expires=LATE, state=None)


def test_a_party_uses_a_jti_once_and_another_party_may_use_the_same(store: SqlStore) -> None:
    assert store.add_token("h1", "bankcq", "kid", "jti", EARLY)
    assert not store.add_token("h2", "bankcq", "kid", "jti", EARLY)
    assert store.add_token("h3", "banksg", "kid", "jti", EARLY)


# -- what a real log leaves ----------------------------------------------------------------------


@pytest.fixture
def path(database_url: str) -> Iterator[WritePath]:
    with write_path(database_url) as opened:
        yield opened


def test_an_issued_bill_is_found_by_all_that_names_it(path: WritePath) -> None:
    [bill] = path.maker.issue(1)
    with path.store.reading() as reading:
        row = reading.entry_at(f"bill:{bill}", 0)
        assert row is not None
        assert reading.entry(row.index) == row
        assert reading.entries(f"bill:{bill}", 0, 10) == [row]
        assert reading.scan(row.index, 1) == [row]
        everyone: dict[str, Any] = {
            "shippers": (),
            "audited_country": None,
            "after": "",
            "limit": 9,
            "filters": {},
        }
        assert reading.find_bills(party=HOLDER, **everyone) == [bill]
        assert reading.find_bills(party="bankcq", **everyone) == []
        by_country = everyone | {"audited_country": "CN"}
        assert reading.find_bills(party="bankcq", **by_country) == [bill]
        number = Claim(kind="bill-number", value="NMFTA:XLSC:XLSCMANY000000")
        assert reading.claim_owner(number) == f"bill:{bill}"
        assert reading.claim_owner(replace(number, value="NMFTA:XLSC:OTHER")) is None


def test_more_streams_and_nodes_than_a_statement_may_name_are_read(path: WritePath) -> None:
    [bill] = path.maker.issue(1)
    many = {f"party:none-{number}" for number in range(1200)} | {f"bill:{bill}"}
    with path.store.reading() as reading:
        assert set(reading.states(many)) == {f"bill:{bill}"}
        size = reading.log().size
        ids = [NodeId(0, position) for position in range(size + 1200)]
        assert len(reading.nodes(ids)) == size


def test_every_state_that_the_log_made_is_the_one_that_is_stored(path: WritePath) -> None:
    bills = path.maker.issue(3)
    path.maker.act(HOLDER, "TRANSFER", f"bill:{bills[0]}", recipient="bankcq")
    report = path.audit()
    assert report.problems == []
    with path.store.reading() as reading:
        assert sum(1 for _ in reading.ordered(Cache.STATES)) == len(path.desk.heads)
        stored = reading.states(path.desk.heads)
    assert {stream: head for stream, (_, head) in stored.items()} == path.desk.heads
