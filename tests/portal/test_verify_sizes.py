"""Large files on the Verify page: how large they may be, and that nobody waits for them."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bol_service.application.documents import DocumentKind
from bol_service.application.ports import DocumentRow
from bol_service.copy import apart, checking_apart
from bol_service.copy.checking_apart import Checkers
from bol_service.copy.faults import TooHeavy
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.peer_keys import PeerAlgorithm, PinnedKey
from bol_service.crypto.signers import generate
from bol_service.portal.verify import HERE_BYTES, MAX_FILE_BYTES
from bol_service.verification.bundle import read_bundle
from bol_service.verification.report import Verdict
from bol_service.verification.trust_peers import TrustedPeers
from bol_service.verification.verifier import verify
from tests import kit
from tests.desk import STORY, Desk
from tests.many_bills import CARRIER, HOLDER, Maker


@dataclass(frozen=True, kw_only=True)
class Wordy(Maker):
    """As `Maker`, but the carrier's system writes its documents with a great deal of space."""

    def _keep(self, document: dict[str, Any]) -> DocumentRow:
        content = json.dumps(document, ensure_ascii=False, indent=1200).encode()
        return self.documents.upload(content, DocumentKind.TRANSPORT_DOCUMENT, CARRIER)


@dataclass(frozen=True, kw_only=True)
class Large:
    """A platform with one bill, whose evidence is too large to be verified in its own process."""

    platform: kit.Platform
    bill: str
    evidence: bytes
    printed: bytes

    @property
    def checkers(self) -> Checkers:
        found: Checkers = self.platform.running.app.extensions["bol-portal"].checkers
        return found

    def upload(
        self, content: bytes, name: str = "x.ebl.json", language: str = "en"
    ) -> TestResponse:
        return self.platform.running.app.test_client().post(
            "/portal/verify",
            data={"file": (BytesIO(content), name)},
            headers={"Origin": self.platform.base_url, "Cookie": f"ebl-language={language}"},
        )


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Large]:
    with (
        kit.platform(tmp_path_factory.mktemp("large")) as platform,
        pytest.MonkeyPatch.context() as patch,
    ):
        for module in (apart, checking_apart):  # what is polite hardly runs on a busy machine
            patch.setattr(module, "PATIENCE", 300)
        platform.set_clock(STORY)
        services = platform.running.services
        maker = Wordy(
            desk=Desk(signers=platform.signers),
            recorder=services.recorder,
            documents=services.documents,
        )
        maker.open_log()
        (bill,) = maker.issue(1)
        evidence = services.evidence.bundle(bill, HOLDER)
        printed = services.copies.printed(evidence)
        assert len(evidence) > HERE_BYTES > len(printed)
        yield Large(platform=platform, bill=bill, evidence=evidence, printed=printed)


def page_of(answer: TestResponse) -> str:
    return html.unescape(answer.text)


@pytest.mark.parametrize("kind", ["evidence", "print"])
def test_a_large_file_is_verified_as_a_small_one_is(large: Large, kind: str) -> None:
    content, name = (
        (large.evidence, "x.ebl.json") if kind == "evidence" else (large.printed, "x.pdf")
    )
    page = page_of(large.upload(content, name))
    assert "GENUINE AND CURRENT" in page.upper()
    assert "XLSCMANY000000" in page  # the document is shown
    assert ("Only the evidence attached" in page) == (kind == "print")


@pytest.mark.parametrize(
    ("size", "status"),
    [
        pytest.param(MAX_FILE_BYTES, 200, id="the largest"),
        pytest.param(MAX_FILE_BYTES + 1, 413, id="one byte more"),
        pytest.param(MAX_FILE_BYTES + 20_000, 413, id="more than a form may have"),
    ],
)
def test_a_file_has_at_most_sixteen_million_bytes(large: Large, size: int, status: int) -> None:
    answer = large.upload(b"[" * size)
    assert answer.status_code == status
    assert ("verdict red" if status == 200 else "16 MB") in answer.text


def test_a_table_of_the_page_has_an_end_and_says_so(
    large: Large, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bol_service.portal.verify.HERE_BYTES", MAX_FILE_BYTES)  # is quicker
    acts = verify(large.evidence, large.platform.trust(), STORY).signed
    others = [act for act in acts if not act.stream.startswith(("bill:", "custody:"))]
    monkeypatch.setattr("bol_service.portal.report_page.MOST_ACTS", len(others) - 3)
    page = page_of(large.upload(large.evidence))
    assert "Not listed here: 3 further acts" in page
    monkeypatch.setattr("bol_service.portal.report_page.MOST_ACTS", len(others))
    assert "Not listed here" not in page_of(large.upload(large.evidence))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_tells_the_limit_before_anybody_runs_into_it(large: Large, language: str) -> None:
    asked = large.platform.running.app.test_client().get(
        "/portal/verify", headers={"Cookie": f"ebl-language={language}"}
    )
    assert "16 MB" in asked.text


def test_a_file_that_takes_too_long_is_given_up_and_a_print_is_then_none_of_ours(
    large: Large, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking_apart, "PATIENCE", 0.01)
    answer = large.upload(large.evidence)
    assert (answer.status_code, "bol verify" in answer.text) == (413, True)
    page = page_of(large.upload(large.printed, "x.pdf"))
    assert "verdict red" in page
    assert "it took longer than" in page


def test_a_process_that_fails_proves_nothing(
    large: Large, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when it ran out of memory."""
    monkeypatch.setattr("sys.executable", "/bin/false")
    file = tmp_path / "x.ebl.json"
    file.write_bytes(large.evidence)
    with file.open("rb") as opened, pytest.raises(TooHeavy, match="exit 1"):
        large.checkers.checked(opened, large.platform.trust(), STORY)


def test_while_large_files_take_every_place_small_ones_are_verified(
    large: Large, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking_apart, "PATIENCE", 0.01)
    with ExitStack() as places:
        for _ in range(checking_apart.PLACES):
            places.enter_context(large.checkers.place())
        busy, small = large.upload(large.evidence), large.upload(b"{}")
    assert (busy.status_code, busy.headers["Retry-After"]) == (429, "5")
    assert small.status_code == 200


def test_every_place_is_given_back_whatever_happens_in_it() -> None:
    checkers = Checkers()
    for _ in range(checking_apart.PLACES + 1):
        with pytest.raises(ZeroDivisionError), checkers.place():
            raise ZeroDivisionError


def test_the_process_says_what_the_verifier_says_with_keys_of_every_kind(
    large: Large, tmp_path: Path
) -> None:
    keys = {
        code: (PinnedKey(key=key.public_key(), algorithms=frozenset({alg})),)
        for code, key, alg in (
            ("SGPX", generate(Algorithm.ES256), PeerAlgorithm.ES256),
            ("THXX", generate(Algorithm.ED25519), PeerAlgorithm.EDDSA),
        )
    }
    peers = TrustedPeers(platforms=keys, all_keys=False)
    trust = replace(large.platform.trust(), peers=peers)
    file = tmp_path / "x.ebl.json"
    file.write_bytes(large.evidence)
    with file.open("rb") as opened:
        found = large.checkers.checked(opened, trust, STORY)
    assert found.report == verify(large.evidence, trust, STORY)
    assert found.report.verdict is Verdict.CURRENT
    assert found.document == read_bundle(large.evidence).document
