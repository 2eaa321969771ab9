"""Sending to a receiver: one connection, to the address that was judged, for a bounded time."""

from __future__ import annotations

import ssl
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic

import pytest

from bol_service.application.rates import TooMany
from bol_service.application.webhook_ports import MOST_ANSWER_BYTES, BadReceiver, NoAnswer
from bol_service.http import receivers
from bol_service.http.receivers import HttpReceivers
from tests.neighbours import closed_port
from tests.receiver import Say, certified, receiver

HEADERS = {"Content-Type": "application/json", "webhook-id": "msg_1"}
ROOT = Path(__file__).parents[2]
PUBLIC = "93.184.216.34"


def own(**options: object) -> HttpReceivers:
    return HttpReceivers(loopback=True, **options)  # type: ignore[arg-type]


def test_names_that_never_resolve_are_waited_for_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receivers, "TURN_SECONDS", 0.1)
    asked: list[str] = []
    begun, answered = threading.Event(), threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        begun.set()
        assert answered.wait(60)
        return [PUBLIC]

    door = own(resolve=resolve)
    slow = threading.Thread(target=door.check, args=("https://slow.example/",))
    slow.start()
    assert begun.wait(60)
    with pytest.raises(TooMany, match="try again") as refused:
        door.check("https://other.example/")
    assert (asked, refused.value.retry_after) == (["slow.example"], 10)
    answered.set()
    slow.join()
    door.check("https://other.example/")


def test_the_turn_is_given_back_whatever_came_of_a_look_up() -> None:
    door = own(resolve=lambda *_: [])
    for _ in range(2):
        with pytest.raises(BadReceiver, match="has no address"):
            door.check("https://nowhere.example/")


def test_a_message_arrives_as_it_was_given_and_its_answer_comes_back() -> None:
    with receiver() as there:
        there.answers.append(Say(status=202, body=b"thanks"))
        reply = own().post(f"{there.url}?to=erp", HEADERS, b'{"a":1}')
    assert (reply.status, reply.text) == (202, "thanks")
    assert there.got[0].path == "/hook?to=erp"
    assert there.got[0].body == b'{"a":1}'
    sent = there.got[0].headers
    assert sent["host"] == there.url.split("/")[2]
    assert sent["connection"] == "close"
    assert sent["content-length"] == "7"
    assert {name: sent[name.lower()] for name in HEADERS} == HEADERS


def test_a_redirect_is_an_answer_and_nobody_follows_it() -> None:
    with receiver() as there, receiver() as elsewhere:
        there.answers.append(Say(status=307, headers={"Location": elsewhere.url}))
        assert own().post(there.url, HEADERS, b"{}").status == 307
    assert len(there.got) == 1
    assert elsewhere.got == []


def test_of_a_long_answer_only_the_beginning_is_read() -> None:
    with receiver() as there:
        there.answers.append(Say(status=500, body=b"x" * 1_000_000))
        assert len(own().post(there.url, HEADERS, b"{}").text) <= MOST_ANSWER_BYTES


def test_an_answer_without_end_is_not_waited_for() -> None:
    with receiver() as there:
        there.answers.append(Say(status=500, body=b"x" * 65_536, endless=True))
        reply = own(total_seconds=20).post(there.url, HEADERS, b"{}")
    assert reply.status == 500
    assert set(reply.text) == {"x"}


def test_an_answer_is_text_that_every_database_takes() -> None:
    with receiver() as there:
        there.answers.append(Say(status=500, body=b"a\0\xffb"))
        assert own().post(there.url, HEADERS, b"{}").text == "a\ufffd\ufffdb"


# -- where the connection goes -------------------------------------------------------------------


def test_the_connection_goes_to_the_address_that_was_judged() -> None:
    """The system's own answer for the name would be another one."""
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.3"]

    with receiver(address="127.0.0.3") as there:
        assert own(resolve=resolve).post(there.url, HEADERS, b"{}").status == 204
    assert asked == ["localhost"]


def test_a_name_that_was_public_when_it_was_added_and_is_not_now_gets_nothing() -> None:
    """DNS rebinding: every attempt judges anew, and connects to what it judged."""
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    receivers = HttpReceivers(resolve=lambda host, port: next(answers))
    with receiver() as there:
        receivers.check("https://erp.example:8443/hook")
        with pytest.raises(BadReceiver, match="not of the public internet"):
            receivers.post("https://erp.example:8443/hook", HEADERS, b"{}")
    assert there.got == []


def test_a_second_address_is_tried_when_the_first_one_is_closed() -> None:
    with receiver(address="127.0.0.3") as there:
        both = own(resolve=lambda host, port: ["127.0.0.2", "127.0.0.3"])
        assert both.post(there.url, HEADERS, b"{}").status == 204


def test_a_closed_port_is_told_as_no_connection() -> None:
    with pytest.raises(NoAnswer, match="no connection: ConnectionRefusedError"):
        own().post(f"http://localhost:{closed_port()}/", HEADERS, b"{}")


def test_a_name_that_nobody_knows_is_told_as_no_connection() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(NoAnswer, match="no such name"):
        HttpReceivers(resolve=unknown).post("https://erp.example/", HEADERS, b"{}")


# -- time ----------------------------------------------------------------------------------------


def test_a_receiver_that_does_not_answer_is_left_in_time() -> None:
    hold = threading.Event()
    with receiver() as there:
        there.answers.append(Say(hold=hold))
        began = monotonic()
        with pytest.raises(NoAnswer):
            own(total_seconds=0.3).post(there.url, HEADERS, b"{}")
        assert monotonic() - began < 20
        hold.set()


def test_a_receiver_that_drips_its_answer_is_left_in_time() -> None:
    """No single wait is long, but all of them would never end."""
    with receiver() as there:
        there.answers.append(Say(drip=True))
        began = monotonic()
        with pytest.raises(NoAnswer):
            own(total_seconds=0.3).post(there.url, HEADERS, b"{}")
        assert monotonic() - began < 20


def test_a_handshake_that_does_not_begin_is_left_in_time() -> None:
    with receiver() as there:  # speaks no TLS, and waits for a request
        began = monotonic()
        with pytest.raises(NoAnswer):
            own(total_seconds=0.3).post(there.url.replace("http", "https"), HEADERS, b"{}")
        assert monotonic() - began < 20


# -- as served -----------------------------------------------------------------------------------

UNDER_GEVENT = """
from gevent import monkey
monkey.patch_all()
import sys, pytest
sys.exit(pytest.main([*sys.argv[1:], "-p", "no:cacheprovider", "-k", "not gevent"]))
"""


def test_all_this_holds_under_gevent_too() -> None:
    """`bol serve` runs so; sockets, TLS, timers and time-outs are then other ones."""
    command = [sys.executable, "-c", UNDER_GEVENT, __file__]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stdout


# -- TLS -----------------------------------------------------------------------------------------


def test_a_certificate_of_the_name_is_wanted_and_enough(tmp_path: Path) -> None:
    server, client = certified(tmp_path, "localhost")
    with receiver(secured=server) as there:
        assert own(trust=client).post(there.url, HEADERS, b"{}").status == 204
    assert there.got[0].body == b"{}"


@pytest.mark.parametrize(
    ("names", "is_trusted"),
    [
        pytest.param(["other.example"], True, id="a certificate of another name"),
        pytest.param(["127.0.0.1"], True, id="a certificate of the address only"),
        pytest.param(["localhost"], False, id="a certificate that nobody vouches for"),
    ],
)
def test_another_certificate_gets_nothing(
    tmp_path: Path, names: list[str], is_trusted: bool
) -> None:
    server, client = certified(tmp_path, *names)
    trust: ssl.SSLContext | None = client if is_trusted else None
    refused = pytest.raises(NoAnswer, match=r"CERTIFICATE_VERIFY_FAILED")
    with receiver(secured=server) as there, refused:
        own(trust=trust).post(there.url, HEADERS, b"{}")
    assert there.got == []
