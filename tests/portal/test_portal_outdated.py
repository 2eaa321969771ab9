"""A file of evidence is shown after the bill was handed on, while it still counts as current."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bol_service.application.portal_views import PortalViews
from bol_service.portal.desk import EXTENSION
from bol_service.portal.outdated import as_known_here
from bol_service.verification.report import Report, Verdict
from bol_service.verification.verifier import verify
from tests.portal_stage import Stage

BOUNDARY = "b0undary"
FILES = {
    "of the holder": "/evidence",
    "printed": "/copy",
    "made for disclosures": "/disclose/evidence",
}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the Verify page said of files of bill A, of B, and of fields of A; `report` is what
    everybody says of the holder's."""

    report: Report
    before: Mapping[str, str]
    after: Mapping[str, str]


def said(stage: Stage, **files: bytes) -> str:
    body = b""
    for name, content in files.items():
        head = f'Content-Disposition: form-data; name="{name}"; filename="x"\r\n\r\n'
        body += f"--{BOUNDARY}\r\n{head}".encode() + content + b"\r\n"
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    headers = {"Content-Type": kind, "Origin": stage.base_url}
    answer = stage.request(
        "POST", "/portal/verify", body=body + f"--{BOUNDARY}--\r\n".encode(), headers=headers
    )
    assert answer.status == 200
    return answer.body.decode()


def all_said(stage: Stage, files: Mapping[str, bytes]) -> dict[str, str]:
    pages = {name: said(stage, file=content) for name, content in files.items() if name != "fields"}
    beside = files["made for disclosures"]
    return {**pages, "fields": said(stage, file=files["fields"], beside=beside)}


@pytest.fixture(scope="module")
def shown(stage: Stage) -> Shown:
    bill = f"/portal/bills/{stage.bill_a}"
    files = {
        name: stage.request("GET", f"{bill}{path}", party="bankcq").body
        for name, path in FILES.items()
    }
    files["fields"] = stage.request("GET", f"{bill}/disclose/all", party="bankcq").body
    other = f"/portal/bills/{stage.bill_b}/evidence"
    files["of another bill"] = stage.request("GET", other, party="yunling").body
    before = all_said(stage, files)
    now = stage.voyage.now() + timedelta(seconds=20)
    stage.platform.set_clock(now)
    stage.clients["bankcq"].now = lambda: now
    stage.clients["bankcq"].act("TRANSFER", f"bill:{stage.bill_a}", {}, recipient="banksg")
    trust = stage.platform.trust()
    report = verify(files["of the holder"], trust, now)
    assert report.verdict is Verdict.CURRENT  # offline
    after = all_said(stage, files)
    stage.platform.set_clock(now + timedelta(seconds=trust.max_age))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PortalViews, "acted_since", None)  # nothing of a stale file is looked up
        after["stale"] = said(stage, file=files["of the holder"])
    return Shown(report=report, before=before, after=after)


CURRENT, NOT_KNOWN = "</span> GENUINE AND CURRENT</h2>", "NOT KNOWN TO BE CURRENT</h2>"


@pytest.mark.parametrize("name", [*FILES, "fields"])
def test_a_file_stops_being_current_with_the_next_act_on_its_bill(shown: Shown, name: str) -> None:
    assert CURRENT in shown.before[name]
    assert NOT_KNOWN in shown.after[name]
    assert "something was recorded on this bill after the file was made" in shown.after[name]


def test_who_got_the_bill_is_not_told_by_it(shown: Shown) -> None:
    assert "banksg" not in shown.after["made for disclosures"]


def test_what_happens_to_one_bill_says_nothing_of_another(shown: Shown) -> None:
    assert CURRENT in shown.before["of another bill"]
    assert CURRENT in shown.after["of another bill"]


def test_of_the_same_bill_in_another_ledger_this_one_says_nothing(
    stage: Stage, shown: Shown
) -> None:
    desk = stage.platform.running.app.extensions[EXTENSION]
    title = shown.report.title
    assert title is not None
    there = replace(shown.report, title=replace(title, origin="demo.sg.example/ebl"))
    assert as_known_here(desk, there) is there
    assert as_known_here(desk, shown.report).verdict is Verdict.NOT_KNOWN_CURRENT


def test_of_a_stale_file_the_page_says_what_everybody_could_say(shown: Shown) -> None:
    assert NOT_KNOWN in shown.after["stale"]
    assert "at most 600 count as current" in shown.after["stale"]


def test_the_fields_stay_the_carrier_s(shown: Shown) -> None:
    assert 'class="invalid"' not in shown.after["fields"]
