"""Who may open which page, and what another site can make a browser do: no browser needed here."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from bol_service.application.webhook_ports import Webhook
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.portal.desk import EXTENSION
from bol_service.storage.webhooks import SqlWebhooks
from bol_service.wire import drafting
from tests import kit
from tests.bill_scene import Answer
from tests.portal_stage import Stage

NO_BILL = "0" * 64
NO_SHIPMENT = "00000000-0000-7000-8000-000000000000"
# The holder's.
WEBHOOK = Webhook(
    id="00000000-0000-7000-8000-000000000001",
    party="bankcq",
    url="https://erp.example/hook",
    kinds=("TRANSFER",),
    kid="k",
    since=0,
    created="2027-03-01T00:00:00.000Z",
)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# + opens   > leads to the log-in page   . like what does not exist   - refused now   ! refused
#   an anybody, ho holder of A, fo former holder of A, te terminal of receipt, st stranger
PAGES = """
                                          an ho fo te st
/portal/verify                             +  +  +  +  +
/portal/verifier.html                      +  +  +  +  +
/portal/trust                              +  +  +  +  +
/portal/trust.json                         +  +  +  +  +
/portal/log-in                             +  +  +  +  +
/portal/parties                            +  +  +  +  +
/portal/parties/xlsc                       +  +  +  +  +
/portal/parties/nobody                     .  .  .  .  .
/portal/keys                               +  +  +  +  +
/portal/rulebook                           +  +  +  +  +
/portal/session                            +  +  +  +  +
/portal/words/en.json                      +  +  +  +  +
/portal/words/xx.json                      .  .  .  .  .
/portal/static/old/portal.css              +  +  +  +  +
/portal/static/old/../app.py               .  .  .  .  .
/portal/static/old/nothing.js              .  .  .  .  .
/portal/nowhere                            .  .  .  .  .
/portal/to-do                              >  +  +  +  +
/portal/bills                              >  +  +  +  +
/portal/bills?q=XLCU7001127&tab=other      >  +  +  +  +
/portal/bills/{A}                          >  +  +  +  .
/portal/bills/{A}/events                   >  +  +  +  .
/portal/bills/{A}/document                 >  +  +  .  .
/portal/bills/{A}/evidence                 >  +  +  +  .
/portal/bills/{A}/copy                     >  +  +  +  .
/portal/bills/{A}/files                    >  +  +  .  .
/portal/bills/{A}/files/{0}                >  .  .  .  .
/portal/bills/{A}/disclose                 >  +  .  .  .
/portal/bills/{A}/disclose/all             >  +  .  .  .
/portal/bills/{A}/disclose/evidence        >  +  .  .  .
/portal/bills/{0}/files                    >  .  .  .  .
/portal/bills/{0}/disclose                 >  .  .  .  .
/portal/bills/{A}/acts/TRANSFER            >  +  -  -  .
/portal/bills/{A}/acts/SIGN                >  +  -  -  .
/portal/bills/{A}/acts/ISSUE               >  .  .  .  .
/portal/bills/{0}                          >  .  .  .  .
/portal/bills/{0}/evidence                 >  .  .  .  .
/portal/bills/{0}/acts/TRANSFER            >  .  .  .  .
/portal/gate                               >  +  +  +  +
/portal/gate?container=XLCU7001127         >  +  +  +  +
/portal/gate?container=XLCU7001128         >  +  +  +  +
/portal/gate/{S}/XLCU7001127/acts/GATE_IN  >  .  -  -  .
/portal/gate/{S}/XLCU7001127/acts/ISSUE    >  .  .  .  .
/portal/gate/{S}/XLCU700112/acts/GATE_IN   >  .  .  .  .
/portal/gate/{S}/custody:x/acts/GATE_OUT   >  .  .  .  .
/portal/gate/abroad/SGPX/{S}/XLCU7001127/DISCHARGED > .  .  .  .
/portal/abroad                             >  +  +  +  +
/portal/abroad/SGPX/trust                  >  .  .  .  .
/portal/abroad/SGPX/{A}                    >  .  .  .  .
/portal/abroad/SGPX/{A}/evidence           >  .  .  .  .
/portal/rulebook/accept                    >  +  +  +  +
/portal/shipments                          >  +  +  +  +
/portal/shipments/new                      >  !  !  !  !
/portal/shipments/{S}                      >  .  +  .  .
/portal/shipments/{S}/drafts/1             >  .  +  .  .
/portal/shipments/{S}/drafts/99            >  .  .  .  .
/portal/shipments/{S}/drafts/1/document    >  .  +  .  .
/portal/shipments/{S}/draft                >  .  -  .  .
/portal/shipments/{S}/draft.xlsx           >  .  -  .  .
/portal/shipments/{S}/instructions         >  .  -  .  .
/portal/shipments/{S}/issue                >  .  -  .  .
/portal/shipments/{S}/acts/APPROVE_DRAFT   >  .  -  .  .
/portal/shipments/{S}/acts/ISSUE           >  .  .  .  .
/portal/shipments/{N}                      >  .  .  .  .
/portal/shipments/no-shipment/draft        >  .  .  .  .
/portal/keys/add                           >  +  +  +  +
/portal/keys/rotate                        >  +  +  +  +
/portal/keys/{K}/revoke                    >  +  .  .  .
/portal/ledger                             >  +  +  +  +
/portal/webhooks                           >  +  +  +  +
/portal/webhooks/{W}                       >  +  .  .  .
/portal/webhooks/{W}?before=5              >  +  .  .  .
/portal/webhooks/{W}/remove                >  +  .  .  .
/portal/mandates                           >  +  +  +  +
/portal/mandates/give                      >  +  +  +  +
/portal/mandates/nobody/end                >  .  .  .  .
/portal/registrations/{0}                  .  .  .  .  .
/portal/operator                           >  .  .  .  .
/portal/operator/transfers                 >  .  .  .  .
/portal/operator/deliveries                >  .  .  .  .
/portal/operator/registrations             >  .  .  .  .
/portal/operator/registrations/{0}         >  .  .  .  .
/portal/operator/registrations/{0}/accept  >  .  .  .  .
/portal/operator/registrations/{0}/refuse  >  .  .  .  .
/portal/operator/parties/xlsc/suspend      >  .  .  .  .
/portal/operator/applicants/1              >  .  .  .  .
/portal/operator/applicants/1/accept       >  .  .  .  .
"""
COLUMNS = {"an": None, "ho": "bankcq", "fo": "yunling", "te": "guoyuan", "st": "shadow"}
WRITING = (
    "/portal/session",
    "/portal/session/end",
    "/portal/language",
    "/portal/verify",
    "/portal/webhooks",
    "/portal/webhooks/{W}/remove",
    "/portal/webhooks/{W}/deliveries/1/replay",
    "/portal/mandates/give",
    "/portal/registrations",
    "/portal/operator/registrations/{0}/accept",
    "/portal/operator/registrations/{0}/refuse",
    "/portal/operator/registrations/{0}/refusal",
    "/portal/operator/parties/xlsc/suspend",
    "/portal/gate/abroad/events",
    "/portal/abroad/SGPX/{A}",
    "/portal/bills/{A}/files",
    "/portal/bills/{A}/disclose",
    "/portal/documents",
    "/portal/shipments/{S}/draft/import",
)


@pytest.fixture(scope="module", autouse=True)
def _has_a_webhook(stage: Stage) -> None:
    SqlWebhooks(stage.platform.running.store).add(WEBHOOK, since=None)


def cells() -> list[object]:
    header, *rows = PAGES.strip("\n").splitlines()
    return [
        pytest.param(path, column, mark, id=f"{column} {path} {mark}")
        for path, *marks in map(str.split, rows)
        for column, mark in zip(header.split(), marks, strict=True)
    ]


def address(stage: Stage, path: str) -> str:
    names = {
        "{A}": stage.bill_a,
        "{0}": NO_BILL,
        "{S}": str(stage.voyage.saved["shipment"]),
        "{N}": NO_SHIPMENT,
        "{K}": stage.platform.signers["bankcq"].public.kid,
        "{W}": WEBHOOK.id,
    }
    for name, value in names.items():
        path = path.replace(name, value)
    return path


@pytest.mark.parametrize(("path", "column", "mark"), cells())
def test_a_page_opens_for_those_who_may_see_it(
    stage: Stage, path: str, column: str, mark: str
) -> None:
    # A page that is refused looks alike everywhere; those that open are made in both languages.
    for language in ("en", "zh") if mark == "+" else ("en",):
        answer = stage.request(
            "GET", address(stage, path), party=COLUMNS[column], language=language
        )
        assert answer.status == {"+": 200, ">": 303, ".": 404, "-": 409, "!": 403}[mark]
    if mark == ">":
        assert answer.headers["Location"].startswith("/portal/log-in?next=/portal/")


def test_every_page_stands_in_the_table(stage: Stage) -> None:
    url_map = stage.platform.running.app.url_map
    adapter = url_map.bind("localhost")
    paths = {address(stage, cell.values[0]).split("?")[0] for cell in cells()}  # type: ignore[attr-defined]
    found = {adapter.match(path, method="GET", return_rule=True)[0].rule for path in paths}
    found |= {"/", "/portal/"}
    found |= {adapter.match(path, method="POST", return_rule=True)[0].rule for path in WRITING}
    assert {rule.rule for rule in url_map.iter_rules() if _is_portal(rule.rule)} == found


def _is_portal(rule: str) -> bool:
    return rule == "/" or rule.startswith("/portal")


@pytest.mark.parametrize(
    "path", ["", "/events", "/document", "/evidence", "/copy", "/acts/TRANSFER"]
)
def test_another_s_bill_answers_to_the_byte_like_one_that_does_not_exist(
    stage: Stage, path: str
) -> None:
    forbidden = stage.request("GET", f"/portal/bills/{stage.bill_a}{path}", party="shadow")
    missing = stage.request("GET", f"/portal/bills/{NO_BILL}{path}", party="shadow")
    assert forbidden.status == 404
    named = forbidden.body.replace(stage.bill_a.encode(), NO_BILL.encode())
    assert named == missing.body
    assert stage.bill_a.encode() not in re.sub(
        rb'(name="next" value|next=)[^>]*', b"", forbidden.body
    )


def test_a_former_holder_is_not_told_who_holds_the_bill_now(stage: Stage) -> None:
    page = stage.request("GET", f"/portal/bills/{stage.bill_a}", party="yunling").body.decode()
    holder = stage.request("GET", f"/portal/bills/{stage.bill_a}", party="bankcq").body.decode()
    assert "Who holds it is not shown to you" in page
    assert "nusantara" not in holder  # it never had this one
    assert "To the order of" in holder


def test_a_custodian_sees_the_goods_and_neither_parties_nor_prices(stage: Stage) -> None:
    page = stage.request("GET", f"/portal/bills/{stage.bill_a}", party="guoyuan").body.decode()
    assert "XLCU7001127" in page
    assert "18,450.000 kg" in page
    assert "Notify party" not in page
    assert "Straits Cycle Trading" not in page


@pytest.mark.parametrize("path", ["/portal/verify", "/portal/to-do", "/portal/nowhere", "/portal/"])
def test_every_page_bears_the_strict_content_policy(stage: Stage, path: str) -> None:
    answer = stage.request("GET", path, party="bankcq")
    api = stage.request("GET", "/healthz")
    assert answer.headers["Content-Security-Policy"] == api.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_the_first_page_is_under_the_bare_address(stage: Stage) -> None:
    answer = stage.request("GET", "/")
    assert (answer.status, answer.headers["Location"]) == (302, "/portal/")


# -- what another site could try -----------------------------------------------------------------

ELSEWHERE = {
    "no origin at all": {},
    "another origin": {"Origin": "https://evil.example"},
    "a hidden origin": {"Origin": "null"},
    "our host under another scheme": {"Origin": "https://127.0.0.1"},
    "our origin, sent by another site": {"Origin": "{own}", "Sec-Fetch-Site": "cross-site"},
    "our origin, sent by a neighbour": {"Origin": "{own}", "Sec-Fetch-Site": "same-site"},
    "our origin, typed by the user": {"Origin": "{own}", "Sec-Fetch-Site": "none"},
}


@pytest.mark.parametrize("path", [*WRITING, "/portal/bills/{A}/acts/TRANSFER"])
@pytest.mark.parametrize("headers", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_what_another_site_sends_is_refused(
    stage: Stage, path: str, headers: dict[str, str]
) -> None:
    sent = {name: value.format(own=stage.base_url) for name, value in headers.items()}
    body = urlencode({"language": "zh", "next": "/portal/"}).encode()
    answer = stage.request(
        "POST", address(stage, path), party="bankcq", body=body, headers={**FORM, **sent}
    )
    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers
    assert b"came from another site" in answer.body


def test_our_own_page_may_choose_the_language(stage: Stage) -> None:
    answer = _post(stage, "/portal/language", {"language": "zh", "next": "/portal/verify"})
    assert (answer.status, answer.headers["Location"]) == (303, "/portal/verify")
    cookie = answer.headers["Set-Cookie"]
    assert "ebl-language=zh" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_the_browser_s_wish_chooses_the_language_until_the_reader_does(stage: Stage) -> None:
    wish = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}
    page = stage.request("GET", "/portal/verify", headers={**wish, "Cookie": ""}).body.decode()
    assert '<html lang="zh-Hans"' in page


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/portal/",
        "/portal//evil.example",
        "/portal/\\evil.example",
        "/v1/bills",
        "javascript:alert(1)",
        '/portal/"><script>',
        "",
    ],
)
def test_no_form_leads_out_of_the_portal(stage: Stage, wanted: str) -> None:
    answer = _post(stage, "/portal/language", {"language": "en", "next": wanted})
    assert answer.headers["Location"] == "/portal/"
    page = stage.request("GET", f"/portal/log-in?{urlencode({'next': wanted})}").body.decode()
    assert 'data-next="/portal/"' in page


ASSERTIONS = {
    "no JSON": b"assertion",
    "no assertion": b"{}",
    "a number": b'{"assertion": 5}',
    "no JWS": b'{"assertion": "abc"}',
    "a member twice": b'{"assertion": "a", "assertion": "b"}',
    "too long": b'{"assertion": "' + b"a" * 9000 + b'"}',
}


@pytest.mark.parametrize("body", ASSERTIONS.values(), ids=ASSERTIONS.keys())
def test_a_log_in_without_a_valid_assertion_sets_no_cookie(stage: Stage, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "Origin": stage.base_url}
    answer = stage.request("POST", "/portal/session", body=body, headers=headers)
    assert answer.status == 401
    assert answer.json()["code"] == "not_authenticated"
    assert "Set-Cookie" not in answer.headers


def test_an_assertion_logs_in_once(stage: Stage) -> None:
    headers = {"Content-Type": "application/json", "Origin": stage.base_url}
    assertion = stage.clients["bankcq"].assertion()
    body = ('{"assertion": "' + assertion + '"}').encode()
    first = stage.request("POST", "/portal/session", body=body, headers=headers)
    again = stage.request("POST", "/portal/session", body=body, headers=headers)
    assert first.json() == {"party": "bankcq", "expiresIn": 300}
    cookie = first.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Max-Age=300" in cookie
    assert again.status == 401


def test_the_cookie_opens_no_door_of_the_api(stage: Stage) -> None:
    """A cookie is sent by the browser unasked; only a header that a page must add counts there."""
    assert stage.request("GET", "/v1/bills", party="bankcq").status == 401


def test_a_session_with_an_unknown_token_is_led_to_the_log_in(stage: Stage) -> None:
    answer = stage.request("GET", "/portal/bills", headers={"Cookie": "ebl-session=nonsense"})
    assert answer.status == 303


# -- forms ---------------------------------------------------------------------------------------

FAULTY = {
    "nobody chosen": ({}, "Fill this in."),
    "a party that does not exist": ({"recipient": "nobody"}, "Choose one from the list."),
    "the carrier": ({"recipient": "xlsc"}, "Choose one from the list."),
    "oneself": ({"recipient": "bankcq"}, "Choose one from the list."),
    "complete without a credit": ({"recipient": "banksg", "complete": "yes"}, "Fill this in."),
    "too long a number": ({"recipient": "banksg", "lc": "X" * 36}, "This is too long."),
    "reordering text": ({"recipient": "banksg", "lc": "a\u202eb"}, "would refuse this"),
}


@pytest.mark.parametrize(("form", "said"), FAULTY.values(), ids=FAULTY.keys())
def test_a_form_says_what_is_wrong_and_prepares_nothing(
    stage: Stage, form: dict[str, str], said: str
) -> None:
    answer = _post(stage, f"/portal/bills/{stage.bill_a}/acts/TRANSFER", form, party="bankcq")
    assert answer.status == 422
    assert said in answer.body.decode()
    assert b'id="payload"' not in answer.body


def test_only_parties_that_can_receive_are_offered(stage: Stage) -> None:
    """Not one that has accepted no rulebook, nor one that is suspended: both would be refused."""

    def offered() -> str:
        path = f"/portal/bills/{stage.bill_a}/acts/TRANSFER"
        page = stage.request("GET", path, party="bankcq").body.decode()
        return page[page.index("<select") : page.index("</select>")]

    signer = LocalSigner(generate(Algorithm.ED25519))
    identity = {
        "country": "SG",
        "identifiers": [{"type": "AUTHORITY", "value": "greenhorn"}],
        "legalName": "Greenhorn",
    }
    proof = drafting.prove_key(signer, origin=kit.ORIGIN, party="greenhorn", identity=identity)
    stage.register({**proof, "identity": identity, "party": "greenhorn"}, ["CONSIGNEE"])
    assert "greenhorn" not in offered()
    assert "nusantara" in offered()
    operator = stage.clients["operator"]
    operator.act("SUSPEND", "party:nusantara", {"reason": "a test"})
    assert "nusantara" not in offered()
    operator.act("REINSTATE", "party:nusantara", {"reason": "the test is over"})


def test_the_payload_is_the_very_event_that_continues_the_stream(stage: Stage) -> None:
    answer = _post(
        stage,
        f"/portal/bills/{stage.bill_a}/acts/TRANSFER",
        {"recipient": "banksg", "lc": "SCB-LC-1", "complete": "yes"},
        party="bankcq",
    )
    found = re.search(rb'id="payload">(.*?)</script>', answer.body)
    assert found is not None
    payload = json.loads(found[1])
    head = stage.clients["bankcq"].get(f"/v1/streams/bill:{stage.bill_a}/head")
    assert payload["previous"] == head["digest"]
    assert payload["sequence"] == head["sequence"] + 1
    assert payload["actor"] == "bankcq"
    assert payload["recipient"] == "banksg"
    assert payload["audience"] == "demo.cq.example/ebl"
    assert payload["details"] == {"presentation": {"complete": True, "lc": "SCB-LC-1"}}


def test_a_file_that_is_no_bundle_cannot_be_told(stage: Stage) -> None:
    boundary = "b0undary"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x.json"\r\n\r\n'
        f"not json\r\n--{boundary}--\r\n"
    ).encode()
    headers = {
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Origin": stage.base_url,
    }
    answer = stage.request("POST", "/portal/verify", body=body, headers=headers)
    assert answer.status == 200
    assert b"NOT GENUINE" in answer.body


def test_over_https_the_session_cookie_is_secure_and_of_this_host_alone(stage: Stage) -> None:
    app = stage.platform.running.app
    plain = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = replace(plain, base_url="https://cq.example")
    try:
        answer = app.test_client().post(
            "/portal/session/end", data=b"-", headers={"Origin": "https://cq.example"}
        )
    finally:
        app.extensions[EXTENSION] = plain
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-ebl-session=")
    assert "Secure" in cookie
    assert "Path=/;" in f"{cookie};"


def test_plain_http_is_for_this_very_machine_only(stage: Stage) -> None:
    plain = stage.platform.running.app.extensions[EXTENSION]
    assert not plain.is_secure
    assert replace(plain, base_url="http://cq.example").is_secure


def test_no_file_is_asked_for_again(stage: Stage) -> None:
    answer = _post(stage, "/portal/verify", {})
    assert answer.status == 200
    assert b"No file was chosen" in answer.body


def _post(stage: Stage, path: str, form: dict[str, str], party: str | None = None) -> Answer:
    return stage.request(
        "POST",
        path,
        party=party,
        body=urlencode(form).encode(),
        headers={**FORM, "Origin": stage.base_url, "Sec-Fetch-Site": "same-origin"},
    )
