"""Who our parties are is asked one code at a time, and no faster than transfers need it."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from bol_service import bootstrap
from bol_service.application import rates
from bol_service.application.exchange_history import kept_envelope
from bol_service.application.rates import Rate, Rates, TooMany
from bol_service.crypto import peer_jws
from bol_service.crypto.certificates import self_signed
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.pint.caller import CERTIFICATE
from bol_service.wire.pint_entry import chain_entry
from tests.border_post import Post, border_post
from tests.pint_story import CQ, TH
from tests.two_platforms import Two, two_platforms

FAR, OTHER, HERE = "203.0.113.7", "203.0.113.8", "127.0.0.1"


def _stopped_clock() -> float:
    return 100.0


@pytest.fixture
def three_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "PEER_LOOKUPS", Rate(burst=3, per_second=0.01))


def lookup(app: Flask, code: str, address: str, certificate: bytes | None = None) -> TestResponse:
    return app.test_client().post(
        "/v3/receiver-validation",
        data=json.dumps({"codeListProvider": "ZZZ", "partyCode": code}),
        content_type="application/json",
        environ_overrides={"REMOTE_ADDR": address, CERTIFICATE: certificate},
    )


def _certificate(name: str) -> str:
    now = datetime.now(UTC)
    return self_signed(
        LocalSigner(generate(Algorithm.ES256)),
        name=name,
        not_before=now - timedelta(minutes=5),
        not_after=now + timedelta(days=1),
        tls_hosts=("localhost",),
    )


@contextmanager
def _that_knows(post: Post, certificates: dict[str, str]) -> Iterator[Flask]:
    """The platform once more, with these certificates pinned."""
    post.side.hand_over()
    file = post.side.settings.peers
    assert file is not None
    peers = json.loads(file.read_text(encoding="utf-8"))
    for code, pem in certificates.items():
        peers["platforms"][code]["tlsCertificate"] = pem
    file.write_text(json.dumps(peers), encoding="utf-8")
    running = bootstrap.start(post.side.settings)
    try:
        yield running.app
    finally:
        running.stop()


def test_a_platform_that_guesses_codes_is_told_when_to_come_back_and_no_other_one_is(
    tmp_path: Path, three_at_once: None
) -> None:
    certificates = {code: _certificate(code) for code in (CQ, TH)}
    shown = {code: ssl.PEM_cert_to_DER_cert(pem) for code, pem in certificates.items()}
    with border_post(tmp_path) as post, _that_knows(post, certificates) as app:
        codes = ("banksg", "nobody", "no-one", "banksg")
        answers = [lookup(app, code, HERE, shown[CQ]) for code in codes]
        assert [answer.status_code for answer in answers] == [200, 404, 404, 429]
        last = answers[-1]
        assert 0 < int(last.headers["Retry-After"]) <= 100
        (told,) = last.json["errors"]
        assert told["errorCode"] == 7005
        assert CQ in told["errorCodeMessage"]
        assert lookup(app, "banksg", HERE, shown[TH]).status_code == 200


def test_without_certificates_the_address_is_counted_but_never_this_machine(
    tmp_path: Path, three_at_once: None
) -> None:
    with border_post(tmp_path) as post:
        app = post.side.running.app
        statuses = [lookup(app, "banksg", FAR).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        assert lookup(app, "banksg", OTHER).status_code == 200
        assert {lookup(app, "banksg", HERE).status_code for _ in range(5)} == {200}


def test_the_rate_leaves_room_for_every_transfer_of_a_busy_platform() -> None:
    """What docs/operations.md promises: 600 bills at once, and 72,000 an hour."""
    assert Rate(burst=600, per_second=20) == rates.PEER_LOOKUPS
    counted = Rates(_stopped_clock)
    for _ in range(600):
        counted.lookup_by(CQ, FAR)
    with pytest.raises(TooMany, match="CQGY"):
        counted.lookup_by(CQ, OTHER)
    counted.lookup_by(None, FAR)


# -- an honest platform that is told to wait -----------------------------------------------------


def test_an_original_waits_rather_than_leave_without_its_recipients_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "PEER_LOOKUPS", Rate(burst=1, per_second=0.001))
    with two_platforms(tmp_path) as two:
        bills = two.issue(2)
        refused = _seen_from_afar(two)
        for bill in bills:
            two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
        for bill in bills:
            two.settled(bill)
        assert refused == ["/v3/receiver-validation"]
        assert {_name_told(two, bill) for bill in bills} == {"Straits Commercial Bank Ltd"}


def _seen_from_afar(two: Two) -> list[str]:
    """Let Singapore see its callers come from another machine, until it has refused one of them;
    returns what it refused."""
    app, refused = two.sg.served, []

    def served(environ: Any, start_response: Any) -> Any:
        def started(status: str, *rest: Any) -> Any:
            if status.startswith("429"):
                refused.append(environ["PATH_INFO"])
            return start_response(status, *rest)

        return app({**environ, "REMOTE_ADDR": HERE if refused else FAR}, started)

    two.sg.served = served
    return refused


def _name_told(two: Two, bill: str) -> str:
    """The recipient's name in the chain entry with which the bill left."""
    with two.cq.running.store.reading() as reading:
        (sent,) = (one for one in reading.entries(f"bill:{bill}", 0, 100) if one.action == "SENT")
        details = peer_jws.parse(sent.entry.event).value["details"]
        kept = kept_envelope(reading, details["envelope"])
    last = chain_entry(peer_jws.parse(kept.envelope.chain[-1]).value).transactions[-1]
    assert last.recipient is not None
    return last.recipient.name
