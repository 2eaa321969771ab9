"""Who may do what: every route, every role, one's own bill and somebody else's.

The tables are the specification (domain notes C.4); the tests walk through every cell. Default is
deny: what a party may not know answers exactly like what does not exist.

| column | role | column | role |
|---|---|---|---|
| an | nobody: no token | fo | former holder |
| ca | the carrier | te | terminal of the booking |
| rc | another carrier | ra | railway of the booking |
| sh | the shipper, once a holder of A | cu | customs of the booking |
| fw | forwarder with the shipper's mandate | au | auditor of the carrier's country |
| ho | holder of A | af | auditor of another country |
| ti | title holder of A without possession | no | notify party |
| op | the operator | st | a stranger |

A is a bill that has been endorsed and transferred, B another one of the same carrier and shipper,
0 one that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bol_service.application.webhook_ports import Webhook
from bol_service.storage.webhooks import SqlWebhooks
from bol_service.verification.bundle import HiddenEntry, ShownEntry, read_bundle, read_statement
from bol_service.wire.events import decode
from tests.bill_scene import COLUMNS, Scene, scene

NO_BILL = "0" * 64
NO_SHIPMENT = "01890000-0000-7000-8000-000000000000"
# The shipper's.
WEBHOOK = Webhook(
    id="01890000-0000-7000-8000-000000000001",
    party="yunling",
    url="https://erp.example/hook",
    kinds=(),
    kid="k",
    since=0,
    created="2027-03-01T00:00:00.000Z",
)

# + 200   ? 401: who asks is not proven   . 404: like what does not exist
READING = """
                                             an ca rc sh fw ho ti fo te ra cu au af no st op
GET /v1/bills/{A}                             ?  +  .  +  +  +  +  +  +  +  +  +  .  .  .  .
GET /v1/bills/{A}/document                    ?  +  .  +  .  +  +  +  .  .  .  +  .  .  .  .
GET /v1/bills/{A}/files                       ?  +  .  +  .  +  +  +  .  .  .  +  .  .  .  .
GET /v1/bills/{A}/files/{D}                   ?  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
GET /v1/bills/{A}/events                      ?  +  .  +  +  +  +  +  +  +  +  +  .  .  .  .
GET /v1/bills/{A}/custody/{a}                 ?  +  .  +  +  +  +  .  +  +  +  +  .  .  .  .
GET /v1/bills/{A}/custody/{b}                 ?  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
GET /v1/bills/{A}/evidence                    ?  +  .  +  +  +  +  +  +  +  +  +  .  .  .  .
GET /v1/bills/{A}/copy                        ?  +  .  +  +  +  +  +  +  +  +  +  .  .  .  .
GET /v1/bills/{B}                             ?  +  .  +  +  .  .  .  +  +  +  +  .  .  .  .
GET /v1/bills/{B}/document                    ?  +  .  +  .  .  .  .  .  .  .  +  .  .  .  .
GET /v1/bills/{B}/files                       ?  +  .  +  .  .  .  .  .  .  .  +  .  .  .  .
GET /v1/bills/{B}/events                      ?  +  .  +  +  .  .  .  +  +  +  +  .  .  .  .
GET /v1/bills/{B}/custody/{b}                 ?  +  .  +  +  .  .  .  +  +  +  +  .  .  .  .
GET /v1/bills/{B}/evidence                    ?  +  .  +  +  .  .  .  +  +  +  +  .  .  .  .
GET /v1/bills/{B}/copy                        ?  +  .  +  +  .  .  .  +  +  +  +  .  .  .  .
GET /v1/bills/{0}                             ?  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
GET /v1/bills                                 ?  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +
GET /v1/containers/{a}/release-check          ?  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +
GET /v1/drafts                                ?  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +
GET /v1/drafts/{S}                            ?  +  .  +  +  .  .  .  .  .  .  +  .  .  .  .
GET /v1/drafts/{S}/document                   ?  +  .  +  +  .  .  .  .  .  .  +  .  .  .  .
GET /v1/parties/nobody                        .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
GET /v1/streams/bill:{A}/head                 ?  +  .  .  .  +  +  .  .  .  .  +  .  .  .  .
GET /v1/streams/bill:{B}/head                 ?  +  .  +  .  .  .  .  .  .  .  +  .  .  .  .
GET /v1/streams/draft:{S}/head                ?  +  .  +  +  .  .  .  .  .  .  +  .  .  .  .
GET /v1/streams/custody:{S}:{a}/head          ?  +  .  +  +  .  .  .  +  +  +  .  .  .  .  .
GET /v1/streams/party:yunling/head            ?  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +
GET /v1/streams/bill:{A}/receipts/0           ?  +  .  .  .  .  .  .  .  .  .  .  .  .  .  .
GET /v1/streams/bill:{A}/receipts/99          ?  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
GET /v1/notices                               ?  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +
GET /v1/webhooks                              ?  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +
GET /v1/webhooks/{W}/deliveries               ?  .  .  +  .  .  .  .  .  .  .  .  .  .  .  .
GET /v1/abroad/evidence                       ?  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +
GET /v1/abroad/evidence/SGPX/{A}              ?  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
GET /v1/abroad/streams/bill:{A}/head          ?  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
GET /v1/abroad/applications                   ?  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
GET /v1/documents/{D}                         ?  +  .  .  .  .  .  .  .  .  .  .  .  .  .  .
GET /witness/{0}/checkpoint                    .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
GET /docs/static/x                            .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
"""

# 200 for everybody, with a token or without.
PUBLIC = """
/v1/parties
/v1/parties/shadow
/healthz
/readyz
/metrics
/rulebook
/.well-known/jwks.json
/ledger/checkpoint
/ledger/tile/0/000.p/1
/ledger/tile/entries/000.p/1
/ledger/proof/file/0
/ledger/proof/inclusion/0
/ledger/proof/inclusion/0/5
/ledger/proof/consistency/1
/ledger/proof/consistency/1/5
/docs/errors
/docs/errors/stale_head
/docs/
/docs/openapi.json
"""

WRITING = (
    "/v1/events",
    "/v1/events:batch",
    "/v1/documents",
    "/v1/bills/{A}/files",
    "/oauth/token",
    "/v1/abroad/registrations",
    "/v1/abroad/events",
    "/witness/add-checkpoint",
    "/v1/webhooks",
    "/v1/webhooks/{W}/deliveries/1/replay",
)
REMOVING = ("/v1/webhooks/{W}",)

# What GET /v1/bills/{bill} shows: C control, P parties, D document, G goods, U custody, O delivery
# orders, - nothing at all. Then the number of the bill's events that the role may read.
VIEWS = """
role   A       events  B       events
ca     CPDGUO  6       CPDGUO  1
rc     -       -       -       -
sh     PDGU    4       CPDGUO  1
fw     PGU     0       PGU     0
ho     CPDGUO  6       -       -
ti     CPDGUO  6       -       -
fo     PDG     6       -       -
te     GU      0       GU      0
ra     GU      0       GU      0
cu     PGUO    5       PGUO    1
au     CPDGUO  6       CPDGUO  1
af     -       -       -       -
no     -       -       -       -
st     -       -       -       -
op     -       -       -       -
"""
MEMBERS = {
    "C": {"control", "warnings"},
    "P": {"parties"},
    "D": {"document"},
    "G": {"cargo"},
    "U": {"custody", "shipment"},
    "O": {"deliveryOrders", "deliveryConfirmed"},
}
SUMMARY = {
    "allowedActions",
    "bill",
    "carrier",
    "onBoardDate",
    "receivedForShipmentDate",
    "relations",
    "status",
    "transportDocumentReference",
    "type",
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("matrix")) as ready:
        store = ready.platform.running.store
        SqlWebhooks(store).add(WEBHOOK, since=None)
        yield ready


def reading_cells() -> list[Any]:
    header, *rows = READING.strip("\n").splitlines()
    return [
        pytest.param(path, column, mark, id=f"{column} {path} {mark}")
        for _, path, *marks in map(str.split, rows)
        for column, mark in zip(header.split(), marks, strict=True)
    ]


def view_rows() -> list[list[str]]:
    return [line.split() for line in VIEWS.strip().splitlines()[1:]]


def address(stage: Scene, template: str) -> str:
    names = {
        "A": stage.bill_a,
        "B": stage.bill_b,
        "0": NO_BILL,
        "S": stage.draft,
        "D": stage.voyage.saved["issued"]["digest"],
        "W": WEBHOOK.id,
        "a": "XLCU7001127",
        "b": "XLCU7001153",
    }
    for name, value in names.items():
        template = template.replace(f"{{{name}}}", str(value))
    return template


@pytest.mark.parametrize(("path", "column", "mark"), reading_cells())
def test_a_role_reads_what_the_matrix_grants(
    stage: Scene, path: str, column: str, mark: str
) -> None:
    answer = stage.request("GET", address(stage, path), party=COLUMNS[column])
    assert answer.status == {"+": 200, "?": 401, ".": 404}[mark], answer.body
    if mark != "+":
        codes = {"?": "not_authenticated", ".": "not_found"}
        assert answer.json()["code"] == codes[mark]


@pytest.mark.parametrize("path", PUBLIC.split())
@pytest.mark.parametrize("column", COLUMNS)
def test_what_is_public_is_the_same_for_everybody(stage: Scene, column: str, path: str) -> None:
    answer = stage.request("GET", path, party=COLUMNS[column])
    assert answer.status == 200
    if path != "/metrics":
        assert answer.body == stage.request("GET", path).body


@pytest.mark.parametrize("column", [column for column in COLUMNS if column != "an"])
def test_what_is_forbidden_and_what_does_not_exist_look_alike(stage: Scene, column: str) -> None:
    """To the byte and the header, but for the request's own id."""
    party = COLUMNS[column]
    unknown = {
        "{A}": NO_BILL,
        "{B}": NO_BILL,
        "{S}": NO_SHIPMENT,
        "{D}": NO_BILL,
        "{W}": NO_SHIPMENT,
    }
    for cell in reading_cells():
        path, of, mark = cell.values
        if of != column or mark != "." or "{" not in path:
            continue
        other = path
        for name, value in unknown.items():
            other = other.replace(name, value)
        forbidden = stage.request("GET", address(stage, path), party=party)
        missing = stage.request("GET", address(stage, other), party=party)
        assert forbidden.without_request_id() == missing.without_request_id(), path


@pytest.mark.parametrize("row", view_rows(), ids=lambda row: row[0])
def test_a_bill_shows_a_role_its_groups_of_members_and_no_more(
    stage: Scene, row: list[str]
) -> None:
    role, *cells = row
    for bill, groups, events in ((stage.bill_a, *cells[:2]), (stage.bill_b, *cells[2:])):
        answer = stage.request("GET", f"/v1/bills/{bill}", party=COLUMNS[role])
        assert (answer.status == 404) == (groups == "-")
        if groups == "-":
            continue
        granted = set().union(*(MEMBERS[group] for group in groups))
        assert set(answer.json()) - SUMMARY == granted
        listed = stage.request("GET", f"/v1/bills/{bill}/events", party=COLUMNS[role])
        assert len(listed.json()["items"]) == int(events)


@pytest.mark.parametrize("row", view_rows(), ids=lambda row: row[0])
def test_a_role_finds_the_bills_that_it_may_know(stage: Scene, row: list[str]) -> None:
    role, in_a, _, in_b, _ = row
    expected = {b for b, g in ((stage.bill_a, in_a), (stage.bill_b, in_b)) if g != "-"}
    found = stage.request("GET", "/v1/bills", party=COLUMNS[role]).json()["items"]
    assert {item["bill"] for item in found} == expected
    for bill in (stage.bill_a, stage.bill_b):
        reference = "XLSC2703CQSG00418" if bill == stage.bill_a else "XLSC2703CQSG00417"
        query = f"/v1/bills?reference={reference}"
        found = stage.request("GET", query, party=COLUMNS[role]).json()["items"]
        assert {item["bill"] for item in found} == expected & {bill}


# -- the gate ------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", [column for column in COLUMNS if column != "an"])
def test_the_gate_s_question_tells_only_those_who_may_see_delivery(
    stage: Scene, column: str
) -> None:
    answer = stage.request(
        "GET", "/v1/containers/XLCU7001127/release-check", party=COLUMNS[column]
    ).json()
    groups = next(row[1] for row in view_rows() if row[0] == column)
    assert answer["answer"] == "DO NOT RELEASE"
    assert answer["code"] == ("no_surrender" if "O" in groups else "not_found")
    assert ("bill" in answer) == ("O" in groups)


# -- webhooks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", COLUMNS)
def test_nobody_else_removes_a_webhook(stage: Scene, column: str) -> None:
    if column == "sh":
        return  # its own
    answer = stage.request("DELETE", address(stage, "/v1/webhooks/{W}"), party=COLUMNS[column])
    assert answer.status == (401 if column == "an" else 404)
    kept = stage.request("GET", "/v1/webhooks", party="yunling").json()["items"]
    assert [item["webhook"] for item in kept] == [WEBHOOK.id]


@pytest.mark.parametrize("path", ["/v1/webhooks", "/v1/webhooks/{W}/deliveries/1/replay"])
def test_who_asks_for_messages_proves_who_it_is_first(stage: Scene, path: str) -> None:
    answer = stage.request("POST", address(stage, path), body=b"{}", media_type="application/json")
    assert (answer.status, answer.json()["code"]) == (401, "not_authenticated")


# -- evidence ------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", view_rows(), ids=lambda row: row[0])
def test_a_bundle_shows_what_the_views_show(stage: Scene, row: list[str]) -> None:
    role, groups, events, *_ = row
    answer = stage.request("GET", f"/v1/bills/{stage.bill_a}/evidence", party=COLUMNS[role])
    if groups == "-":
        assert answer.status == 404
        return
    bundle = read_bundle(answer.body)
    statement, _ = read_statement(bundle.statement)
    stream = f"bill:{stage.bill_a}"
    shown = [decode(e.entry.event).event for e in bundle.entries if isinstance(e, ShownEntry)]
    hidden = [entry for entry in bundle.entries if isinstance(entry, HiddenEntry)]
    assert len([event for event in shown if event.stream == stream]) == int(events)
    was_holder = role in ("sh", "fo")  # a full file as of its own disposal
    assert (statement.control is not None) == ("C" in groups or was_holder)
    assert (bundle.document is not None) == ("D" in groups)
    assert bool(hidden) == ("C" not in groups and not was_holder)


def test_a_former_holder_s_bundle_ends_with_its_own_disposal(stage: Scene) -> None:
    """The shipper gave the bill to bankcq; that nusantara had it later is not its business."""
    content = stage.request("GET", f"/v1/bills/{stage.bill_a}/evidence", party="yunling").body
    bundle = read_bundle(content)
    statement, _ = read_statement(bundle.statement)
    assert statement.control == ("bankcq", "banksg", False)
    events = [decode(e.entry.event).event for e in bundle.entries if isinstance(e, ShownEntry)]
    last = [event for event in events if event.stream.startswith("bill:")][-1]
    assert (last.action, last.actor) == ("TRANSFER", "yunling")
    assert all(event.actor != "nusantara" for event in events)
    assert "party:nusantara" not in statement.heads


# -- completeness --------------------------------------------------------------------------------


def test_every_route_stands_in_a_table(stage: Scene) -> None:
    url_map = stage.platform.running.app.url_map
    adapter = url_map.bind("localhost")
    reading = {cell.values[0] for cell in reading_cells()} | set(PUBLIC.split())
    found = {
        adapter.match(path, method=method, return_rule=True)[0].rule
        for method, paths in (("GET", reading), ("POST", WRITING), ("DELETE", REMOVING))
        for path in (address(stage, path) for path in paths)
    }
    served = {rule.rule for rule in url_map.iter_rules()}
    # The portal's routes stand in a table of their own: tests/portal/test_portal_routes.py.
    assert {rule for rule in served if rule != "/" and not rule.startswith("/portal")} == found


def test_every_role_of_the_law_stands_in_the_cast(stage: Scene) -> None:
    parties = stage.request("GET", "/v1/parties").json()["items"]
    cast = {
        role for party in parties if party["party"] in COLUMNS.values() for role in party["roles"]
    }
    known = {role for party in parties for role in party["roles"]}
    assert cast == known
