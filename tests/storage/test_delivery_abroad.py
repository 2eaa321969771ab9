"""Applications, offers of evidence and evidence from abroad, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bol_service.application.delivery_abroad_ports import (
    Applied,
    Kept,
    OldEvidence,
    PartyAbroad,
)
from bol_service.storage.delivery_abroad import SqlDelivery
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore
from tests.fresh_database import migrate

NOW, LATER, LATEST = (f"2027-03-01T04:00:0{second}.000Z" for second in range(3))
BILL = "b" * 64
APPLIED = Applied(
    platform="SGPX", name="liongate", party="liongate-sg", kid="k" * 43, application="{}", at=NOW
)
KEPT = Kept(
    platform="CQGY",
    bill=BILL,
    reader="liongate",
    at=LATER,
    size=7,
    cover="cover",
    bundle=b"bundle",
    received=LATER,
)


@pytest.fixture
def book(database_url: str) -> Iterator[SqlDelivery]:
    engine = open_engine(database_url)
    migrate(engine)
    yield SqlDelivery(SqlStore(engine))
    engine.dispose()


def test_a_key_applies_once(book: SqlDelivery) -> None:
    assert book.add_application(APPLIED)
    assert not book.add_application(replace(APPLIED, platform="THXX"))
    assert book.application(APPLIED.kid) == APPLIED
    assert book.applications_of("SGPX", "liongate") == [APPLIED]
    assert book.applications_of("THXX", "liongate") == []
    assert book.applications_for("liongate-sg") == [APPLIED]
    assert [applied for _, applied in book.applications(10)] == [APPLIED]


def test_the_log_is_followed_forwards_only(book: SqlDelivery) -> None:
    assert book.followed() is None
    for size in (3, 9, 5):
        book.follow(size)
    assert book.followed() == 9


def test_an_offer_is_taken_by_one_process_until_its_lease_ends(book: SqlDelivery) -> None:
    book.owe("SGPX", BILL, "liongate", NOW)
    offer = book.take_offer(NOW, LATER)
    assert offer is not None
    assert book.take_offer(NOW, LATER) is None
    assert book.take_offer(LATEST, LATEST) == offer
    book.settle_offer(replace(offer, due=None, seen="s" * 64))
    assert book.take_offer(LATEST, LATEST) is None


def test_what_falls_due_while_it_is_sent_is_sent_again(book: SqlDelivery) -> None:
    book.owe("SGPX", BILL, "liongate", NOW)
    offer = book.take_offer(NOW, LATER)
    assert offer is not None
    book.owe("SGPX", BILL, "liongate", NOW)
    book.settle_offer(replace(offer, due=None, seen="s" * 64))
    again = book.take_offer(NOW, LATER)
    assert again is not None
    assert again.seen == "s" * 64


def test_an_offer_that_failed_waits_for_its_time(book: SqlDelivery) -> None:
    book.owe("SGPX", BILL, "liongate", NOW)
    offer = book.take_offer(NOW, NOW)
    assert offer is not None
    book.settle_offer(replace(offer, due=LATEST, attempts=1, fault="away"))
    assert book.take_offer(LATER, LATEST) is None
    waiting = book.take_offer(LATEST, LATEST)
    assert waiting is not None
    assert (waiting.attempts, waiting.fault) == (1, "away")


@pytest.mark.parametrize(
    "older",
    [
        pytest.param({"size": 6}, id="of a smaller log"),
        pytest.param({"at": NOW}, id="of the same log, stated before"),
        pytest.param({"size": 6, "at": LATEST}, id="of a smaller log, stated later"),
    ],
)
def test_older_evidence_does_not_take_the_place_of_newer(
    book: SqlDelivery, older: dict[str, object]
) -> None:
    book.keep(KEPT, ["XLCU7001127"])
    with pytest.raises(OldEvidence):
        book.keep(replace(KEPT, **older), ["XLCU7001127"])  # type: ignore[arg-type]
    assert book.kept("CQGY", BILL, "liongate") == KEPT


def test_newer_evidence_is_found_by_bill_container_and_reader(book: SqlDelivery) -> None:
    book.keep(KEPT, ["XLCU7001127", "XLCU7001132"])
    newer = replace(KEPT, size=9, at=LATEST, bundle=b"newer")
    book.keep(newer, ["XLCU7001127", "XLCU7001132"])
    assert book.kept_for("XLCU7001132", "liongate") == [newer]
    assert book.kept_for("XLCU7001132", "sgcustoms") == []
    assert book.kept_for("XLCU7001153", "liongate") == []
    assert book.kept_by("liongate", 10) == [newer]


def test_one_root_is_known_for_a_size_of_a_peer_s_log(book: SqlDelivery) -> None:
    book.keep_root("CQGY", 7, "a" * 64)
    book.keep_root("CQGY", 7, "b" * 64)
    assert book.root_at("CQGY", 7) == "a" * 64
    assert book.root_at("SGPX", 7) is None


def test_a_party_may_be_known_under_several_names(book: SqlDelivery) -> None:
    own = PartyAbroad(party="liongate", platform="CQGY", name="liongate-sg", at=NOW)
    for party in (own, own, replace(own, name="liongate", at=LATER)):
        book.add_party_abroad(party)
    assert [found.name for found in book.parties_abroad("liongate")] == ["liongate-sg", "liongate"]
