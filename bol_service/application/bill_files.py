"""Files that go with a bill: the carrier's visualisation, and supporting documents.

1. The visualisation is the file whose SHA-256 the carrier's signed issuance manifest bears. Whoever
   may read the whole transport document may read it.
2. A supporting document is attached by the carrier or the possessor while the original is here and
   can be acted on. No party signs it: towards another platform our envelope manifest vouches for
   it, here nothing does. Carrier, holder and auditor may read it; a former holder could not know
   which of them came after its time.
3. What arrived with a bill from another platform is what that platform's manifest declared, size
   and hash checked before the bill was accepted.
4. What is attached here is a PDF; what came may be anything, and is only ever a download.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from bol_service.application import travelling_fields
from bol_service.application.exchange_history import KeptEnvelope, last_known
from bol_service.application.exchange_ports import ExchangeBook
from bol_service.application.loading import Loader
from bol_service.application.ports import Clock, DocumentRow, Reading, Store
from bol_service.domain import access, errors
from bol_service.domain.access import Group
from bol_service.domain.events import Imported, Issue
from bol_service.domain.states import BillState, Status
from bol_service.wire.disclosure import Presentation
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import decode
from bol_service.wire.pint_building import describe
from bol_service.wire.pint_envelope import DocumentMetadata

KIND_VISUALISATION: Final = "visualisation"
KIND_SUPPORTING: Final = "supporting-document"
PDF: Final = "application/pdf"
MAX_FILE_BYTES: Final = 4_000_000
MOST_FILES: Final = 20
_BEGINNING: Final = b"%PDF-"


@dataclass(frozen=True, kw_only=True)
class BillFile:
    """`role` is `visualisation` or `supporting-document`."""

    role: str
    metadata: DocumentMetadata


def require_pdf(content: bytes) -> None:
    """Raises BadEvent."""
    if not content.startswith(_BEGINNING):
        raise errors.BadEvent(
            f"the file begins with {content[:5]!r}, a PDF with {_BEGINNING!r}; convert it",
            pointer="",
        )
    if len(content) > MAX_FILE_BYTES:
        raise errors.BadEvent(
            f"the file has {len(content)} bytes, {MAX_FILE_BYTES} are taken; make it smaller",
            pointer="",
        )


def is_pdf(content: bytes) -> bool:
    return content.startswith(_BEGINNING)


def visualisation_of(
    reading: Reading, last: KeptEnvelope | None, opening: Issue | Imported
) -> DocumentMetadata | None:
    """As in the first transfer; before that one the carrier's own, if it was uploaded here."""
    if last is not None:
        return last.manifest.visualisation
    checksum = opening.manifest.visualisation_checksum if isinstance(opening, Issue) else None
    row = reading.document(checksum) if checksum is not None else None
    if row is None or not is_pdf(row.content):
        return None
    # Whoever names the digest of somebody else's document gets nothing by that.
    if not reading.has_uploaded(opening.actor, row.digest):
        return None
    return describe(row.content, name="visualisation.pdf", media_type=PDF)


def supporting_of(
    reading: Reading,
    book: ExchangeBook,
    state: BillState,
    last: KeptEnvelope | None,
    picture: DocumentMetadata | None,
) -> tuple[DocumentMetadata, ...]:
    """What came with the bill, then what was attached here beside `picture`, the oldest first.

    What is held for the bill was attached, or came in a transfer that may never have been finished;
    only those who could attach have uploaded it, whatever else the same bytes are here.
    """
    arrived = last.manifest.supporting if last is not None else ()
    known = {each.checksum for each in (*arrived, *filter(None, [picture]))}
    could_attach = {state.carrier, *(tenure.party for tenure in state.tenures)}
    rows = [
        reading.document(digest)
        for digest in book.held(state.bill) - known
        if any(reading.has_uploaded(party, digest) for party in could_attach)
    ]
    attached = sorted(
        (row for row in rows if row is not None), key=lambda row: (row.uploaded_at, row.digest)
    )
    named = (
        describe(row.content, name=f"supporting-{row.digest[:12]}.pdf", media_type=PDF)
        for row in attached
    )
    return (*arrived, *named)


class BillFiles:
    def __init__(self, store: Store, book: ExchangeBook, clock: Clock, origin: str) -> None:
        self._store = store
        self._book = book
        self._clock = clock
        self._origin = origin

    def files(self, bill: str, reader: str) -> list[BillFile]:
        """Those that `reader` may read; raises NotFound for who may not know the document."""
        with self._store.reading() as reading:
            state, granted = self._known(reading, bill, reader)
            return self._files(reading, state, granted)

    def content(self, bill: str, digest: str, reader: str) -> bytes:
        """The bytes of one of them; raises NotFound."""
        with self._store.reading() as reading:
            state, granted = self._known(reading, bill, reader)
            found = {each.metadata.checksum for each in self._files(reading, state, granted)}
            content = reading.contents([digest]).get(digest) if digest in found else None
        if content is None:
            raise errors.NotFound(f"bill {bill} has no file {digest} for you")
        return content

    def fields(self, bill: str, reader: str) -> Presentation | None:
        """The file to disclose single fields from that came with a bill of another platform.

        Raises NotFound for who may not know the document.
        """
        with self._store.reading() as reading:
            state, granted = self._known(reading, bill, reader)
            if state.home is None:
                return None
            files = [each.metadata for each in self._files(reading, state, granted)]
            kept = reading.contents(travelling_fields.candidates(files)[:1])
        content = next(iter(kept.values()), None)
        return None if content is None else travelling_fields.read_arrived(content, bill)

    def attach(self, bill: str, content: bytes, party: str) -> BillFile:
        """Keep a supporting document with the bill; the same bytes again change nothing.

        Raises:
            errors.NotFound, NotHolder: Only carrier and possessor attach.
            errors.InTransit, MovedAway, TerminalState: The original is not here to act on.
            errors.BadEvent: No PDF, too large, or too many.
        """
        with self._store.reading() as reading:
            state, granted = self._known(reading, bill, party)
            _require_attachable(state, party)
            require_pdf(content)
            files = self._files(reading, state, granted)
        digest = hashlib.sha256(content).hexdigest()
        same = [each for each in files if each.metadata.checksum == digest]
        if same:
            return same[0]
        if len(files) >= MOST_FILES:
            raise errors.BadEvent(f"bill {state.reference} has {len(files)} files already")
        self._store.add_document(
            DocumentRow(
                digest=digest,
                checksum=None,
                kind=KIND_SUPPORTING,
                content=content,
                facts=None,
                uploaded_by=party,
                uploaded_at=instant_text(self._clock.now()),
            )
        )
        self._book.hold(bill, digest)
        named = describe(content, name=f"supporting-{digest[:12]}.pdf", media_type=PDF)
        return BillFile(role=KIND_SUPPORTING, metadata=named)

    def _known(
        self, reading: Reading, bill: str, reader: str
    ) -> tuple[BillState, frozenset[Group]]:
        loader = Loader(reading, self._origin)
        loader.streams({f"party:{reader}"})
        state = loader.bill(bill)
        granted: frozenset[Group] = frozenset()
        if state is not None:
            related = access.relations(loader.world, state, reader, self._clock.now())
            granted = access.groups(related)
        if state is None or Group.DOCUMENT not in granted:
            raise errors.NotFound(f"no document of bill {bill} for you")
        return state, granted

    def _files(
        self, reading: Reading, state: BillState, granted: frozenset[Group]
    ) -> list[BillFile]:
        last = last_known(reading, state)
        entry = reading.entry_at(f"bill:{state.bill}", 0)
        assert entry is not None  # the state was made from it
        opening = decode(entry.entry.event).event
        assert isinstance(opening, Issue | Imported)
        picture = visualisation_of(reading, last, opening)
        files = [] if picture is None else [BillFile(role=KIND_VISUALISATION, metadata=picture)]
        if Group.CHAIN in granted:
            supporting = supporting_of(reading, self._book, state, last, picture)
            files += [BillFile(role=KIND_SUPPORTING, metadata=each) for each in supporting]
        return files


def _require_attachable(state: BillState, party: str) -> None:
    if party not in (state.carrier, state.control.possessor):
        raise errors.NotHolder(
            f"{party} does not possess bill {state.reference}; carrier and possessor attach files"
        )
    if state.transit is not None:
        raise errors.InTransit(
            f"bill {state.reference} waits for the signed answer of {state.transit.platform}"
        )
    if state.status is Status.MOVED:
        raise errors.MovedAway(f"the original of bill {state.reference} is on another platform")
    if state.status in (Status.VOIDED, Status.ISSUE_REFUSED, Status.ACCOMPLISHED):
        raise errors.TerminalState(f"bill {state.reference} is {state.status}; it has ended")
