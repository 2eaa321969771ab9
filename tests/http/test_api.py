"""The API's manners: versions, pages, filters, request ids, headers, and its own description."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from bol_service import bootstrap
from bol_service.http.codes import CATALOGUE
from tests import kit
from tests.desk import CAST, STORY, Desk
from tests.many_bills import HOLDER, RULEBOOK, Maker, container

BILLS = 3
FORM = "application/x-www-form-urlencoded"


@dataclass(kw_only=True)
class Api:
    """A platform with three bills, asked as any party."""

    platform: kit.Platform
    desk: Desk
    bills: list[str]
    tokens: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, party: str | None = HOLDER, **headers: str) -> TestResponse:
        if party is not None:
            if party not in self.tokens:
                self.tokens[party] = self.platform.client(party, STORY).token()
            headers["Authorization"] = f"Bearer {self.tokens[party]}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.platform.running.app.test_client().get(path, headers=named)

    def post(self, path: str, body: str | bytes = b"", **options: Any) -> TestResponse:
        return self.platform.running.app.test_client().post(path, data=body, **options)

    def pages(self, path: str, party: str | None = HOLDER) -> Iterator[list[Any]]:
        """The items of every page, by following `Link`."""
        while path:
            answer = self.get(path, party)
            assert answer.status_code == 200, answer.json
            yield answer.json["items"]
            link = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
            assert bool(link) == ("Next-Page-Cursor" in answer.headers)
            path = link[1] if link else ""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with kit.platform(tmp_path_factory.mktemp("api")) as platform:
        platform.set_clock(STORY)
        services = platform.running.services
        desk = Desk(signers=platform.signers)
        maker = Maker(desk=desk, recorder=services.recorder, documents=services.documents)
        maker.open_log()
        bills = maker.issue(BILLS)
        maker.act(HOLDER, "TRANSFER", f"bill:{bills[0]}", recipient="bankcq")
        yield Api(platform=platform, desk=desk, bills=bills)


def code(answer: TestResponse) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    return answer.status_code, answer.json["code"]


# -- recording -----------------------------------------------------------------------------------


def test_a_recorded_event_answers_201_with_its_head_as_etag_and_a_resend_200_alike(
    api: Api,
) -> None:
    compact = api.desk.event("straits", "ACCEPT_RULEBOOK", "party:straits", {"rulebook": RULEBOOK})
    first, again = (
        api.post("/v1/events", compact, content_type="application/jose") for _ in range(2)
    )
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.data == again.data
    digest = hashlib.sha256(compact.encode()).hexdigest()
    assert first.json["head"] == digest
    assert first.headers["ETag"] == again.headers["ETag"] == f'"{digest}"'


# -- versions ------------------------------------------------------------------------------------


def versioned(api: Api) -> dict[str, str]:
    bill = f"bill:{api.bills[1]}"
    draft = next(stream for stream in api.desk.heads if stream.startswith("draft:"))
    return {
        f"/v1/bills/{api.bills[1]}": bill,
        f"/v1/streams/{bill}/head": bill,
        f"/v1/streams/{draft}/head": draft,
        f"/v1/drafts/{draft.removeprefix('draft:')}": draft,
    }


def test_the_etag_is_the_head_of_the_stream_and_answers_304_to_who_has_it(api: Api) -> None:
    for path, stream in versioned(api).items():
        tag = f'"{api.desk.heads[stream].digest}"'
        answer = api.get(path)
        assert (answer.status_code, answer.headers["ETag"]) == (200, tag)
        known = api.get(path, If_None_Match=tag)
        assert (known.status_code, known.data) == (304, b"")
        assert api.get(path, If_None_Match='"other"').status_code == 200


def test_a_transfer_changes_the_etag(api: Api) -> None:
    path = f"/v1/bills/{api.bills[2]}"
    before = api.get(path).headers["ETag"]
    compact = api.desk.transfer(api.bills[2], HOLDER, "bankcq")
    assert api.post("/v1/events", compact, content_type="application/jose").status_code == 201
    changed = api.get(path, "bankcq", If_None_Match=before)
    assert changed.status_code == 200
    assert changed.headers["ETag"] == f'"{hashlib.sha256(compact.encode()).hexdigest()}"'


# -- pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_every_bill_is_on_exactly_one_page(api: Api, limit: int) -> None:
    found = [[each["bill"] for each in page] for page in api.pages(f"/v1/bills?limit={limit}")]
    assert all(len(page) <= limit for page in found)
    assert [bill for page in found for bill in page] == sorted(api.bills)
    assert len(found) == -(-BILLS // limit)


def test_pages_keep_the_filters(api: Api) -> None:
    path = "/v1/bills?limit=1&carrier=xlsc&status=ISSUED"
    assert sum(len(page) for page in api.pages(path)) == BILLS
    assert "carrier=xlsc" in api.get(path).headers["Link"]


def test_every_event_of_a_bill_is_on_exactly_one_page(api: Api) -> None:
    path = f"/v1/bills/{api.bills[0]}/events?limit=1"
    found = [each["sequence"] for page in api.pages(path, "bankcq") for each in page]
    assert found == [0, 1]


def test_every_party_is_on_exactly_one_page_for_anybody(api: Api) -> None:
    found = [each["party"] for page in api.pages("/v1/parties?limit=4", None) for each in page]
    assert found == sorted(CAST)


def test_every_notice_is_on_exactly_one_page(api: Api) -> None:
    whole = api.get("/v1/notices?limit=100").json["items"]
    assert len(whole) > 3
    paged = [each for page in api.pages("/v1/notices?limit=2") for each in page]
    assert paged == whole
    numbers = [each["number"] for each in whole]
    assert numbers == sorted(set(numbers))


# -- filters -------------------------------------------------------------------------------------

FILTERS = [
    pytest.param("reference=XLSCMANY000001", 1, id="the number of one bill"),
    pytest.param("reference=XLSCMANY999999", 0, id="the number of no bill"),
    pytest.param("status=ISSUED", BILLS, id="the status of all"),
    pytest.param("status=VOIDED", 0, id="the status of none"),
    pytest.param("carrier=xlsc", BILLS, id="the carrier of all"),
    pytest.param("carrier=straits", 0, id="no carrier"),
    pytest.param(f"container={container(2)}", 1, id="a container of one bill"),
    pytest.param("container=XLCU7001127", 0, id="a container of none"),
    pytest.param("reference=XLSCMANY000001&status=VOIDED", 0, id="two filters at once"),
]


@pytest.mark.parametrize(("query", "count"), FILTERS)
def test_bills_are_found_by(api: Api, query: str, count: int) -> None:
    assert len(api.get(f"/v1/bills?{query}").json["items"]) == count


def test_a_bill_is_found_by_its_shipment(api: Api) -> None:
    shipment = api.get(f"/v1/bills/{api.bills[1]}").json["shipment"]
    [found] = api.get(f"/v1/bills?shipment={shipment}").json["items"]
    assert found["bill"] == api.bills[1]


QUERIES = [
    pytest.param("/v1/bills?colour=red", "colour", id="a parameter that does not exist"),
    pytest.param("/v1/bills?limit=0", "limit", id="a limit below one"),
    pytest.param("/v1/bills?limit=101", "limit", id="a limit above a hundred"),
    pytest.param("/v1/bills?limit=ten", "limit", id="a limit that is no number"),
    pytest.param("/v1/notices?cursor=abc", "cursor", id="a cursor that was never given"),
    pytest.param("/v1/notices?cursor=-1", "cursor", id="a negative cursor"),
    pytest.param("/v1/notices?cursor=%D9%A1", "cursor", id="a cursor in other digits"),
    pytest.param(f"/v1/notices?cursor={'9' * 16}", "cursor", id="a cursor beyond any number"),
]


@pytest.mark.parametrize(("path", "named"), QUERIES)
def test_a_query_is_refused_by_name_for(api: Api, path: str, named: str) -> None:
    answer = api.get(path)
    assert code(answer) == (422, "invalid_query")
    assert named in answer.json["detail"]


# -- request ids and headers ---------------------------------------------------------------------


def test_a_usable_request_id_is_given_back_also_in_problems(api: Api) -> None:
    answer = api.get("/v1/bills/unknown", X_Request_Id="client-id.0001")
    assert answer.headers["X-Request-Id"] == answer.json["requestId"] == "client-id.0001"


@pytest.mark.parametrize(
    "given",
    ["", "short", "x" * 65, "with space in it", "semi;colon;here", "naïve-naïve"],
    ids=["none", "too short", "too long", "a space", "a semicolon", "not ASCII"],
)
def test_a_request_id_is_made_in_place_of(api: Api, given: str) -> None:
    answer = api.get("/healthz", None, X_Request_Id=given)
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-Id"])


@pytest.mark.parametrize(
    "path",
    ["/healthz", "/v1/bills", "/v1/bills/unknown", "/nowhere", "/rulebook", "/docs/errors"],
)
@pytest.mark.parametrize("party", [HOLDER, None], ids=["a party", "nobody"])
def test_every_answer_bears_the_security_headers(api: Api, path: str, party: str | None) -> None:
    headers = api.get(path, party).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert headers["Cache-Control"] == "no-store"
    assert headers["API-Version"] == "1.0.0"


# -- refusals of HTTP itself ---------------------------------------------------------------------


def test_a_route_that_does_not_exist_is_a_problem(api: Api) -> None:
    assert code(api.get("/v1/nothing")) == (404, "not_found")


def test_a_method_that_does_not_exist_names_those_that_do(api: Api) -> None:
    answer = api.post("/v1/bills", "{}", content_type="application/json")
    assert code(answer) == (405, "method_not_allowed")
    assert {"GET", "HEAD"} <= {each.strip() for each in answer.headers["Allow"].split(",")}


@pytest.mark.parametrize("path", ["/v1/bills", "/v1/notices", "/v1/drafts", "/v1/documents/x"])
def test_a_reader_without_a_token_is_told_how_to_authenticate(api: Api, path: str) -> None:
    answer = api.get(path, None)
    assert code(answer) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", ""])
def test_an_event_of_another_media_type_is_refused(api: Api, media_type: str) -> None:
    answer = api.post("/v1/events", "a.b.c", content_type=media_type)
    assert code(answer) == (415, "unsupported_media_type")
    assert "application/jose is needed" in answer.json["detail"]


def test_a_body_without_a_length_is_refused(api: Api) -> None:
    answer = api.post(
        "/v1/events",
        content_type="application/jose",
        environ_overrides={"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    assert code(answer) == (411, "length_required")


def test_a_body_beyond_the_limit_is_refused(api: Api) -> None:
    answer = api.post("/v1/events", b"x" * 1_000_001, content_type="application/jose")
    assert code(answer) == (413, "too_large")


# -- the API's own description -------------------------------------------------------------------


@pytest.fixture(scope="module")
def openapi(api: Api) -> dict[str, Any]:
    answer = api.get("/docs/openapi.json", None)
    assert answer.status_code == 200
    described: dict[str, Any] = json.loads(answer.data)
    return described


def test_the_description_is_valid_openapi_3_1(openapi: dict[str, Any]) -> None:
    assert openapi["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(openapi).iter_errors()) == []


def test_every_route_and_method_is_described_and_no_other(
    api: Api, openapi: dict[str, Any]
) -> None:
    served = {
        (re.sub(r"<(?:[a-z]+(?:\([a-z0-9=]+\))?:)?([a-z_]+)>", r"{\1}", rule.rule), method.lower())
        for rule in api.platform.running.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "api-docs.openapi_json"
        and rule.rule != "/"
        and not rule.rule.startswith("/portal")
    }
    described = {
        (path, method)
        for path, item in openapi["paths"].items()
        for method in item
        if method in ("get", "post", "put", "delete", "patch")
    }
    assert described == served


def test_every_operation_has_a_summary_and_says_what_success_is(openapi: dict[str, Any]) -> None:
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            assert operation.get("summary"), (method, path)
            assert set(operation["responses"]) & {"200", "201", "202", "204"}, (method, path)


def test_the_page_of_errors_explains_every_code_of_the_catalogue(api: Api) -> None:
    page = api.get("/docs/errors", None).text
    for each in CATALOGUE.values():
        link = f'<a href="/docs/errors/{each.code}"><code>{each.code}</code></a>'
        assert f'<tr id="{each.code}"><th scope="row">{link}</th><td>{each.status}' in page
        assert len(each.next_step) > 10


def test_a_problem_points_to_the_page_of_its_code(api: Api) -> None:
    problem = api.get("/v1/nothing").json
    page = api.get(problem["type"], None)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert f"<h1><code>{problem['code']}</code></h1>" in page.text


# -- health --------------------------------------------------------------------------------------


def test_health_and_readiness_say_what_they_looked_at(api: Api) -> None:
    assert api.get("/healthz", None).json == {"status": "ok"}
    ready = api.get("/readyz", None).json
    assert ready["ready"]
    assert {"sequencer", "lastCommit", "database"} <= set(ready["parts"])


def test_metrics_count_requests_groups_and_the_log(api: Api) -> None:
    api.get("/v1/bills/unknown")
    text = api.get("/metrics", None).text
    size = api.platform.running.services.ledger.size()
    assert f"bol_log_size {float(size)}" in text
    assert 'route="/v1/bills/<string:bill>",status="404"' in text
    for name in (
        "bol_queue_waiting 0.0",
        "bol_commit_group_size_count",
        "bol_commit_seconds_sum",
        "bol_events_accepted_total",
        "bol_events_refused_total",
        "bol_http_request_seconds_bucket",
    ):
        assert name in text
    assert api.bills[0] not in text


# -- what anyone may read ------------------------------------------------------------------------


def test_the_rulebook_bears_the_digest_that_acceptances_name(api: Api) -> None:
    answer = api.get("/rulebook", None)
    assert answer.headers["Rulebook-Digest"] == hashlib.sha256(answer.data).hexdigest() == RULEBOOK
    assert answer.content_type == "text/markdown; charset=utf-8"
    assert answer.data == bootstrap.rulebook()


def test_the_key_set_holds_the_platforms_public_keys_only(api: Api) -> None:
    keys = api.get("/.well-known/jwks.json", None).json["keys"]
    platform = api.platform
    assert {key["x"] for key in keys} == {
        signer.public.to_jwk()["x"] for signer in (platform.log_signer, platform.statement_signer)
    }
    assert all("d" not in key for key in keys)


def test_a_party_is_public_with_its_keys_and_an_unknown_one_is_not_found(api: Api) -> None:
    party = api.get("/v1/parties/xlsc", None).json
    assert [key["kid"] for key in party["keys"]] == [api.desk.signers["xlsc"].public.kid]
    assert party["carrierCode"]["code"] == "XLSC"
    assert code(api.get("/v1/parties/nobody", None)) == (404, "not_found")


def test_a_token_is_for_its_party_and_for_minutes(api: Api) -> None:
    client = api.platform.client("bankcq", STORY)
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": client.assertion(),
    }
    answer = api.post("/oauth/token", urlencode(form), content_type=FORM)
    assert answer.json["token_type"] == "Bearer"
    assert 0 < answer.json["expires_in"] <= 300
    again = api.post("/oauth/token", urlencode(form), content_type=FORM)
    assert code(again) == (401, "not_authenticated")


def test_a_receipt_is_given_again_to_its_signer_exactly(api: Api) -> None:
    compact = api.desk.event("banksg", "ACCEPT_RULEBOOK", "party:banksg", {"rulebook": RULEBOOK})
    first = api.post("/v1/events", compact, content_type="application/jose").json
    path = f"/v1/streams/party:banksg/receipts/{first['sequence']}"
    assert api.get(path, "banksg").json == first
    assert code(api.get(path, "bankcq")) == (404, "not_found")
