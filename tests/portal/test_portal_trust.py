"""The trust file that the portal hands out, and which file of the operator's it takes for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bol_service.bootstrap_trust import trust_file_of
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.settings import SettingsError
from bol_service.verification.report import Verdict
from bol_service.verification.trust import read_trust
from bol_service.verification.verifier import verify
from tests.portal_stage import Stage
from tests.trust_file import trust_value

Json = dict[str, Any]


def test_evidence_verifies_with_the_file_that_the_portal_hands_out(stage: Stage) -> None:
    answer = stage.request("GET", "/portal/trust.json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="CQGY-trust.json"'
    evidence = stage.request("GET", f"/portal/bills/{stage.bill_a}/evidence", party="bankcq").body
    report = verify(evidence, read_trust(answer.body), stage.voyage.now())
    assert report.verdict is Verdict.CURRENT
    assert read_trust(answer.body) == stage.platform.trust()


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Compare it before you rely on it."), ("zh", "使用前请先核对。")],
)
def test_the_page_tells_its_digest_and_where_to_compare_it(
    stage: Stage, language: str, words: str
) -> None:
    content = stage.request("GET", "/portal/trust.json").body
    page = stage.request("GET", "/portal/trust", language=language).body.decode()
    assert hashlib.sha256(content).hexdigest() in page
    assert words in page


def test_the_verify_page_the_ledger_s_and_a_bill_s_lead_to_it(stage: Stage) -> None:
    for path in ("/portal/verify", "/portal/ledger", f"/portal/bills/{stage.bill_a}"):
        assert b'href="/portal/trust"' in stage.request("GET", path, party="bankcq").body


# -- what the operator publishes -----------------------------------------------------------------


def published(stage: Stage, folder: Path, **changes: Any) -> Path:
    value = {**trust_value(stage.platform.trust()), **changes}
    file = folder / "trust.json"
    file.write_text(json.dumps(value, indent=2), encoding="utf-8")
    return file


def test_a_file_that_the_operator_publishes_is_handed_out_to_the_byte(
    stage: Stage, tmp_path: Path
) -> None:
    own = stage.platform.trust()
    earlier = LocalSigner(generate(Algorithm.ED25519)).public
    keys = [key.to_jwk() for key in (earlier, *own.statement_keys)]
    file = published(stage, tmp_path, statementKeys=keys, maxAge=300)
    found = trust_file_of(replace(stage.platform.settings, trust_file=file), own)
    assert (found.content, found.published) == (file.read_bytes(), True)
    assert found.read.max_age == 300


def _stranger() -> LocalSigner:
    return LocalSigner(generate(Algorithm.ED25519))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param(lambda: {"origin": "demo.sg.example/ebl"}, "name its own", id="another log"),
        pytest.param(lambda: {"code": "SGPX"}, "name its own", id="another platform"),
        pytest.param(
            lambda: {"statementKeys": [_stranger().public.to_jwk()]},
            "does not name statement key",
            id="without the key that states titles now",
        ),
        pytest.param(
            lambda: {"registrarKids": [_stranger().public.kid]},
            "does not name registrar kid",
            id="without the key of the operator's registration",
        ),
        pytest.param(
            lambda: {"maxAge": 0}, "no trust file: /maxAge is 0", id="that is no trust file"
        ),
    ],
)
def test_a_file_is_refused_that_is(
    stage: Stage, tmp_path: Path, changes: Callable[[], Json], words: str
) -> None:
    file = published(stage, tmp_path, **changes())
    settings = replace(stage.platform.settings, trust_file=file)
    with pytest.raises(SettingsError, match=words):
        trust_file_of(settings, stage.platform.trust())


def test_a_file_without_the_key_that_signs_the_log_now_is_refused(
    stage: Stage, tmp_path: Path
) -> None:
    own = stage.platform.trust()
    (entry,) = own.log_keys
    other = replace(entry, key=replace(entry.key, public=b"k" * 32))
    file = published(stage, tmp_path)
    settings = replace(stage.platform.settings, trust_file=file)
    with pytest.raises(SettingsError, match="does not name log key"):
        trust_file_of(settings, replace(own, log_keys=(other,)))


def test_a_file_that_is_not_there_is_named(stage: Stage, tmp_path: Path) -> None:
    settings = replace(stage.platform.settings, trust_file=tmp_path / "nothing.json")
    with pytest.raises(SettingsError, match=r"nothing\.json: No such file"):
        trust_file_of(settings, stage.platform.trust())
