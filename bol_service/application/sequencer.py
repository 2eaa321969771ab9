"""The one thread of a process that appends to the log.

It takes whatever waits (at most `MAX_GROUP`, without lingering), commits it as one group, keeps its
checkpoint in the file, and only then answers. It is fail-stop: when a commit fails, nobody of the
group is told anything but "uncertain, send the same event again"; the connection is dropped, the
head is read again, and resends settle what happened. When the thread itself ends, everybody who
waits is told the same, and so is `ended`: a process that cannot record any more must not stay. The
queue is bounded: who finds it full is told when to come back, never left waiting.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

import structlog

from bol_service.application.commit import Accepted, Answer, GroupCommit, SignCheckpoint
from bol_service.application.expecting import Expecting
from bol_service.application.platform_guard import PlatformFacts
from bol_service.application.ports import CheckpointFile, Clock, Store
from bol_service.domain import errors
from bol_service.wire.events import SignedEvent

MAX_GROUP = 256
MAX_WAITING = 4096
ANSWER_WITHIN_SECONDS = 30.0

log = structlog.get_logger()


class Busy(RuntimeError):  # noqa: N818 - says what is the matter
    """The queue is full; come back after `retry_after` seconds."""

    retry_after = 2


class Uncertain(RuntimeError):  # noqa: N818 - says what is the matter
    """It is not known whether the event was recorded; sending the same bytes again tells."""

    retry_after = 1


class _Submission:
    """What one sender waits for: the events that came together, and their answers so far.

    The sequencer alone answers and fails, and opens the lock on which the sender waits: an Event
    does the same with a list of waiters and three locks, for each sender of each group.
    """

    def __init__(self, group: Sequence[SignedEvent]) -> None:
        self.group = group
        self._answers: list[Answer] = []
        self._failure: Uncertain | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def answer(self, answer: Answer) -> None:
        """The answer to the first event that has none yet."""
        self._answers.append(answer)
        if len(self._answers) == len(self.group):
            self._let_go()

    def fail(self, failure: Uncertain) -> None:
        """Whatever the other answers are, the sender is told to send all of them again."""
        self._failure = failure
        self._let_go()

    def _let_go(self) -> None:
        if self._done.locked():
            self._done.release()

    def wait(self, seconds: float) -> list[Answer]:
        """The answers in the order of the events; raises Uncertain."""
        if not self._done.acquire(timeout=seconds):
            raise Uncertain("no answer in time")
        if self._failure is not None:
            raise self._failure
        return self._answers


_Waiting = tuple[_Submission, SignedEvent]
"""An event, and with whom it came; those of one sender stand in the queue in their order."""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What one group cost, for metrics; seconds."""

    size: int
    accepted: int
    seconds: float


class Sequencer:
    """Start it once per process; `submit` from any thread."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        sign: SignCheckpoint,
        checkpoint_file: CheckpointFile,
        platform: PlatformFacts,
        *,
        observe: Callable[[Observed], None] = lambda _: None,
        failed: Callable[[], None] = lambda: None,
        ended: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sign = sign
        self._checkpoint_file = checkpoint_file
        self._platform = platform
        self._expecting = Expecting()
        self._observe = observe
        self._failed = failed
        self._ended = ended
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._entrance = threading.Lock()  # keeps the events of one sender together, in order
        self._thread = threading.Thread(target=self._run, name="sequencer", daemon=True)
        self._alive = False
        self._failure: BaseException | None = None
        self._kept: str | None = None

    def start(self) -> None:
        self._alive = True
        self._thread.start()

    def stop(self) -> None:
        """Finish the group at work, refuse the rest."""
        self._queue.put(None)
        self._thread.join(ANSWER_WITHIN_SECONDS)

    @property
    def alive(self) -> bool:
        # Asking the thread itself would, of a greenlet, be a turn of all others at every event.
        return self._alive

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    @property
    def failure(self) -> BaseException | None:
        """Why the last group failed; None once a group has succeeded again."""
        return self._failure

    def submit(self, signed: SignedEvent) -> Accepted:
        """Judge and record one event whose signatures have been verified.

        Raises:
            errors.Refusal: The law, or a claim of somebody else, does not allow it.
            Busy: The queue is full.
            Uncertain: The outcome is not known; send the same bytes again.
        """
        [answer] = self.submit_all([signed])
        if isinstance(answer, errors.Refusal):
            raise answer
        return answer

    def submit_all(self, group: Sequence[SignedEvent]) -> list[Answer]:
        """Judge and record events in their order, none or all of them taken into the queue.

        Raises:
            Busy: The queue has not room for all.
            Uncertain: The outcome of at least one is not known; send the same bytes again.
        """
        if not self.alive:
            raise Uncertain("the sequencer is not running")
        if not group:
            return []
        submission = _Submission(group)
        with self._entrance:
            if self._queue.qsize() + len(group) > MAX_WAITING:
                raise Busy(f"{self._queue.qsize()} events are waiting")
            for signed in group:
                self._queue.put((submission, signed))
        return submission.wait(ANSWER_WITHIN_SECONDS)

    def _run(self) -> None:
        try:
            self._take_turns()
        except BaseException as error:  # not a commit that failed: the thread is at its end
            self._failure = error
            self._refuse_rest("the sequencer has ended")
            self._ended(error)
            raise

    def _take_turns(self) -> None:
        while True:
            group, last = self._next_group()
            if group:
                self._commit(group)
            if last:
                self._refuse_rest("the service is stopping")
                return

    def _next_group(self) -> tuple[list[_Waiting], bool]:
        first = self._queue.get()
        if first is None:
            return [], True
        self._let_in()
        group = [first]
        while len(group) < MAX_GROUP:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                break
            if more is None:
                return group, True
            group.append(more)
        return group, False

    def _let_in(self) -> None:
        """Who is ready to submit does it now, and is of this group: committing the first event
        alone would let all others wait for a commit of one. Nobody is waited for who is not there.
        """
        waiting = -1
        while waiting < self._queue.qsize() < MAX_GROUP:
            waiting = self._queue.qsize()
            time.sleep(0)

    def _commit(self, group: list[_Waiting]) -> None:
        started = monotonic()
        try:
            answers = self._record([signed for _, signed in group])
        except BaseException as error:
            self._failure = error
            for (
                submission,
                _,
            ) in group:  # before anything else that could fail: a log on a full disk
                submission.fail(Uncertain("the commit failed"))
            self._failed()
            log.error("group commit failed", size=len(group), error=repr(error))
            if not isinstance(error, Exception):
                raise
            return
        self._failure = None
        for (submission, _), answer in zip(group, answers, strict=True):
            submission.answer(answer)
        accepted = sum(isinstance(answer, Accepted) for answer in answers)
        self._observe(Observed(size=len(group), accepted=accepted, seconds=monotonic() - started))

    def _record(self, group: list[SignedEvent]) -> list[Answer]:
        with self._store.writing(self._expecting.by(group)) as writing:
            commit = GroupCommit(writing, clock=self._clock, platform=self._platform)
            committed = commit.run(group, self._sign)
            self._expecting.learn(group, committed.reads)
            answers = committed.answers()  # while the database writes; they count when it has
        self._keep(committed.log.note)
        return answers

    def _keep(self, note: str | None) -> None:
        """Nobody is answered before the file holds the checkpoint that covers the answer.

        That is so for resends too: the group that recorded them may have failed right here.
        """
        if note is not None and note != self._kept:
            self._checkpoint_file.replace(note)
            self._kept = note

    def _refuse_rest(self, reason: str) -> None:
        self._alive = False  # whoever comes now is told at once
        while True:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return
            if waiting is not None:
                waiting[0].fail(Uncertain(reason))
