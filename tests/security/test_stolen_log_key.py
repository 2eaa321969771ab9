"""Whole histories made anew by somebody who holds the log's key, and backups put in their place.

Each history below is sound in itself: every party's signature is genuine, the law allows every act,
tree and checkpoints are signed by the log's own key. An audit from inside finds nothing, and the
tests say so. Whoever kept anything from before notices: a receipt, a checkpoint, the witness, and
the service itself before it signs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bol_service.domain.states import Head
from bol_service.wire.event_fields import instant
from tests.known_log import KnownLog, Noticed, known_log, scene
from tests.many_bills import HOLDER
from tests.outsiders import NOTHING, Who
from tests.recording import WritePath, write_path
from tests.superuser import Row, Rows, acting, every_row

__all__ = ["known_log", "scene"]

LATE = timedelta(hours=1)
# What a log that was forked from the tree that outsiders know, at least as long, looks like.
FORKED: Noticed = {
    Who.CHECK: NOTHING,
    Who.KEPT: "the log is not what it was at size [0-9]+: ",
    Who.RECEIPT: "the old tree of [0-9]+ leaves has the root",
    Who.WITNESS: r"does not continue the tree of size [0-9]+",
    Who.READER: "the quorum is not met",
    Who.START: r"the checkpoint file has root [0-9a-f]{64} at size [0-9]+, the database's rows",
}
# What a log looks like that is shorter than what outsiders know.
SHORTER: Noticed = {
    Who.CHECK: NOTHING,
    Who.KEPT: r"the kept checkpoint is of size [0-9]+: .*entries are lost",
    Who.RECEIPT: "no beginning of one of size [0-9]+|the old tree of [0-9]+ leaves has",
    Who.WITNESS: "was cosigned last at size [0-9]+, not [0-9]+",
    Who.READER: "the quorum is not met",
    Who.START: r"is of size [0-9]+, the database has [0-9]+ entries: it is older than",
}
Forgery = Callable[["Forger"], None]


class Forger:
    """Writes a history of its own with the stolen key, from the acts that parties really signed."""

    def __init__(self, known: KnownLog, path: WritePath) -> None:
        self.known = known
        self.path = path
        self.entries: list[Row] = list(every_row(known.path.store.engine)["entries"])

    @property
    def moved(self) -> int:
        """The place of the transfer for which the bank has a receipt."""
        return self.known.moved.index

    def write(self, rows: list[Row], late: timedelta = timedelta(0)) -> None:
        for row in rows:
            self.path.clock.moment = instant(row["recorded_at"]) + late
            self.path.recorder.submit(row["event"])

    def give_elsewhere(self, recipient: str = "straits") -> None:
        """The holder is in league, and signs a second transfer of the same bill."""
        desk, stream = self.known.path.desk, self.known.moved.stream
        kept = desk.heads.pop(stream)
        desk.heads[stream] = self._head(stream)
        self.path.recorder.submit(desk.transfer(self.known.bill, HOLDER, recipient))
        desk.heads[stream] = kept

    def pad(self) -> None:
        """Any act more, of a party in league."""
        desk = self.known.path.desk
        self.path.recorder.submit(
            desk.event(HOLDER, "REVOKE_MANDATE", f"party:{HOLDER}", recipient="qiaolian")
        )

    def _head(self, stream: str) -> Head:
        with self.path.store.reading() as reading:
            return reading.states([stream])[stream][1]


def leave_out(forger: Forger) -> None:
    at = forger.moved
    forger.write(forger.entries[:at] + forger.entries[at + 1 :])


def leave_out_and_pad(forger: Forger) -> None:
    leave_out(forger)
    forger.pad()


def another_in_its_place(forger: Forger) -> None:
    at = forger.moved
    forger.write(forger.entries[:at])
    forger.give_elsewhere()
    forger.write(forger.entries[at + 1 :])


def go_on_elsewhere(forger: Forger) -> None:
    another_in_its_place(forger)
    forger.pad()


def another_order(forger: Forger) -> None:
    at = forger.moved
    before, one, other, after = (
        forger.entries[:at],
        forger.entries[at],
        forger.entries[at + 1],
        forger.entries[at + 2 :],
    )
    forger.write([*before, other, one, *after])


def other_times(forger: Forger) -> None:
    at = forger.moved
    forger.write(forger.entries[:at])
    forger.write(forger.entries[at:], LATE)


FORGERIES: dict[str, tuple[Forgery, Noticed]] = {
    "an act is left out": (leave_out, SHORTER),
    "an act is left out and the log filled up": (leave_out_and_pad, FORKED),
    "another act stands in its place": (another_in_its_place, FORKED),
    "the log goes on from another act": (go_on_elsewhere, FORKED),
    "two acts stand in another order": (another_order, FORKED),
    "acts are recorded an hour later": (other_times, FORKED),
}


def forged(known: KnownLog, forgery: Forgery, folder: Path) -> Rows:
    """All rows of the database of a service that signed that history."""
    url = f"sqlite:///{folder / 'forged.db'}"
    with write_path(url, like=known.path) as path:
        with acting(url) as user:
            user.put("documents", every_row(known.path.store.engine)["documents"])
        forgery(Forger(known, path))
        assert path.audit().problems == []
        return every_row(path.store.engine)


@pytest.mark.parametrize(("forgery", "noticed"), FORGERIES.values(), ids=FORGERIES)
def test_only_outsiders_notice_a_history_made_anew_in_which(
    scene: KnownLog, forgery: Forgery, noticed: Noticed, tmp_path: Path
) -> None:
    scene.do(lambda user: user.put_all(forged(scene, forgery, tmp_path)))
    scene.require_noticed(noticed)


# -- older databases -----------------------------------------------------------------------------


def test_only_outsiders_notice_a_restored_backup(scene: KnownLog) -> None:
    """The tail is gone, and the checkpoint that was signed then stands in the head again."""
    scene.do(lambda user: user.put_all(scene.older))
    scene.require_noticed(SHORTER)


def test_only_outsiders_notice_a_restored_backup_that_went_on(scene: KnownLog) -> None:
    """By a service with the log's own key, but without its checkpoint file to compare with."""
    before = list(every_row(scene.path.store.engine)["entries"])
    scene.do(lambda user: user.put_all(scene.older))
    with write_path(scene.url, like=scene.path) as path:
        forger = Forger(scene, path)
        forger.give_elsewhere()
        forger.write(before[forger.moved + 1 :])
        forger.pad()
    scene.require_noticed(FORKED)
