"""A peer that drips, pours or hangs: a request has an end, and holds up nobody else's originals."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest

from bol_service.application.exchange_outbound import LEASE
from bol_service.application.exchange_ports import LeaseLost, Outbound, PeerAway, Stage
from bol_service.pint.client import MAX_ANSWER_BYTES, SLOWEST_LINK, TOTAL_SECONDS, HttpPeer
from bol_service.pint.routes import MAX_BODY_BYTES
from bol_service.storage.engine import open_engine
from bol_service.storage.exchange import SqlExchange
from bol_service.storage.store import SqlStore
from bol_service.wire.peers import Peer, PeerOptions
from tests.desk import ORIGIN
from tests.fresh_database import migrate
from tests.slow_peers import Behaviour, Slow, deaf, dripping, pouring, slow_peer
from tests.two_platforms import two_platforms

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
FULL = 8_000_000  # more than the buffers of a connection take
SOON, LATER = "2027-03-01T00:00:00.000Z", "2027-03-01T00:02:00.000Z"


def link(port: int, scheme: str = "http", seconds: float = 0.3) -> HttpPeer:
    peer = Peer(
        code="SGPX",
        url=f"{scheme}://127.0.0.1:{port}",
        keys=(),
        tls_certificate=None,
        options=PeerOptions(),
    )
    return HttpPeer(peer, total_seconds=seconds)


@pytest.mark.parametrize(
    ("behave", "scheme", "body"),
    [
        pytest.param(dripping(b""), "http", b"", id="drips a head"),
        pytest.param(dripping(HEAD + b"X-Odd: "), "http", b"", id="drips one header"),
        pytest.param(
            dripping(HEAD + b"Content-Length: 9000\r\n\r\n"), "http", b"", id="drips a body"
        ),
        pytest.param(
            dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n"),
            "http",
            b"",
            id="drips a chunk",
        ),
        pytest.param(dripping(b"\x16\x03\x03\x40\x00"), "https", b"", id="drips its TLS greeting"),
        pytest.param(deaf, "https", b"", id="says nothing to a TLS greeting"),
        pytest.param(deaf, "http", b"", id="says nothing to a request"),
        pytest.param(deaf, "http", b"x" * FULL, id="does not take what is sent"),
    ],
)
def test_a_request_has_an_end_against_a_peer_that(
    behave: Behaviour, scheme: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bol_service.pint.client.SLOWEST_LINK", 10 * FULL)
    with slow_peer(behave) as slow:
        began = monotonic()
        with pytest.raises(PeerAway, match=r"no whole answer came within 0\.[34] s"):
            link(slow.port, scheme).post("/v3/envelopes", body)
        assert monotonic() - began < 20


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(HEAD + b"Content-Length: 9000000000\r\n\r\n", id="of a stated length"),
        pytest.param(HEAD + b"\r\n", id="without a stated length"),
    ],
)
def test_an_answer_without_end_is_read_up_to_a_limit(head: bytes) -> None:
    with (
        slow_peer(pouring(head)) as slow,
        pytest.raises(PeerAway, match=f"more than {MAX_ANSWER_BYTES} bytes"),
    ):
        link(slow.port, seconds=20).put("/v3/envelopes/1/finish-transfer", b"")


def test_an_answer_that_ends_before_it_is_whole_is_none() -> None:
    def broken_off(_: Slow, connected: socket.socket) -> None:
        connected.recv(65536)  # closing before the request is read would be a reset, not an end
        connected.sendall(HEAD + b"Content-Length: 900\r\n\r\n" + b"x" * 899)

    with slow_peer(broken_off) as slow, pytest.raises(PeerAway, match="IncompleteRead"):
        link(slow.port, seconds=20).put("/v3/envelopes/1/finish-transfer", b"")


def test_no_request_outlasts_the_lease_of_its_transfer() -> None:
    assert timedelta(seconds=TOTAL_SECONDS + MAX_BODY_BYTES / SLOWEST_LINK) < LEASE


def test_a_peer_that_hangs_holds_up_nobody_elses_originals(tmp_path: Path) -> None:
    with (
        slow_peer(dripping(HEAD)) as slow,
        two_platforms(tmp_path, others={"THXX": f"http://127.0.0.1:{slow.port}"}) as two,
    ):
        stuck, free = two.issue(2)
        two.cq.act("yunling", "TRANSFER", stuck, recipient="THXX:siam")
        two.until(slow.came.is_set)
        two.cq.act("yunling", "TRANSFER", free, recipient="SGPX:banksg")
        two.settled(free)
        [waits] = two.cq.outbox(stuck)
        assert (waits.stage, waits.attempts) == (Stage.LOCKED, 0)
        slow.let_go()


def test_what_was_made_out_to_a_peer_that_is_none_any_more_tells_so(tmp_path: Path) -> None:
    with two_platforms(tmp_path, others={"THXX": "http://127.0.0.1:9"}) as two:
        (bill,) = two.issue()
        two.cq.act("yunling", "TRANSFER", bill, recipient="THXX:siam")
        two.until(lambda: any(row.attempts for row in two.cq.outbox(bill)))
        two.cq.stop()
        assert two.cq.settings.peers is not None
        kept = two.cq.settings.peers.read_text(encoding="utf-8").replace('"THXX"', '"MYXX"')
        two.cq.settings.peers.write_text(kept, encoding="utf-8")
        two.cq.start()
        two.until(lambda: "no address of THXX" in (two.cq.outbox(bill)[0].fault or ""))


def test_who_has_lost_its_lease_writes_nothing_any_more(database_url: str) -> None:
    engine = open_engine(database_url)
    migrate(engine)
    SqlStore(engine).create_log(ORIGIN)
    book = SqlExchange(SqlStore(engine))
    transfer = Outbound(
        number=1,
        bill="ab" * 32,
        platform="SGPX",
        since=3,
        stage=Stage.LOCKED,
        attempts=0,
        due=SOON,
    )
    book.enlist(transfer)
    slow = book.take_due(SOON, SOON, ["SGPX"])
    assert slow is not None
    assert book.take_due(SOON, LATER, ["SGPX"]) is None
    again = "2027-03-01T00:00:01.000Z"
    assert book.take_due(again, LATER, ["THXX"]) is None
    assert book.take_due(again, LATER, ["SGPX", "THXX"], others=True) is None
    other = book.take_due(again, LATER, ["THXX"], others=True)
    assert other is not None
    for write in (book.give_back, lambda kept: book.reach(kept, LATER)):
        with pytest.raises(LeaseLost):
            write(replace(slow, stage=Stage.UPLOADING))
    book.give_back(replace(other, stage=Stage.MOVED))
    [row] = book.outbounds(None, 10)
    assert row.stage is Stage.MOVED
    engine.dispose()
