"""The tables of the exchange come to, and go from, a ledger that has bills already."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from bol_service.storage import schema
from bol_service.storage.engine import open_engine
from tests.stormy_border import audited
from tests.two_platforms import two_platforms


def test_a_ledger_with_bills_goes_back_a_version_and_forth_and_loses_none(tmp_path: Path) -> None:
    with two_platforms(tmp_path) as two:
        (bill,) = two.issue()
        two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
        two.settled(bill)
        two.cq.stop()
        engine = open_engine(two.cq.settings.database_url)
        schema.downgrade(engine, "0005")
        schema.upgrade(engine)
        schema.require_current(engine)
        with engine.begin() as connection:
            found = connection.execute(text("SELECT bill, carrier, shipper FROM bills")).all()
            boxes = connection.execute(text("SELECT bill FROM bill_containers")).all()
        engine.dispose()
        assert [row.bill for row in boxes] == [bill]
        assert [tuple(row) for row in found] == [(bill, "xlsc", "yunling")]
        two.cq.start()
        # The flow log went with its table; nothing else did, and the audit says which.
        [problem] = audited(two.cq).problems
        assert "no line of the flow log tells of" in problem
