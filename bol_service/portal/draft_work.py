"""A draft or instructions being written: what they start from, and what the answers make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import g

from bol_service.application.documents import parse
from bol_service.application.portal_shipments import ShipmentPage
from bol_service.domain.events import Action
from bol_service.portal import document_answers, document_form
from bol_service.portal.desk import desk
from bol_service.portal.document_form import Around, Written
from bol_service.portal.document_members import Json
from bol_service.portal.forms import Given
from bol_service.portal.session import me
from bol_service.portal.shipments import registered, version_content

_RECENT: Final = 20
_ACTIONS: Final = {"draft": Action.PUBLISH_DRAFT, "instructions": Action.SUBMIT_INSTRUCTIONS}


@dataclass(frozen=True, kw_only=True)
class Work:
    """One draft or one set of instructions being written."""

    what: str
    page: ShipmentPage

    @property
    def shipment(self) -> str:
        return str(self.page.view["shipment"])

    @property
    def action(self) -> Action:
        return _ACTIONS[self.what]

    @property
    def path(self) -> str:
        return f"/portal/shipments/{self.shipment}/{self.what}"

    @property
    def is_draft(self) -> bool:
        return self.what == "draft"

    @property
    def version(self) -> int:
        return int(self.page.view.get("version", 0)) + 1


def work_of(shipment: str, what: str) -> Work:
    return Work(what=what, page=desk().drafts.shipment(shipment, g.party))


def written_of(work: Work, given: Given) -> Written:
    around = Around(
        booking=work.page.view["carrierBookingReference"],
        parties=registered(),
        platform_code=desk().platform_code,
        carrier=me() if work.is_draft else None,
    )
    fixed = Given(given)
    fixed["shipper-party"] = work.page.view["shipper"]
    fixed["carrier-party"] = work.page.view["carrier"]
    return document_form.write(fixed, base_of(work), around)


def base_of(work: Work) -> Json:
    """The document that a new one is written over: the version before, or nothing."""
    if work.is_draft and work.page.versions:
        content = version_content(work.page, work.page.versions[-1].number)
        document = parse(content)
        # Dates come with issue, whatever an imported draft said of them.
        for member in ("issueDate", "shippedOnBoardDate", "receivedForShipmentDate"):
            document.pop(member, None)
        return document
    if not work.is_draft and work.page.instructions is not None:
        return parse(work.page.instructions.content)
    return {}


def begun(work: Work) -> Given:
    base = base_of(work)
    if base:
        return document_answers.of_document(base)
    instructions = work.page.instructions
    recent = desk().drafts.recent(g.party, _RECENT) if work.is_draft else []
    start = document_answers.Start(
        view=work.page.view,
        names=work.page.names,
        instructions=parse(instructions.content) if instructions and work.is_draft else None,
        recent=tuple(recent),
    )
    return document_answers.first(start)
