"""The alarm rules that ship with the service speak of what it measures, and say what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bol_service.application.cosigning import Lag
from bol_service.http.metrics import Metrics

RULES = Path(__file__).parents[2] / "ops" / "prometheus" / "bol.rules.yml"
OF_PROMETHEUS = {"up"}
BY_SCRAPING = {"instance", "job"}


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def filled() -> Metrics:
    """With a value under each label."""
    metrics = Metrics()
    metrics.ready({"database": "ok"})
    metrics.disputes({("demo.other.example/ebl", True): 1})
    metrics.lags([Lag(witness="w", entries=1, failures=1)])
    return metrics


def measured() -> set[str]:
    families = Metrics().registry.collect()
    return {f"{one.name}{'_total' if one.type == 'counter' else ''}" for one in families}


def labels_of(metrics: set[str]) -> set[str]:
    samples = [one for family in filled().registry.collect() for one in family.samples]
    return {label for one in samples if one.name in metrics for label in one.labels} | BY_SCRAPING


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alarm_is_about_something_that_is_measured_and_says_what_to_do(
    rule: dict[str, Any],
) -> None:
    named = set(re.findall(r"\b(?:bol_[a-z_]+|up)\b", rule["expr"]))
    assert named
    assert named <= measured() | OF_PROMETHEUS
    told = f"{rule['expr']} {rule['annotations']}"
    assert set(re.findall(r"(?:\$labels\.|\{)([a-z]+)", told)) <= labels_of(named)
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert len(rule["annotations"]["next"]) > 20


def test_the_metrics_of_the_operations_page_are_those_that_are_measured() -> None:
    page = (RULES.parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page[page.index("| metric | meaning |") :]
    told = set(re.findall(r"`(bol_[a-z_]+)`", table[: table.index("\n\n")]))
    assert told == measured()
