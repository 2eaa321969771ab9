"""Whether this process can record events now, part by part.

1. The sequencer's thread lives, and the groups that wait for it are committed.
2. The last commit did not fail. A failure counts for `REST_SECONDS` only: whoever sends nobody here
   while we are not ready would otherwise never let the commit happen that shows it is over.
3. The database answers.
4. No witness knows another history of our log than the database tells.

What changes is logged once, so that it is found without anybody having asked at that moment.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

import structlog

from bol_service.application.cosigning import Cosigning
from bol_service.application.ledger_queries import LedgerQueries
from bol_service.application.ports import Unavailable
from bol_service.application.sequencer import Sequencer

OK: Final = "ok"
REST_SECONDS: Final = 30.0
STUCK_SECONDS: Final = 15.0

log = structlog.get_logger()


class Readiness:
    """One per process; `groups` tells how many groups were committed. `parts` from any thread."""

    def __init__(
        self,
        sequencer: Sequencer,
        ledger: LedgerQueries,
        cosigning: Cosigning | None,
        groups: Callable[[], int],
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._sequencer = sequencer
        self._ledger = ledger
        self._cosigning = cosigning
        self._groups = groups
        self._clock = clock
        self._failure: BaseException | None = None
        self._failed_at = 0.0
        self._progress: tuple[int, BaseException | None] = (0, None)
        self._progress_at: float | None = None
        self._told: dict[str, str] = {}
        self._why: str | None = None

    def parts(self) -> dict[str, str]:
        """`OK` for a part that is ready, otherwise what is the matter with it."""
        found = {
            "sequencer": self._sequencing(),
            "lastCommit": self._last_commit(),
            "database": self._database(),
            # One that is away leaves us ready; one that knows another log than ours does not.
            "witnesses": (self._cosigning.halted if self._cosigning is not None else None) or OK,
        }
        self._tell({part: state for part, state in found.items() if state != OK})
        return found

    def _sequencing(self) -> str:
        if not self._sequencer.alive:
            return "not running"
        waiting = self._sequencer.waiting
        progress, now = (self._groups(), self._sequencer.failure), self._clock()
        if waiting == 0 or progress != self._progress or self._progress_at is None:
            self._progress, self._progress_at = progress, now if waiting else None
            return OK
        stuck = now - self._progress_at
        if stuck < STUCK_SECONDS:
            return OK
        return (
            f"{waiting} events wait and no group was committed for {stuck:.0f} seconds: see which "
            "session of the database holds the row of the table log"
        )

    def _last_commit(self) -> str:
        failure = self._sequencer.failure
        if failure is None:
            self._failure = None
            return OK
        if failure is not self._failure:
            self._failure, self._failed_at = failure, self._clock()
        rested = self._clock() - self._failed_at
        return repr(failure) if rested < REST_SECONDS else OK

    def _database(self) -> str:
        try:
            self._ledger.size()
        except Unavailable as error:
            self._why = str(error)  # names hosts: for the log, not for everybody
            return "does not answer"
        except Exception as error:
            self._why = repr(error)
            return type(error).__name__
        self._why = None
        return OK

    def _tell(self, failing: dict[str, str]) -> None:
        if failing.keys() == self._told.keys():
            return
        if failing:
            log.error("not ready", why=self._why, **failing)
        else:
            log.info("ready again", **dict.fromkeys(self._told, OK))
        self._told = failing
