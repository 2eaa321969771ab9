"""The schemas of events as plain functions say what marshmallow says, or leave it to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from marshmallow import ValidationError, fields, post_load, pre_load, validate

from bol_service.crypto import base64url, strictjson
from bol_service.domain.events import Action, Leg
from bol_service.wire import event_fields, event_forms
from bol_service.wire.compiled_schemas import REFUSED, read
from bol_service.wire.event_fields import ClosedSchema
from bol_service.wire.event_schemas import Envelope, IssuanceManifestSchema, details_schema

VOYAGE = Path(__file__).parent.parent / "vectors" / "voyage-v1.ebl.json"
LISTED = "a" * 64
STEP = {"action": "TRANSFER", "actor": "SGPX:banksg", "recipient": "bankcq"}
CARRIED = {"platform": "SGPX", "envelope": LISTED, "lastEntry": LISTED}
KEY = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
RARE: list[tuple[type[ClosedSchema], dict[str, Any]]] = [
    (details_schema(Action.RETURNED), {**CARRIED, "steps": [STEP]}),
    (details_schema(Action.MOVED), {"platform": "SGPX", "answer": "x.y.z"}),
    (
        details_schema(Action.IMPORTED),
        {
            **CARRIED,
            "home": "SGPX",
            "receivedBytes": LISTED,
            "carrier": "SGPX:xlsc",
            "shipper": "SGPX:yunling",
            "issueTo": "yunling",
            "rulebook": LISTED,
            "steps": [
                STEP,
                {"action": "SURRENDER_FOR_AMENDMENT", "actor": "a1", "reasonCode": "COD"},
            ],
        },
    ),
    (details_schema(Action.ADD_KEY), {"key": KEY, "keyProof": "a..b"}),
    (details_schema(Action.SIGN), {"nonce": base64url.encode(bytes(16))}),
    (details_schema(Action.TRANSFER), {"presentation": {"lc": "LC 1", "complete": True}}),
    (details_schema(Action.REVOKE_KEY), {"kid": "k" * 43, "reason": "lost"}),
    (details_schema(Action.APPOINT), {"leg": str(Leg.RAIL), "custodian": "rail", "reason": "new"}),
    (IssuanceManifestSchema, {"documentChecksum": LISTED, "issueToChecksum": LISTED}),
]


def voyage() -> Iterator[tuple[type[ClosedSchema], dict[str, Any]]]:
    """Every payload of a kept voyage, its envelope and its details."""
    kept = json.loads(VOYAGE.read_bytes())
    for entry in kept["entries"]:
        if "event" in entry:
            payload = json.loads(base64url.decode(entry["event"].split(".")[1]))
            yield Envelope, {**payload, "details": {}}
            yield details_schema(Action(payload["action"])), payload["details"]


GOOD = [*voyage(), *RARE]


@cache
def made(schema: type[ClosedSchema]) -> Any:
    return schema()


def asked(schema: type[ClosedSchema], value: object) -> Any:
    """What marshmallow itself gives."""
    try:
        return made(schema).load(value)
    except ValidationError:
        return REFUSED


def test_the_kept_voyage_has_many_kinds_of_events() -> None:
    assert len({schema for schema, _ in GOOD}) > 15


@pytest.mark.parametrize("action", Action)
def test_what_every_action_has_to_say_can_be_read(action: Action) -> None:
    schema = details_schema(action)
    assert (read(schema, {}) is REFUSED) == (asked(schema, {}) is REFUSED)


def test_what_is_well_formed_is_read_as_marshmallow_reads_it() -> None:
    for schema, value in GOOD:
        found = read(schema, value)
        assert found is not REFUSED, (schema, value)
        assert found == asked(schema, value)


ODD = (
    *(None, True, 0, -1, 2**53, 1.5, "", " ", " x", "x ", "x\n", "x" * 2000, "Ü", "A", "a" * 64),
    *([], {}, [None], [1], {"": 1}, "2027-03-05T08:00:00.000Z", "2027-02-30T08:00:00.000Z"),
    *("2027-03-05", "CSQU3054383", "CSQU3054384", "yunling", "SGPX:x1", str(Leg.RAIL), "TRANSFER"),
    *("x\ny", "x\u2028y", "\u00a0x", "x\u3000", "x\x1c", "2027-03-05T24:00:00.000Z"),
)


def spoilt(value: Any) -> Iterator[Any]:
    """`value` with one thing in it replaced, left out, added or given once more."""
    for path in paths(value):
        for odd in ODD:
            yield changed(value, path, odd)
        if path and isinstance(path[-1], str):
            yield changed(value, path[:-1], {**at(value, path[:-1]), f"{path[-1]}x": 1})
            yield without(value, path)
        if isinstance(at(value, path), list):
            yield changed(value, path, at(value, path) * 2)


def paths(value: Any, here: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield here
    if isinstance(value, dict | list):
        for step, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(child, (*here, step))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def changed(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    if not path:
        return new
    copied = deepcopy(value)
    at(copied, path[:-1])[path[-1]] = new
    return copied


def without(value: Any, path: tuple[str | int, ...]) -> Any:
    copied = deepcopy(value)
    del at(copied, path[:-1])[path[-1]]
    return copied


def test_what_is_spoilt_in_one_place_is_taken_only_if_marshmallow_takes_it() -> None:
    seen: set[tuple[type[ClosedSchema], bytes]] = set()
    shapes: set[tuple[type[ClosedSchema], frozenset[str]]] = set()
    for schema, value in GOOD:
        shape = schema, frozenset(value)
        if shape in shapes:
            continue  # another of the same members teaches nothing new
        shapes.add(shape)
        for odd in spoilt(value):
            key = schema, json.dumps(odd).encode()
            if key not in seen:
                seen.add(key)
                found, wanted = read(schema, odd), asked(schema, odd)
                assert (found is REFUSED) == (wanted is REFUSED), (schema, odd)
                assert found is REFUSED or found == wanted, (schema, odd)
    assert len(seen) > 2000


@pytest.mark.parametrize(("count", "taken"), [(10, True), (11, False)])
def test_a_list_is_as_long_as_marshmallow_allows(count: int, taken: bool) -> None:
    schema = details_schema(Action.GATE_IN)
    value = {"occurredAt": "2027-03-05T08:00:00.000Z", "localDate": "2027-03-05"}
    long = {**value, "seals": ["SEAL"] * count}
    assert (read(schema, long) is not REFUSED) == (asked(schema, long) is not REFUSED) == taken


def test_a_subclass_of_text_or_number_is_left_to_marshmallow() -> None:
    class Odd(str):
        pass

    assert read(details_schema(Action.REFUSE), {"reason": Odd("x")}) is REFUSED
    assert read(details_schema(Action.APPROVE_DRAFT), {"version": True}) is REFUSED


class Nested(ClosedSchema):
    lists = event_fields.Tuple(event_fields.Tuple(event_fields.Text(5), most=2), required=True)
    empty = event_fields.Text(5, allow_none=True)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"lists": [["a"], ["b", "c"]]}, id="lists in a list"),
        pytest.param({"lists": [["a", "b", "c"]]}, id="one of them too long"),
        pytest.param({"lists": [], "empty": None}, id="nothing, where that is allowed"),
        pytest.param({"lists": [], "empty": " x"}, id="a blank, where nothing is allowed"),
    ],
)
def test_lists_in_lists_and_members_that_may_be_null_are_read_as_marshmallow_does(
    value: dict[str, Any],
) -> None:
    assert read(Nested, value) == asked(Nested, value)


# -- events --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Said:
    what: str
    more: int = 1


@dataclass(frozen=True, kw_only=True)
class Checking(Said):
    def __post_init__(self) -> None:
        if not self.what:
            raise ValueError("nothing was said")


def test_a_value_is_made_of_its_members_as_its_class_makes_it() -> None:
    made = event_forms.maker(Said)
    assert made({"what": "x"}) == Said(what="x")
    assert made({"more": 2, "what": "x"}) == Said(what="x", more=2)
    assert made({"what": "y"}) == Said(what="y")


@pytest.mark.parametrize("members", [{}, {"what": "x", "other": 1}, {"more": 1, "other": 1}])
def test_members_that_are_not_those_of_the_class_are_refused(members: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="__init__"):
        event_forms.maker(Said)(members)


def test_a_class_that_checks_what_it_is_made_of_does_so() -> None:
    with pytest.raises(ValueError, match="nothing was said"):
        event_forms.maker(Checking)({"what": ""})


def test_every_action_has_its_form_with_the_members_of_its_class() -> None:
    assert event_forms.forms().keys() == {str(action) for action in Action}
    assert all(form.action == name for name, form in event_forms.forms().items())


# -- what only marshmallow can do ----------------------------------------------------------------


class Before(ClosedSchema):
    a = event_fields.Text(5, required=True)

    @pre_load
    def change(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {"a": "other"}


class Twice(ClosedSchema):
    a = event_fields.Text(5, required=True)

    @post_load
    def one(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**data, "b": 1}

    @post_load
    def two(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**data, "c": 1}


class Defaulting(ClosedSchema):
    a = event_fields.Text(5, load_default="x")


class Around(ClosedSchema):
    inner = fields.Nested(Before, required=True)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param(Before, {"a": "x"}, id="a hook before reading"),
        pytest.param(Twice, {"a": "x"}, id="two hooks after reading"),
        pytest.param(Defaulting, {}, id="a default"),
        pytest.param(Around, {"inner": {"a": "x"}}, id="one of these inside"),
    ],
)
def test_a_schema_that_does_more_is_left_to_marshmallow(
    schema: type[ClosedSchema], value: object
) -> None:
    assert asked(schema, value) is not REFUSED
    assert read(schema, value) is REFUSED


class Bounded(ClosedSchema):
    above = fields.String(validate=validate.Length(min=2))
    one_of = fields.String(validate=validate.OneOf(("a", "b")))
    equal = fields.String(validate=validate.Length(equal=3))


@pytest.mark.parametrize(
    "value", [{"equal": "abc"}, {"equal": "ab"}, {"one_of": "a"}, {"one_of": "c"}, {"above": "a"}]
)
def test_other_validators_are_asked_themselves_or_not_at_all(value: dict[str, str]) -> None:
    found = read(Bounded, value)
    assert found is REFUSED or found == asked(Bounded, value)


# -- the bytes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"a":1,"a":1}', id="a member twice"),
        pytest.param(b'{"b":1,"a":1}', id="another order"),
        pytest.param(b'{"a": 1}', id="white space"),
        pytest.param(b'{"a":"\\u0041"}', id="an escape"),
        pytest.param(b'{"a":"\x7f"}', id="a control character"),
        pytest.param('{"a":"ü"}'.encode(), id="beyond ASCII"),
        pytest.param(b'{"a":1.0}', id="a fraction"),
        pytest.param(b'{"a":[1,2.5]}', id="a fraction in a list"),
        pytest.param(b'{"a":[1e5]}', id="an exponent"),
        pytest.param(b'{"a":-0}', id="minus zero"),
        pytest.param(b'{"a":9007199254740993}', id="a number that no double holds"),
        pytest.param(b'{"a":[-9007199254740993]}', id="such a number in a list"),
        pytest.param(b"[1]", id="no object"),
        pytest.param(b'{"a":1}x', id="something after it"),
        pytest.param(b'{"a":' * 33 + b"1" + b"}" * 33, id="too deep"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_only_what_is_plainly_canonical_is_read_without_a_closer_look(data: bytes) -> None:
    assert strictjson.plain_event(data) is None


def test_a_signed_payload_is_read_without_a_closer_look() -> None:
    data = strictjson.canonical({"a": [1, {"b": None}], "at": "2027-03-05T08:00:00.000Z", "n": 10})
    assert strictjson.plain_event(data) == json.loads(data)
