"""Identifiers of the trade: check digits against an independent library, names of this platform."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import imo as stdnum_imo
from stdnum import iso6346 as stdnum_iso6346
from stdnum.cn import uscc as stdnum_uscc
from stdnum.iso7064 import mod_97_10

from bol_service.domain import identifiers
from bol_service.domain.identifiers import (
    COUNTRIES,
    Stream,
    StreamKind,
    check_bill,
    check_container,
    check_imo,
    check_lei,
    check_origin,
    check_shipment,
    check_slug,
    check_uen,
    check_unlocode,
    check_uscc,
    custody_stream,
    draft_stream,
    parse_stream,
    party_stream,
)

BILL = "0f" * 32
SHIPMENT = "0195c1d4-7a3e-7b1c-9d2f-3a4b5c6d7e8f"
CONTAINER = "XLCU7001127"

Check = Callable[[str], None]

GOOD: list[tuple[Check, str]] = [
    (check_container, "CSQU3054383"),
    (check_container, "XLCU7001127"),
    (check_container, "ZZZU1234564"),
    (check_container, "XLCU7001148"),
    (check_container, "XLCU7001153"),
    (check_imo, "9074729"),
    (check_imo, "9999993"),
    (check_imo, "9999010"),
    (check_imo, "9999125"),
    (check_lei, "ZZZZ00SHIPPERYUNL031"),
    (check_lei, "ZZZZ00CARRIERXLSC065"),
    (check_uscc, "914403001922038216"),
    (check_uscc, "91500112MA60EBL160"),
    (check_uen, "209912345Z"),
    (check_uen, "53123456A"),
    (check_uen, "T08LL1234A"),
    (check_unlocode, "CNCQI"),
    (check_unlocode, "SGSIN"),
    (check_unlocode, "US2NY"),
    (check_slug, "yunling"),
    (check_slug, "a1"),
    (check_slug, "a" * 31),
    (check_bill, BILL),
    (check_shipment, SHIPMENT),
    (check_origin, "cq.example/ebl"),
    (check_origin, "demo.cq.example"),
    (check_origin, "localhost:8080"),
    (check_origin, "a" * 255),
]

BAD: list[tuple[str, Check, str, str]] = [
    ("wrong container check digit", check_container, "CSQU3054384", "its check digit would be 3"),
    ("neighbouring container digit", check_container, "XLCU7001128", "would be 7"),
    ("container of another category", check_container, "CSQA3054383", "ISO 6346"),
    ("container in small letters", check_container, "csqu3054383", "ISO 6346"),
    ("container too short", check_container, "CSQU305438", "ISO 6346"),
    ("container with a line feed", check_container, "CSQU3054383\n", "ISO 6346"),
    ("container with full-width digits", check_container, "CSQU30543８3", "ISO 6346"),
    ("wrong ship check digit", check_imo, "9999994", "its check digit would be 3"),
    ("ship number with its prefix", check_imo, "IMO9074729", "7 digits"),
    ("ship number with Arabic digits", check_imo, "٩074729", "7 digits"),
    ("wrong LEI check digits", check_lei, "ZZZZ00SHIPPERYUNL032", "would be 31"),
    ("LEI too short", check_lei, "ZZZZ00SHIPPERYUNL03", "ISO 17442"),
    ("LEI in small letters", check_lei, "zzzz00shipperyunl031", "ISO 17442"),
    ("wrong USCC check digit", check_uscc, "914403001922038217", "its check digit would be 6"),
    ("USCC with the letter I", check_uscc, "9144030019220382I6", "GB 32100"),
    ("USCC beginning with a sign that no code has", check_uscc, "~14403001922038216", "GB 32100"),
    ("USCC with such a sign further on", check_uscc, "91440300~922038216", "GB 32100"),
    ("USCC with a letter in its region", check_uscc, "91440A001922038216", "GB 32100"),
    ("UEN without its letter", check_uen, "2099123456", "UEN"),
    ("UEN of an unknown series", check_uen, "A08LL1234A", "UEN"),
    ("location with digit zero", check_unlocode, "CNCK0", "UN/LOCODE"),
    ("location with digit one", check_unlocode, "CNCK1", "UN/LOCODE"),
    ("location with a line feed", check_unlocode, "CNCQI\n", "UN/LOCODE"),
    ("slug of one letter", check_slug, "a", "slug"),
    ("slug of 32 letters", check_slug, "a" * 32, "slug"),
    ("slug that begins with a digit", check_slug, "1a", "slug"),
    ("slug with a capital letter", check_slug, "Yunling", "slug"),
    ("slug with a slash", check_slug, "yun/ling", "slug"),
    ("slug with a line feed", check_slug, "yunling\n", "slug"),
    ("slug with NUL", check_slug, "yun\0ling", "slug"),
    ("bill in capital letters", check_bill, BILL.upper(), "64 lower-case"),
    ("bill of 63 digits", check_bill, BILL[1:], "64 lower-case"),
    ("shipment in capital letters", check_shipment, SHIPMENT.upper(), "lower case"),
    ("shipment without hyphens", check_shipment, SHIPMENT.replace("-", ""), "lower case"),
    ("shipment in braces", check_shipment, "{" + SHIPMENT + "}", "lower case"),
    ("empty origin", check_origin, "", "origin"),
    ("origin with a scheme", check_origin, "https://cq.example/ebl", "origin"),
    ("origin with a space", check_origin, "cq.example/e bl", "origin"),
    ("origin with a plus sign", check_origin, "cq.example/e+bl", "origin"),
    ("origin with a line feed", check_origin, "cq.example/ebl\n", "origin"),
    ("origin with a trailing slash", check_origin, "cq.example/", "origin"),
    ("origin of 256 characters", check_origin, "a" * 256, "too long"),
]


@pytest.mark.parametrize(("check", "value"), GOOD)
def test_an_identifier_of_the_right_form_and_digit_is_accepted(check: Check, value: str) -> None:
    check(value)


@pytest.mark.parametrize(
    ("check", "value", "said"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
def test_a_wrong_identifier_is_refused_with_the_value_and_what_is_wanted(
    check: Check, value: str, said: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        check(value)
    if len(value) in range(1, 200):
        assert value in str(refused.value) or repr(value) in str(refused.value)


def test_who_mistypes_is_told_which_number_to_compare() -> None:
    with pytest.raises(ValueError, match="check digit") as refused:
        check_lei("ZZZZ00SHIPPERYUNL032")
    assert str(refused.value).endswith("; compare the LEI")


def test_a_remainder_of_ten_is_written_as_zero() -> None:
    check_container("XLCU7001180")
    with pytest.raises(ValueError, match="its check digit would be 0"):
        check_container("XLCU7001181")


@pytest.mark.parametrize("twin", ["XLCU7001127", "XBCU7001127", "XLMU7001127"])
def test_a_letter_exchanged_for_one_eleven_away_stays_unseen(twin: str) -> None:
    """Known limit of ISO 6346: the check digit finds slips, it does not prove that a box exists."""
    check_container(twin)


@given(
    owner=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3),
    category=st.sampled_from("UJZ"),
    serial=st.integers(0, 999_999),
    digit=st.integers(0, 9),
)
def test_container_numbers_are_judged_as_an_independent_library_judges_them(
    owner: str, category: str, serial: int, digit: int
) -> None:
    number = f"{owner}{category}{serial:06}{digit}"
    assert _accepts(check_container, number) == stdnum_iso6346.is_valid(number)


@given(number=st.from_regex(r"[0-9]{7}", fullmatch=True))
def test_ship_numbers_are_judged_as_an_independent_library_judges_them(number: str) -> None:
    assert _accepts(check_imo, number) == stdnum_imo.is_valid(number)


@given(body=st.from_regex(r"[0-9A-Z]{18}", fullmatch=True), digits=st.integers(0, 99))
def test_leis_are_judged_as_an_independent_library_judges_them(body: str, digits: int) -> None:
    right = f"{body}{mod_97_10.calc_check_digits(body)}"
    check_lei(right)
    assert _accepts(check_lei, f"{body}{digits:02}") == (f"{body}{digits:02}" == right)


@given(
    head=st.from_regex(r"9[1-3][0-9]{6}[0-9A-HJ-NPQRTUWXY]{9}", fullmatch=True),
    sign=st.sampled_from(identifiers.USCC_SYMBOLS),
)
def test_credit_codes_are_judged_as_an_independent_library_judges_them(
    head: str, sign: str
) -> None:
    assert _accepts(check_uscc, head + sign) == stdnum_uscc.is_valid(head + sign)


def test_the_countries_are_the_249_of_iso_3166_and_the_unknown_one() -> None:
    assert len(COUNTRIES) == 250
    assert {"CN", "SG", "ZZ"} <= COUNTRIES


def test_streams_are_named_and_read_back() -> None:
    named = {
        draft_stream(SHIPMENT): Stream(kind=StreamKind.DRAFT, shipment=SHIPMENT),
        custody_stream(SHIPMENT, CONTAINER): Stream(
            kind=StreamKind.CUSTODY, shipment=SHIPMENT, container=CONTAINER
        ),
        party_stream("yunling"): Stream(kind=StreamKind.PARTY, party="yunling"),
    }
    assert list(named) == [
        f"draft:{SHIPMENT}",
        f"custody:{SHIPMENT}:{CONTAINER}",
        "party:yunling",
    ]
    read = {**named, f"bill:{BILL}": Stream(kind=StreamKind.BILL, bill=BILL)}
    for text, stream in read.items():
        assert parse_stream(text) == stream
        assert str(stream) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bill",
        "bill:",
        f"bill:{BILL}\n",
        f" bill:{BILL}",
        f"BILL:{BILL}",
        f"bill:{BILL}:",
        f"bill:{BILL[:-1]}/",
        f"bill:{SHIPMENT}",
        f"draft:{BILL}",
        f"draft:{SHIPMENT}:{CONTAINER}",
        f"custody:{SHIPMENT}",
        f"custody:{SHIPMENT}:XLCU7001128",
        f"custody:x:{CONTAINER}",
        f"custody:{SHIPMENT}:{CONTAINER}\0",
        f"custody:{SHIPMENT}/{CONTAINER}",
        f"custody:{CONTAINER}:{SHIPMENT}",
        "party:../../etc",
        "party:Yunling",
        "party:yunling\n",
        "vessel:9074729",
    ],
)
def test_any_other_text_names_no_stream(text: str) -> None:
    with pytest.raises(ValueError):
        parse_stream(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda: draft_stream("x"),
        lambda: custody_stream("x", CONTAINER),
        lambda: custody_stream(SHIPMENT, "XLCU7001128"),
        lambda: party_stream("X"),
    ],
    ids=["draft", "custody without shipment", "custody of no container", "party"],
)
def test_no_stream_is_named_after_a_wrong_identifier(make: Callable[[], str]) -> None:
    with pytest.raises(ValueError):
        make()


def _accepts(check: Check, value: str) -> bool:
    try:
        check(value)
    except ValueError:
        return False
    return True
