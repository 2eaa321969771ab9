"""From issue to customs: the carrier commits, the holder discloses, customs verifies. Over HTTP."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bol_service.cli import disclose
from bol_service.cli.output import ExitCode, Stopped
from bol_service.client import Client
from bol_service.crypto import base64url
from bol_service.wire.disclosure import parse, parse_full
from tests import kit
from tests.command_line import Office, Ran, office_of, run, write_json
from tests.trust_file import trust_value

BOXES = ("XLCU7001127", "XLCU7001132")
BOTH = [word for box in BOXES for word in ("--container", box)]
SEALS = ["--seal", f"{BOXES[0]}=XL0098231", "--seal", f"{BOXES[1]}=XL0098232"]
PLACE = timezone(timedelta(hours=8))
SECRETS = ("7431.95", "3715.98", "88123.45", "CONFIDENTIAL FREIGHT", "SC-2027-0099")
PRICES = {
    "charges": [
        {
            "chargeName": "CONFIDENTIAL FREIGHT",
            "currencyAmount": 7431.95,
            "currencyCode": "USD",
            "paymentTermCode": "PRE",
            "calculationBasis": "Per container",
            "unitPrice": 3715.98,
            "quantity": 2,
        }
    ],
    "declaredValue": 88123.45,
    "declaredValueCurrency": "USD",
    "serviceContractReference": "SC-2027-0099",
}


@dataclass(frozen=True, kw_only=True)
class Shipment:
    """A bill that its carrier has just issued with disclosures; yunling holds it."""

    platform: kit.Platform
    office: Office
    folder: Path
    number: str
    bill: str
    issued_file: Path
    full: Path
    trust: Path
    warned: str

    def get(self, party: str, path: str, **query: str) -> int:
        client = self.platform.running.app.test_client()
        bearer = {"Authorization": f"Bearer {self.platform.client(party).token()}"}
        return client.get(path, headers=bearer, query_string=query).status_code

    @property
    def digest(self) -> str:
        return parse_full(self.full.read_text().strip()).digest

    def disclosed(self, *wanted: str, name: str = "out") -> Path:
        out = self.folder / f"{name}.sdjwt"
        words = [word for each in wanted for word in ("--for", each)]
        ran = run("disclose", self.full, *words, "-o", out)
        assert ran.code == 0, ran.err
        return out

    def evidence(self, party: str, *options: str) -> Path:
        out = self.folder / f"{party}.ebl.json"
        self.office.done(party, "bill", "evidence", self.bill, *options, "--out", out)
        return out

    def verify(self, *arguments: object) -> Ran:
        return run("verify", *arguments, "--trust", self.trust)


def document_of(script: Any) -> dict[str, Any]:
    today = datetime.now(PLACE).date().isoformat()
    document: dict[str, Any] = json.loads(json.dumps(script.document)) | PRICES
    document |= {"issueDate": today, "receivedForShipmentDate": today}
    document["transports"].update(plannedDepartureDate=today, plannedArrivalDate=today)
    document["consignmentItems"][0]["shippingMarks"].append("CALL 13800138000")
    return document


@pytest.fixture(scope="module")
def shipment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shipment]:
    folder = tmp_path_factory.mktemp("files")
    with kit.platform(tmp_path_factory.mktemp("platform")) as platform:
        platform.voyage().open()
        platform.set_clock(None)
        yield issued(platform, office_of(platform), folder)


def issued(platform: kit.Platform, office: Office, folder: Path) -> Shipment:
    document = document_of(platform.script)
    draft = {
        name: member
        for name, member in document.items()
        if name not in ("issueDate", "receivedForShipmentDate")
    } | {"transportDocumentStatus": "DRAFT"}
    booking = document["consignmentItems"][0]["carrierBookingReference"]
    booked = office.done(
        "xlsc", "draft", "book", "--reference", booking, "--shipper", "yunling",
        "--receipt", "guoyuan", "--rail", "wrail", "--loading", "qinzhou", "--discharge", "sgterm",
        *BOTH, "--customs", "cqcus", "--customs", "sgcus",
    )  # fmt: skip
    office.done("xlsc", "draft", "publish", booking, write_json(folder / "draft.json", draft))
    office.done("yunling", "draft", "approve", booking, "--version", 1)
    at_place = ["--shipment", booked["shipment"], *BOTH]
    office.done("guoyuan", "custody", "gate-in", *at_place, *SEALS)
    file, full = write_json(folder / "issued.json", document), folder / "full.sdjwt"
    words = ("bill", "issue", file, "--shipment", booking, "--disclosures", full)
    ran = office("xlsc", *words)
    assert ran.code == 0, ran.err
    return Shipment(
        platform=platform,
        office=office,
        folder=folder,
        number=document["transportDocumentReference"],
        bill=parse_full(full.read_text().strip()).claims.bill,
        issued_file=file,
        full=full,
        trust=write_json(folder / "trust.json", trust_value(platform.trust())),
        warned=ran.err,
    )


def everything_in(file: Path) -> str:
    """The file's text, and the text of all that is base64url in it."""
    text = file.read_text(encoding="utf-8")
    parts = text.replace("~", '"').replace(".", '"').split('"')
    decoded = [base64url.decode(part) for part in parts if is_base64url(part)]
    return text + b"\n".join(decoded).decode("utf-8", "replace")


def is_base64url(part: str) -> bool:
    try:
        return len(base64url.decode(part)) > 20
    except ValueError:
        return False


# -- the whole way -------------------------------------------------------------------------------


def test_customs_gets_goods_without_a_price_and_verifies_them(
    shipment: Shipment, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.sdjwt"
    shipment.office.done("yunling", "bill", "disclosures", shipment.number, "--out", mine)
    customs = tmp_path / "customs.sdjwt"
    made = run("disclose", mine, "--for", "customs", "-o", customs)
    assert made.code == 0, made.err
    assert "MOTORCYCLE PARTS" in made.out
    assert "bol bill evidence" in made.err
    evidence = shipment.evidence("yunling", "--issue-only")

    ran = shipment.verify(customs, "--evidence", evidence)
    assert ran.code == ExitCode.DONE, ran.out
    assert "GENUINE AND CURRENT" in ran.out
    assert "✓ VALID    /consignmentItems/0/HSCodes" in ran.out
    assert "not disclosed 未披露:" in ran.out
    assert "current until" in ran.out
    for file in (customs, evidence):
        for secret in SECRETS:
            assert secret not in everything_in(file), (file, secret)
    assert "7431.95" in everything_in(mine)  # the search would have found it


def test_holder_and_carrier_have_the_same_full_file(shipment: Shipment, tmp_path: Path) -> None:
    mine = tmp_path / "mine.sdjwt"
    shipment.office.done("yunling", "bill", "disclosures", shipment.number, "--out", mine)
    assert mine.read_text() + "\n" == shipment.full.read_text()


def test_the_carriers_file_is_for_its_owners_eyes_alone(shipment: Shipment) -> None:
    assert stat.S_IMODE(shipment.full.stat().st_mode) == 0o600


def test_a_terminal_gets_containers_and_seals_only(shipment: Shipment) -> None:
    text = everything_in(shipment.disclosed("terminal", name="terminal"))
    assert BOXES[0] in text
    assert "XL0098231" in text
    for hidden in ("MOTORCYCLE", "871410", "Yunling", *SECRETS):
        assert hidden not in text


def test_single_fields_are_disclosed_by_name_and_by_pointer(shipment: Shipment) -> None:
    file = shipment.disclosed("hs,seals", "/transports", name="single")
    found = parse(file.read_text().strip())
    assert {piece.pointer for piece in found.disclosed} == {
        "/consignmentItems/0/HSCodes",
        "/transports",
        "/utilizedTransportEquipments/0/seals",
        "/utilizedTransportEquipments/1/seals",
    }


# -- what the verdict needs ----------------------------------------------------------------------


def test_without_evidence_the_verdict_is_cannot_say_and_tells_where_to_ask(
    shipment: Shipment,
) -> None:
    ran = shipment.verify(shipment.disclosed("hs"))
    assert ran.code == ExitCode.UNCERTAIN
    assert "CANNOT SAY" in ran.out
    assert f"/v1/bills/{shipment.bill}" in ran.out
    assert "? UNKNOWN  /consignmentItems/0/HSCodes" in ran.out


def test_without_a_trust_file_the_verdict_is_cannot_say(shipment: Shipment) -> None:
    file, evidence = shipment.disclosed("hs"), shipment.evidence("yunling")
    assert run("verify", file, "--evidence", evidence).code == ExitCode.UNCERTAIN


def test_evidence_that_does_not_show_the_issue_proves_nothing(shipment: Shipment) -> None:
    ran = shipment.verify(
        shipment.disclosed("hs"), "--evidence", shipment.evidence("sgterm"), "--json"
    )
    assert ran.code == ExitCode.UNCERTAIN
    assert ran.json()["files"][0]["findings"][-1]["code"] == "issue_hidden"


def test_a_printed_copy_is_evidence_for_fields_too(shipment: Shipment) -> None:
    copy, empty = shipment.folder / "copy.pdf", shipment.folder / "empty.pdf"
    shipment.office.done("yunling", "bill", "copy", shipment.bill, "--out", copy)
    empty.write_bytes(b"%PDF-1.7\n")
    assert shipment.verify(shipment.disclosed("hs"), "--evidence", copy).code == 0
    assert shipment.verify(shipment.disclosed("hs"), "--evidence", empty).code == 1


def test_a_changed_file_is_not_genuine(shipment: Shipment, tmp_path: Path) -> None:
    text = shipment.disclosed("hs").read_text()
    changed = tmp_path / "changed.sdjwt"
    changed.write_text(text[:-20] + ("A" if text[-20] != "A" else "B") + text[-19:])
    ran = shipment.verify(changed, "--evidence", shipment.evidence("yunling", "--issue-only"))
    assert ran.code == ExitCode.REFUSED
    assert "NOT GENUINE" in ran.out


def test_a_machine_reads_every_field_with_its_outcome(shipment: Shipment) -> None:
    evidence = shipment.evidence("yunling", "--issue-only")
    ran = shipment.verify(shipment.disclosed("hs"), "--evidence", evidence, "--json")
    (value,) = ran.json()["files"]
    assert value["fields"] == [
        {"pointer": "/consignmentItems/0/HSCodes", "value": ["871410"], "outcome": "VALID"}
    ]
    assert (value["verdict"], value["exitCode"]) == ("GENUINE AND CURRENT", 0)
    assert value["transportDocumentReference"] == shipment.number
    assert value["statusAt"].endswith(f"/v1/bills/{shipment.bill}")
    assert value["undisclosed"] > 20
    assert "currentUntil" in value
    assert value["evidence"]["title"]["status"] == "ISSUED"


def test_the_options_of_evidence_files_count_here_too(shipment: Shipment) -> None:
    evidence = shipment.evidence("yunling", "--issue-only")
    file = shipment.disclosed("hs")
    assert shipment.verify(file, "--evidence", evidence, "--require-live").code == 0


def test_evidence_is_no_presentation(shipment: Shipment) -> None:
    evidence = shipment.evidence("yunling")
    ran = shipment.verify(evidence, "--evidence", evidence)
    assert ran.code == ExitCode.USAGE
    assert "verify disclosed fields by themselves" in ran.err


# -- wrong use -----------------------------------------------------------------------------------


def test_a_word_that_names_nothing_is_wrong_use(shipment: Shipment, tmp_path: Path) -> None:
    out = tmp_path / "x.sdjwt"
    ran = run("disclose", shipment.full, "--for", "customs,prices", "-o", out)
    assert ran.code == ExitCode.USAGE
    assert "'prices' names nothing" in ran.err
    assert not out.exists()


def test_a_presentation_cannot_be_cut_further_by_this_command(
    shipment: Shipment, tmp_path: Path
) -> None:
    part = shipment.disclosed("hs")
    ran = run("disclose", part, "--for", "hs", "-o", tmp_path / "x.sdjwt", "--json")
    assert ran.code == ExitCode.REFUSED
    assert ran.problem()["code"] == "bad_disclosure"


def test_no_file_with_the_salts_of_another_bill_is_overwritten(shipment: Shipment) -> None:
    before = shipment.full.read_bytes()
    words = ("--shipment", shipment.number, "--disclosures", shipment.full)
    ran = shipment.office("xlsc", "bill", "issue", shipment.issued_file, *words)
    assert ran.code == ExitCode.USAGE
    assert "exists already" in ran.err
    assert shipment.full.read_bytes() == before


# -- a deceitful platform ------------------------------------------------------------------------


class Deceitful(Client):
    """Claims to have read other disclosures than it was sent."""

    def upload(self, *_: object, **__: object) -> dict[str, Any]:
        return {"digest": "0" * 64}


def test_a_platform_that_digests_disclosures_otherwise_gets_no_issue(
    shipment: Shipment, tmp_path: Path
) -> None:
    full = parse_full(shipment.full.read_text().strip())
    client = Deceitful(base_url="http://127.0.0.1", origin=kit.ORIGIN)
    with pytest.raises(Stopped, match=full.digest):
        disclose.keep_and_upload(client, tmp_path / "full.sdjwt", full)
    assert parse_full((tmp_path / "full.sdjwt").read_text().strip()) == full


@pytest.mark.parametrize("content", [b"{}", b"\xff", b""], ids=["JSON", "no text", "nothing"])
def test_a_holder_keeps_no_file_that_the_issue_does_not_name(content: bytes) -> None:
    with pytest.raises(Stopped, match="ISSUE names"):
        disclose.require_named(content, "0" * 64)


def test_a_holder_keeps_no_disclosures_of_another_bill(shipment: Shipment) -> None:
    content = shipment.full.read_bytes().strip()
    disclose.require_named(content, shipment.digest)
    with pytest.raises(Stopped, match=shipment.digest):
        disclose.require_named(content, "0" * 64)


# -- who may read what ---------------------------------------------------------------------------


def test_personal_data_in_the_marks_was_warned_of_and_not_repeated(shipment: Shipment) -> None:
    assert "warning: /consignmentItems/0/shippingMarks/4 holds 11 characters" in shipment.warned
    assert "13800138000" not in shipment.warned


@pytest.mark.parametrize("party", ["guoyuan", "sgterm", "sgcus", "straits", "bankcq", "operator"])
def test_disclosures_are_not_for(shipment: Shipment, party: str) -> None:
    assert shipment.get(party, f"/v1/documents/{shipment.digest}") == 404
    path = f"/v1/bills/{shipment.bill}/evidence"
    assert shipment.get(party, path, profile="issue") == 404


def test_the_disclosures_go_with_the_bill_to_its_next_holder(shipment: Shipment) -> None:
    """Last, since it changes who holds the bill."""
    path = f"/v1/documents/{shipment.digest}"
    evidence = f"/v1/bills/{shipment.bill}/evidence"
    for party in ("xlsc", "yunling"):
        assert shipment.get(party, path) == 200
        assert shipment.get(party, evidence, profile="issue") == 200
    assert shipment.get("yunling", evidence, profile="all") == 422
    shipment.office.done(
        "yunling", "bill", "endorse", shipment.number, "--to", "banksg", "--transfer-to", "banksg"
    )
    assert [shipment.get(who, path) for who in ("xlsc", "banksg", "yunling")] == [200, 200, 404]
