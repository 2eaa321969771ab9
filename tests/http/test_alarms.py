"""The alarm rules that ship with the service speak of what it measures, and say what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bol_service.http.metrics import Metrics

RULES = Path(__file__).parents[2] / "ops" / "prometheus" / "bol.rules.yml"
OF_PROMETHEUS = {"up"}


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def measured() -> set[str]:
    return {family.name for family in Metrics().registry.collect()}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alarm_is_about_something_that_is_measured_and_says_what_to_do(
    rule: dict[str, Any],
) -> None:
    named = set(re.findall(r"\b(?:bol_[a-z_]+|up)\b", rule["expr"]))
    assert named
    assert named <= measured() | OF_PROMETHEUS
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert len(rule["annotations"]["next"]) > 20


def test_the_metrics_of_the_operations_page_are_those_that_are_measured() -> None:
    page = (RULES.parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page[page.index("| metric | meaning |") :]
    told = set(re.findall(r"`(bol_[a-z_]+)`", table[: table.index("\n\n")]))
    assert {name.removesuffix("_total") for name in told} == measured()
