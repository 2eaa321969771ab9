"""JSON with one meaning: what each profile takes, what it refuses and where it points."""

from __future__ import annotations

import time

import pytest

from bol_service.crypto import strictjson, text
from bol_service.crypto.strictjson import BadJson, canonical, loads_document, loads_event


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


REFUSED_BY_BOTH = [
    pytest.param(b"\xff", "not UTF-8", None, id="bytes that are not UTF-8"),
    pytest.param(b'"\xed\xa0\x80"', "not UTF-8", None, id="a surrogate written as UTF-8 bytes"),
    pytest.param(b"\xef\xbb\xbf{}", "byte order mark", None, id="a byte order mark"),
    pytest.param('{"a":1}'.encode("utf-16"), "not UTF-8", None, id="UTF-16"),
    pytest.param(b"", "not JSON", None, id="nothing at all"),
    pytest.param(b"{} {}", "not JSON", None, id="a second value after the first"),
    pytest.param(b"{'a':1}", "not JSON", None, id="single quotes"),
    pytest.param(b"[1,]", "not JSON", None, id="a trailing comma"),
    pytest.param(b'"a\nb"', "not JSON", None, id="a raw line feed inside text"),
    pytest.param(b"01", "not JSON", None, id="a leading zero"),
    pytest.param(b'{"a":1,"a":1}', "given twice", "/a", id="a member given twice"),
    pytest.param(b'{"a":1,"b":1,"b":1}', "given twice", "/b", id="the second member twice"),
    pytest.param(b'{"a":1,"\\u0061":2}', "given twice", "/a", id="a member twice, once escaped"),
    pytest.param(
        b'{"x":[0,{"a/~":1,"a/~":2}]}', "given twice", "/x/1/a~1~0", id="a member twice, deep down"
    ),
    pytest.param(
        b'{"x":{"\\ud800":1,"\\ud800":2}}', "given twice", "/x", id="an unprintable name twice"
    ),
    pytest.param(b'{"a":NaN}', "NaN is not JSON", "/a", id="NaN"),
    pytest.param(b"[Infinity]", "Infinity is not JSON", "/0", id="Infinity"),
    pytest.param(b"-Infinity", "-Infinity is not JSON", "", id="minus Infinity"),
    pytest.param(b"9007199254740992", r"beyond 2\^53-1", "", id="2^53"),
    pytest.param(b"[-9007199254740992]", r"beyond 2\^53-1", "/0", id="minus 2^53"),
    pytest.param(b"1" * 5000, "5000 characters", "", id="a number of 5,000 digits"),
    pytest.param(b'"\\u0000"', "NUL at character 0", "", id="NUL in text"),
    pytest.param(b'{"a":{"b\\u0000":1}}', "NUL at character 1", "/a", id="NUL in a name"),
    pytest.param(b'["x","\\ud800"]', r"surrogate U\+D800", "/1", id="a lone high surrogate"),
    pytest.param(b'"a\\udfff"', r"surrogate U\+DFFF", "", id="a lone low surrogate"),
    pytest.param(b"[" * 100_000, "nested deeper", None, id="100,000 open brackets"),
    pytest.param(b'{"a":' * 100_000, "nested deeper", None, id="100,000 open objects"),
]

REFUSED_IN_EVENTS = [
    pytest.param(b"-0", "write 0", "", id="minus zero"),
    pytest.param(b"1.0", "fraction or an exponent", "", id="a whole number with a fraction"),
    pytest.param(b'{"w":0.5}', "fraction or an exponent", "/w", id="a fraction"),
    pytest.param(b"1e2", "fraction or an exponent", "", id="an exponent"),
    pytest.param(b"-0.0", "fraction or an exponent", "", id="minus zero with a fraction"),
    pytest.param(nested(33), "deeper than 32", "/0" * 32, id="33 levels"),
]

REFUSED_IN_DOCUMENTS = [
    pytest.param(b"1e400", r"beyond 2\^53-1", "", id="beyond every double"),
    pytest.param(b"1e16", r"beyond 2\^53-1", "", id="written back as an unsafe integer"),
    pytest.param(b"-9007199254740992.0", r"beyond 2\^53-1", "", id="an unsafe whole double"),
    pytest.param(
        b'{"w":0.1000000000000000055}', "not what a double keeps", "/w", id="more digits than kept"
    ),
    pytest.param(b"1e-400", "not what a double keeps", "", id="smaller than every double"),
    pytest.param(
        b"0e99999999999999999999", "not what a double keeps", "", id="an absurd exponent of zero"
    ),
    pytest.param(b"0." + b"1" * 100_000, "100002 characters", "", id="100,000 digits"),
    pytest.param(b"0." + b"0" * 399, "401 characters", "", id="a number of 401 characters"),
    pytest.param(nested(65), "deeper than 64", "/0" * 64, id="65 levels"),
]


@pytest.mark.parametrize(("data", "reason", "pointer"), REFUSED_BY_BOTH + REFUSED_IN_EVENTS)
def test_an_event_is_refused_with_its_reason_and_place(data, reason, pointer):
    with pytest.raises(BadJson, match=reason) as caught:
        loads_event(data)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize(("data", "reason", "pointer"), REFUSED_BY_BOTH + REFUSED_IN_DOCUMENTS)
def test_a_document_is_refused_with_its_reason_and_place(data, reason, pointer):
    with pytest.raises(BadJson, match=reason) as caught:
        loads_document(data)
    assert caught.value.pointer == pointer


def test_a_refusal_says_reason_and_place_in_one_sentence():
    with pytest.raises(BadJson, match=r"given twice; give it once \(at /a\)") as caught:
        loads_event(b'{"a":1,"a":2}')
    assert caught.value.reason == "member given twice; give it once"
    with pytest.raises(BadJson, match=r"\(at the top level\)"):
        loads_event(b"-0")
    assert str(BadJson("nowhere in particular")) == "nowhere in particular"


def test_a_long_number_is_shown_by_its_first_forty_characters():
    for length, shown in ((40, "9" * 40), (41, f"{'9' * 40}... (41 characters)")):
        with pytest.raises(BadJson) as caught:
            loads_event(b"9" * length)
        assert caught.value.reason.startswith(f"number {shown} is beyond")


@pytest.mark.parametrize(
    ("data", "value"),
    [
        pytest.param(b' {"a":[1,true,null,"x"]}\n', {"a": [1, True, None, "x"]}, id="all kinds"),
        pytest.param(b"9007199254740991", 2**53 - 1, id="the largest safe integer"),
        pytest.param(b"-9007199254740991", 1 - 2**53, id="the smallest safe integer"),
        pytest.param(b'"\\ud83d\\ude80"', "🚀", id="a surrogate pair"),
        pytest.param('{"货":"箱"}'.encode(), {"货": "箱"}, id="names beyond ASCII"),
        pytest.param(b'[{"a":1},{"a":1}]', [{"a": 1}, {"a": 1}], id="one name in two objects"),
    ],
)
def test_both_profiles_read_what_every_reader_agrees_on(data, value):
    assert loads_event(data) == value
    assert loads_document(data) == value


def test_depth_counts_arrays_and_objects_alike():
    assert loads_event(nested(32)) is not None
    assert loads_document(nested(64)) is not None
    with pytest.raises(BadJson, match="deeper than 32"):
        loads_event(b'{"a":[' * 16 + b"[1]" + b"]}" * 16)


@pytest.mark.parametrize(
    ("data", "written"),
    [
        pytest.param(b"0.1", b"0.1", id="a plain fraction"),
        pytest.param(b"0.10", b"0.1", id="a trailing zero"),
        pytest.param(b"1.0", b"1", id="a whole double"),
        pytest.param(b"1E2", b"100", id="an exponent"),
        pytest.param(b"0.0000001", b"1e-7", id="a small number without exponent"),
        pytest.param(b"-0", b"0", id="minus zero"),
        pytest.param(b"-0.0", b"0", id="minus zero with a fraction"),
        pytest.param(b"5e-324", b"5e-324", id="the smallest double"),
        pytest.param(b"9007199254740991.0", b"9007199254740991", id="the largest safe double"),
        pytest.param(b"0." + b"0" * 398, b"0", id="a number of 400 characters"),
    ],
)
def test_a_document_keeps_a_double_that_has_one_decimal_value(data, written):
    assert canonical(loads_document(data)) == written


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'"' + b'\\"' * 500_000, id="a megabyte of escaped quotes"),
        pytest.param(b"1" * 1_000_000, id="a megabyte of digits"),
        pytest.param(b"-1." + b"9" * 1_000_000, id="a megabyte of fraction"),
        pytest.param(b"[" * 1_000_000, id="a megabyte of brackets"),
        pytest.param(
            b"{" + b",".join(b'"%d":0' % i for i in range(90_000)) + b',"0":1}',
            id="a member twice among 90,000",
        ),
    ],
)
def test_a_megabyte_is_refused_in_linear_time(data):
    began = time.process_time()
    for loads in (loads_event, loads_document):
        with pytest.raises(BadJson):
            loads(data)
    assert time.process_time() - began < 5  # quadratic would be minutes


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param({"b": 1, "a": 2}, b'{"a":2,"b":1}', id="members are sorted"),
        pytest.param(
            {"\ufb33": 1, "\U0001f600": 2},
            '{"\U0001f600":2,"\ufb33":1}'.encode(),
            id="members are sorted by UTF-16, not by code point",
        ),
        pytest.param(
            {"é": 1.5, "a": []}, '{"a":[],"é":1.5}'.encode(), id="doubles and empty lists"
        ),
        pytest.param('\x1f\x7f"\\/\n€', '"\\u001f\x7f\\"\\\\/\\n€"'.encode(), id="escapes"),
        pytest.param([True, None, -1, 2**53 - 1], b"[true,null,-1,9007199254740991]", id="scalars"),
    ],
)
def test_canonical_bytes_are_those_of_rfc_8785(value, written):
    assert canonical(value) == written


def test_what_is_nested_deeper_than_any_document_is_written_by_the_same_rules():
    assert canonical(deep_list(70, 1.0)) == b"[" * 70 + b"1" + b"]" * 70


def deep_list(levels: int, innermost: object = None) -> object:
    value = [] if innermost is None else innermost
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param("\ud800", "lone surrogate", id="a lone surrogate"),
        pytest.param({"\ud800": 1}, "lone surrogate|RFC 8785", id="a lone surrogate in a name"),
        pytest.param({"é": "\ud800"}, "no RFC 8785 form", id="a lone surrogate beside other names"),
        pytest.param(float("nan"), "no RFC 8785 form", id="NaN"),
        pytest.param(float("inf"), "no RFC 8785 form", id="Infinity"),
        pytest.param(2**53, "safe integer", id="an unsafe integer"),
        pytest.param(-(2**53), "safe integer", id="an unsafe negative integer"),
        pytest.param({1: "a"}, "keys must be strings", id="a name that is a number"),
        pytest.param({"a": b"x"}, "unsupported type", id="bytes"),
        pytest.param(deep_list(100_000), "nested too deep", id="endless nesting"),
    ],
)
def test_a_value_without_canonical_form_is_refused(value, reason):
    with pytest.raises(BadJson, match=reason):
        canonical(value)


SIGNABLE = [
    pytest.param("YUNLING Trading 云岭", id="Latin and Chinese"),
    pytest.param("Ⅷ ﬁ é", id="composed and compatibility characters"),
    pytest.param("", id="nothing"),
    pytest.param("👩\u200d👧", id="a zero width joiner"),
    pytest.param("约 40~45 ℃ [干货]", id="a tilde and brackets beside Chinese"),
]


@pytest.mark.parametrize("value", SIGNABLE)
def test_ordinary_text_may_be_signed(value):
    text.check_text(value)
    text.check_strings({"a": [value, 1, None, {value: value}]})


UNSIGNABLE = [
    *(
        pytest.param(f"ab{chr(code)}", kind, code, id=f"U+{code:04X} {kind}")
        for kind, codes in {
            "control": (0x00, 0x09, 0x0A, 0x1F, 0x7F, 0x80, 0x9F),
            "reorders": (0x61C, 0x200E, 0x200F, 0x202A, 0x202E, 0x2066, 0x2069),
            "surrogate": (0xD800, 0xDFFF),
            "noncharacter": (0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF),
        }.items()
        for code in codes
    ),
    pytest.param("abe\u0301", "NFC", 0x65, id="a letter and its accent apart"),
    pytest.param("ab\u212b", "NFC", 0x212B, id="the Angstrom sign"),
    pytest.param("ab\u1100\u1161", "NFC", 0x1100, id="Hangul in parts"),
]


@pytest.mark.parametrize(("value", "kind", "code"), UNSIGNABLE)
def test_text_that_shows_otherwise_than_it_is_may_not_be_signed(value, kind, code):
    with pytest.raises(ValueError, match=rf"{kind}.*U\+{code:04X} at character 2"):
        text.check_text(value)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        pytest.param("\n", "the top level", id="the value itself"),
        pytest.param({"a": [0, {"b/~": "\n"}]}, "/a/1/b~1~0", id="text deep down"),
        pytest.param({"a": {"x\n": 1}}, "/a", id="a member name"),
    ],
)
def test_unsignable_text_is_named_with_its_place(value, place):
    with pytest.raises(ValueError, match=rf"U\+000A.*\(at {place}\)"):
        text.check_strings(value)


def test_the_limits_are_those_that_are_published():
    assert strictjson.MAX_SAFE_INTEGER == 2**53 - 1
    assert (strictjson.MAX_EVENT_DEPTH, strictjson.MAX_DOCUMENT_DEPTH) == (32, 64)
