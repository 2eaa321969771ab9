"""English or 中文: which one, its words, and how times, dates and names are written in it.

1. The language is the cookie's, else the browser's first wish among the two.
2. Times are stored in UTC and shown at UTC+8, the zone of the whole corridor, with UTC in the
   title; a script writes them in the reader's own zone where that is another one.
3. A party is shown by both its names where it has two, that of the language first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from flask import g, request
from markupsafe import Markup, escape

from bol_service.domain.identifiers import is_foreign
from bol_service.domain.states import PartyState
from bol_service.portal.words import CHINESE, ENGLISH, NEXT_STEPS
from bol_service.wire.event_fields import instant, instant_text

COOKIE: Final = "ebl-language"
LANGUAGES: Final[Mapping[str, Mapping[str, str]]] = {"en": ENGLISH, "zh": CHINESE}
CORRIDOR: Final = timezone(timedelta(hours=8))
_MONTHS: Final = (
    *("JAN", "FEB", "MAR", "APR", "MAY", "JUN"),
    *("JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
)


def language() -> str:
    """`en` or `zh`."""
    if "language" not in g:
        wished = request.cookies.get(COOKIE, "")
        known = wished if wished in LANGUAGES else None
        g.language = known or request.accept_languages.best_match(list(LANGUAGES)) or "en"
    return str(g.language)


def t(key: str, **values: object) -> str:
    """The words for `key` in the reader's language; raises KeyError for a key nobody wrote."""
    text = LANGUAGES[language()][key]
    return text.format(**values) if values else text


def code_word(area: str, code: object) -> str:
    """The words for a code of the wire, or the code itself where it has none yet."""
    return LANGUAGES[language()].get(f"{area}.{code}", str(code))


def finding_word(check: object, code: object) -> str:
    """The words for a finding; of disclosed fields some codes have words of their own."""
    words = LANGUAGES[language()]
    return words.get(f"finding.{check}.{code}") or code_word("finding", code)


def next_step(step: str) -> Markup:
    """What a finding asks for, in the reader's language; English, and marked so, if need be."""
    if language() == "en":
        return escape(step)
    if step in NEXT_STEPS:
        return escape(NEXT_STEPS[step])
    named = re.fullmatch(r"Use the trust file of (.*)\.", step)
    if named is not None:
        return escape(t("verify.trust_of", origin=named[1]))
    placed = re.fullmatch(r"Get evidence of the bill at (.*) and verify both together\.", step)
    if placed is not None:
        return escape(t("verify.evidence_of", place=placed[1]))
    return Markup('<span lang="en">{}</span>').format(step)


def moment(value: str | datetime | None) -> Markup | str:
    """A `<time>` of an instant; nothing for None."""
    if value is None:
        return ""
    at = instant(value) if isinstance(value, str) else value.astimezone(UTC)
    shown = f"{at.astimezone(CORRIDOR):%Y-%m-%d %H:%M} (UTC+8)"
    title = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(instant_text(at), title, shown)


def day(value: str | date | None) -> str:
    """A local date: 05 MAR 2027 or 2027年3月5日."""
    if value is None:
        return ""
    found = date.fromisoformat(value) if isinstance(value, str) else value
    if language() == "zh":
        return f"{found.year}年{found.month}月{found.day}日"
    return f"{found.day:02d} {_MONTHS[found.month - 1]} {found.year}"


def party_name(party: PartyState | None, slug: str) -> str:
    """Both names of a registered party, or the slug alone."""
    if party is None:
        return slug
    own, local = party.identity.legal_name, party.identity.legal_name_local
    if local is None:
        return own
    return f"{local} · {own}" if language() == "zh" else f"{own} · {local}"


def namer(names: Mapping[str, PartyState]) -> Callable[[str | None], str]:
    """How a page that knows these parties writes one; nobody is a dash, and of a party of another
    platform its name there is told."""

    def written(slug: str | None) -> str:
        if not slug:
            return "—"
        if is_foreign(slug):
            platform, _, name = slug.partition(":")
            return t("parties.abroad", name=name, platform=platform)
        return party_name(names.get(slug), slug)

    return written


def pretty(value: object) -> str:
    """A JSON value, indented, for people."""
    return json.dumps(value, ensure_ascii=False, indent=2)
