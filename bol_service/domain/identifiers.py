"""Names and numbers of the trade: who, what, where, and under which stream.

Check digits (each refuses with the digit that would have been right):
- ISO 6346 container numbers: letters 10..38 without multiples of 11, weights 2^position, modulo 11,
  a remainder of 10 is written 0. Substitutions that differ by 11 (A/K, B/L ...) stay unseen: a good
  check digit is not a proof that the container exists.
- IMO ship numbers: six digits weighted 7..2, modulo 10.
- LEI, ISO 17442: letters as 10..35, the whole number modulo 97 is 1.
- USCC, GB 32100: 31 symbols, weights 3^position, modulo 31.
- UEN: format only; Singapore does not publish how its check letter is made.

Names of this platform:
- party slug, bill checksum, shipment UUID, ledger origin;
- streams `bill:<bill>`, `draft:<shipment>`, `custody:<shipment>:<container>`, `party:<slug>`.

Every `check_...` returns None or raises `ValueError` telling the value it met and the one it wants.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

_REMEMBERED: Final = 65_536
"""Names of streams that are not checked and put together again: every event names a dozen."""

CONTAINER_FORM: Final = r"[A-Z]{3}[UJZ][0-9]{7}"
IMO_FORM: Final = r"[0-9]{7}"
LEI_FORM: Final = r"[0-9A-Z]{18}[0-9]{2}"
USCC_SYMBOLS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_FORM: Final = rf"[{USCC_SYMBOLS}]{{2}}[0-9]{{6}}[{USCC_SYMBOLS}]{{10}}"
UEN_FORM: Final = r"[0-9]{9}[A-Z]|[0-9]{8}[A-Z]|[TSR][0-9]{2}[A-Z]{2}[0-9]{4}[A-Z]"
UNLOCODE_FORM: Final = r"[A-Z]{2}[A-Z2-9]{3}"
HS_CODE_FORM: Final = r"[0-9]{6,12}"
SLUG_FORM: Final = r"[a-z][a-z0-9-]{1,30}"
BILL_FORM: Final = r"[0-9a-f]{64}"
SHIPMENT_FORM: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
ORIGIN_FORM: Final = (
    r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*"
)
ORIGIN_LENGTH: Final = 255

COUNTRIES: Final = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    ZZ
    """.split()  # noqa: SIM905 - a table of 250 codes reads better than a list
)
"""ISO 3166-1 alpha-2, and ZZ for an unknown country as the DCSA standards write it."""


class StreamKind(StrEnum):
    BILL = "bill"
    DRAFT = "draft"
    CUSTODY = "custody"
    PARTY = "party"


@dataclass(frozen=True, kw_only=True)
class Stream:
    """The parts of a stream's name; `str()` gives the name back."""

    kind: StreamKind
    bill: str | None = None
    shipment: str | None = None
    container: str | None = None
    party: str | None = None

    def __str__(self) -> str:
        parts = (self.kind.value, self.bill, self.shipment, self.container, self.party)
        return ":".join(part for part in parts if part is not None)


def check_container(ref: str) -> None:
    """ISO 6346, four letters with category U, J or Z, six digits, check digit."""
    _check_form(ref, CONTAINER_FORM, "a container number such as CSQU3054383 (ISO 6346)")
    total = sum(_container_value(sign) << place for place, sign in enumerate(ref[:10]))
    _check_digit(ref, ref[10], str(total % 11 % 10), "container number")


def check_imo(number: str) -> None:
    """The seven digits of a ship's IMO number, without the letters IMO."""
    _check_form(number, IMO_FORM, "an IMO ship number of 7 digits such as 9074729")
    total = sum(int(digit) * weight for digit, weight in zip(number, range(7, 1, -1), strict=False))
    _check_digit(number, number[6], str(total % 10), "IMO ship number")


def check_lei(code: str) -> None:
    """Legal entity identifier, ISO 17442."""
    _check_form(code, LEI_FORM, "an LEI of 18 letters or digits and 2 check digits (ISO 17442)")
    wanted = 98 - int("".join(str(int(sign, 36)) for sign in code[:18]) + "00") % 97
    _check_digit(code, code[18:], f"{wanted:02}", "LEI")


def check_uscc(code: str) -> None:
    """China's unified social credit code, GB 32100-2015."""
    _check_form(code, USCC_FORM, "a unified social credit code of 18 characters (GB 32100)")
    total = sum(
        USCC_SYMBOLS.index(sign) * pow(3, place, 31) for place, sign in enumerate(code[:17])
    )
    _check_digit(code, code[17], USCC_SYMBOLS[-total % 31], "unified social credit code")


def check_uen(number: str) -> None:
    """Singapore's unique entity number; its form only, the check letter is not public."""
    _check_form(number, UEN_FORM, "a UEN such as 209912345Z, 53123456A or T08LL1234A")


def check_unlocode(code: str) -> None:
    """The form of a UN/LOCODE; whether the place exists is not known here."""
    _check_form(code, UNLOCODE_FORM, "a UN/LOCODE such as CNCQI (digits 0 and 1 do not occur)")


def check_slug(slug: str) -> None:
    _check_form(slug, SLUG_FORM, "a party's slug such as yunling (2 to 31 of a-z, 0-9 and -)")


def is_foreign(name: str) -> bool:
    """Whether a party is named as one of another platform: `CODE:slug`."""
    return ":" in name


def platform_of(name: str) -> str:
    """The code of the other platform in `CODE:slug`."""
    return name.partition(":")[0]


def check_bill(bill: str) -> None:
    _check_form(bill, BILL_FORM, "a bill's checksum (64 lower-case hexadecimal digits)")


def check_shipment(shipment: str) -> None:
    _check_form(shipment, SHIPMENT_FORM, "a shipment's UUID in lower case")


def check_origin(origin: str) -> None:
    """A ledger's name: host, optional port and path, without scheme, space or plus sign."""
    _check_form(origin, ORIGIN_FORM, "an origin without scheme such as cq.example/ebl")
    if len(origin) > ORIGIN_LENGTH:
        raise ValueError(f"{len(origin)} characters are too long for an origin of {ORIGIN_LENGTH}")


@lru_cache(_REMEMBERED)
def draft_stream(shipment: str) -> str:
    check_shipment(shipment)
    return str(Stream(kind=StreamKind.DRAFT, shipment=shipment))


@lru_cache(_REMEMBERED)
def custody_stream(shipment: str, container: str) -> str:
    check_shipment(shipment)
    check_container(container)
    return str(Stream(kind=StreamKind.CUSTODY, shipment=shipment, container=container))


@lru_cache(_REMEMBERED)
def party_stream(slug: str) -> str:
    check_slug(slug)
    return str(Stream(kind=StreamKind.PARTY, party=slug))


@lru_cache(_REMEMBERED)
def parse_stream(text: str) -> Stream:
    """The stream that `text` names; raises ValueError for anything outside the four forms."""
    match text.split(":"):
        case ["bill", bill]:
            check_bill(bill)
            return Stream(kind=StreamKind.BILL, bill=bill)
        case ["draft", shipment]:
            check_shipment(shipment)
            return Stream(kind=StreamKind.DRAFT, shipment=shipment)
        case ["custody", shipment, container]:
            check_shipment(shipment)
            check_container(container)
            return Stream(kind=StreamKind.CUSTODY, shipment=shipment, container=container)
        case ["party", slug]:
            check_slug(slug)
            return Stream(kind=StreamKind.PARTY, party=slug)
    raise ValueError(
        f"{text!r} names no stream; write bill:<bill>, draft:<shipment>, "
        "custody:<shipment>:<container> or party:<slug>"
    )


def _check_form(value: str, form: str, wanted: str) -> None:
    if re.fullmatch(form, value) is None:
        raise ValueError(f"{value!r} is not {wanted}")


def _check_digit(value: str, found: str, wanted: str, name: str) -> None:
    if found != wanted:
        raise ValueError(
            f"{value} ends in {found}, its check digit would be {wanted}; compare the {name}"
        )


def _container_value(sign: str) -> int:
    value = int(sign, 36)
    return value + (value - 1) // 10 if value > 9 else value
