"""Filling a log fast with lawful bills, through the sequencer itself.

1. Another process prints documents and signs: booking, draft, approval, gate-in, issue, and
   transfers if they are wanted.
2. This process keeps the documents and gives the events to the sequencer, in big groups. They are
   judged like any other; only their signatures, which we have just made, are not verified first.
3. It runs at most a few chunks behind, so that memory stays flat.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sqlalchemy import insert

from bench.platforms import Opened
from bench.press import Press
from bench.transfers import PAIR, Shuttle, sign_next
from bol_service.application.commit import Accepted
from bol_service.application.ports import DocumentRow
from bol_service.crypto.signers import Signer, open_signer
from bol_service.domain.states import Head
from bol_service.storage import tables
from bol_service.storage.codec import encode_facts
from bol_service.wire.events import SignedEvent, decode
from tests.desk import Desk
from tests.many_bills import CARRIER, Maker, Uploads

SIGNERS = (CARRIER, "guoyuan", *PAIR)
EVENTS_OF_CHUNK = 250
BEHIND = 4  # chunks signed ahead
TELL_FROM = 2_000  # bills: fewer need no progress


@dataclass(frozen=True, kw_only=True)
class Order:
    """Bills to be made: `count` of them, the first with the number `first`."""

    first: int
    count: int
    transfers: int
    hold: bool


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """What an order gave; `issues` are held back, signed and not to be recorded."""

    documents: list[DocumentRow]
    events: list[SignedEvent]
    issues: list[str]
    heads: dict[str, Head]  # by bill


@dataclass(kw_only=True)
class Filled:
    """`issues` are the signed ISSUE events that were held back."""

    bills: list[str] = field(default_factory=list)
    issues: list[str] = field(default_factory=list)


def fill(
    opened: Opened, count: int, *, first: int = 0, transfers: int = 0, hold_issues: bool = False
) -> Filled:
    """Record the bills number `first` on, of five entries and `transfers` each, issued to `HOLDER`.

    With `hold_issues` everything but the ISSUE is recorded. The desk knows all heads after it.
    """
    filled = Filled()
    size, last = max(1, EVENTS_OF_CHUNK // (5 + transfers)), first + count
    orders = [
        Order(first=number, count=min(size, last - number), transfers=transfers, hold=hold_issues)
        for number in range(first, last, size)
    ]
    for chunk in _chunks(opened, orders):
        _keep(opened, chunk)
        filled.bills += chunk.heads
        filled.issues += chunk.issues
        _tell(len(filled.bills), count)
    return filled


def _keep(opened: Opened, chunk: Chunk) -> None:
    engine = opened.running.store.engine
    with engine.execution_options(writing=True).begin() as connection:
        connection.execute(insert(tables.documents), [_row(each) for each in chunk.documents])
    for answer in opened.running.services.sequencer.submit_all(chunk.events):
        if not isinstance(answer, Accepted):
            raise answer
    heads = {f"bill:{bill}": head for bill, head in chunk.heads.items()}
    opened.maker.desk.heads.update(heads)


def _row(document: DocumentRow) -> dict[str, Any]:
    assert document.facts is not None
    return {**vars(document), "facts": encode_facts(document.facts)}


def _tell(done: int, count: int) -> None:
    if count >= TELL_FROM and sys.stderr.isatty():
        end = "\n" if done == count else ""
        print(f"\rfilling: {done:,} of {count:,} bills", end=end, file=sys.stderr, flush=True)


def _chunks(opened: Opened, orders: list[Order]) -> Iterator[Chunk]:
    """The chunks in their order, made a few ahead of whoever takes them."""
    if len(orders) == 1:  # not worth a process
        yield Scribe(opened.maker.desk.signers).chunk(orders[0])
        return
    context = multiprocessing.get_context("spawn")  # this process has threads
    ahead: deque[Future[Chunk]] = deque()
    folder = opened.service.folder
    with ProcessPoolExecutor(1, context, initializer=_open, initargs=(folder,)) as pool:
        for order in orders:
            ahead.append(pool.submit(_chunk, order))
            if len(ahead) > BEHIND:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


# -- whoever signs -------------------------------------------------------------------------------


class Scribe:
    """Prints documents and signs for the whole cast; records nothing."""

    def __init__(self, signers: Mapping[str, Signer]) -> None:
        self._signers = signers
        self._press = Press()

    def chunk(self, order: Order) -> Chunk:
        desk = Desk(signers=self._signers)
        chunk = Chunk(documents=[], events=[], issues=[], heads={})
        for number in range(order.first, order.first + order.count):
            self._bill(desk, number, order, chunk)
        return chunk

    def _bill(self, desk: Desk, number: int, order: Order, chunk: Chunk) -> None:
        # The maker only drafts acts here; whoever takes the chunk records them.
        maker = Maker(desk=desk, recorder=cast(Any, None), documents=cast(Any, None))
        uploads = self._press.uploads(number)
        *opening, issue = (
            sign_next(desk, act.actor, act.action, act.stream, act.details)
            for act in maker.acts(number, uploads)
        )
        bill, shuttle = _bill_of(uploads), Shuttle(desk=desk)
        moves = [shuttle.next(bill) for _ in range(order.transfers)]
        recorded = opening if order.hold else [*opening, issue, *moves]
        chunk.documents.extend(uploads)
        chunk.events.extend(decode(compact) for compact in recorded)
        chunk.issues.extend([issue] if order.hold else [])
        chunk.heads[bill] = desk.heads[f"bill:{bill}"]


_scribe: list[Scribe] = []  # of the process that signs


def _open(folder: Path) -> None:
    passphrase = (folder / "passphrase").read_bytes()
    _scribe.append(
        Scribe(
            {
                slug: open_signer(f"file:{folder / 'keys' / slug}.pem", lambda: passphrase)
                for slug in SIGNERS
            }
        )
    )


def _chunk(order: Order) -> Chunk:
    return _scribe[0].chunk(order)


def _bill_of(uploads: Uploads) -> str:
    facts = uploads[1].facts
    assert facts is not None
    return facts.checksum
