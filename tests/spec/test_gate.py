"""The answer for the gate when a container stands on more than one bill."""

from __future__ import annotations

import pytest

from bol_service.application.gate import first

RELEASE = {"answer": "RELEASE", "code": "release"}
HELD = {"answer": "DO NOT RELEASE", "code": "no_surrender"}
LEFT = {"answer": "DO NOT RELEASE", "code": "do_replay"}


@pytest.mark.parametrize(
    ("answers", "counts"),
    [
        pytest.param([], None, id="no bill, no answer"),
        pytest.param([RELEASE], RELEASE, id="one bill answers for itself"),
        pytest.param([RELEASE, HELD], HELD, id="a bill that forbids counts before one that allows"),
        pytest.param([LEFT, RELEASE], RELEASE, id="a voyage that is over does not forbid the next"),
        pytest.param([LEFT, HELD], HELD, id="what is here counts before what left"),
        pytest.param([LEFT], LEFT, id="a container that left is not released again"),
    ],
)
def test_the_safest_answer_counts(
    answers: list[dict[str, str]], counts: dict[str, str] | None
) -> None:
    assert first(answers) == counts
    assert first(answers[::-1]) == counts
