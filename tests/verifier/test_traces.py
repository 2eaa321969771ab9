"""Two engines, one law: whatever parties try, both refuse it with one code or make one state."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from bol_service.domain import errors
from bol_service.domain.events import Action
from tests.node_verifier import ask
from tests.verifier_traces import base_line, bases, trace_line

# Kept by the platform as a whole, not by the law of one ledger's replay.
PLATFORM_GUARD = {"duplicate_cargo", "id_reused", "personal_data", "unknown_peer"}
STATE = re.compile(r"[0-9a-f]{16}")


def compare(count: int) -> Counter[tuple[str, str]]:
    """Run every base and `count` traces through both; (action, what came of it) is counted."""
    known = list(bases())
    lines, expected = zip(*(base_line(name, voyage) for name, voyage in known), strict=True)
    lines, expected, seen = list(lines), list(expected), Counter[tuple[str, str]]()
    for seed in range(count):
        name, voyage = known[seed * 7 % len(known)]
        line, answers, actions = trace_line(name, voyage, seed)
        lines.append(line)
        expected.append(answers)
        outcomes = ("accepted" if STATE.fullmatch(answer) else answer for answer in answers)
        seen.update(zip(actions, outcomes, strict=True))
    found = ask(lines, "--traces")
    assert len(found) == len(lines)
    for line, here, there in zip(lines, expected, found, strict=True):
        assert here == there, _first_difference(line, here, there)
    return seen


def _first_difference(line: dict, here: list[str], there: list[str]) -> str:
    at = next(n for n, (a, b) in enumerate(zip(here, there, strict=True)) if a != b)
    return f"{line['steps'][at]}: {here[at]} but {there[at]}"


def test_both_engines_judge_generated_traces_alike() -> None:
    seen = compare(1500)

    assert {action for action, outcome in seen if outcome == "accepted"} == set(map(str, Action))
    refused = {outcome for _, outcome in seen} - {"accepted"}
    assert refused == {refusal.code for refusal in errors.refusals()} - PLATFORM_GUARD


@pytest.mark.torture
def test_both_engines_judge_ten_thousand_generated_traces_alike() -> None:
    assert compare(10_000).total() >= 100_000
