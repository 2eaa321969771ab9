"""The fast way to canonical bytes writes what the reference writes, and what is read back."""

from __future__ import annotations

import contextlib
import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from bol_service.crypto.plaindocument import plain_document
from bol_service.crypto.strictjson import (
    BadJson,
    canonical,
    loads_document,
    loads_event,
    plain_event,
)
from bol_service.crypto.text import check_strings, check_text

SAFE = st.integers(1 - 2**53, 2**53 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
DOUBLES = st.floats(-(2.0**53) + 1, 2.0**53 - 1)


def values(scalars):
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
        max_leaves=20,
    )


EVENTS = values(st.none() | st.booleans() | SAFE | TEXT)
DOCUMENTS = values(st.none() | st.booleans() | SAFE | TEXT | DOUBLES)


@given(DOCUMENTS)
def test_canonical_bytes_equal_the_reference(value):
    assert canonical(value) == rfc8785.dumps(value)


@given(EVENTS)
def test_canonical_bytes_of_an_event_are_read_back_unchanged(value):
    assert loads_event(canonical(value)) == value
    assert canonical(loads_event(json.dumps(value).encode())) == canonical(value)


ASCII = st.text(st.characters(codec="ascii"), max_size=12)
PLAIN = st.dictionaries(ASCII, values(st.none() | st.booleans() | SAFE | ASCII), max_size=4)


@given(PLAIN, st.integers(0, 400), st.integers(0, 2), st.sampled_from('{}[]":,.019eE-+\\ u\n\x7fü'))
def test_the_short_cut_reads_nothing_that_a_closer_look_would_refuse(value, place, taken, sign):
    data = canonical(value)
    place %= len(data) + 1
    data = data[:place] + sign.encode() + data[place + taken :]
    found = plain_event(data)
    if found is not None:
        assert found == loads_event(data)
        assert canonical(found) == data
        check_strings(found)


OBJECTS = st.dictionaries(TEXT, DOCUMENTS, max_size=4)
WRITTEN = st.builds(
    lambda value, ascii_only, gap: json.dumps(
        value, ensure_ascii=ascii_only, separators=(f",{gap}", f"{gap}:{gap}")
    ).encode(),
    OBJECTS,
    st.booleans(),
    st.sampled_from(["", " ", "\n\t"]),
)
SLIPS = st.sampled_from(
    [
        *("", "{}", "[]", '"', ":", ",", "0", "-", ".5", "e9", "NaN", "[1.0]", "12345678901234567"),
        *('"a":1,"a":2,', '"a":', "\\", "\\u003a", "\x01", "ü", "\U0001f600", "\ufeff"),
    ]
)


@given(WRITTEN, st.integers(0, 400), st.integers(0, 2), SLIPS)
def test_the_short_cut_reads_of_a_document_what_a_closer_look_reads(data, place, taken, slip):
    place %= len(data) + 1
    data = data[:place] + slip.encode() + data[place + taken :]
    found = plain_document(data, 32)
    if found is not None:
        assert found.canonical == rfc8785.dumps(loads_document(data)) == canonical(found.value)


@given(OBJECTS)
def test_the_short_cut_leaves_members_out_before_it_writes(value):
    found = plain_document(json.dumps(value).encode(), 32)
    if found is not None:
        kept = {name: member for name, member in found.value.items() if not name.isascii()}
        assert found.canonical_without(set(value) - set(kept)) == canonical(kept)


@given(DOCUMENTS)
def test_canonical_bytes_of_a_document_are_a_fixed_point(value):
    assert canonical(loads_document(canonical(value))) == canonical(value)


@given(st.binary(max_size=60) | TEXT.map(str.encode))
def test_bytes_are_read_or_refused_and_nothing_else(data):
    for loads in (loads_event, loads_document):
        with contextlib.suppress(BadJson):
            canonical(loads(data))


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_document_keeps_a_decimal_or_refuses_it(number):
    literal = f"{number:E}"
    try:
        kept = loads_document(literal.encode())
    except BadJson:
        return
    assert number == number.__class__(repr(kept))


@given(st.text(max_size=20))
def test_text_that_may_be_signed_survives_every_reader(value):
    try:
        check_text(value)
    except ValueError:
        return
    assert loads_event(canonical(value)) == value


@given(st.text(st.characters(categories=["Cc", "Cs"]), min_size=1, max_size=3))
def test_no_control_or_surrogate_is_ever_signed(value):
    with pytest.raises(ValueError, match=r"control character|surrogate"):
        check_text(value)
