"""`replaced` is `dataclasses.replace`, and `made` is making, for values that do nothing else."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from bol_service.crypto.jws import ParsedJws
from bol_service.domain import states
from bol_service.domain.document import DocumentFacts, PartyReference
from bol_service.domain.events import Recorded
from bol_service.domain.states import Control, Giving, Head
from bol_service.domain.values import made, replaced
from bol_service.wire.events import SignedEvent

STATES = [
    found
    for found in vars(states).values()
    if isinstance(found, type) and is_dataclass(found) and found.__module__ == states.__name__
]
OTHERS = [DocumentFacts, ParsedJws, PartyReference, Recorded, SignedEvent]


def test_a_replaced_value_is_the_one_that_dataclasses_would_make() -> None:
    value = Control(possessor="bankcq", title_holder=None)

    fresh = replaced(value, possessor="banksg", final=True)

    assert fresh == replace(value, possessor="banksg", final=True)
    assert value == Control(possessor="bankcq", title_holder=None)


def test_a_name_that_the_value_has_not_is_refused() -> None:
    changes: dict[str, Any] = {"digest": "aa", "height": 1}
    with pytest.raises(TypeError, match="Head has no height"):
        replaced(Head(sequence=0, digest=""), **changes)


def test_a_made_value_is_the_one_that_its_class_would_make() -> None:
    value = made(Head, sequence=3, digest="aa")
    assert value == Head(sequence=3, digest="aa")
    assert hash(value) == hash(Head(sequence=3, digest="aa"))
    assert replaced(value, sequence=4) == Head(sequence=4, digest="aa")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"before": None}, id="one that has a default is left out"),
        pytest.param(
            {"before": None, "presentation": None, "is_issue": False, "height": 1}, id="one more"
        ),
    ],
)
def test_a_value_is_made_of_all_its_fields_and_no_other(fields: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="Giving has before, presentation, is_issue"):
        made(Giving, **fields)


@pytest.mark.parametrize("state", [*STATES, *OTHERS])
def test_nothing_happens_when_a_state_is_made_but_that_its_fields_are_set(state: type[Any]) -> None:
    assert not hasattr(state, "__post_init__")
    assert not hasattr(state, "__slots__")
    assert all(field.init for field in fields(state))
