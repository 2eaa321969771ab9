"""The pages of webhooks: a party adds, sees and removes its own, and sends a notice again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlencode, urlsplit

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


def ask(
    platform: kit.Platform,
    method: str,
    path: str,
    party: str = TOLD,
    form: Sequence[tuple[str, str]] = (),
    language: str = "en",
) -> tuple[int, str, str]:
    """Status, body and Location of a request of a browser that is logged in."""
    cookie = f"ebl-language={language}; ebl-session={platform.client(party, STORY).token()}"
    headers = {"Cookie": cookie, "Origin": platform.base_url}
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    body = urlencode(form) if method == "POST" else None
    connection = HTTPConnection(urlsplit(platform.base_url).netloc, timeout=120)
    connection.request(method, path, body=body, headers=headers)
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


def test_an_address_is_added_and_removed_in_the_portal(
    platform: tuple[kit.Platform, Mandates], there: Receiver
) -> None:
    started, _ = platform
    form = [("url", f"  {there.url}/added "), ("kinds", "GRANT_MANDATE"), ("kinds", "ISSUED")]
    status, _, page = ask(started, "POST", "/portal/webhooks", "straits", form)
    assert status == 303
    [hook] = started.client("straits", STORY).get("/v1/webhooks")["items"]
    assert page == f"/portal/webhooks/{hook['webhook']}"
    assert (hook["url"], hook["kinds"]) == (f"{there.url}/added", ["GRANT_MANDATE", "ISSUED"])
    assert hook["addedWithKey"] == started.signers["straits"].public.kid
    assert ask(started, "GET", f"{page}/remove")[0] == 404  # another party's
    assert ask(started, "POST", f"{page}/remove")[0] == 404
    assert f"{there.url}/added" in ask(started, "GET", f"{page}/remove", "straits")[1]
    assert ask(started, "POST", f"{page}/remove", "straits")[::2] == (303, "/portal/webhooks")
    assert started.client("straits", STORY).get("/v1/webhooks")["items"] == []


REFUSED = {
    "inside our network": ("https://10.0.0.1/hook", "no public name"),
    "the cloud's own": ("https://169.254.169.254/latest", "no public name"),
    "a name without a dot": ("https://metadata/latest", "no public name"),
    "not encrypted": ("http://erp.example/hook", "by https only"),
    "another port": ("https://erp.example:22/", "port 22"),
    "markup": ("https://<script>pwned</script>", "no address of a receiver"),
    "nothing": ("", "no address of a receiver"),
}


@pytest.mark.parametrize(("url", "detail"), REFUSED.values(), ids=REFUSED.keys())
def test_an_address_that_nothing_may_be_sent_to_is_refused_in_words(
    platform: tuple[kit.Platform, Mandates], url: str, detail: str
) -> None:
    started, _ = platform
    status, page, _ = ask(started, "POST", "/portal/webhooks", "straits", [("url", url)])
    assert status == 422
    assert "Nothing may be sent to this address" in page
    assert detail in page
    assert "<script>pwned" not in page
    assert ask(started, "POST", "/portal/webhooks", "straits", [("url", url)], "zh")[0] == 422
    assert started.client("straits", STORY).get("/v1/webhooks")["items"] == []


def test_a_second_of_the_same_and_a_kind_that_is_none_are_refused_in_words(
    platform: tuple[kit.Platform, Mandates], there: Receiver
) -> None:
    started, _ = platform
    form = [("url", there.url)]
    assert ask(started, "POST", "/portal/webhooks", "straits", form)[0] == 303
    status, page, _ = ask(started, "POST", "/portal/webhooks", "straits", form)
    assert status == 422
    assert "This address is there already" in page
    status, page, _ = ask(
        started, "POST", "/portal/webhooks", "straits", [*form, ("kinds", "NOTHING")]
    )
    assert (status, "Choose one from the list" in page) == (422, True)
    for number in range(4):
        form = [("url", f"{there.url}/{number}")]
        assert ask(started, "POST", "/portal/webhooks", "straits", form)[0] == 303
    status, page, _ = ask(
        started, "POST", "/portal/webhooks", "straits", [("url", there.url + "/9")]
    )
    assert (status, "as many addresses as you may have" in page) == (422, True)


def test_without_a_key_to_sign_with_no_form_is_shown_and_nothing_is_added(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with kit.platform(tmp_path_factory.mktemp("silent")) as silent:
        silent.set_clock(STORY)
        services = silent.running.services
        desk = Desk(signers=silent.signers)
        Mandates(desk=desk, recorder=services.recorder, documents=services.documents).open_log()
        assert 'id="url"' not in ask(silent, "GET", "/portal/webhooks")[1]
        form = [("url", "https://erp.example/hook")]
        assert ask(silent, "POST", "/portal/webhooks", TOLD, form)[0] == 422
