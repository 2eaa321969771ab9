"""A request to somebody else's server ends, whatever that server does."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic
from urllib.parse import urlsplit

import pytest

from bol_service.application.witness_ports import WitnessAway
from bol_service.bounded_request import Answer, Limits, NoAnswer, Server, connect
from bol_service.http.witness_client import HttpWitness
from tests.neighbours import closed_port
from tests.receiver import Receiver, Say, receiver

SHORT = Limits(wait=5, total=0.2, most=1000)
LONG = Limits(wait=5, total=20, most=1000)


def asked(there: Receiver, say: Say, limits: Limits) -> Answer:
    there.answers.append(say)
    return Server(url=there.url, limits=limits).ask("POST", "/hook", b"{}", {})


def test_an_answer_comes_back_whole() -> None:
    with receiver() as there:
        answer = asked(there, Say(status=422, headers={"X-What": "so"}, body=b"no"), LONG)
    assert (answer.status, answer.header("x-what"), answer.content) == (422, "so", b"no")
    assert answer.header("x-other") == ""


@pytest.mark.parametrize(
    ("say", "limits", "told"),
    [
        pytest.param(
            Say(drip=True), SHORT, "no whole answer came within 0.2 s", id="a dripped head"
        ),
        pytest.param(
            Say(status=200, body=b"x" * 65_536, endless=True),
            LONG,
            "more than 1000 bytes",
            id="no end",
        ),
        pytest.param(
            Say(status=200, headers={"Content-Length": "9"}, body=b"x"),
            LONG,
            "IncompleteRead",
            id="a broken end",
        ),
        pytest.param(
            Say(status=200, headers={"Content-Length": "-9"}, body=b"x" * 2000),
            LONG,
            "more",
            id="a wrong length",
        ),
    ],
)
def test_no_answer_comes_of(say: Say, limits: Limits, told: str) -> None:
    began = monotonic()
    with receiver() as there, pytest.raises(NoAnswer, match=told):
        asked(there, say, limits)
    assert monotonic() - began < 10


def test_where_the_body_is_not_looked_at_it_needs_no_end() -> None:
    unread = Limits(wait=5, total=20, most=0)
    with receiver() as there:
        assert asked(there, Say(status=202, body=b"x" * 4096, endless=True), unread).status == 202


def test_a_redirect_is_an_answer() -> None:
    with receiver() as there:
        say = Say(status=307, headers={"Location": there.url})
        assert asked(there, say, LONG).status == 307
    assert len(there.got) == 1


@contextmanager
def deaf(port: int) -> Iterator[str]:
    """An address of this machine at which nobody answers any more: its queue is full."""
    with ExitStack() as kept:
        listener = kept.enter_context(socket.socket())
        listener.bind(("127.0.0.2", port))
        listener.listen(0)
        for _ in range(8):
            waiting = kept.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.2", port))
        yield "127.0.0.2"


def test_an_address_that_is_deaf_leaves_time_for_the_next() -> None:
    with receiver() as there:
        port = urlsplit(there.url).port
        assert port is not None
        with deaf(port) as address, connect([address, "127.0.0.1"], port, 1.6) as connected:
            assert connected.getpeername()[0] == "127.0.0.1"


def test_a_name_with_many_addresses_is_given_up_after_three() -> None:
    with receiver() as there:
        port = urlsplit(there.url).port
        assert port is not None
        closed = [f"127.0.0.{number}" for number in (3, 4, 5)]
        with pytest.raises(ConnectionRefusedError):
            connect([*closed, "127.0.0.1"], port, 5)


def test_a_closed_port_gives_no_answer() -> None:
    server = Server(url=f"http://127.0.0.1:{closed_port()}", limits=LONG)
    with pytest.raises(NoAnswer, match="ConnectionRefusedError"):
        server.ask("GET", "/", None, {})


@pytest.mark.parametrize(
    "url", ["ftp://a.example", "https://", "https://u:p@a.example", "https://a.example:x"]
)
def test_it_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|[Pp]ort"):
        Server(url=url, limits=LONG)


def test_a_witness_that_drips_holds_up_nobody() -> None:
    """At start the service asks each of its witnesses before it serves."""
    with receiver() as there:
        there.answers.append(Say(drip=True))
        with pytest.raises(WitnessAway, match="no whole answer"):
            HttpWitness(there.url, limits=SHORT).add_checkpoint(b"")
