"""The operator's desk: applications are accepted or refused by clicks, and nobody else finds it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from bol_service.application.exchange_ports import Flow, Outbound
from bol_service.application.exchange_ports import Stage as Crossing
from bol_service.application.registrations import REFUSAL_TYP, Registrations, refusal_payload
from bol_service.application.webhook_ports import Outcome, Webhook
from bol_service.application.webhook_ports import Stage as Delivered
from bol_service.crypto import jws, strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.domain import errors
from bol_service.portal.desk import EXTENSION, Desk
from bol_service.storage import tables
from bol_service.storage.exchange import SqlExchange
from bol_service.storage.registrations import SqlApplications
from bol_service.storage.webhook_queue import SqlWebhookQueue
from bol_service.storage.webhooks import SqlWebhooks
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from tests import kit
from tests.browser import PHONE, Computers, Visitor
from tests.portal_applications import hand_in, identity, prepared
from tests.portal_screens import barriers, is_too_wide
from tests.portal_stage import PASSPHRASE, PAYLOADS, Stage

Json = dict[str, Any]
NEWCOMER = {
    "legal_name": "Lanjiang Logistics Co., Ltd.",
    "local": "澜江物流有限公司",
    "country": "CN",
    "type": "LEI",
    "value": "9845005V0D6DD5B4C165",
}


@pytest.fixture(scope="module")
def operator(stage: Stage, computers: Computers) -> Visitor:
    visitor = computers.new(locale="zh-CN", viewport=PHONE)
    visitor.import_key("operator", stage.key_file("operator"), PASSPHRASE)
    visitor.log_in("operator")
    return visitor


def desk_of(stage: Stage) -> Desk:
    found: Desk = stage.platform.running.app.extensions[EXTENSION]
    return found


def waiting(stage: Stage, party: str) -> str:
    """The id of an application that was handed in."""
    answer = hand_in(stage, prepared(party))
    assert answer.status == 201
    return str(answer.json()["page"]).rpartition("/")[2]


# -- by clicks -----------------------------------------------------------------------------------


def test_a_newcomer_applies_and_the_operator_accepts_by_clicks(
    stage: Stage, computers: Computers, operator: Visitor
) -> None:
    newcomer = computers.new()
    kid = newcomer.make_key("lanjiang")
    outcome = the_newcomer_hands_in_its_file(newcomer)
    page = operator.go("/portal/operator")
    assert "等待处理：1" in page.inner_text("main")
    operator.photograph("operator desk")
    page.get_by_role("link", name="待审登记").click()
    operator.photograph("registrations")
    page.get_by_role("link", name="lanjiang").click()
    shown = page.inner_text("main")
    assert kid in shown
    assert NEWCOMER["value"] in shown
    assert_accessible(operator, "registration")
    page.get_by_role("link", name="登记该当事人").click()
    assert page.locator("input[name=roles]:checked").count() == 0
    page.get_by_label("托运人").check()
    page.get_by_label("收货人").check()
    assert_accessible(operator, "registration roles")
    page.get_by_role("button", name="继续").click()
    page.wait_for_selector("#act-sign:not([hidden])")
    said = page.inner_text("#sheet")
    assert kid in said
    assert "托运人, 收货人" in said
    assert_accessible(operator, "registration check")
    operator.sign()
    found = stage.clients["operator"].get("/v1/parties/lanjiang")
    assert (found["roles"], found["keys"][0]["kid"]) == (["CONSIGNEE", "SHIPPER"], kid)
    page = newcomer.go(outcome)
    assert "Registered" in page.inner_text("main")
    newcomer.photograph("registration outcome")
    newcomer.log_in("lanjiang")


def the_newcomer_hands_in_its_file(newcomer: Visitor) -> str:
    page = newcomer.page
    page.fill("#legal-name", NEWCOMER["legal_name"])
    page.fill("#local-name", NEWCOMER["local"])
    page.fill("#country", NEWCOMER["country"])
    page.select_option("#id-type", NEWCOMER["type"])
    page.fill("#id-value", NEWCOMER["value"])
    page.click("#register-form button")
    page.click("#register-send")
    page.click("#register-sent a")
    assert "has not decided yet" in page.inner_text("main")
    return page.url.removeprefix(newcomer.base_url)


def assert_accessible(visitor: Visitor, name: str) -> None:
    visitor.photograph(name)
    assert not is_too_wide(visitor.page)
    assert barriers(visitor.page) == []


def test_a_refusal_is_signed_in_the_browser_and_shown_to_the_applicant(
    stage: Stage, operator: Visitor
) -> None:
    application = waiting(stage, "dubious")
    page = operator.go(f"/portal/operator/registrations/{application}/refuse")
    page.fill("#field-reason", PAYLOADS[0])
    page.get_by_role("button", name="继续").click()
    page.wait_for_selector("#act-sign:not([hidden])")
    assert PAYLOADS[0] in page.inner_text("#sheet")
    assert_accessible(operator, "refusal check")
    operator.sign()
    assert desk_of(stage).registrations.one(application).reason == PAYLOADS[0]
    answer = stage.request("GET", f"/portal/registrations/{application}")
    assert b"The operator refused" in answer.body
    page = operator.go(f"/portal/registrations/{application}")
    assert PAYLOADS[0] in page.inner_text("main")
    assert page.evaluate("window.pwned") is None
    assert_accessible(operator, "registration refused")


def test_a_party_is_suspended_and_reinstated_by_clicks(stage: Stage, operator: Visitor) -> None:
    for name, suspended in (("暂停该当事人", True), ("恢复该当事人", False)):
        page = operator.go("/portal/parties/evil")
        page.get_by_role("link", name=name).click()
        page.fill("#field-reason", "a test")
        page.get_by_role("button", name="继续").click()
        page.wait_for_selector("#act-sign:not([hidden])")
        operator.sign()
        found = stage.clients["operator"].get("/v1/parties/evil")
        assert found["suspended"] is suspended


def test_transfers_crossings_and_deliveries_are_shown(stage: Stage, operator: Visitor) -> None:
    fill_the_queues(stage)
    page = operator.go("/portal/operator/transfers")
    shown = page.inner_text("main")
    assert "connection refused" in shown
    assert "有争议" in shown
    assert "a registered basis" in shown
    assert_accessible(operator, "operator transfers")
    page.locator("summary").first.click()
    assert '"responseCode":"RECE"' in page.inner_text("main")
    assert page.inner_text("#out ~ table").count("正在尝试") == 1
    page = operator.go("/portal/operator/deliveries")
    shown = page.inner_text("main")
    assert "erp.example" in shown
    assert "/secret" not in shown
    assert "the receiver answered 500" in shown
    assert_accessible(operator, "operator deliveries")
    assert "失败地址：1" in operator.go("/portal/operator").inner_text("main")
    assert_accessible(operator, "operator desk later")


def fill_the_queues(stage: Stage) -> None:
    store = stage.platform.running.store
    book = SqlExchange(store)
    answer = jws.sign(b'{"responseCode":"RECE"}', None, stage.platform.signers["operator"])
    common = {"platform": "SGPX", "since": 3, "due": "2027-03-01T00:00:00.000Z"}
    first = Outbound(
        number=900,
        bill="a" * 64,
        stage=Crossing.STARTED,
        attempts=3,
        fault="connection refused",
        **common,  # type: ignore[arg-type]
    )
    second = Outbound(
        number=901,
        bill="b" * 64,
        stage=Crossing.DISPUTED,
        attempts=1,
        answer=answer,
        **common,  # type: ignore[arg-type]
    )
    book.enlist(first)
    book.enlist(second)
    taken = book.take_due("2027-03-01T00:00:00.001Z", "2099-01-01T00:00:00.000Z", ["SGPX"])
    assert taken is not None
    assert taken.number == 900
    book.crossed(
        Flow(
            at="2027-03-01T00:00:00.000Z",
            direction="OUT",
            platform="SGPX",
            bill="a" * 64,
            what="document",
            digest="c" * 64,
            size=4711,
            recipient="SGPX:banksg",
            basis="a registered basis",
        )
    )
    hook = Webhook(
        id="00000000-0000-7000-8000-000000000003",
        party="bankcq",
        url="https://erp.example/secret",
        kinds=(),
        kid="k",
        since=0,
        created="2027-03-01T00:00:00.000Z",
    )
    SqlWebhooks(store).add(hook, since=0)
    queue, now = SqlWebhookQueue(store), datetime(2027, 3, 1, tzinfo=UTC)
    task = queue.claim(now, now)
    assert task is not None
    tried, due = "2027-03-01T00:00:00.000Z", "2027-03-01T00:00:05.000Z"
    fault = "the receiver answered 500"
    outcome = Outcome(
        stage=Delivered.WAITING, tried=tried, due=due, status=500, fault=fault, failures=1
    )
    queue.settle(task, outcome)


def test_a_party_of_another_platform_is_registered_as_it_asked(
    stage: Stage, operator: Visitor
) -> None:
    signer = LocalSigner(generate(Algorithm.ED25519))
    asked = prepared("harbour", signer)
    details = {name: asked[name] for name in ("identity", "key", "keyProof")}
    details |= {"roles": ["CUSTOMS"]}
    row = {"platform": "SGPX", "name": "sgharbour", "party": "harbour"}
    with stage.platform.running.store.changing() as connection:
        connection.execute(
            insert(tables.peer_applications).values(
                **row,
                kid=signer.public.kid,
                application=json.dumps(details),
                at="2027-03-01T00:00:00.000Z",
            )
        )
    page = operator.go("/portal/operator/registrations")
    assert "SGPX:sgharbour" in page.inner_text("main")
    operator.photograph("registrations from abroad")
    page.get_by_role("link", name="harbour").click()
    assert "海关" in page.inner_text("main")
    assert_accessible(operator, "applicant from abroad")
    page.get_by_role("link", name="登记该当事人").click()
    page.wait_for_selector("#act-sign:not([hidden])")
    assert signer.public.kid in page.inner_text("#sheet")
    operator.sign()
    found = stage.clients["operator"].get("/v1/parties/harbour")
    assert (found["roles"], found["keys"][0]["kid"]) == (["CUSTOMS"], signer.public.kid)
    assert "SGPX" not in operator.go("/portal/operator/registrations").inner_text("main")
    path = "/portal/operator/applicants/1/accept"
    assert stage.request("GET", path, party="operator").status == 404  # it waits no more


def test_the_desk_has_no_barrier_on_a_wide_screen_in_english(
    stage: Stage, computers: Computers
) -> None:
    visitor = computers.new()
    visitor.import_key("operator", stage.key_file("operator"), PASSPHRASE)
    visitor.log_in("operator")
    answer = hand_in(stage, prepared("patient", legalName=PAYLOADS[0]))
    application = answer.json()["page"].rpartition("/")[2]
    one = f"/registrations/{application}"
    for page in ("", "/registrations", one, f"{one}/accept", "/transfers", "/deliveries"):
        visitor.go(f"/portal/operator{page}")
        assert visitor.page.get_attribute("html", "lang") == "en"
        assert visitor.page.evaluate("window.pwned") is None
        assert_accessible(visitor, f"operator {page[:14]} {page[-6:]}")


# -- what is no application ----------------------------------------------------------------------


def test_only_what_proves_its_key_is_kept(stage: Stage) -> None:
    good = prepared("newcomer")
    other_name = {**good, "party": "othername"}
    other_identity = {**good, "identity": identity("somebody else")}
    foreign = drafting.prove_key(
        LocalSigner(generate(Algorithm.ED25519)),
        origin="other.example/ebl",
        party="newcomer",
        identity=good["identity"],
    )
    faulty: dict[str, object] = {
        "no JSON": b"hello",
        "no object": [],
        "a member more": {**good, "roles": ["BANK"]},
        "a member less": {name: good[name] for name in ("party", "identity", "key")},
        "another name than proven": other_name,
        "another identity than proven": other_identity,
        "a proof for another ledger": {**good, **foreign},
        "the proof of another key": {**good, "keyProof": prepared("newcomer")["keyProof"]},
        "a legal identifier that cannot be": prepared(
            "newcomer", identifiers=[{"type": "LEI", "value": "9845005V0D6DD5B4C195"}]
        ),
        "a name that is none": prepared("newcomer") | {"party": "No Name"},
        "too long": json.dumps(good).encode() + b" " * 9000,
        "a registered name": prepared("bankcq"),
        "a registered key": prepared("newcomer", stage.platform.signers["bankcq"]),
    }
    before = len(desk_of(stage).registrations.all())
    for name, asked in faulty.items():
        answer = hand_in(stage, asked)
        assert answer.status == 422, name
        assert answer.json()["detail"], name
    assert len(desk_of(stage).registrations.all()) == before
    assert hand_in(stage, good).status == 201
    assert hand_in(stage, good).status == 201
    assert len(desk_of(stage).registrations.all()) == before + 1


class Later:
    """A clock that is some days ahead of the platform's."""

    def __init__(self, stage: Stage, days: int) -> None:
        self._now = desk_of(stage).clock.now() + timedelta(days=days)

    def now(self) -> datetime:
        return self._now


def test_an_application_is_forgotten_after_a_month(stage: Stage) -> None:
    application = waiting(stage, "tardy")
    store = stage.platform.running.store

    def registrations(days: int) -> Registrations:
        return Registrations(store, SqlApplications(store), Later(stage, days), kit.ORIGIN)

    assert registrations(29).one(application).application.party == "tardy"
    with pytest.raises(errors.NotFound):
        registrations(31).one(application)
    assert registrations(31).all() == []


def test_what_others_own_already_is_shown_to_the_operator(stage: Stage) -> None:
    asked = prepared("imitator")
    owned = stage.clients["operator"].get("/v1/parties/bankcq")["identifiers"]
    signer = LocalSigner(generate(Algorithm.ED25519))
    claims = {**asked["identity"], "identifiers": owned}
    proof = drafting.prove_key(signer, origin=kit.ORIGIN, party="imitator", identity=claims)
    answer = hand_in(stage, {"party": "imitator", "identity": claims, **proof})
    found = desk_of(stage).registrations.one(answer.json()["page"].rpartition("/")[2])
    assert [owner for _, owner in found.taken] == ["bankcq"]
    path = f"/portal/operator/registrations/{found.application.id}"
    page = stage.request("GET", path, party="operator").body.decode()
    assert "belongs to others already" in page
    assert owned[0]["value"] in page


def test_a_refusal_counts_only_if_the_operator_signed_this_one(stage: Stage) -> None:
    registrations = desk_of(stage).registrations
    application = waiting(stage, "hopeful")
    other = waiting(stage, "another")
    signers = stage.platform.signers
    at = instant_text(desk_of(stage).clock.now())
    mine, theirs = (registrations.one(one).application for one in (application, other))

    def signed(payload: Json, who: str = "operator", typ: str = REFUSAL_TYP) -> bytes:
        return jws.sign(strictjson.canonical(payload), typ, signers[who]).encode()

    right = refusal_payload(mine, kit.ORIGIN, at, "no such company")
    wrong = {
        "another party's signature": signed(right, "bankcq"),
        "a signature under another text": b".".join(
            [*signed(right).split(b".")[:2], signed({**right, "reason": "no"}).split(b".")[2]]
        ),
        "another application": signed(refusal_payload(theirs, kit.ORIGIN, at, "no")),
        "another ledger": signed(refusal_payload(mine, "other.example/ebl", at, "no")),
        "no reason": signed(refusal_payload(mine, kit.ORIGIN, at, "")),
        "no time": signed(refusal_payload(mine, kit.ORIGIN, "yesterday", "no")),
        "another kind of text": signed(right, typ="ebl-event+jws"),
        "a member more": signed({**right, "more": 1}),
        "not canonical": jws.sign(
            json.dumps(right).encode(), REFUSAL_TYP, signers["operator"]
        ).encode(),
        "nothing": b"",
    }
    path = f"/portal/operator/registrations/{application}/refusal"
    headers = {"Content-Type": "application/jose", "Origin": stage.base_url}

    def send(body: bytes, party: str = "operator") -> int:
        return stage.request("POST", path, party=party, body=body, headers=headers).status

    for name, compact in wrong.items():
        assert send(compact) == 422, name
    assert send(signed(right), "bankcq") == 404
    assert send(signed(right)) == 204
    assert send(signed(right)) == 404  # it does not wait any more
    assert registrations.one(application).reason == "no such company"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "Fill this in"),
        ({"roles": "OPERATOR"}, "Fill this in"),
        ({"roles": "CARRIER", "carrierCode": "XLSC"}, "Fill this in"),
        ({"roles": "CARRIER"}, "carrier has a carrier code"),
        ({"roles": "BANK", "carrierCode": "XLSC", "codeListProvider": "SMDG"}, "nobody else"),
        ({"roles": "TERMINAL"}, "terminal has a place"),
        ({"roles": "BANK&roles=EXCHANGE"}, "no other role"),
        ({"roles": "TERMINAL", "facilities": "Pasir Panjang"}, "on a line of its own"),
        ({"roles": "CARRIER", "carrierCode": "??", "codeListProvider": "SMDG"}, "would refuse"),
    ],
    ids=[
        *("no role", "the operator's role", "a code without list", "a carrier without code"),
        *("a code of no carrier", "a terminal without place", "an exchange desk with more"),
        *("no place", "no code"),
    ],
)
def test_a_registration_that_the_law_would_refuse_is_not_checked(
    stage: Stage, form: dict[str, str], said: str
) -> None:
    application = waiting(stage, "aspirant")
    answer = stage.request(
        "POST",
        f"/portal/operator/registrations/{application}/accept",
        party="operator",
        body="&".join(f"{name}={value}" for name, value in form.items()).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Origin": stage.base_url},
    )
    assert answer.status == 422
    assert said in answer.body.decode()
    assert b'id="payload"' not in answer.body


def test_the_details_that_are_signed_bear_what_the_operator_added(stage: Stage) -> None:
    application = waiting(stage, "newterm")
    form = (
        "roles=TERMINAL&roles=CARRIER&carrierCode=NEWT&codeListProvider=NMFTA"
        "&facilities=SGSIN+New+Terminal+1%0D%0A%0D%0ACNCKG+Other+%0A"
    )
    answer = stage.request(
        "POST",
        f"/portal/operator/registrations/{application}/accept",
        party="operator",
        body=form.encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Origin": stage.base_url},
    )
    text = answer.body.decode()
    payload = json.loads(text.split('id="payload">')[1].split("</script>")[0])
    asked = desk_of(stage).registrations.one(application).application.asked
    assert payload["stream"] == "party:newterm"
    assert payload["details"] == {
        **{name: asked[name] for name in ("identity", "key", "keyProof")},
        "roles": ["TERMINAL", "CARRIER"],
        "carrierCode": {"code": "NEWT", "codeListProvider": "NMFTA"},
        "facilities": [
            {"UNLocationCode": "SGSIN", "facilityName": "New Terminal 1"},
            {"UNLocationCode": "CNCKG", "facilityName": "Other"},
        ],
    }
