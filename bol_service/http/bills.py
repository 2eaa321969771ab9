"""Reading bills, drafts, parties, heads, notices, and the answer for the gate."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response, abort, g, json, request

from bol_service.copy.faults import NoCopy
from bol_service.http.documents import as_received
from bol_service.http.download import download
from bol_service.http.edge import StrictBlueprint, bearer, etag, page, services
from bol_service.wire.answers import (
    BillAnswer,
    BillPage,
    BillQuery,
    DraftAnswer,
    DraftPage,
    EventPage,
    EvidenceQuery,
    HeadAnswer,
    NoticePage,
    PageQuery,
    PartyAnswer,
    PartyPage,
    ReceiptAnswer,
    ReleaseAnswer,
)

bills = StrictBlueprint("bills", __name__, description="Bills of lading")
drafts = StrictBlueprint("drafts", __name__, description="Shipments and drafts")
parties = StrictBlueprint("parties", __name__, description="Parties and their keys (public)")
streams = StrictBlueprint("streams", __name__, description="Heads, receipts and notices")


# -- bills ---------------------------------------------------------------------------------------


@bills.get("/v1/bills")
@bills.arguments(BillQuery, location="query")
@bills.response(200, BillPage)
@bearer
def list_bills(query: dict[str, Any]) -> Any:
    """The bills that you may know."""
    names = ("reference", "status", "carrier", "container", "shipment")
    filters = {name: query[name] for name in names if name in query}
    found = services().queries.bills(g.party, filters, query["cursor"], query["limit"])
    return page(found.items, found.cursor)


@bills.get("/v1/bills/<string:bill>")
@bills.response(200, BillAnswer)
@bearer
def get_bill(bill: str) -> Response:
    """A bill as you may see it, with `allowedActions`: what you could sign now.

    The ETag is the digest of the stream's head for those who may know who controls the bill.
    """
    answer = services().queries.bill(bill, g.party)
    body = json.dumps(answer.view)
    tag = (
        answer.head.digest
        if "control" in answer.view
        else hashlib.sha256(body.encode()).hexdigest()
    )
    return etag(Response(body, 200, content_type="application/json"), tag)


@bills.get("/v1/bills/<string:bill>/document")
@bills.response(200, description="The transport document, byte for byte")
@bearer
def get_bill_document(bill: str) -> Response:
    """The transport document as the carrier uploaded it."""
    return as_received(services().queries.bill_document(bill, g.party))


@bills.get("/v1/bills/<string:bill>/events")
@bills.arguments(PageQuery, location="query")
@bills.response(200, EventPage)
@bearer
def list_bill_events(query: dict[str, Any], bill: str) -> Any:
    """The events of the bill that you may see, oldest first."""
    first = _number(query["cursor"])
    found = services().queries.bill_events(bill, g.party, first, query["limit"])
    return page(found.items, found.cursor)


@bills.get("/v1/bills/<string:bill>/custody/<string:container>")
@bills.arguments(PageQuery, location="query")
@bills.response(200, EventPage)
@bearer
def list_custody_events(query: dict[str, Any], bill: str, container: str) -> Any:
    """The custody events of one container of the bill, oldest first."""
    first = _number(query["cursor"])
    found = services().queries.custody_events(bill, container, g.party, first)
    return page(found.items, found.cursor)


@bills.get("/v1/bills/<string:bill>/evidence")
@bills.arguments(EvidenceQuery, location="query")
@bills.response(200, description="An evidence bundle, `*.ebl.json`")
@bearer
def get_evidence(query: dict[str, str], bill: str) -> Response:
    """The file with which anyone can check this bill offline (docs/verification.md).

    The profile `issue`, for carrier and holder, shows the issue and the status alone: it goes to
    those to whom single fields are disclosed.
    """
    evidence = services().evidence
    make = evidence.issue_bundle if query["profile"] == "issue" else evidence.bundle
    content = make(bill, g.party)
    return download(content, "application/json", f"{bill[:16]}.ebl.json")


@bills.get("/v1/bills/<string:bill>/copy")
@bills.response(200, description="The printed copy, a PDF", content_type="application/pdf")
@bearer
def get_copy(bill: str) -> Response:
    """The bill to print, for those who may have its evidence, which is attached inside.

    It is no original and proves nothing by itself (docs/verification.md).
    """
    content = services().evidence.bundle(bill, g.party)
    try:
        printed = services().copies.printed(content)
    except NoCopy as error:
        abort(406, description=str(error))
    return download(printed, "application/pdf", f"{bill[:16]}-copy.pdf")


@bills.get("/v1/containers/<string:container>/release-check")
@bills.response(200, ReleaseAnswer)
@bearer
def check_release(container: str) -> dict[str, Any]:
    """May this container leave the gate now? RELEASE or DO NOT RELEASE, with the reason."""
    return services().queries.release_check(container, g.party)


# -- drafts --------------------------------------------------------------------------------------


@drafts.get("/v1/drafts")
@drafts.arguments(PageQuery, location="query")
@drafts.response(200, DraftPage)
@bearer
def list_drafts(query: dict[str, Any]) -> Any:
    """The shipments that you booked, ship or forward."""
    found = services().queries.drafts(g.party, query["cursor"], query["limit"])
    return page(found.items, found.cursor)


@drafts.get("/v1/drafts/<string:shipment>")
@drafts.response(200, DraftAnswer)
@bearer
def get_draft(shipment: str) -> Response:
    """A shipment from booking to approval; the ETag is the stream's head."""
    view, head = services().queries.draft(shipment, g.party)
    return etag(Response(json.dumps(view), 200, content_type="application/json"), head.digest)


@drafts.get("/v1/drafts/<string:shipment>/document")
@drafts.response(200, description="The draft published last, byte for byte")
@bearer
def get_draft_document(shipment: str) -> Response:
    """The draft that an approval would approve."""
    return as_received(services().queries.draft_document(shipment, g.party))


# -- parties -------------------------------------------------------------------------------------


@parties.get("/v1/parties")
@parties.arguments(PageQuery, location="query")
@parties.response(200, PartyPage)
def list_parties(query: dict[str, Any]) -> Any:
    """All registered parties. Public: a key can only be trusted if everybody sees the same."""
    found = services().queries.parties(query["cursor"], query["limit"])
    return page(found.items, found.cursor)


@parties.get("/v1/parties/<string:party>")
@parties.response(200, PartyAnswer)
def get_party(party: str) -> dict[str, Any]:
    """One party with its identity, roles and keys."""
    return services().queries.party(party)


# -- streams -------------------------------------------------------------------------------------


@streams.get("/v1/streams/<string:stream>/head")
@streams.response(200, HeadAnswer)
@bearer
def get_head(stream: str) -> Response:
    """The last event of a stream: what your next event must name as `previous`."""
    head = services().queries.head(stream, g.party)
    value = {"stream": stream, "sequence": head.sequence, "digest": head.digest}
    return etag(Response(json.dumps(value), 200, content_type="application/json"), head.digest)


@streams.get("/v1/streams/<string:stream>/receipts/<int:sequence>")
@streams.response(200, ReceiptAnswer)
@bearer
def get_receipt(stream: str, sequence: int) -> dict[str, Any]:
    """The receipt of an event that you signed, exactly as it was given first."""
    return services().queries.receipt(stream, sequence, g.party).to_value()


@streams.get("/v1/notices")
@streams.arguments(PageQuery, location="query")
@streams.response(200, NoticePage)
@bearer
def list_notices(query: dict[str, Any]) -> Any:
    """What you have to know: bills received, drafts ready, surrenders to answer, alarms."""
    found = services().queries.notices(g.party, _number(query["cursor"]), query["limit"])
    return page(found.items, found.cursor)


def _number(cursor: str) -> int:
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 15):
        abort(422, description=f"cursor {cursor!r} was not given by {request.path}")
    return int(cursor or 0)
