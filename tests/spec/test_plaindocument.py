"""What is not read in passing of documents, and what is."""

from __future__ import annotations

import pytest

from bol_service.crypto.plaindocument import plain_document
from bol_service.crypto.strictjson import canonical, loads_document

NEEDS_A_CLOSER_LOOK = [
    pytest.param(b'{"a":1,"a":2}', id="a member named twice"),
    pytest.param(b'{"a":1,"a":":\\u003a"}', id="a colon that hides that a member is named twice"),
    pytest.param(b'{"a":1,"\\u0061":2}', id="a member named twice, once with an escape"),
    pytest.param(b'{"a":"\\u0000"}', id="NUL"),
    pytest.param(b'{"a":"\\ud83d"}', id="half of a surrogate pair"),
    pytest.param(b'{"a":"\\uDE00"}', id="the other half, in capitals"),
    pytest.param('{"\uff21":1,"\U0001f600":2}'.encode(), id="names that UTF-16 sorts otherwise"),
    pytest.param(rb'{"\uff21":1,"\ud83d\ude00":2}', id="such names as escapes"),
    pytest.param(rb'{"\uff21":1,"\uD83D\uDE00":2}', id="such names as escapes in capitals"),
    pytest.param(b'{"a":9007199254740993}', id="a number beyond what a double holds"),
    pytest.param(b'{"a": -9007199254740993}', id="one below it, after white space"),
    pytest.param(b'{"a":0.1000000000000000055}', id="a decimal that a double does not keep"),
    pytest.param(b'{"a":0.00001}', id="a number that Python writes with an exponent"),
    pytest.param(b'{"a":1e999}', id="infinity"),
    pytest.param(b'{"a":[9007199254740993]}', id="a number in an array"),
    pytest.param(b'{"a":' * 5 + b"{}" + b"}" * 5, id="an object nested deeper than asked for"),
    pytest.param(b'{"a":' + b"[" * 5 + b"]" * 5 + b"}", id="an array nested deeper"),
    pytest.param(b"[1]", id="no object"),
    pytest.param(b'{"a":1} x', id="something after it"),
    pytest.param(b'\xef\xbb\xbf{"a":1}', id="a byte order mark"),
    pytest.param(b'{"a":"\xff"}', id="bytes that are not UTF-8"),
    pytest.param(b'{"a":NaN}', id="not a number"),
    pytest.param(b'{"a":"\x01"}', id="a control character"),
    pytest.param(b'{"a":' * 100_000, id="an abyss"),
]


@pytest.mark.parametrize("data", NEEDS_A_CLOSER_LOOK)
def test_a_document_that_needs_a_closer_look_is_not_read_in_passing(data):
    assert plain_document(data, 5) is None


def test_a_plain_document_is_read_in_passing():
    data = '{ "b": 1450.0, "a": {"云": [{"x": -0.0}, "\\n:"]}, "c": 0.25, "d": "\\u4e91" }'.encode()

    found = plain_document(data, 5)

    assert found is not None
    assert found.value == loads_document(data)
    assert found.canonical == canonical(loads_document(data))
    assert found.canonical_without({"a", "d"}) == b'{"b":1450,"c":0.25}'
