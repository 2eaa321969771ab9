"""Data of natural persons in the free text of a transport document (DR-03).

A bill of lading wants companies and role mailboxes. Whoever writes "call Mr Li, 138..." into the
description of the goods sends personal data to every later reader of the bill, and over the border,
where Chinese law asks for a ground of its own (PIPL art. 38, 39). What is looked for:

- e-mail address: any;
- telephone number: a Chinese mobile number, a number after its country's `+` code, or seven digits
  and more after a word such as "tel" or 电话;
- resident ID of the People's Republic: 18 characters, a real date of birth, the right check
  character (ISO 7064 MOD 11-2);
- passport: the Chinese forms, or a number after the word;
- national ID of Singapore (NRIC, FIN): the right check letter.

Only members where people write sentences are read (`classification.FREE_TEXT`) and members that the
standard does not know; the standard's own contact members are there to hold contacts. Widths and
dashes of East Asian writing do not hide a number. What is found is never repeated in a finding, so
that logs and answers do not spread it. Every form is bounded: no text takes more than a moment.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import islice
from typing import Final

from bol_service.wire.field_classes import leaves


class PersonalKind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    RESIDENT_ID = "resident-id"
    PASSPORT = "passport"
    NATIONAL_ID = "national-id"


@dataclass(frozen=True, kw_only=True)
class PersonalData:
    """A finding; `length` is how many characters of the text look like `kind`."""

    pointer: str
    kind: PersonalKind
    length: int

    @property
    def message(self) -> str:
        return (
            f"holds {self.length} characters that look like {_WORDS[self.kind]}; name the company "
            "or a role mailbox, or use the members for contacts"
        )


_MOST: Final = 100
_WORDS: Final = {
    PersonalKind.EMAIL: "an e-mail address",
    PersonalKind.PHONE: "a telephone number",
    PersonalKind.RESIDENT_ID: "a resident ID number of China",
    PersonalKind.PASSPORT: "a passport number",
    PersonalKind.NATIONAL_ID: "a national ID number of Singapore",
}
_ALONE = r"(?<![0-9A-Za-z]){}(?![0-9A-Za-z])"
_PASSPORT_FORM: Final = r"(?:[EG][0-9]{8}|E[A-HJ-NP-Z][0-9]{7})"
_FORMS: Final = (
    (
        PersonalKind.EMAIL,
        r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}"
        r"@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,24}",
    ),
    (PersonalKind.RESIDENT_ID, _ALONE.format("([1-9][0-9]{16}[0-9Xx])")),
    (PersonalKind.NATIONAL_ID, _ALONE.format("([STFGM][0-9]{7}[A-Z])")),
    (PersonalKind.PASSPORT, _ALONE.format(_PASSPORT_FORM)),
    (
        PersonalKind.PASSPORT,
        r"(?i:passport|护照)[^0-9A-Za-z\n]{0,4}(?i:no\.?|number|号码?)?[^0-9A-Za-z\n]{0,4}"
        r"(?=[A-Z0-9]{0,7}[0-9]{5})[A-Z0-9]{6,12}(?![0-9A-Za-z])",
    ),
    (PersonalKind.PHONE, _ALONE.format(r"1[3-9][0-9](?:[ -]?[0-9]{4}){2}")),
    (PersonalKind.PHONE, r"(?<![0-9A-Za-z])\+[1-9](?:[ ()./-]{0,2}[0-9]){7,14}(?![0-9A-Za-z])"),
    (
        PersonalKind.PHONE,
        r"(?:(?<![A-Za-z])(?i:tel|phone|mobile|mob|cell|fax|whatsapp|wechat)(?![A-Za-z])"
        r"|电话|手机|联系方式|传真|微信)"
        r"[^0-9A-Za-z\n]{0,4}(?i:no\.?)?[^0-9A-Za-z\n]{0,4}(?:[0-9][ ()./-]{0,2}){6,14}[0-9]",
    ),
)
_PATTERNS: Final = tuple((kind, re.compile(form)) for kind, form in _FORMS)
_DASHES: Final = str.maketrans(dict.fromkeys("‐‑‒–—−·・", "-"))
_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS: Final = "10X98765432"
_NRIC_WEIGHTS: Final = (2, 7, 6, 5, 4, 3, 2)
_NRIC_CHECKS: Final = {
    "S": (0, "JZIHGFEDCBA"),
    "T": (4, "JZIHGFEDCBA"),
    "F": (0, "XWUTRQPNMLK"),
    "G": (4, "XWUTRQPNMLK"),
    "M": (3, "XWUTRQPNJLK"),
}


def personal_data(document: object) -> list[PersonalData]:
    """What looks like personal data in the free text of a document, in the document's order; the
    first hundred places at most."""
    found = (
        PersonalData(pointer=leaf.pointer, kind=kind, length=length)
        for leaf in leaves(document)
        if leaf.free_text
        for kind, length in _in_text(_readable(leaf.value))
    )
    return list(islice(found, _MOST))


def _readable(value: object) -> str:
    """A bare number may be a telephone number too, where the standard knows no number."""
    if isinstance(value, str):
        return unicodedata.normalize("NFKC", value).translate(_DASHES)
    return str(value) if type(value) is int else ""


def _in_text(text: str) -> Iterator[tuple[PersonalKind, int]]:
    """Each place once: what an earlier form has found is not found again by a later one."""
    taken: list[tuple[int, int]] = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < other_end and other < end for other, other_end in taken):
                continue
            if _is_real(kind, match.group()):
                taken.append((start, end))
                yield kind, end - start


def _is_real(kind: PersonalKind, found: str) -> bool:
    if kind is PersonalKind.RESIDENT_ID:
        return _is_resident_id(found.upper())
    return kind is not PersonalKind.NATIONAL_ID or _is_national_id(found)


def _is_resident_id(number: str) -> bool:
    """GB 11643: six digits of place, date of birth, three of order, one check character."""
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number, strict=False))
    return born.year >= 1880 and _ID_CHECKS[total % 11] == number[17]


def _is_national_id(number: str) -> bool:
    offset, letters = _NRIC_CHECKS[number[0]]
    digits = (int(digit) for digit in number[1:8])
    total = offset + sum(
        weight * digit for weight, digit in zip(_NRIC_WEIGHTS, digits, strict=True)
    )
    return letters[total % 11] == number[8]
