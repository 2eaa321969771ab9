"""The page of webhooks: a party sees its own, what became of each notice, and sends it again."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

import pytest

from tests import kit
from tests.desk import STORY, Desk
from tests.mandates import TOLD, Mandates
from tests.receiver import Receiver, Say, receiver


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[kit.Platform, Mandates]]:
    with kit.platform(tmp_path_factory.mktemp("portal-webhooks"), webhooks=True) as started:
        started.set_clock(STORY)
        services = started.running.services
        mandates = Mandates(
            desk=Desk(signers=started.signers),
            recorder=services.recorder,
            documents=services.documents,
        )
        mandates.open_log()
        yield started, mandates


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def ask(platform: kit.Platform, method: str, path: str, party: str = TOLD) -> tuple[int, str, str]:
    """Status, body and Location of a request of a browser that is logged in."""
    cookie = f"ebl-language=en; ebl-session={platform.client(party, STORY).token()}"
    headers = {"Cookie": cookie, "Origin": platform.base_url}
    connection = HTTPConnection(urlsplit(platform.base_url).netloc, timeout=30)
    connection.request(method, path, body="" if method == "POST" else None, headers=headers)
    answer: HTTPResponse = connection.getresponse()
    found = answer.status, answer.read().decode(), answer.getheader("Location") or ""
    connection.close()
    return found


def test_a_notice_that_was_refused_is_seen_and_sent_again(
    platform: tuple[kit.Platform, Mandates], there: Receiver
) -> None:
    started, mandates = platform
    there.answers = [Say(status=410, body=b"<script>pwned</script>")]
    client = started.client(TOLD, STORY)
    added = client.post("/v1/webhooks", {"url": there.url, "kinds": ["GRANT_MANDATE"]})
    mandates.tell()
    there.wait(1)
    page = f"/portal/webhooks/{added['webhook']}"
    delivering = started.running.services.delivering
    assert delivering is not None
    delivering.stop()  # which waits for what is under way

    _, listed, _ = ask(started, "GET", "/portal/webhooks")
    assert there.url in listed
    assert "Mandate granted" in listed
    assert "the receiver answered 410 Gone" in listed
    assert added["publicKey"] in listed

    _, log, _ = ask(started, "GET", page)
    assert "Given up" in log
    assert "&lt;script&gt;pwned" in log
    assert "<script>pwned" not in log

    [row] = client.get(f"/v1/webhooks/{added['webhook']}/deliveries")["items"]
    again = f"{page}/deliveries/{row['number']}/replay"
    assert ask(started, "POST", again)[::2] == (303, page)
    _, log, _ = ask(started, "GET", page)
    assert "Waiting" in log
    assert "the receiver answered 410 Gone" not in ask(started, "GET", "/portal/webhooks")[1]


def test_another_party_s_is_not_found(
    platform: tuple[kit.Platform, Mandates], there: Receiver
) -> None:
    started, _ = platform
    added = started.client("bankcq", STORY).post("/v1/webhooks", {"url": there.url})
    page = f"/portal/webhooks/{added['webhook']}"
    assert ask(started, "GET", page, "bankcq")[0] == 200
    assert ask(started, "GET", page)[0] == 404
    assert ask(started, "POST", f"{page}/deliveries/1/replay")[0] == 404
    assert "You have no webhook." in ask(started, "GET", "/portal/webhooks", "straits")[1]
