"""What a worker of the audit hands over is what it has found."""

from __future__ import annotations

from pathlib import Path

from bol_service.application.audit_pages import Page, examine
from bol_service.application.audit_parcels import fetch, leave
from tests import audited


def test_a_page_comes_out_of_its_parcel_as_it_went_in(tmp_path: Path) -> None:
    ledger = audited.made(tmp_path)
    ledger.tamper(
        "UPDATE entries SET actor = 'nobody' WHERE idx = 8",
        "UPDATE entries SET event = substr(event, 1, length(event) - 4) || 'AAAA' WHERE idx = 9",
        "UPDATE entries SET event = 'AAAA' || substr(event, 5) WHERE idx = 10",
        "UPDATE entries SET event = 'x' WHERE idx = 12",
    )
    with ledger.store() as store, store.reading() as reading:
        page = examine(reading, 0, reading.log().size, [ledger.log_key])

    folder = tmp_path / "parcels"
    folder.mkdir()
    leave(page, folder)
    came = fetch(0, folder)

    assert came == page
    assert any(row.act is not None and row.act.unverified for row in came.rows)
    assert any(row.act is None for row in came.rows)
    assert any(row.act is not None and row.findings for row in came.rows)
    assert came.unreadable is not None


def test_an_empty_page_stays_one(tmp_path: Path) -> None:
    page = Page(first=3, end=5, rows=[])
    leave(page, tmp_path)
    assert fetch(3, tmp_path) == page
    assert list(tmp_path.iterdir()) == []
