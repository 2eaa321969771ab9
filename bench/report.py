"""The table of figures, on the terminal and in a page between two marks."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Figure

HEADER = ("bench", "value", "against", "baseline", "ratio", "wanted", "")
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table whose columns line up."""
    rows = [HEADER, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def about(size: str) -> str:
    """When, on what, and how much: one sentence to stand under the table."""
    day = datetime.now(UTC).date().isoformat()
    cores = len(os.sched_getaffinity(0))
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return f"Measured on {day} with {size} counts, {cores} cores ({_processor()}), {versions}."


def write(page: Path, figures: Sequence[Figure], below: str) -> None:
    """Put table and sentence between the marks of `page`; raises ValueError if they are missing."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no {BEGIN} … {END} to put the table between")
    content = f"{before}{begin}\n\n{table(figures)}\n\n{below}\n\n{end}{after}"
    page.write_text(content, encoding="utf-8")


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", known.read_text()) if known.exists() else None
    return found[1] if found else platform.machine()


def _cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.bench,
        f"{_number(figure.value)} {figure.unit}",
        figure.against,
        f"{_number(figure.baseline)} {figure.baseline_unit}",
        f"{figure.ratio:.2f}",
        str(figure.target),
        "✓" if figure.ok else "✗ missed",
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return "| " + " | ".join(cells) + " |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
