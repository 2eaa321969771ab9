"""Rates: who asks too often is told when to come back, and nobody else suffers for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from bol_service import bootstrap
from bol_service.application import rates
from bol_service.application.rates import Buckets, Rate, Rates, TooMany, network_of
from bol_service.client import ASSERTION
from bol_service.crypto.signers import Signer
from bol_service.settings import SettingsError, from_environment
from tests import kit
from tests.desk import STORY, Desk
from tests.many_bills import Maker

FAR, OTHER = "203.0.113.7", "203.0.113.8"


class Hand:
    """A clock that only tests move."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def refused(buckets: Buckets, key: str) -> int:
    with pytest.raises(TooMany) as caught:
        buckets.take(key)
    return caught.value.retry_after


# -- buckets -------------------------------------------------------------------------------------


def test_a_bucket_gives_its_burst_and_then_as_much_as_flows_in() -> None:
    clock = Hand()
    buckets = Buckets(Rate(burst=3, per_second=0.5), clock=clock)
    for _ in range(3):
        buckets.take("a")
    assert refused(buckets, "a") == 2
    clock.now += 1.5
    assert refused(buckets, "a") == 1
    clock.now += 0.5
    buckets.take("a")
    assert refused(buckets, "a") == 2


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    clock = Hand()
    buckets = Buckets(Rate(burst=2, per_second=1), clock=clock)
    buckets.take("a")
    clock.now += 3600
    buckets.take("a")
    buckets.take("a")
    assert refused(buckets, "a") == 1


def test_refused_requests_do_not_prolong_the_wait() -> None:
    clock = Hand()
    buckets = Buckets(Rate(burst=1, per_second=0.1), clock=clock)
    buckets.take("a")
    assert [refused(buckets, "a") for _ in range(50)] == [10] * 50
    clock.now += 10
    buckets.take("a")


def test_each_key_has_a_bucket_of_its_own() -> None:
    buckets = Buckets(Rate(burst=1, per_second=1), clock=Hand())
    for key in ("a", "b", "c"):
        buckets.take(key)
    assert refused(buckets, "a") == 1


def test_of_many_keys_those_used_last_are_kept() -> None:
    buckets = Buckets(Rate(burst=1, per_second=0.01), max_keys=2, clock=Hand())
    buckets.take("a")
    buckets.take("b")
    refused(buckets, "a")
    buckets.take("c")  # in place of b, which was used before a
    refused(buckets, "a")
    buckets.take("b")
    assert len(buckets._levels) == 2


@pytest.mark.parametrize(
    ("address", "network"),
    [
        pytest.param(FAR, FAR, id="IPv4 by itself"),
        pytest.param("::ffff:203.0.113.7", FAR, id="IPv4 in the clothes of IPv6"),
        pytest.param("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", id="IPv6 by its site"),
        pytest.param("fe80::1%eth0", "fe80::/64", id="a zone is left out"),
        pytest.param("127.0.0.1", None, id="this machine"),
        pytest.param("::1", None, id="this machine in IPv6"),
        pytest.param("::ffff:127.0.0.1", None, id="this machine in the clothes of IPv6"),
        pytest.param("", None, id="a Unix socket"),
        pytest.param(None, None, id="no address"),
    ],
)
def test_whose_requests_count_together(address: str | None, network: str | None) -> None:
    assert network_of(address) == network


# -- the doors -----------------------------------------------------------------------------------


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[kit.Platform]:
    for name, burst in (
        ("PARTY_TOKENS", 3),
        ("ADDRESS_TOKENS", 5),
        ("ADDRESS_FILES", 2),
        ("ADDRESS_APPLICATIONS", 2),
        ("PARTY_BYTES", 100),
    ):
        monkeypatch.setattr(rates, name, Rate(burst=burst, per_second=0.01))
    with kit.platform(tmp_path) as made:
        made.set_clock(STORY)
        services = made.running.services
        desk = Desk(signers=made.signers)
        Maker(desk=desk, recorder=services.recorder, documents=services.documents).open_log()
        yield made


HERE = "127.0.0.1"


def ask_for_token(
    platform: kit.Platform, party: str, address: str = HERE, signer: Signer | None = None
) -> TestResponse:
    client = platform.client(party, STORY)
    client.signer = signer or client.signer
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION,
        "client_assertion": client.assertion(),
    }
    return platform.running.app.test_client().post(
        "/oauth/token", data=form, environ_overrides={"REMOTE_ADDR": address}
    )


def verify(app: Flask, base_url: str, address: str, forwarded: str = "") -> TestResponse:
    return app.test_client().post(
        "/portal/verify",
        data={"file": (BytesIO(b"{}"), "x.ebl.json")},
        headers={"Origin": base_url, **({"X-Forwarded-For": forwarded} if forwarded else {})},
        environ_overrides={"REMOTE_ADDR": address},
    )


def test_a_party_that_hoards_tokens_is_told_when_to_come_back(platform: kit.Platform) -> None:
    answers = [ask_for_token(platform, "straits") for _ in range(5)]
    assert [answer.status_code for answer in answers][:1] == [200]
    last = answers[-1]
    assert (last.status_code, last.json["code"]) == (429, "too_many_requests")
    assert 0 < int(last.headers["Retry-After"]) <= 100
    assert "straits" in last.json["detail"]
    assert ask_for_token(platform, "bankcq").status_code == 200


def test_a_party_that_fills_the_disk_is_told_when_to_come_back(platform: kit.Platform) -> None:
    def upload(party: str, size: int) -> TestResponse:
        token = platform.client(party, STORY).token()
        return platform.running.app.test_client().post(
            "/v1/documents?kind=shipping-instructions",
            data=b'{"a":"%s"}' % (b"x" * (size - 8)),
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )

    assert upload("straits", 90).status_code == 201
    refused = upload("straits", 11)
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
    assert "100 bytes at once" in refused.json["detail"]
    assert 0 < int(refused.headers["Retry-After"]) <= 100
    assert upload("bankcq", 90).status_code == 201


def test_nobody_uses_up_the_tokens_of_another_party(platform: kit.Platform) -> None:
    forger = platform.signers["shadow"]
    for _ in range(4):
        assert ask_for_token(platform, "bankcq", signer=forger).status_code == 401
    assert ask_for_token(platform, "bankcq").status_code == 200


def test_an_address_that_tries_too_often_is_refused_before_anything_is_looked_at(
    platform: kit.Platform,
) -> None:
    forger = platform.signers["shadow"]
    answers = [ask_for_token(platform, "bankcq", FAR, forger) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert ask_for_token(platform, "bankcq", FAR).status_code == 429
    assert ask_for_token(platform, "bankcq", OTHER).status_code == 200
    assert ask_for_token(platform, "bankcq").status_code == 200


def test_files_are_verified_at_a_rate_for_each_address(platform: kit.Platform) -> None:
    app, base_url = platform.running.app, platform.base_url
    answers = [verify(app, base_url, FAR) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) == 100
    assert "Come back in 100 seconds" in answers[-1].text
    assert verify(app, base_url, OTHER).status_code == 200
    assert {verify(app, base_url, HERE).status_code for _ in range(4)} == {200}


def test_applications_are_taken_at_a_rate_for_each_address(platform: kit.Platform) -> None:
    def apply(address: str) -> TestResponse:
        return platform.running.app.test_client().post(
            "/portal/registrations",
            data=b"{}",
            headers={"Origin": platform.base_url},
            environ_overrides={"REMOTE_ADDR": address},
        )

    assert [apply(FAR).status_code for _ in range(3)] == [422, 422, 429]
    assert apply(OTHER).status_code == 422


def test_without_a_proxy_nobody_chooses_an_address(platform: kit.Platform) -> None:
    app, base_url = platform.running.app, platform.base_url
    answers = [verify(app, base_url, FAR, f"198.51.100.{number}") for number in range(3)]
    assert answers[-1].status_code == 429


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_adds(platform: kit.Platform) -> None:
    platform.stop()
    running = bootstrap.start(replace(platform.settings, proxies=1))
    try:
        answers = [
            verify(running.app, platform.base_url, HERE, f"198.51.100.{number}, {FAR}")
            for number in range(3)
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        other = verify(running.app, platform.base_url, HERE, f"{FAR}, {OTHER}")
        assert other.status_code == 200
    finally:
        running.stop()


# -- settings ------------------------------------------------------------------------------------

NEEDED = {
    "BOL_ORIGIN": "demo.cq.example/ebl",
    "BOL_PLATFORM_CODE": "CQGY",
    "BOL_DATABASE_URL": "sqlite:///x.db",
    "BOL_STATE_DIR": "state",
    "BOL_BASE_URL": "http://127.0.0.1",
    "BOL_LOG_KEY": "file:log.pem",
    "BOL_STATEMENT_KEY": "file:statement.pem",
    "BOL_KEY_PASSPHRASE": "x",
    "BOL_REGISTRAR_KIDS": "kid",
}


@pytest.mark.parametrize(("value", "proxies"), [("", 0), ("0", 0), ("1", 1), ("9", 9)])
def test_the_proxies_in_front_are_a_setting(value: str, proxies: int) -> None:
    assert from_environment({**NEEDED, "BOL_PROXIES": value}).proxies == proxies


@pytest.mark.parametrize("value", ["-1", "10", "yes", "１"])
def test_a_number_of_proxies_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="BOL_PROXIES is"):
        from_environment({**NEEDED, "BOL_PROXIES": value})


def test_the_rates_leave_room_for_a_whole_company() -> None:
    """What docs/operations.md promises."""
    assert Rate(burst=300, per_second=5) == rates.PARTY_TOKENS
    assert Rate(burst=600, per_second=20) == rates.ADDRESS_TOKENS
    assert Rate(burst=20, per_second=0.5) == rates.ADDRESS_FILES
    assert (rates.MAX_KEYS, type(Rates())) == (10_000, Rates)
