"""A transfer that was begun here and never finished: the operator closes it, its sender learns."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bol_service.application import exchange_entries, exchange_inbound
from bol_service.application.exchange_closing import ABANDONED_AFTER
from bol_service.domain import errors
from bol_service.storage.exchange import SqlExchange
from bol_service.wire.event_fields import instant_text
from bol_service.wire.pint_answers import ResponseCode
from bol_service.wire.pint_building import describe
from tests.border_post import Post, border_post
from tests.command_line import Ran, run
from tests.pint_story import BUYER, CQ, ISSUE, NOW, SHIPPER, Story, act, outbound
from tests.stormy_border import environment_of

RECE, BENV, DISE, INCD = (ResponseCode[name] for name in ("RECE", "BENV", "DISE", "INCD"))
PACKING = b"packing list"
LIST = describe(PACKING, name="packing.txt", media_type="text/plain")


@pytest.fixture
def sg(tmp_path: Path) -> Iterator[Post]:
    with border_post(tmp_path) as post:
        yield post


@pytest.fixture
def body() -> bytes:
    return outbound().body(CQ, supporting=[LIST])


def begun(sg: Post, body: bytes) -> str:
    """The reference of a transfer of which a document is missing."""
    started = sg.offer(body)
    assert started.status == 201
    reference: str = started.json()["envelopeReference"]
    return reference


def pass_time(sg: Post, time: timedelta) -> None:
    assert sg.side.settings.clock_file is not None
    fresh = sg.side.settings.clock_file.with_suffix(".new")
    fresh.write_text(instant_text(NOW + time), encoding="ascii")
    fresh.replace(sg.side.settings.clock_file)


def exchange(sg: Post, *words: str) -> Ran:
    settings = environment_of(sg.side.settings)
    given = {name: value for name, value in settings.items() if name.startswith("BOL_")}
    return run("exchange", *words, **given)


def upload(sg: Post, reference: str) -> Any:
    return sg.upload(reference, LIST.checksum, base64.b64encode(PACKING).decode())


def test_first_it_is_told_what_would_be_and_nothing_changes(sg: Post, body: bytes) -> None:
    reference = begun(sg, body)
    pass_time(sg, ABANDONED_AFTER)
    ran = exchange(sg, "close", reference)
    assert (ran.code, ran.err) == (0, "")
    assert "CQGY would be told BENV, closed by the operator of SGPX at 2027-03-15" in ran.out
    assert "nothing has changed; to close it for good, add --yes" in ran.out
    assert upload(sg, reference).status == 204
    assert sg.finish(reference).code is RECE


def test_a_closed_transfer_is_refused_with_one_signature_whatever_its_sender_tries(
    sg: Post, body: bytes
) -> None:
    reference = begun(sg, body)
    pass_time(sg, ABANDONED_AFTER)
    told = exchange(sg, "close", reference, "--yes", "--json").json()
    assert (told["closed"], told["missing"]) == (True, [LIST.checksum])
    finished = sg.finish(reference)
    assert (finished.status, finished.code) == (422, BENV)
    assert finished.answer is not None
    assert finished.answer.reason == told["reason"]
    assert sg.offer(body).content == finished.content
    assert finished.content.decode() == f'"{told["answer"]}"'
    assert upload(sg, reference).code is INCD  # and starting again tells the rest
    assert sg.side.state(outbound().document_checksum) is None


def test_after_that_its_sender_may_offer_the_chain_anew_or_another_one(
    sg: Post, body: bytes
) -> None:
    other = Story().then(CQ, ISSUE, act("TRANSFER", SHIPPER, BUYER))
    reference = begun(sg, body)
    assert sg.offer(other.body(CQ)).code is DISE
    assert exchange(sg, "close", reference, "--agreed", "--yes").code == 0
    assert sg.offer(other.body(CQ)).code is RECE
    assert sg.offer(body).code is BENV


def test_the_same_chain_under_a_new_manifest_is_a_new_transfer(sg: Post, body: bytes) -> None:
    story = outbound()
    reference = begun(sg, story.body(CQ, supporting=[LIST]))
    assert exchange(sg, "close", reference, "--agreed", "--yes").code == 0
    assert sg.offer(story.body(CQ)).code is RECE


def test_a_transfer_is_left_alone_for_seven_days_unless_its_sender_agrees(
    sg: Post, body: bytes
) -> None:
    reference = begun(sg, body)
    pass_time(sg, ABANDONED_AFTER - timedelta(milliseconds=1))
    early = exchange(sg, "close", reference, "--yes", "--json")
    assert early.code == 1
    problem = early.problem()
    assert problem["code"] == "not_closable"
    assert "may go on until 2027-03-15" in problem["detail"]
    assert exchange(sg, "close", reference, "--agreed").code == 0
    assert upload(sg, reference).status == 204


def _finished(sg: Post, body: bytes) -> str:
    reference = begun(sg, body)
    upload(sg, reference)
    assert sg.finish(reference).code is RECE
    return reference


def _closed(sg: Post, body: bytes) -> str:
    reference = begun(sg, body)
    assert exchange(sg, "close", reference, "--agreed", "--yes").code == 0
    return reference


def _received_unanswered(sg: Post, body: bytes) -> str:
    """Recorded, and the process died before the answer was kept (by an older version)."""
    reference = _finished(sg, body)
    book = SqlExchange(sg.side.running.store)
    row = book.inbound(reference)
    assert row is not None
    values = {name: getattr(row, name) for name in ("bill", "sender", "manifest", "envelope")}
    book.keep_inbound(type(row)(**values, reference=reference, opened=row.opened))
    return reference


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        pytest.param(lambda *_: "x" * 32, "no transfer xxxx", id="that nobody began"),
        pytest.param(_finished, "is answered", id="that was received"),
        pytest.param(_closed, "is answered", id="that is closed already"),
        pytest.param(
            _received_unanswered, "the ledger holds the chain", id="that the ledger knows"
        ),
    ],
)
def test_no_transfer_is_closed(
    reference: Callable[[Post, bytes], str], why: str, sg: Post, body: bytes
) -> None:
    ran = exchange(sg, "close", reference(sg, body), "--agreed", "--yes", "--json")
    assert ran.code == 1
    assert why in ran.problem()["detail"]


def test_while_it_is_being_accepted_nobody_closes_it(
    sg: Post, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = begun(sg, body)
    upload(sg, reference)
    seen: list[Ran] = []
    rival = Story().then(CQ, ISSUE, act("TRANSFER", SHIPPER, BUYER))
    record = exchange_entries.Entries.record

    def closing_meanwhile(self: Any, *given: Any) -> Any:
        assert sg.offer(rival.body(CQ)).code is DISE  # it takes nobody's claim away
        seen.append(exchange(sg, "close", reference, "--agreed", "--yes", "--json"))
        return record(self, *given)

    monkeypatch.setattr(exchange_entries.Entries, "record", closing_meanwhile)
    assert sg.finish(reference).code is RECE
    assert [ran.code for ran in seen] == [1]
    assert "is being accepted" in seen[0].problem()["detail"]


def test_closed_in_the_moment_before_it_is_accepted_it_is_refused(
    sg: Post, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = begun(sg, body)
    upload(sg, reference)
    claimed = exchange_inbound.Reception._claimed
    ran: list[int] = []

    def closed_before(self: Any, seen: Any) -> bool:
        ran.append(exchange(sg, "close", reference, "--agreed", "--yes").code)
        return claimed(self, seen)

    monkeypatch.setattr(exchange_inbound.Reception, "_claimed", closed_before)
    assert sg.finish(reference).code is BENV
    assert ran == [0]
    assert sg.side.state(outbound().document_checksum) is None


def test_closed_in_the_moment_before_it_is_begun_again_it_stays_closed(
    sg: Post, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = begun(sg, body)
    started = exchange_inbound.Reception._started
    ran: list[int] = []

    def closed_before(self: Any, *given: Any) -> Any:
        ran.append(exchange(sg, "close", reference, "--agreed", "--yes").code)
        return started(self, *given)

    monkeypatch.setattr(exchange_inbound.Reception, "_started", closed_before)
    assert sg.offer(body).code is BENV
    assert ran == [0]


def test_an_acceptance_that_the_law_refuses_leaves_what_was_begun_closable(
    sg: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = outbound()
    reference = begun(sg, story.body(CQ, supporting=[LIST]))
    unlawful = errors.BadChain("the law has changed")
    monkeypatch.setattr(exchange_entries.Entries, "record", lambda *_: unlawful)
    assert sg.offer(story.body(CQ)).code is DISE  # another manifest than the one that was begun
    assert exchange(sg, "close", reference, "--agreed", "--yes").code == 0


def test_the_operator_finds_what_was_begun_and_what_was_answered(sg: Post, body: bytes) -> None:
    assert exchange(sg, "arrivals").out == "nothing has arrived\n"
    reference = begun(sg, body)
    [shown] = exchange(sg, "arrivals", "--open").out.splitlines()
    assert shown.startswith(f"open  {reference} of bill {outbound().document_checksum} from CQGY")
    assert exchange(sg, "close", reference, "--agreed", "--yes").code == 0
    assert exchange(sg, "arrivals", "--open", "--json").json() == {"arrivals": []}
    [row] = exchange(sg, "arrivals", "--bill", outbound().document_checksum, "--json").json()[
        "arrivals"
    ]
    assert (row["answer"], row["platform"]) == ("BENV", "CQGY")
    assert row["reason"].startswith("closed by the operator of SGPX")
