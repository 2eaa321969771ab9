"""Signing on the command line: what is shown is what is signed, and nothing is done twice."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bol_service.bootstrap import log_verifier_key
from bol_service.cli.signing import payload_of
from bol_service.client import Refused
from bol_service.crypto import strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate, write_private_key
from bol_service.ledger.receipt import Receipt, verify
from bol_service.wire import drafting
from tests import kit
from tests.cli.conftest import Port
from tests.command_line import Ran, run, write_json

FORGOTTEN = {"url": "BOL_URL", "origin": "BOL_ORIGIN", "party": "BOL_PARTY", "key": "BOL_KEY"}
BOX, OTHER_BOX = "XLCU7001127", "XLCU7001148"
TRAIN = ("--train", "LSC-0301A", "--waybill", "R7781203")


def act(port: Port, *words: object, party: str = "yunling", **settings: str) -> Ran:
    return port.office(party, *words, **settings)


def payload(ran: Ran) -> dict[str, Any]:
    assert ran.code == 0, ran.err
    value: dict[str, Any] = json.loads(ran.out)
    return value


# -- dry run -------------------------------------------------------------------------------------


def test_a_dry_run_prints_the_payload_that_is_then_recorded(port: Port) -> None:
    shown = payload(act(port, "bill", "sign", port.bill, "--dry-run"))
    recorded = port.office.done("yunling", "bill", "sign", port.bill)["receipts"][0]
    signed = payload_of(recorded["event"])
    assert shown.keys() == signed.keys()
    its_own = {"at", "id"}  # the only two that each signing makes anew
    assert {k: v for k, v in shown.items() if k not in its_own} == {
        k: v for k, v in signed.items() if k not in its_own
    }


def test_a_dry_run_prints_the_exact_bytes_with_json_and_without(port: Port) -> None:
    for flags in ((), ("--json",)):
        out = act(port, "bill", "sign", port.bill, "--dry-run", *flags).out
        assert strictjson.canonical(json.loads(out)) == out.rstrip("\n").encode()


def test_a_dry_run_records_nothing(port: Port) -> None:
    before = port.events(port.bill)
    assert act(port, "bill", "transfer", port.bill, "--to", "bankcq", "--dry-run").code == 0
    assert port.events(port.bill) == before


@pytest.mark.parametrize("command", ["publish", "instruct"])
def test_a_dry_run_uploads_nothing(command: str, port: Port, tmp_path: Path) -> None:
    party = "xlsc" if command == "publish" else "yunling"
    value = {**port.platform.script.document, "transportDocumentStatus": "DRAFT"}
    value |= {"termsAndConditions": f"never uploaded by {command}"}
    for member in ("issueDate", "receivedForShipmentDate"):
        value.pop(member)
    transports = {"plannedDepartureDate": "2027-03-05", "plannedArrivalDate": "2027-03-08"}
    value["transports"] = {**value["transports"], **transports}
    file = write_json(tmp_path / "draft.json", value)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()

    shown = payload(act(port, "draft", command, port.shipment, file, "--dry-run", party=party))

    assert shown["details"]["document"] == digest
    with pytest.raises(Refused) as refused:
        port.platform.client(party).get(f"/v1/documents/{digest}")
    assert refused.value.code == "not_found"


def test_several_containers_give_one_payload_each(port: Port) -> None:
    words = ["--shipment", port.shipment, "--container", BOX, "--container", "XLCU7001132"]
    command = ["custody", "load-rail", *words, *TRAIN, "--dry-run"]
    lines = act(port, *command, party="wrail").out.splitlines()
    assert [json.loads(line)["stream"] for line in lines] == [
        f"custody:{port.shipment}:{BOX}",
        f"custody:{port.shipment}:XLCU7001132",
    ]
    assert len(act(port, *command, "--json", party="wrail").json()) == 2


# -- naming a bill -------------------------------------------------------------------------------


def test_a_bill_is_named_by_id_by_prefix_or_by_number(port: Port) -> None:
    number = port.office.done("yunling", "bill", "show", port.bill)["transportDocumentReference"]
    for name in (port.bill, port.bill[:6], port.bill[:63], number):
        shown = payload(act(port, "bill", "sign", name, "--dry-run"))
        assert shown["stream"] == f"bill:{port.bill}"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("NO-SUCH-NUMBER", id="no such number"),
        pytest.param("abcde", id="fewer than six digits are no prefix"),
        pytest.param("f" * 64, id="an id that does not exist"),
    ],
)
def test_a_name_that_nothing_goes_by_is_refused(name: str, port: Port) -> None:
    ran = act(port, "bill", "sign", name, "--dry-run", "--json")
    assert ran.code == 1
    assert ran.problem()["code"] == "not_found"


# -- refusals and faults -------------------------------------------------------------------------


def test_a_refusal_tells_title_detail_next_step_and_code(port: Port) -> None:
    ran = act(port, "bill", "accept", port.bill)
    assert (ran.code, ran.out) == (1, "")
    for part in (
        "✗ No surrender is waiting",
        "is ISSUED",
        "→ A surrender can be answered once",
        "code not_pending",
    ):
        assert part in ran.err


def test_a_refusal_is_one_json_value_on_stderr_when_json_is_wanted(port: Port) -> None:
    ran = act(port, "bill", "accept", port.bill, "--json")
    assert ran.code == 1
    assert ran.problem()["code"] == "not_pending"


@pytest.mark.parametrize("option", FORGOTTEN)
def test_a_setting_that_is_missing_is_told_with_its_option_and_variable(
    option: str, port: Port
) -> None:
    ran = act(port, "bill", "sign", port.bill, **{FORGOTTEN[option]: ""})
    assert (ran.code, ran.out) == (4, "")
    assert f"--{option}" in ran.err
    assert FORGOTTEN[option] in ran.err


def test_an_address_that_is_none_is_told(port: Port) -> None:
    ran = act(port, "bill", "list", BOL_URL="cq.example")
    assert (ran.code, "'cq.example'" in ran.err) == (4, True)


def test_nothing_is_asked_where_there_is_no_terminal(port: Port, tmp_path: Path) -> None:
    key = tmp_path / "yunling.pem"
    write_private_key(key, port.platform.signers["yunling"]._key, b"secret")
    settings = {"BOL_KEY": f"file:{key}"}
    ran = act(port, "bill", "sign", port.bill, **settings)
    assert (ran.code, ran.out) == (4, "")
    assert "BOL_KEY_PASSPHRASE" in ran.err
    assert "--passphrase-file" in ran.err
    assert act(port, "bill", "list", **settings, BOL_KEY_PASSPHRASE="secret").code == 0


def test_a_platform_that_does_not_answer_leaves_the_outcome_open(port: Port) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ran = act(
            port, "bill", "list", "--json", BOL_URL=f"http://127.0.0.1:{unused.getsockname()[1]}"
        )
    assert ran.code == 3
    assert ran.problem()["code"] == "unreachable"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("endorse", "B"), id="endorse to nobody"),
        pytest.param(("endorse", "B", "--blank", "--to", "banksg"), id="in blank, yet to somebody"),
        pytest.param(("endorse", "B", "--blank", "--final"), id="in blank, yet final"),
        pytest.param(("transfer", "B"), id="transfer to nobody"),
        pytest.param(("transfer", "B", "--to", "Bank!"), id="transfer to no slug"),
        pytest.param(
            ("transfer", "B", "--to", "banksg", "--complete"), id="complete without an L/C"
        ),
        pytest.param(("surrender", "B", "--for-amendment"), id="amendment without a reason code"),
        pytest.param(("surrender", "B", "--reason-code", "COD"), id="a reason code for delivery"),
        pytest.param(("surrender", "B", "--comments", "why"), id="comments for delivery"),
        pytest.param(("refuse", "B"), id="refusal without a reason"),
        pytest.param(("release-check", "XLCU7001128"), id="a container number with a wrong digit"),
    ],
)
def test_wrong_use_is_told_before_anything_is_asked(words: tuple[str, ...]) -> None:
    assert run("bill", *words, BOL_URL="http://127.0.0.1:1").code == 2


# -- resending -----------------------------------------------------------------------------------


def test_an_act_whose_answer_was_lost_is_kept_and_recorded_once(
    port: Port, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = len(port.events(port.bill))
    with losing_answers(port.platform):
        ran = act(port, "bill", "sign", port.bill, "--json")
    assert ran.code == 3
    (kept,) = tmp_path.iterdir()
    assert f"bol send {kept.name}" in ran.problem()["nextStep"]

    again = run("send", kept, "--json", BOL_URL=port.platform.base_url)

    assert again.code == 0
    events = port.events(port.bill)
    assert len(events) == before + 1
    assert again.json()["receipts"][0]["event"] == events[-1]["event"]


@contextmanager
def losing_answers(platform: kit.Platform) -> Iterator[None]:
    """The platform records what is sent, and the line breaks before its answer."""
    whole = platform.server.app

    def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        answer = whole(environ, start)
        if environ["PATH_INFO"] == "/v1/events":
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError
        return answer

    platform.server.app = app
    try:
        yield
    finally:
        platform.server.app = whole


def test_a_resend_gives_the_first_receipt(port: Port, tmp_path: Path) -> None:
    receipt = port.office.done("yunling", "bill", "sign", port.bill)["receipts"][0]
    event = tmp_path / "event.jws"
    event.write_text(receipt["event"] + "\n")
    again = run("send", event, "--json", BOL_URL=port.platform.base_url)
    assert again.json() == {"receipts": [receipt]}


def test_a_file_that_holds_no_event_is_not_sent(tmp_path: Path) -> None:
    file = tmp_path / "event.jws"
    file.write_text("提单", encoding="utf-8")
    assert run("send", file, BOL_URL="http://127.0.0.1:1").code == 2


def test_the_receipt_that_is_kept_proves_the_act_without_the_platform(
    port: Port, tmp_path: Path
) -> None:
    kept = tmp_path / "receipt.json"
    assert act(port, "bill", "sign", port.bill, "--receipt-out", kept).code == 0
    receipt = Receipt.from_value(json.loads(kept.read_text()))
    verify(receipt, [log_verifier_key(kit.ORIGIN, port.platform.log_signer)])
    assert payload_of(receipt.entry.event)["action"] == "SIGN"


def test_an_act_is_done_even_if_its_receipt_cannot_be_written(port: Port, tmp_path: Path) -> None:
    nowhere = tmp_path / "missing" / "receipt.json"
    ran = act(port, "bill", "sign", port.bill, "--receipt-out", nowhere)
    assert ran.code == 0
    assert f"recorded, but {nowhere} cannot be written" in ran.err


# -- what is said and what is signed -------------------------------------------------------------


def test_a_transfer_that_sets_possession_and_title_apart_is_warned_of(port: Port) -> None:
    ran = act(port, "bill", "transfer", port.bill, "--to", "bankcq", "--dry-run")
    assert "possession and title will be apart" in ran.err
    assert "bankcq (Bank of Two Rivers, Chongqing Branch)" in ran.err
    joined = act(port, "bill", "transfer", port.bill, "--to", "yunling", "--dry-run")
    assert "apart" not in joined.err


@pytest.fixture(scope="module")
def impostor(port: Port) -> str:
    """Registered by the operator with its own number, and a name with a Cyrillic letter."""
    name = "Straits Comm\u0435rcial Bank Ltd"
    identity = {
        "country": "SG",
        "identifiers": [{"type": "AUTHORITY", "value": "scbank"}],
        "legalName": name,
    }
    signer = LocalSigner(generate(Algorithm.ED25519))
    proof = drafting.prove_key(signer, origin=kit.ORIGIN, party="scbank", identity=identity)
    details = {**proof, "identity": identity, "roles": ["CONSIGNEE"]}
    port.platform.client("operator").act("REGISTER", "party:scbank", details, after=None)
    return name


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("transfer", "--to", "banksg"), id="to the one"),
        pytest.param(("transfer", "--to", "scbank"), id="to the other"),
        pytest.param(("endorse", "--to", "scbank"), id="to its order"),
        pytest.param(
            ("endorse", "--blank", "--transfer-to", "scbank"), id="in blank, to its hands"
        ),
    ],
)
def test_who_gives_a_bill_to_one_of_two_that_look_alike_is_warned(
    port: Port, impostor: str, words: tuple[str, ...]
) -> None:
    ran = act(port, "bill", words[0], port.bill, *words[1:], "--dry-run")
    assert ran.code == 0
    for told in ("look twice", impostor, "(scbank, SG, AUTHORITY scbank)", "(banksg, SG, LEI "):
        assert told in ran.err
    silent = act(port, "bill", words[0], port.bill, *words[1:], "--dry-run", "--json")
    assert (silent.code, silent.err) == (0, "")


@pytest.mark.parametrize(
    ("name", "alike"),
    [("Straits Comm\u0435rcial Bank Ltd", True), ("Hillside Traders", False), (7, False)],
    ids=["of a party", "of nobody", "that is none"],
)
def test_the_operator_is_warned_before_it_registers_a_name_that_looks_like_one(
    port: Port, tmp_path: Path, name: object, alike: bool
) -> None:
    identity = {
        "country": "SG",
        "identifiers": [{"type": "AUTHORITY", "value": "hill"}],
        "legalName": name,
    }
    signer = LocalSigner(generate(Algorithm.ED25519))
    proof = drafting.prove_key(signer, origin=kit.ORIGIN, party="hill", identity=identity)
    files = {"identity": identity, "proof": proof}
    words = [
        word
        for each, value in files.items()
        for word in (f"--{each}", write_json(tmp_path / f"{each}.json", value))
    ]
    command = ("party", "register", "--slug", "hill", "--roles", "CONSIGNEE", "--dry-run", *words)
    ran = act(port, *command, party="operator")
    assert ran.code == 0, ran.err
    assert ("could be taken for" in ran.err) is alike
    assert ("(banksg, SG, LEI " in ran.err) is alike


def test_nobody_else_is_warned(port: Port, impostor: str) -> None:
    ran = act(port, "bill", "transfer", port.bill, "--to", "bankcq", "--dry-run")
    assert "look twice" not in ran.err


@pytest.mark.parametrize(
    ("words", "action", "recipient", "details"),
    [
        pytest.param(
            ("--to", "banksg"), "ENDORSE_TO_ORDER", "banksg", {}, id="to order if nothing is said"
        ),
        pytest.param(("--to", "banksg", "--final"), "ENDORSE", "banksg", {}, id="in full, final"),
        pytest.param(("--blank",), "BLANK_ENDORSE", None, {}, id="in blank"),
        pytest.param(
            ("--to", "banksg", "--transfer-to", "banksg"),
            "ENDORSE_TO_ORDER",
            "banksg",
            {"transferTo": "banksg"},
            id="endorsed and handed over in one act",
        ),
    ],
)
def test_each_way_to_endorse_signs_its_own_action(
    words: tuple[str, ...],
    action: str,
    recipient: str | None,
    details: Mapping[str, str],
    port: Port,
) -> None:
    shown = payload(act(port, "bill", "endorse", port.bill, *words, "--dry-run"))
    assert (shown["action"], shown.get("recipient"), shown["details"]) == (
        action,
        recipient,
        details,
    )


def custody(port: Port, *words: str) -> dict[str, Any]:
    command = ["custody", "gate-in", "--shipment", port.shipment, "--container", BOX, "--dry-run"]
    details: dict[str, Any] = payload(act(port, *command, *words, party="guoyuan"))["details"]
    return details


@pytest.mark.parametrize(
    ("words", "occurred", "local"),
    [
        pytest.param(
            ("--occurred-at", "2027-03-05T01:00"),
            "2027-03-04T17:00:00.000Z",
            "2027-03-05",
            id="a time without zone is of the place",
        ),
        pytest.param(
            ("--occurred-at", "2027-03-04T17:00:00Z"),
            "2027-03-04T17:00:00.000Z",
            "2027-03-05",
            id="the local date follows from the zone of the place",
        ),
        pytest.param(
            ("--occurred-at", "2027-03-05T01:00", "--utc-offset", "-05:30"),
            "2027-03-05T06:30:00.000Z",
            "2027-03-05",
            id="west of Greenwich too",
        ),
        pytest.param(
            ("--occurred-at", "2027-03-04T17:00:00Z", "--local-date", "2027-03-04"),
            "2027-03-04T17:00:00.000Z",
            "2027-03-04",
            id="a local date that is given counts",
        ),
    ],
)
def test_a_custody_fact_bears_its_time_and_the_date_at_the_place(
    words: tuple[str, ...], occurred: str, local: str, port: Port
) -> None:
    details = custody(port, *words)
    assert (details["occurredAt"], details["localDate"]) == (occurred, local)


def test_seals_are_stated_for_the_box_that_bears_them(port: Port) -> None:
    assert custody(port, "--seal", "S1", "--seal", f"{BOX}=S2")["seals"] == ["S1", "S2"]
    assert "seals" not in custody(port)


@pytest.mark.parametrize(
    "seal",
    [
        pytest.param("S1", id="which of two boxes bears it is not said"),
        pytest.param("XLCU7001148=S1", id="a box that is not among them"),
    ],
)
def test_a_seal_of_no_box_is_wrong_use(seal: str, port: Port) -> None:
    boxes = ["--container", BOX, "--container", "XLCU7001132"]
    command = ["custody", "gate-in", "--shipment", port.shipment, *boxes, "--seal", seal]
    assert act(port, *command, party="guoyuan").code == 2


def test_of_several_acts_those_before_a_refused_one_are_receipted(port: Port) -> None:
    boxes = ["--container", BOX, "--container", OTHER_BOX]
    words = ["custody", "load-rail", "--shipment", port.shipment, *boxes, *TRAIN]
    ran = act(port, *words, "--json", party="wrail")
    assert ran.code == 1
    assert [receipt["stream"] for receipt in ran.json()["receipts"]] == [
        f"custody:{port.shipment}:{BOX}"
    ]
    assert json.loads(ran.err)["code"] == "not_on_bill"


def test_the_code_of_a_delivery_order_is_made_here_and_only_its_hash_is_signed(port: Port) -> None:
    words = ["--terminal", "sgterm", "--container", BOX, "--pick-up-name", "Bukit Haulage"]
    words += ["--pick-up-reference", "XD5521K", "--expires", "2027-03-10T18:00:00+08:00"]
    ran = act(port, "bill", "release-order", port.bill, *words, "--dry-run", party="xlsc")
    shown = payload(ran)
    assert len(shown["details"]["codeHash"]) == 64
    assert shown["details"]["expires"] == "2027-03-10T10:00:00.000Z"
    assert "code" not in shown["details"]


def test_a_rulebook_other_than_the_one_meant_is_not_accepted(port: Port) -> None:
    before = port.platform.client("yunling").head("party:yunling")
    ran = act(port, "party", "accept-rulebook", "--digest", "0" * 64)
    assert ran.code == 1
    assert port.platform.client("yunling").head("party:yunling") == before


def test_a_party_manages_its_keys_and_mandates(port: Port, tmp_path: Path) -> None:
    def count() -> int:
        return len(port.office.done("straits", "party", "show")["keys"])

    assert count() == 1
    secret = {"BOL_KEY_PASSPHRASE": "second"}
    new = tmp_path / "second.pem"
    kid = run("keys", "generate", new, "--json", **secret).json()["kid"]
    proof = port.office("straits", "keys", "proof", BOL_KEY=str(new), **secret).out
    proof_file = tmp_path / "proof.json"
    proof_file.write_text(proof)
    port.office.done("straits", "party", "add-key", "--proof", proof_file)
    assert count() == 2
    port.office.done("straits", "party", "revoke-key", "--kid", kid, "--reason", "laptop lost")
    shown = port.office("straits", "party", "show").out
    assert "REVOKE" in shown
    until = ["--valid-until", "2030-01-01T00:00:00Z"]
    port.office.done("straits", "party", "grant-mandate", "qiaolian", *until)
    port.office.done("straits", "party", "revoke-mandate", "qiaolian")
    port.office.done("operator", "party", "suspend", "shadow", "--reason", "fraud")
    assert port.office.done("shadow", "party", "show", "shadow")["suspended"]
    port.office.done("operator", "party", "reinstate", "shadow", "--reason", "cleared")


def test_a_party_replaces_its_signing_key(port: Port, tmp_path: Path) -> None:
    secret = {"BOL_KEY_PASSPHRASE": "next"}
    new = tmp_path / "next.pem"
    run("keys", "generate", new, **secret)
    proof = tmp_path / "proof.json"
    proof.write_text(port.office("nusantara", "keys", "proof", BOL_KEY=str(new), **secret).out)
    port.office.done("nusantara", "party", "rotate-key", "--proof", proof)
    assert port.office("nusantara", "bill", "list").code == 1  # with the old key
    assert port.office("nusantara", "bill", "list", BOL_KEY=str(new), **secret).code == 0


def test_the_head_of_the_stream_is_what_the_act_follows(port: Port) -> None:
    shown = payload(act(port, "bill", "sign", port.other, "--dry-run"))
    stream = quote(f"bill:{port.other}", safe="")
    head = port.platform.client("yunling").get(f"/v1/streams/{stream}/head")
    assert (shown["sequence"], shown["previous"]) == (head["sequence"] + 1, head["digest"])
    assert (shown["audience"], shown["actor"]) == (kit.ORIGIN, "yunling")
