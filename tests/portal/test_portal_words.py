"""Both languages say the same things, and every word that a page asks for is there."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from bol_service.application.bill_files import KIND_SUPPORTING, KIND_VISUALISATION
from bol_service.application.exchange_ports import Stage as ExchangeStage
from bol_service.application.registrations import Standing
from bol_service.domain.access import Relation
from bol_service.domain.classification import PURPOSES
from bol_service.domain.document import BillKind
from bol_service.domain.events import Action, ExchangeEvent, Leg, Role
from bol_service.domain.states import DraftStatus, Place, Status
from bol_service.http.codes import CATALOGUE, WEBHOOK
from bol_service.portal.disclosing import MARKED
from bol_service.portal.document_changes import PARTS
from bol_service.portal.document_questions import OF_BOX, OF_DOCUMENT, OF_GOODS, OF_PARTY, ROLES
from bol_service.portal.evidence_abroad import FAULTS
from bol_service.portal.words import CHINESE, ENGLISH
from bol_service.verification.disclosure_report import Step
from bol_service.verification.report import Check, Outcome, Verdict
from bol_service.wire.personal_data import PersonalKind

PORTAL = Path(__file__).parents[2] / "bol_service" / "portal"
# The platform itself signs what crosses the border; everything else a browser can sign.
SIGNABLE = set(Action) - {kind.action for kind in get_args(ExchangeEvent)}
FAMILIES = {
    "action": SIGNABLE,
    "draftstate": {*DraftStatus, "ISSUED"},
    "draftsays": {*DraftStatus, "ISSUED"},
    "leg": set(Leg),
    "personal": set(PersonalKind),
    "standing": set(Standing),
    "departure": set(ExchangeStage),
    "part": {*PARTS, "container", "goods"},
    "done": set(Action),
    "says": SIGNABLE,
    "status": set(Status),
    "state": set(Status),
    "place": set(Place),
    "type": set(BillKind),
    "relation": set(Relation),
    "role": set(Role),
    "check": {*Check, *Step},
    "outcome": set(Outcome),
    "disclose": {
        *(f"for.{purpose}{part}" for purpose in PURPOSES for part in ("", ".text", ".button")),
        *(f"mark.{kind}" for kind in MARKED),
    },
    "abroad": {f"fault.{why}{part}" for why in FAULTS for part in ("", ".next")},
    "files": {f"role.{role}" for role in (KIND_VISUALISATION, KIND_SUPPORTING)},
    "verdict": {verdict.name for verdict in Verdict},
}
# Codes that only other doors than the signing page answer with.
ELSEWHERE = {
    *("method_not_allowed", "not_acceptable", "invalid_query", "bad_document", "busy", "internal"),
    *(
        "too_many_requests",
        "uncertain",
        "unavailable",
        "log_not_witnessed",
        "not_signed_by_log",
        "inconsistent_checkpoint",
        "not_in_log",
        *(entry.code for entry in WEBHOOK),
    ),
}


def test_the_languages_have_the_same_keys() -> None:
    assert ENGLISH.keys() == CHINESE.keys()


def test_the_languages_fill_in_the_same_blanks() -> None:
    def blanks(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}

    assert not [key for key in ENGLISH if blanks(ENGLISH[key]) != blanks(CHINESE[key])]


def test_no_word_is_empty_and_chinese_is_chinese() -> None:
    assert not [key for words in (ENGLISH, CHINESE) for key, text in words.items() if not text]
    latin = [key for key, text in CHINESE.items() if not re.search("[\u4e00-\u9fff]", text)]
    assert latin == ["rulebook.digest"]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_code_of_a_family_has_words(family: str) -> None:
    assert {f"{family}.{code}" for code in FAMILIES[family]} <= ENGLISH.keys()


def test_every_question_of_a_draft_has_words() -> None:
    wanted = {f"draft.{one.name}" for questions in OF_DOCUMENT.values() for one in questions}
    wanted |= {f"draft.party.{one.name}" for one in OF_PARTY}
    wanted |= {f"draft.goods.{one.name}" for one in OF_GOODS}
    wanted |= {f"draft.box.{one.name}" for one in OF_BOX}
    wanted |= {f"draft.role.{role}" for role in ROLES}
    wanted |= {
        f"draft.section.{section}" for section in (*OF_DOCUMENT, "parties", "goods", "boxes")
    }
    questions = (*(one for some in OF_DOCUMENT.values() for one in some), *OF_BOX)
    wanted |= {f"draft.choice.{code}" for one in questions for code in one.choices}
    assert wanted <= ENGLISH.keys()


def test_every_refusal_that_a_signature_can_meet_has_a_title_and_a_next_step() -> None:
    codes = CATALOGUE.keys() - ELSEWHERE
    wanted = {f"refusal.{code}{part}" for code in codes for part in ("", ".next")}
    assert wanted <= ENGLISH.keys()


def test_every_word_that_a_page_or_script_asks_for_is_there() -> None:
    sources = [*PORTAL.rglob("*.html"), *PORTAL.rglob("*.js"), *PORTAL.rglob("*.py")]
    asked = {
        key
        for source in sources
        for key in re.findall(r"\bt\(f?[\"']([a-z_]+\.[A-Za-z_.]+)[\"']", source.read_text("utf-8"))
        if not key.endswith(".")
    }
    assert len(asked) > 150
    assert asked <= ENGLISH.keys()


def test_no_page_bears_script_or_style_within_it() -> None:
    """The content policy would block it; here it is found before a browser has to."""
    for page in PORTAL.rglob("*.html"):
        text = page.read_text("utf-8")
        assert not re.search(r"\son[a-z]+=|\sstyle=|<style|javascript:|\|safe", text), page
        inline = re.findall(r"<script(?![^>]*(src=|type=\"application/json\"))", text)
        assert not inline, page
