"""JSON that has one meaning for every reader, and its canonical bytes.

Two profiles, both within I-JSON (RFC 7493):
1. `loads_event`, for what parties sign: no number with a fraction or an exponent, no minus zero,
   at most 32 levels of arrays and objects.
2. `loads_document`, for transport documents: doubles too, if the literal is exactly the decimal
   value of its double's shortest form, so that RFC 8785 bytes keep the meaning; at most 64 levels.

Both refuse: bytes that are not UTF-8, a byte order mark, a member named twice (escaped or not),
NaN and infinities, numbers beyond 2^53-1 (RFC 8785 could not write them so that they can be read
again), NUL, lone surrogates, anything after the value.

How: the reader puts a `_Fault` where it met a number or an object it refuses; one walk without
recursion then finds faults, bad strings and depth, and knows the JSON pointer of each.
`plain_event` is a short cut past both for what needs neither, which is almost everything signed;
`plaindocument` is one for documents.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

import msgspec
import rfc8785

MAX_SAFE_INTEGER: Final = 2**53 - 1
SMALLEST_PLAIN: Final = 1e-4  # Python writes what is smaller with an exponent, ECMAScript later
MAX_EVENT_DEPTH: Final = 32
MAX_DOCUMENT_DEPTH: Final = 64
# Longer than any shortest form written without an exponent; keeps float() and Decimal() cheap.
MAX_NUMBER_LENGTH: Final = 400

_UNUSABLE_CHARACTER = re.compile("[\x00\ud800-\udfff]")
_NOT_SHORT = rb"-?(?:[0-9]+[.eE]|[0-9]{16})"
_MEMBER_NOT_SHORT = re.compile(rb'":' + _NOT_SHORT)
_ITEM_NOT_SHORT = re.compile(rb"[\[,]" + _NOT_SHORT)
_plain_decoder: Final = msgspec.json.Decoder(dict[str, Any])
_plain_encoder: Final = msgspec.json.Encoder(order="sorted")


_SCALARS: Final = frozenset({str, int, float, bool, type(None)})


class BadJson(ValueError):  # noqa: N818 - named by what is bad
    """`reason` is a sentence without the place; `pointer` is RFC 6901, or None where unknown."""

    def __init__(self, reason: str, pointer: str | None = None) -> None:
        place = "" if pointer is None else f" (at {pointer or 'the top level'})"
        super().__init__(f"{reason}{place}")
        self.reason = reason
        self.pointer = pointer


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fault:
    reason: str
    member: str | None = None


class _Step(NamedTuple):
    """One step of the way from the top to a value; text is made only when something is wrong."""

    up: _Step | None
    token: str | int

    def pointer(self) -> str:
        tokens = []
        step: _Step | None = self
        while step is not None:
            tokens.append(str(step.token).replace("~", "~0").replace("/", "~1"))
            step = step.up
        return "".join(f"/{token}" for token in reversed(tokens))


def loads_event(data: bytes) -> object:
    """Raises BadJson."""
    return _loads(data, _EVENT_DECODER, MAX_EVENT_DEPTH)


def plain_event(data: bytes) -> dict[str, Any] | None:
    """The object that `loads_event` reads, if `data` shows without a closer look that it is in its
    RFC 8785 form and all of it printable ASCII; None where that takes a closer look.

    Without an escape in it, and with no number but short integers, a value with sorted members is
    written in one way: writing it again gives the same bytes, or `data` has a member twice, white
    space, another order, or a control character, which is written as an escape; only DEL is not.
    A text that looks like another number, or like deep nesting, only costs the short cut.
    """
    lists = data.count(b"[")
    if (
        not data.isascii()
        or b"\\" in data
        or b"\x7f" in data
        or lists + data.count(b"{") > MAX_EVENT_DEPTH
        or _MEMBER_NOT_SHORT.search(data)
        or (lists and _ITEM_NOT_SHORT.search(data))
    ):
        return None
    try:
        value = _plain_decoder.decode(data)
    except msgspec.DecodeError:
        return None
    return value if _plain_encoder.encode(value) == data else None


def loads_document(data: bytes) -> object:
    """Raises BadJson."""
    return _loads(data, _DOCUMENT_DECODER, MAX_DOCUMENT_DEPTH)


def canonical(value: object) -> bytes:
    """RFC 8785 bytes of a JSON value; raises BadJson when it has none."""
    try:
        if type(value) is str:
            return _plain_encoder.encode(value)
        doubles: list[float] = []
        if _is_plain(value, MAX_DOCUMENT_DEPTH, doubles):
            if any(double.is_integer() for double in doubles):
                value = _without_whole_doubles(value)
            return _plain_encoder.encode(value)
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # it judges the type itself
    except UnicodeEncodeError as error:
        raise BadJson("text holds a lone surrogate, which no UTF-8 can carry") from error
    except rfc8785.CanonicalizationError as error:
        raise BadJson(f"no RFC 8785 form: {error}") from error
    except RecursionError as error:
        raise BadJson("no RFC 8785 form: nested too deep") from error


def exact_double(literal: str) -> float:
    """Raises ValueError for a number of a document that a double does not keep as it is written."""
    value = float(literal) if len(literal) <= MAX_NUMBER_LENGTH else math.inf
    if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
        raise ValueError(f"number {_shown(literal)} is too long or beyond 2^53-1")
    shortest = repr(value)
    if shortest == literal:
        return value
    try:
        exact = Decimal(literal) == Decimal(shortest)
    except InvalidOperation:  # an exponent that not even Decimal holds
        exact = False
    if not exact:
        raise ValueError(f"number {_shown(literal)} is not what a double keeps of it ({shortest})")
    return value


def _loads(data: bytes, decoder: json.JSONDecoder, max_depth: int) -> object:
    if data.startswith(b"\xef\xbb\xbf"):
        raise BadJson("starts with a byte order mark; send plain UTF-8")
    try:
        value = decoder.decode(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadJson(f"not UTF-8: byte 0x{data[error.start]:02x} at {error.start}") from error
    except json.JSONDecodeError as error:
        raise BadJson(f"not JSON: {error}") from error
    except RecursionError as error:
        raise BadJson(f"nested deeper than {max_depth} levels") from error
    # Nothing but an escape brings a NUL or half a surrogate pair into a text.
    if b"\\u" in data or not _is_faultless(value, max_depth):
        _refuse_faults(value, max_depth)
    return value


def _is_faultless(root: object, max_depth: int) -> bool:
    """False where a closer look is needed; says nothing of what texts hold."""
    level: list[Any] = [root]
    for _ in range(max_depth):
        below: list[Any] = []
        for value in level:
            kind = type(value)
            if kind is dict:
                below += [child for child in value.values() if type(child) not in _SCALARS]
            elif kind is list:
                below += [child for child in value if type(child) not in _SCALARS]
            elif kind not in _SCALARS:
                return False
        if not below:
            return True
        level = below
    return False


def _refuse_faults(root: object, max_depth: int) -> None:
    if not isinstance(root, list | dict):
        _refuse_scalar(root, None)
        return
    pending: list[tuple[list[object] | dict[str, object], _Step | None, int]] = [(root, None, 1)]
    while pending:
        value, place, depth = pending.pop()
        if depth > max_depth:
            raise BadJson(f"nested deeper than {max_depth} levels", _pointer(place))
        for token, child in _children(value, place):
            if isinstance(child, list | dict):
                pending.append((child, _Step(place, token), depth + 1))
            elif isinstance(child, str | _Fault):
                _refuse_scalar(child, _Step(place, token))


def _children(
    value: list[object] | dict[str, object], place: _Step | None
) -> Iterable[tuple[str | int, object]]:
    if isinstance(value, list):
        return enumerate(value)
    for name in value:
        _refuse_unusable(name, place)
    return value.items()


def _refuse_scalar(value: object, place: _Step | None) -> None:
    if isinstance(value, str):
        _refuse_unusable(value, place)
    elif isinstance(value, _Fault):
        raise BadJson(value.reason, _pointer(_fault_place(value, place)))


def _fault_place(fault: _Fault, place: _Step | None) -> _Step | None:
    # A name that no UTF-8 can carry would break the answer that quotes it.
    if fault.member is None or _UNUSABLE_CHARACTER.search(fault.member):
        return place
    return _Step(place, fault.member)


def _refuse_unusable(text: str, place: _Step | None) -> None:
    found = _UNUSABLE_CHARACTER.search(text)
    if found is None:
        return
    what = "NUL" if found[0] == "\0" else f"the lone surrogate U+{ord(found[0]):04X}"
    raise BadJson(f"text holds {what} at character {found.start()}; remove it", _pointer(place))


def _pointer(place: _Step | None) -> str:
    return "" if place is None else place.pointer()


def _object(pairs: list[tuple[str, object]]) -> dict[str, object] | _Fault:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    counted = Counter(name for name, _ in pairs)
    twice = next(name for name, times in counted.items() if times > 1)
    return _Fault(reason="member given twice; give it once", member=twice)


def _integer(literal: str) -> int | _Fault:
    # The length is looked at first: turning digits into a number is quadratic.
    if len(literal) > len("-9007199254740991") or abs(int(literal)) > MAX_SAFE_INTEGER:
        return _Fault(
            reason=f"number {_shown(literal)} is beyond 2^53-1; send it as a decimal string"
        )
    return int(literal)


def _event_integer(literal: str) -> int | _Fault:
    if literal == "-0":
        return _Fault(reason="number -0; write 0")
    return _integer(literal)


def _no_fraction(literal: str) -> _Fault:
    return _Fault(
        reason=f"number {_shown(literal)} has a fraction or an exponent; send a decimal string"
    )


def _double(literal: str) -> float | _Fault:
    try:
        return exact_double(literal)
    except ValueError as error:
        return _Fault(reason=str(error))


def _not_a_number(literal: str) -> _Fault:
    return _Fault(reason=f"{literal} is not JSON")


def _shown(literal: str) -> str:
    return literal if len(literal) <= 40 else f"{literal[:40]}... ({len(literal)} characters)"


def _is_plain(root: object, max_depth: int, doubles: list[float]) -> bool:
    """True where msgspec with sorted members writes exactly the RFC 8785 bytes: safe integers,
    doubles that nobody writes with an exponent, member names in ASCII (UTF-16 order is then code
    point order). What doubles there are is put into `doubles`."""
    level: list[Any] = [root]
    for _ in range(max_depth + 1):
        below: list[Any] = []
        for value in level:
            kind = type(value)
            if kind is dict:
                if not all(type(name) is str and name.isascii() for name in value):
                    return False
                below.extend(value.values())
            elif kind is list:
                below.extend(value)
            elif kind is int:
                if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
                    return False
            elif kind is float:
                if not SMALLEST_PLAIN <= abs(value) <= MAX_SAFE_INTEGER:
                    return False
                doubles.append(value)
            elif kind is not str and kind is not bool and value is not None:
                return False
        if not below:
            return True
        level = below
    return False


def _without_whole_doubles(value: object) -> object:
    """1450.0 is written 1450; every other plain double is written alike everywhere."""
    if isinstance(value, dict):
        return {name: _without_whole_doubles(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_without_whole_doubles(member) for member in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


_EVENT_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_event_integer,
    parse_float=_no_fraction,
    parse_constant=_not_a_number,
)
_DOCUMENT_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_double,
    parse_constant=_not_a_number,
)
