"""`make bench`: measures the service and prints each figure beside the limit it is compared to.

    python bench/run.py                            every row, about a quarter of an hour
    python bench/run.py http-sqlite evidence-500   these rows
    python bench/run.py --quick                    small counts: does it work, roughly how fast
    python bench/run.py flat-write --bills 10000   a large platform that is less large
    python bench/run.py --write docs/performance.md   the table goes into the page, between marks

Prints one JSON line per figure as soon as it is known, and a table at the end. A target that is
missed is marked; only a row that fails (a refusal, a server that died) ends with 1.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).parent.parent))  # so that it runs as a script

from bench import (
    append_rows,
    audit_rows,
    evidence_rows,
    flat_rows,
    http_rows,
    portal_rows,
    release_rows,
    report,
)
from bench.figures import Figure
from bench.platforms import Ground, ground
from bench.sizes import FULL, QUICK, TINY

Row = Callable[[Ground], list[Figure]]

# What is measured together has several names: each of them runs the row.
ROWS: dict[tuple[str, ...], Row] = {
    ("http-postgresql",): http_rows.http_postgresql,
    ("http-sqlite",): http_rows.http_sqlite,
    ("batch-postgresql",): http_rows.batches,
    ("append-postgresql", "append-ordered"): append_rows.appending,
    ("issue",): http_rows.issuing,
    ("flat-write", "flat-read", "flat-list"): flat_rows.growing,
    ("evidence-500", "verify-500"): evidence_rows.evidence,
    ("audit",): audit_rows.audit,
    ("release-check",): release_rows.release_check,
    ("bill-page-500", "first-screen"): portal_rows.portal,
}
NAMES = [name for names in ROWS for name in names]
SIZES = {"full": FULL, "quick": QUICK, "tiny": TINY}


def main(arguments: Sequence[str]) -> int:
    """Run what `arguments` name; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(NAMES))
    parser.add_argument("--size", choices=SIZES, default="full", help="how much each row does")
    parser.add_argument("--quick", dest="size", action="store_const", const="quick")
    parser.add_argument("--bills", type=int, metavar="N", help="bills of the large platform")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    given = parser.parse_args(arguments)
    unknown = set(given.rows) - set(NAMES)
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: no such row; there are {', '.join(NAMES)}")
    wanted = set(given.rows or NAMES)
    rows = {names: row for names, row in ROWS.items() if not wanted.isdisjoint(names)}
    _prepare()
    sizes = SIZES[given.size]
    if given.bills is not None:
        sizes = replace(sizes, many_bills=given.bills)
    with ground(sizes) as place:
        figures, failed = _measured(place, rows)
    below = report.about(given.size)
    print(f"{report.table(figures)}\n{below}")
    if failed:
        print(f"failed: {', '.join(failed)}; see above", file=sys.stderr)
        return 1
    if given.write is not None:
        report.write(given.write, figures, below)
    return 0


def _prepare() -> None:
    """Only figures on stdout; a SIGTERM ends like Ctrl-C, so that what was started is ended too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


def _measured(place: Ground, rows: Mapping[tuple[str, ...], Row]) -> tuple[list[Figure], list[str]]:
    """All figures, and the names of the rows that failed; each is told as soon as it is known."""
    figures: list[Figure] = []
    failed: list[str] = []
    for names, row in rows.items():
        try:
            found = row(place)
        except Exception:
            traceback.print_exc()
            failed += names
            continue
        finally:
            place.clear()
        for figure in found:
            print(figure.to_json(), flush=True)
        figures += found
    return figures, failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
