"""A party of another platform as the recipient of an act, on the page of the act."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest

from tests.two_platforms import Two, two_platforms

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with two_platforms(tmp_path_factory.mktemp("two")) as both:
        yield both


@pytest.fixture(scope="module")
def bill(two: Two) -> str:
    return two.issue()[0]


def asked(two: Two, bill: str, answers: dict[str, str]) -> tuple[int, str]:
    """What the page of a transfer answers to the holder."""
    address = urlsplit(two.cq.settings.base_url)
    origin = f"{address.scheme}://{address.netloc}"
    cookie = {"Cookie": f"ebl-session={two.cq.client('yunling').token()}", "Origin": origin}
    connection = HTTPConnection(str(address.hostname), address.port, timeout=120)
    path = f"/portal/bills/{bill}/acts/TRANSFER"
    connection.request("POST", path, urlencode(answers), {**FORM, **cookie})
    answer = connection.getresponse()
    content = answer.read().decode()
    connection.close()
    return answer.status, content


def test_a_party_abroad_is_what_the_check_page_will_sign(two: Two, bill: str) -> None:
    status, page = asked(two, bill, {"abroad": "SGPX:banksg"})
    assert status == 200
    assert '"recipient": "SGPX:banksg"' in page


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({}, "Fill this in."),
        ({"abroad": "SGPX"}, "Write the platform"),
        ({"abroad": "banksg"}, "Write the platform"),
        ({"abroad": "SGPX:banksg", "recipient": "banksg"}, "not both"),
    ],
)
def test_what_names_nobody_or_two_is_told_at_the_field(
    two: Two, bill: str, answers: dict[str, str], said: str
) -> None:
    status, page = asked(two, bill, answers)
    assert status == 422
    assert said in page


def test_the_operator_sees_the_peers_and_what_has_left_and_nobody_else_does(
    two: Two, bill: str
) -> None:
    assert looked_at(two, "yunling")[0] == 404
    status, page = looked_at(two, "operator")
    assert status == 200
    assert "SGPX" in page
    assert "ES256" in page
    assert "Nothing has left" in page


def looked_at(two: Two, party: str) -> tuple[int, str]:
    address = urlsplit(two.cq.settings.base_url)
    cookie = {"Cookie": f"ebl-language=en; ebl-session={two.cq.client(party).token()}"}
    connection = HTTPConnection(str(address.hostname), address.port, timeout=120)
    connection.request("GET", "/portal/operator/transfers", headers=cookie)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode()
    connection.close()
    return found
