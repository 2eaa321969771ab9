"""Issuing a bill from the approved draft.

1. The document is the approved version with what only issue makes true: status ISSUED, the date of
   issue, and whether and since when the goods are received or on board. Those days are not asked:
   they are what the signed custody events prove.
2. The first holder is asked, and of the document's parties those that it names by no registered
   code.
3. The browser hashes the text and names the bill by its checksum. With one click and the carrier's
   key it signs the DCSA issuance manifest, the commitment to every field (docs/adr/0038), and the
   event that names both.
4. A document too large for that, or with members that the format reserves, is issued without the
   commitment; the check page says so.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from flask import Blueprint, g, render_template, request

from bol_service.application.documents import parse
from bol_service.application.portal_shipments import ShipmentPage
from bol_service.domain.document import BillKind, DocumentFacts, PartyReference
from bol_service.domain.events import Action
from bol_service.domain.states import PartyState
from bol_service.portal.acts import Makes, check_page
from bol_service.portal.desk import desk
from bol_service.portal.document_members import Json
from bol_service.portal.forms import Answers, Choice, Field, Given, read
from bol_service.portal.language import CORRIDOR, party_name, t
from bol_service.portal.session import signed_in
from bol_service.portal.shipments import not_now, registered, version_content
from bol_service.wire.disclosure import BadDisclosure
from bol_service.wire.disclosure_making import cuts

_DATES: Final = (
    "issueDate",
    "shippedOnBoardDate",
    "receivedForShipmentDate",
    "displayedShippedOnBoardReceivedForShipment",
)
_ON_BOARD, _RECEIVED = "ON_BOARD", "RECEIVED"

blueprint = Blueprint("portal_issuing", __name__)


@blueprint.get("/shipments/<string:shipment>/issue")
@signed_in
def ask(shipment: str) -> str | tuple[str, int]:
    """The questions before issue; or what custody has still to prove."""
    page = desk().drafts.shipment(shipment, g.party)
    if Action.ISSUE not in page.acts or page.facts is None:
        return not_now(page, Action.ISSUE)
    proposed = Given({"issueTo": page.view["shipper"], "shipped": _shipped(page)[0][0]})
    return _form(page, page.facts, proposed, Answers())


@blueprint.post("/shipments/<string:shipment>/issue")
@signed_in
def check(shipment: str) -> str | tuple[str, int]:
    """The check page of ISSUE, or the questions again with what is wrong."""
    page = desk().drafts.shipment(shipment, g.party)
    if Action.ISSUE not in page.acts or page.facts is None:
        return not_now(page, Action.ISSUE)
    given, faults = read(_fields(page, page.facts), request.form)
    if faults:
        return _form(page, page.facts, request.form, Answers(faults=faults)), 422
    document = _issued(page, given["shipped"] == _ON_BOARD)
    text = json.dumps(document, ensure_ascii=False, indent=1)
    return check_page(
        Action.ISSUE,
        "bill:",  # the browser names it by the document's checksum
        after=None,
        details=_details(page, page.facts, given),
        back=f"/portal/shipments/{shipment}",
        makes=Makes(kind="issue", text=text, pieces=_pieces(document)),
    )


def _pieces(document: Json) -> tuple[str, ...]:
    try:
        return cuts(document)
    except BadDisclosure:
        return ()


def _form(page: ShipmentPage, facts: DocumentFacts, given: Given, answers: Answers) -> str:
    shipment = page.view["shipment"]
    if page.proven.received_on is None:
        boxes = ", ".join(page.proven.missing)
        return render_template(
            "portal/act_not_now.html",
            action=Action.ISSUE,
            text=t("issue.not_received", boxes=boxes),
            back=f"/portal/shipments/{shipment}",
            here_words="shipment.see",
        )
    return render_template(
        "portal/act_form.html",
        action=Action.ISSUE,
        explanation=t("explain.ISSUE"),
        back=f"/portal/shipments/{shipment}",
        back_words=page.view["carrierBookingReference"],
        fields=_fields(page, facts),
        given=given,
        faults=answers.faults,
    )


def _shipped(page: ShipmentPage) -> list[Choice]:
    """What custody proves: received always, on board once every container is on one vessel."""
    proven = page.proven
    received: Choice = (_RECEIVED, t("issue.received", day=str(proven.received_on)))
    if proven.loading is None:
        return [received]
    loading = proven.loading
    words = t(
        "issue.on_board",
        day=loading.local_date.isoformat(),
        vessel=loading.vessel,
        voyage=loading.voyage,
    )
    return [(_ON_BOARD, words), received]


def _fields(page: ShipmentPage, facts: DocumentFacts) -> tuple[Field, ...]:
    parties = registered()
    barred = {g.party}
    everybody = tuple(
        (slug, f"{party_name(one, slug)} ({slug})")
        for slug, one in parties.items()
        if slug not in barred
    )
    rulebook = _rulebook()
    consenting = tuple(choice for choice in everybody if rulebook in parties[choice[0]].rulebooks)
    if facts.kind is BillKind.STRAIGHT:
        own = {page.view["shipper"], _slug(facts.consignee, parties)}
        consenting = tuple(choice for choice in consenting if choice[0] in own)
    unknown = tuple(
        Field(name=f"parties.{member}", kind="choice", choices=everybody)
        for member, reference in _named(facts).items()
        if reference is not None and _slug(reference, parties) is None
    )
    return (
        Field(name="shipped", kind="choice", choices=_shipped(page)),
        Field(name="issueTo", kind="choice", choices=consenting),
        *unknown,
    )


def _named(facts: DocumentFacts) -> dict[str, PartyReference | None]:
    title = facts.consignee if facts.kind is BillKind.STRAIGHT else facts.endorsee
    return {"consignee": facts.consignee, "titleHolder": title}


def _slug(reference: PartyReference | None, parties: dict[str, PartyState]) -> str | None:
    """The registered party that a document means: one of its codes agrees, and none contradicts."""
    if reference is None:
        return None
    for slug, party in parties.items():
        own = {"SLUG": slug, **{one.type: one.value for one in party.identity.identifiers}}
        comparable = [(kind, value) for kind, value in reference.codes if kind in own]
        if comparable and all(own[kind] == value for kind, value in comparable):
            return slug
    return None


def _issued(page: ShipmentPage, on_board: bool) -> Json:
    document = parse(version_content(page, page.view["version"]))
    for member in _DATES:
        document.pop(member, None)
    document["transportDocumentStatus"] = "ISSUED"
    document["isShippedOnBoardType"] = on_board
    document["issueDate"] = desk().clock.now().astimezone(CORRIDOR).date().isoformat()
    if on_board and page.proven.loading is not None:
        document["shippedOnBoardDate"] = page.proven.loading.local_date.isoformat()
    elif page.proven.received_on is not None:
        document["receivedForShipmentDate"] = page.proven.received_on.isoformat()
    return document


def _details(page: ShipmentPage, facts: DocumentFacts, given: dict[str, Any]) -> Json:
    parties = registered()
    named: Json = {"shipper": page.view["shipper"]}
    for member, reference in _named(facts).items():
        if reference is not None:
            named[member] = _slug(reference, parties) or given[f"parties.{member}"]
    told = [_slug(reference, parties) for reference in facts.notify]
    notify = [slug for slug in told if slug is not None]
    if notify:
        named["notify"] = notify
    holder = given["issueTo"]
    code = desk().platform_code
    return {
        "shipment": page.view["shipment"],
        "issueTo": holder,
        "issueToParty": {
            "partyName": parties[holder].identity.legal_name,
            "sendToPlatform": code,
            "identifyingCodes": [
                {
                    "codeListProvider": "ZZZ",
                    "codeListName": f"{code}-PARTY",
                    "partyCode": holder,
                }
            ],
        },
        "parties": named,
        "rulebook": _rulebook(),
    }


def _rulebook() -> str:
    return hashlib.sha256(desk().rulebook).hexdigest()
