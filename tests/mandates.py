"""Notices made quickly: the shipper `yunling` grants and revokes the mandate of `qiaolian`.

Each act is signed and recorded like any other, and tells the forwarder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bol_service.application.documents import Documents
from bol_service.application.record import Recorder
from tests.desk import Desk
from tests.many_bills import Maker

GRANTER, TOLD = "yunling", "qiaolian"
KINDS = ("GRANT_MANDATE", "REVOKE_MANDATE")


@dataclass(kw_only=True)
class Mandates:
    desk: Desk
    recorder: Recorder
    documents: Documents
    made: int = 0
    _maker: Maker = field(init=False)

    def __post_init__(self) -> None:
        self._maker = Maker(desk=self.desk, recorder=self.recorder, documents=self.documents)

    def open_log(self) -> None:
        self._maker.open_log()

    def tell(self, count: int = 1, at: datetime | None = None) -> None:
        """Make as many notices more, of the kinds in turn."""
        self.desk.at = at or self.desk.at
        for _ in range(count):
            kind = KINDS[self.made % 2]
            self._maker.act(GRANTER, kind, f"party:{GRANTER}", {}, recipient=TOLD)
            self.made += 1
