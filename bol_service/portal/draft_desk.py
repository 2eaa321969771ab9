"""Writing a document: the form, the sheet, the import, for drafts and for shipping instructions.

1. The carrier writes drafts, the shipper's side instructions; the same form asks both, without what
   is the carrier's alone.
2. A JSON file becomes the draft byte for byte and is not written again; a sheet fills in the form.
3. The check page is given the document's very text. The browser hashes it, uploads it and signs the
   digests that it computed itself.
"""

from __future__ import annotations

import json
from typing import Any, Final

from flask import Blueprint, Response, g, render_template, request

from bol_service.application.documents import parse
from bol_service.domain import errors
from bol_service.portal import document_form, spreadsheet
from bol_service.portal.acts import Again, Makes, check_page
from bol_service.portal.desk import desk
from bol_service.portal.document_form import MAX_LINES
from bol_service.portal.document_members import Json
from bol_service.portal.document_questions import (
    KIND,
    OF_BOX,
    OF_DOCUMENT,
    OF_GOODS,
    OF_PARTY,
    ROLES,
    Section,
)
from bol_service.portal.download import download
from bol_service.portal.draft_work import Work, begun, work_of, written_of
from bol_service.portal.forms import Given
from bol_service.portal.language import LANGUAGES, language, namer, party_name, t
from bol_service.portal.session import signed_in
from bol_service.portal.shipments import not_now, registered
from bol_service.wire.personal_data import personal_data
from bol_service.wire.transport_document import Problem, problems

MAX_JSON: Final = 1_000_000
_SPARE: Final = 1
_ASKED_FOR: Final = 3
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Faults = dict[str, list[Problem]]

blueprint = Blueprint("portal_draft_desk", __name__)


@blueprint.get("/shipments/<string:shipment>/<any(draft, instructions):what>")
@signed_in
def ask(shipment: str, what: str) -> str | tuple[str, int]:
    """The form, filled with what is known."""
    work = work_of(shipment, what)
    if work.action not in work.page.acts:
        return not_now(work.page, work.action)
    return _form(work, begun(work), {})


@blueprint.post("/shipments/<string:shipment>/<any(draft, instructions):what>")
@signed_in
def check(shipment: str, what: str) -> str | tuple[str, int]:
    """The check page; or the form again, with more lines or with what is wrong."""
    work = work_of(shipment, what)
    if work.action not in work.page.acts:
        return not_now(work.page, work.action)
    given = request.form
    if given.get("do") in ("goods", "box"):
        return _form(work, given, {}, more=given["do"])
    if given.get("do") == "edit":
        return _form(work, given, {})
    written = written_of(work, given)
    found = document_form.faults(written, whole=work.is_draft)
    if not work.is_draft and not given.get("instructions", "").strip():
        missing = Problem(pointer="", rule="required", message="is missing; add it")
        found.setdefault("instructions", []).append(missing)
    if found:
        return _form(work, given, found), 422
    text = json.dumps(written.document, ensure_ascii=False, indent=1)
    again = Again(action=work.path, answers=given)
    return _check(work, text, written.document, again)


@blueprint.post("/shipments/<string:shipment>/<any(draft, instructions):what>/import")
@signed_in
def take_file(shipment: str, what: str) -> str | tuple[str, int]:
    """A JSON document goes to the check page as it is; a sheet fills in the form."""
    work = work_of(shipment, what)
    if work.action not in work.page.acts:
        return not_now(work.page, work.action)
    file = request.files.get("file")
    content = file.stream.read(MAX_JSON + 1) if file else b""
    if not content:
        return _form(work, begun(work), {}, refused=t("sheet.missing")), 422
    if len(content) > MAX_JSON:
        return _form(work, begun(work), {}, refused=t("sheet.too_large")), 422
    if content[:2] == b"PK":
        return _take_sheet(work, content)
    return _take_json(work, content)


@blueprint.get("/shipments/<string:shipment>/<any(draft, instructions):what>.xlsx")
@signed_in
def sheet(shipment: str, what: str) -> Response | tuple[str, int]:
    """The form as an Excel sheet, filled with what is known."""
    work = work_of(shipment, what)
    if work.action not in work.page.acts:
        return not_now(work.page, work.action)
    words = LANGUAGES[language()]
    content = spreadsheet.write(begun(work), lambda key: words[key])
    return download(content, _XLSX, f"{what}-{work.shipment[:8]}.xlsx")


# -- files ---------------------------------------------------------------------------------------


def _take_sheet(work: Work, content: bytes) -> str | tuple[str, int]:
    desk().rates.sheet_by(g.party)
    try:
        given = spreadsheet.read(content)
    except spreadsheet.SheetError as error:
        text = t(f"sheet.{error.key}")
        said = " ".join(part for part in (error.cell, text, error.detail) if part)
        return _form(work, begun(work), {}, refused=said), 422
    found = document_form.faults(written_of(work, given), whole=work.is_draft)
    return _form(work, given, found, note=t("sheet.taken"))


def _take_json(work: Work, content: bytes) -> str | tuple[str, int]:
    try:
        text, value = content.decode("utf-8"), parse(content)
    except (UnicodeDecodeError, errors.BadEvent) as error:
        refused = f"{t('sheet.no_json')} {error}"
        return _form(work, begun(work), {}, refused=refused), 422
    if not work.is_draft:
        return _check(work, text, value, None)
    found = problems(value)
    if value.get("transportDocumentStatus") != "DRAFT":
        status = Problem(
            pointer="/transportDocumentStatus",
            rule="draft",
            message=f"is {value.get('transportDocumentStatus')!r}; a draft says DRAFT",
        )
        found = [status, *found]
    if found:
        return _form(work, begun(work), {}, broken=found), 422
    return _check(work, text, value, None)


# -- pages ---------------------------------------------------------------------------------------


def _check(work: Work, text: str, value: Json, again: Again | None) -> str:
    details: Json = {}
    if work.is_draft:
        details["version"] = work.version
    else:
        number = value.get("shippingInstructionsReference")
        details["shippingInstructionsReference"] = str(number or work.page.view["shipment"])[:100]
    return check_page(
        work.action,
        f"draft:{work.shipment}",
        after=work.page.head,
        details=details,
        back=f"/portal/shipments/{work.shipment}",
        makes=Makes(kind=work.what, text=text),
        again=again,
        warnings=_personal(value) if work.is_draft else (),
    )


def _personal(document: Json) -> list[str]:
    """What looks like personal data in a text that every later reader of the bill sees (DR-03)."""
    return [
        t("personal.found", place=one.pointer, kind=t(f"personal.{one.kind}"))
        for one in personal_data(document)
    ]


def _form(
    work: Work,
    given: Given,
    faults: Faults,
    *,
    more: str = "",
    refused: str = "",
    note: str = "",
    broken: list[Problem] | None = None,
) -> str:
    parties = registered()
    return render_template(
        "portal/draft_form.html",
        work=work,
        view=work.page.view,
        sections=_sections(work),
        kind=KIND,
        roles=[role for role in ROLES if role != "carrier" or work.is_draft],
        of_party=OF_PARTY,
        of_goods=OF_GOODS,
        of_box=OF_BOX,
        goods=_numbers(given, "goods", more),
        boxes=_numbers(given, "box", more),
        goods_count=max(1, len(document_form.line_numbers(given, "goods"))),
        given=given,
        faults=faults,
        broken=broken or [],
        refused=refused,
        note=note,
        choices=_parties(parties),
        name=namer(work.page.names),
        field_words=_field_words,
    )


def _field_words(field: str) -> str:
    """How a fault names the question that it is about."""
    parts = field.split("-")
    if len(parts) == 3:
        line = t(f"draft.{parts[0]}_no", number=int(parts[1]) + 1)
        return f"{line}, {t(f'draft.{parts[0]}.{parts[2]}')}"
    if len(parts) == 2:
        return f"{t(f'draft.role.{parts[0]}')}, {t(f'draft.party.{parts[1]}')}"
    return t(f"draft.{field}")


def _sections(work: Work) -> list[tuple[str, list[Any]]]:
    found = []
    for section in (Section.BILL, Section.ROUTE, Section.TERMS):
        asked = [one for one in OF_DOCUMENT[section] if work.is_draft or not one.by_carrier]
        found.append((str(section), asked))
    return found


def _numbers(given: Given, prefix: str, more: str) -> list[int]:
    present = document_form.line_numbers(given, prefix)
    spare = _ASKED_FOR if more == prefix else 0
    first = max(present, default=-1) + 1
    wanted = spare if present else max(spare, _SPARE)
    return [*present, *(number for number in range(first, first + wanted) if number < MAX_LINES)]


def _parties(parties: Any) -> list[tuple[str, str]]:
    return [(slug, f"{party_name(one, slug)} ({slug})") for slug, one in parties.items()]
