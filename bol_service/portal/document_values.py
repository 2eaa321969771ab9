"""One answer of a form as it stands in a document."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from bol_service.portal.document_questions import LINE_WIDTH, Kind, Question


def value_of(question: Question, typed: str) -> Any:
    """What an answer is in the document; what is no number stays text, and breaks its rule."""
    text = unicodedata.normalize("NFC", typed).replace("\r\n", "\n").strip()
    match question.kind:
        case Kind.LINES:
            return list(_wrapped(text, question)) if text else []
        case Kind.LIST:
            return text.replace(",", " ").replace(";", " ").split()
        case Kind.NUMBER | Kind.COUNT:
            return _number(text)
        case Kind.LONG:
            return text
        case _:
            return " ".join(text.split())


def _wrapped(text: str, question: Question) -> Iterator[str]:
    short = question.name not in ("clauses",)
    for line in text.split("\n"):
        tidy = " ".join(line.split())
        if short and len(tidy) > LINE_WIDTH:
            yield from textwrap.wrap(tidy, LINE_WIDTH)
        elif tidy:
            yield tidy


def _number(text: str) -> int | float | str:
    plain = text.replace(",", "").replace(" ", "")
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", plain):
        return text
    exact = Decimal(plain)
    return int(exact) if exact == exact.to_integral_value() else float(exact)
