"""Subscribers learn of changes, of their own documents only; nothing is lost or told twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bol_service.bounded_request import Limits
from bol_service.gateway.delivery import PATIENCE, AddressError, Receiver
from bol_service.gateway.subscribers import (
    EVERYBODY,
    Subscriber,
    SubscribersError,
    read_subscribers,
)
from bol_service.wire.dcsa_notification import DocumentNotificationSchema
from tests.desk import STORY
from tests.gateway_stage import NOTIFICATIONS, SHIPPER, SURRENDERS, Pair, Stage, System, pair
from tests.receiver import Say, receiver

Json = dict[str, Any]


@contextmanager
def told(on: Stage, folder: Path, party: str) -> Iterator[tuple[Pair, System]]:
    """A gateway with one subscriber, who speaks for `party`."""
    listener = System()
    server = listener.serve()
    subscriber = Subscriber(party=party, reference="SUB-1", receiver=Receiver(url=listener.url))
    try:
        with pair(on, folder, subscribers=[subscriber]) as made:
            yield made, listener
    finally:
        server.shutdown()
        server.server_close()


def statuses(listener: System, document: Json) -> list[str]:
    found = listener.got(NOTIFICATIONS, document["transportDocumentReference"])
    return [value["data"]["transportDocumentStatus"] for value in found]


def test_a_shipper_is_told_of_its_document_from_draft_to_surrender(
    on: Stage, tmp_path: Path
) -> None:
    with told(on, tmp_path, SHIPPER) as (both, listener):
        both.gateway.round()
        document = on.approved()
        both.gateway.round()
        both.issue(document)
        both.gateway.round()
        (bill,) = on.bills(document)
        receipt = on.client(SHIPPER).act("SURRENDER_FOR_DELIVERY", f"bill:{bill['bill']}")
        both.gateway.round()
        both.answer(receipt["head"], "SURR")
        both.gateway.round()
        both.gateway.round()

        assert statuses(listener, document) == [
            "APPROVED",
            "ISSUED",
            "PENDING_SURRENDER_FOR_DELIVERY",
            "SURRENDERED_FOR_DELIVERY",
        ]
        messages = listener.got(NOTIFICATIONS, document["transportDocumentReference"])
        assert [DocumentNotificationSchema().validate(value) for value in messages] == [{}] * 4
        assert len({value["id"] for value in messages}) == 4
        assert {value["subscriptionReference"] for value in messages} == {"SUB-1"}
        assert {value["source"] for value in messages} == {"demo.cq.example/ebl"}


@pytest.mark.parametrize(
    ("party", "found"),
    [
        pytest.param("bankcq", [], id="a party that has nothing to do with it"),
        pytest.param("straits", [], id="a notify party, which has no title"),
        pytest.param(EVERYBODY, ["APPROVED", "ISSUED"], id="the carrier's own system"),
    ],
)
def test_a_subscriber_learns_of_its_own_documents_only(
    on: Stage, tmp_path: Path, party: str, found: list[str]
) -> None:
    with told(on, tmp_path, party) as (both, listener):
        document = on.approved()
        both.gateway.round()
        both.issue(document)
        both.gateway.round()

        assert statuses(listener, document) == found


def test_a_restart_tells_nothing_twice(on: Stage, tmp_path: Path) -> None:
    with told(on, tmp_path, SHIPPER) as (both, listener):
        document = on.approved()
        both.issue(document)
        both.gateway.round()
        both.gateway.round()
        assert statuses(listener, document) == ["APPROVED", "ISSUED"]
    with told(on, tmp_path, SHIPPER) as (both, listener):
        both.gateway.watching.sweep()
        both.gateway.round()
        assert statuses(listener, document) == []


def test_a_sweep_comes_round_by_itself(on: Stage, both: Pair) -> None:
    both.gateway.round()
    document = on.approved()
    both.issue(document)
    both.gateway.round()
    (bill,) = on.bills(document)
    on.client(SHIPPER).act("SURRENDER_FOR_DELIVERY", f"bill:{bill['bill']}")
    both.gateway.state.set_mark("notices", "999999999")  # as if every notice had been lost
    both.gateway.watching.round()
    number = document["transportDocumentReference"]
    assert both.gateway.state.status(bill["bill"]) == "ISSUED"

    both.line.now = lambda: STORY + timedelta(minutes=4)
    both.gateway.state.set_mark("swept", "2027-03-01T03:50:00.000Z")
    both.gateway.round()
    both.gateway.deliveries.send_due()

    assert len(both.system.got(SURRENDERS, number)) == 1


def test_a_subscriber_that_never_takes_anything_is_given_up_the_carrier_is_not(
    on: Stage, tmp_path: Path
) -> None:
    with told(on, tmp_path, SHIPPER) as (both, listener):
        listener.answers[:] = [500] * 10_000
        both.system.answers[:] = [500] * 10_000
        document = on.approved()
        both.issue(document)
        both.gateway.issuing.settle_all()
        both.gateway.watching.round()
        later = STORY
        for _ in range(PATIENCE + 5):
            both.gateway.deliveries.send_due()
            later += timedelta(hours=2)
            both.line.now = lambda moment=later: moment  # type: ignore[misc]

        number = document["transportDocumentReference"]
        assert statuses(listener, document).count("ISSUED") == PATIENCE
        assert len(both.system.got("/v3/ebl-issuance-responses", number)) == PATIENCE + 5


def test_a_subscriber_that_drips_keeps_nobody_waiting(on: Stage, tmp_path: Path) -> None:
    with receiver() as slow:
        slow.answers[:] = [Say(drip=True)] * 10
        limits = Limits(wait=5, total=0.2, most=0)
        subscriber = Subscriber(
            party=EVERYBODY, reference="SLOW", receiver=Receiver(url=slow.url, limits=limits)
        )
        with pair(on, tmp_path, subscribers=[subscriber]) as both:
            document = on.approved()
            both.issue(document)
            both.gateway.round()

            assert both.outcome(document)["issuanceResponseCode"] == "ISSU"
            assert len(slow.got) == 1
            assert both.gateway.state.owed(both.line.now() + timedelta(minutes=1))


# -- who may be told -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://carrier.example", id="in the clear beyond this machine"),
        pytest.param("http://10.0.0.1", id="in the clear in a private network"),
        pytest.param("ftp://127.0.0.1", id="another protocol"),
        pytest.param("https://", id="no host"),
        pytest.param("https://user:secret@carrier.example", id="a secret in the address"),
        pytest.param("https://carrier.example?a=b", id="a query"),
    ],
)
def test_nothing_is_sent_to_such_an_address(url: str) -> None:
    with pytest.raises(AddressError):
        Receiver(url=url)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"{}", id="no list"),
        pytest.param(b'[{"url":"https://a.example","subscriptionReference":"S"}]', id="no party"),
        pytest.param(
            b'[{"url":"https://a.example","subscriptionReference":"S","party":"No Slug"}]',
            id="no slug",
        ),
        pytest.param(
            b'[{"url":"http://a.example","subscriptionReference":"S","party":"*"}]',
            id="in the clear",
        ),
        pytest.param(
            b'[{"url":"https://a.example","subscriptionReference":"S","party":"*"},'
            b'{"url":"https://a.example","subscriptionReference":"S","party":"xlsc"}]',
            id="one subscription twice",
        ),
    ],
)
def test_a_file_of_subscribers_that_cannot_be_meant_is_refused(content: bytes) -> None:
    with pytest.raises(SubscribersError):
        read_subscribers(content, lambda name: name)


def test_subscribers_are_read_with_their_tokens() -> None:
    content = (
        b'[{"url":"https://a.example","subscriptionReference":"S","party":"*",'
        b'"tokenFile":"secret"}]'
    )
    (found,) = read_subscribers(content, lambda name: f"token of {name}")

    assert (found.party, found.reference, found.receiver.token) == ("*", "S", "token of secret")
