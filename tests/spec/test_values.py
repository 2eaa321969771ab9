"""`replaced` is `dataclasses.replace` for the states of the law."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from bol_service.domain import states
from bol_service.domain.states import Control, Head
from bol_service.domain.values import replaced

STATES = [
    found
    for found in vars(states).values()
    if isinstance(found, type) and is_dataclass(found) and found.__module__ == states.__name__
]


def test_a_replaced_value_is_the_one_that_dataclasses_would_make() -> None:
    value = Control(possessor="bankcq", title_holder=None)

    fresh = replaced(value, possessor="banksg", final=True)

    assert fresh == replace(value, possessor="banksg", final=True)
    assert value == Control(possessor="bankcq", title_holder=None)


def test_a_name_that_the_value_has_not_is_refused() -> None:
    changes: dict[str, Any] = {"digest": "aa", "height": 1}
    with pytest.raises(TypeError, match="Head has no height"):
        replaced(Head(sequence=0, digest=""), **changes)


@pytest.mark.parametrize("state", STATES)
def test_nothing_happens_when_a_state_is_made_but_that_its_fields_are_set(state: type[Any]) -> None:
    assert not hasattr(state, "__post_init__")
    assert not hasattr(state, "__slots__")
    assert all(field.init for field in fields(state))
