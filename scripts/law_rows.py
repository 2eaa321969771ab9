"""Answers to every combination of facts, folded into rows.

A row is {"if": {fact: list of values}, "refuse": code or null}; the rows of one act do not overlap
and leave nothing out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
Facts = tuple[tuple[str, tuple[Any, ...]], ...]


def rows(answers: list[str | None], facts: Facts) -> list[Json]:
    """`answers` to the product of the facts' values, in its order."""
    return list(_rows(_folded(answers, facts, 0), facts, {}))


def _folded(answers: list[str | None], facts: Facts, fact: int) -> Any:
    """The answers as a tree over the facts; a fact that makes no difference is passed over."""
    if fact == len(facts):
        return (None, answers[0])
    width = len(answers) // len(facts[fact][1])
    children = [
        _folded(answers[start : start + width], facts, fact + 1)
        for start in range(0, len(answers), width)
    ]
    if all(child == children[0] for child in children):
        return children[0]
    return (fact, tuple(children))


def _rows(tree: Any, facts: Facts, supposed: Json) -> Iterator[Json]:
    asked, below = tree
    if asked is None:
        yield {"if": supposed, "refuse": below}
        return
    name, values = facts[asked]
    groups: dict[Any, list[Any]] = {}
    for value, child in zip(values, below, strict=True):
        groups.setdefault(child, []).append(value)
    for child, grouped in groups.items():
        yield from _rows(child, facts, {**supposed, name: grouped})
