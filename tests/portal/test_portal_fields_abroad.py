"""Single fields of a bill that came from another platform, disclosed where its holder is now.

Chongqing's carrier commits to the fields, the file travels with the original, and whoever holds it
in Singapore discloses from it. Two files of evidence go along: Chongqing's proves the fields,
Singapore's tells the state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from bol_service.application.audit import audit
from bol_service.application.audit_papers import _of_its_digest
from bol_service.application.documents import DocumentKind
from bol_service.application.ports import DocumentRow
from bol_service.application.travelling_fields import read_arrived
from bol_service.cli import context
from bol_service.client import Client, Refused
from bol_service.crypto import strictjson
from bol_service.storage.audit_beside import opened_beside
from bol_service.verification.bundle import HiddenEntry, read_bundle
from bol_service.verification.disclosure import verify as verify_fields
from bol_service.verification.report import Outcome, Verdict
from bol_service.wire.disclosure import Presentation, parse, parse_full
from tests.command_line import Office, in_environment
from tests.delivery_scene import CQ, Delivery, ShippedAbroad, delivery
from tests.disclosed_bill import commit
from tests.documents import corridor_document
from tests.many_bills import CARRIER, container
from tests.node_verifier import Question, compared, trust_file
from tests.two_platforms import Side, trust_of

Answered = tuple[int, bytes]


@dataclass(frozen=True, kw_only=True)
class Committing(ShippedAbroad):
    """The carrier commits to every field of what it issues."""

    side: Side

    def _issue_details(self, shipment: str, issued: DocumentRow) -> dict[str, Any]:
        content = self.documents.own(issued.digest, CARRIER).content
        signer, place = self.side.signers[CARRIER], self.side.settings.base_url
        told = {"carrier": CARRIER, "origin": self.side.origin, "platform": place}
        full = commit(content, signer, **told)
        self.documents.upload(full.to_text().encode(), DocumentKind.DISCLOSURE, CARRIER)
        return {**super()._issue_details(shipment, issued), "disclosure": full.digest}


@dataclass(kw_only=True)
class Abroad:
    """The bill in Singapore, held by `straits`, which had it from `banksg`."""

    scene: Delivery
    folder: Path

    @property
    def page(self) -> str:
        return f"/portal/bills/{self.scene.bill}/disclose"

    def asked(self, party: str, method: str, path: str, **form: str) -> Answered:
        side = self.scene.sg
        address = urlsplit(side.settings.base_url)
        connection = HTTPConnection(address.netloc, timeout=120)
        headers = {
            "Cookie": f"ebl-session={side.client(party).token()}",
            "Origin": f"{address.scheme}://{address.netloc}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            connection.request(method, path, urlencode(form) if form else None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def evidence_of_issue(self, party: str = "straits") -> bytes:
        path = f"/v1/abroad/evidence/{CQ}/{self.scene.bill}"
        return self.scene.sg.client(party).fetch(path, fresh="true").content

    def full(self) -> Presentation:
        status, content = self.asked("straits", "GET", f"{self.page}/all")
        assert status == 200
        return parse_full(content.decode().removesuffix("\n"))


@pytest.fixture(scope="module")
def abroad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Abroad]:
    folder = tmp_path_factory.mktemp("fields")
    with delivery(folder) as scene:
        services = scene.cq.running.services
        maker = Committing(
            desk=scene.two.chongqing,
            recorder=services.recorder,
            documents=services.documents,
            side=scene.cq,
        )
        scene.bill, scene.box = maker._issue(2, maker.upload(2)), container(2)
        scene.cross()
        for action in ("ENDORSE_TO_ORDER", "TRANSFER"):
            scene.sg.act("banksg", action, scene.bill, recipient="straits")
        yield Abroad(scene=scene, folder=folder)


def test_the_holder_discloses_for_customs_and_the_evidence_of_the_issue_proves_it(
    abroad: Abroad,
) -> None:
    status, content = abroad.asked("straits", "POST", abroad.page, **{"for": "customs"})
    assert status == 200
    fields = parse(content.decode().removesuffix("\n"))
    assert (fields.claims.bill, fields.claims.origin) == (abroad.scene.bill, abroad.scene.cq.origin)
    assert 0 < len(fields.disclosed) < len(fields.committed)
    trust, now = trust_of(abroad.scene.cq), abroad.scene.two.clock["now"]
    report = verify_fields(content, abroad.evidence_of_issue(), trust, now)
    assert {field.outcome for field in report.fields} == {Outcome.VALID}
    # Chongqing does not know what has become of it: the original is elsewhere.
    assert report.verdict is Verdict.NOT_KNOWN_CURRENT


def test_evidence_of_the_state_tells_the_status_now_and_nothing_else_to_both_engines(
    abroad: Abroad,
) -> None:
    status, content = abroad.asked("straits", "GET", f"{abroad.page}/evidence")
    assert status == 200
    now = abroad.scene.two.clock["now"]
    trust = trust_file(trust_of(abroad.scene.sg))
    (said,), differing = compared([Question(name="state", content=content, trust=trust, now=now)])
    assert differing == []
    assert (said["verdict"], said["title"]["status"]) == (str(Verdict.CURRENT), "ISSUED")
    bundle = read_bundle(content)
    assert bundle.document is None
    shown = {name for _, _, name, *_ in said["signed"]}
    assert shown == {"operator"}
    hidden = [entry for entry in bundle.entries if isinstance(entry, HiddenEntry)]
    assert len(hidden) == len(abroad.scene.sg.actions(abroad.scene.bill))


def test_the_page_names_both_files_of_evidence(abroad: Abroad) -> None:
    status, content = abroad.asked("straits", "GET", abroad.page)
    page = content.decode()
    assert status == 200
    assert f'href="/portal/abroad/{CQ}/{abroad.scene.bill}"' in page
    assert "The carrier committed to the fields on CQGY" in page
    assert f'href="{abroad.page}/evidence"' in page


@pytest.mark.parametrize("party", ["banksg", "sgterm"])
def test_who_does_not_hold_it_now_discloses_nothing(abroad: Abroad, party: str) -> None:
    for path in ("", "/all", "/evidence"):
        assert abroad.asked(party, "GET", f"{abroad.page}{path}")[0] == 404
    assert abroad.asked(party, "POST", abroad.page, **{"for": "customs"})[0] == 404
    for item in abroad.scene.sg.client("straits").get(f"/v1/bills/{abroad.scene.bill}/files")[
        "items"
    ]:
        with pytest.raises(Refused, match="not_found"):
            abroad.scene.sg.client(party).fetch(
                f"/v1/bills/{abroad.scene.bill}/files/{item['digest']}"
            )


def test_the_command_gets_the_very_file_that_the_carrier_has_made(
    abroad: Abroad, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = abroad.scene
    clock = partial(Client, now=lambda: scene.two.clock["now"])
    monkeypatch.setattr(context, "Client", clock)
    own = {**in_environment(scene.sg.signers["straits"]), "BOL_ORIGIN": scene.sg.origin}
    singapore = Office(url=scene.sg.settings.base_url, keys={"straits": own})
    out = abroad.folder / "full.sdjwt"
    ran = singapore("straits", "bill", "disclosures", scene.bill, "--out", out)
    assert ran.code == 0, ran.err
    assert parse_full(out.read_text().removesuffix("\n")).to_text() == abroad.full().to_text()
    told = abroad.folder / "issue.ebl.json"
    ran = singapore("straits", "bill", "evidence", scene.bill, "--of", CQ, "--out", told)
    assert ran.code == 0, ran.err
    trust, now = trust_of(scene.cq), scene.two.clock["now"]
    report = verify_fields(out.read_bytes(), told.read_bytes(), trust, now)
    assert {field.outcome for field in report.fields} == {Outcome.VALID}


def test_a_file_that_makes_another_bill_or_not_the_whole_one_is_not_taken(abroad: Abroad) -> None:
    full, bill = abroad.full(), abroad.scene.bill
    signer = abroad.scene.cq.signers[CARRIER]
    other = commit(_bytes(corridor_document()), signer)
    lying = commit(_bytes(corridor_document()), signer).to_text().replace(other.claims.bill, bill)
    part = full.only(lambda piece: piece.pointer != full.disclosed[0].pointer)
    assert read_arrived(full.to_text().encode(), bill) == full
    for text in (other.to_text(), lying, part.to_text(), full.to_text() + "x", "%PDF-1.7", ""):
        assert read_arrived(text.encode(), bill) is None
    assert read_arrived(full.to_text().encode() + "é".encode(), bill) is None


def test_the_file_goes_on_with_the_bill_once_and_comes_home_with_it(abroad: Abroad) -> None:
    scene = abroad.scene
    scene.sg.act("straits", "TRANSFER", scene.bill, recipient=f"{CQ}:bankcq")
    scene.two.settled(scene.bill)
    items = scene.cq.client("bankcq").get(f"/v1/bills/{scene.bill}/files")["items"]
    assert [(item["name"], item["mediaType"]) for item in items] == [
        ("fields.sdjwt", "application/sd-jwt")
    ]
    scene.cq.act("bankcq", "TRANSFER", scene.bill, recipient="SGPX:straits")
    scene.two.settled(scene.bill)
    assert abroad.full().claims.bill == scene.bill


def test_both_ledgers_and_the_tables_beside_them_are_sound_afterwards(abroad: Abroad) -> None:
    for side in (abroad.scene.cq, abroad.scene.sg):
        store, (known,) = side.running.store, trust_of(side).log_keys
        report = audit(store, [known.key], beside=opened_beside(store))
        assert report.problems == []


def test_an_audit_names_disclosures_that_were_changed_beside_the_log(abroad: Abroad) -> None:
    """They are kept under the digest that ISSUE names, which is not that of their bytes."""
    full = abroad.full()
    part = full.only(lambda piece: piece.pointer != full.disclosed[0].pointer)
    other = commit(_bytes(corridor_document()), abroad.scene.cq.signers[CARRIER])
    said = [
        _of_its_digest((full.digest, text.encode(), DocumentKind.DISCLOSURE))
        for text in (full.to_text(), part.to_text(), other.to_text(), full.to_text() + "é")
    ]
    assert said[0] is None
    assert "no whole file of disclosures any more" in str(said[1])
    assert said[2] == f"was changed: its signed part is that of {other.digest}"
    assert "no whole file of disclosures any more" in str(said[3])


def _bytes(document: dict[str, Any]) -> bytes:

    return strictjson.canonical(document)
