"""Evidence from other platforms: verified before it is kept, and never replaced by an older one.

1. The cover and the title statement are signed by statement keys that the peer's pinned trust file
   names; the cover names these very bytes.
2. The bundle is a partial one of that platform's ledger and verifies with our own verifier: log
   key, witnesses where the trust file asks for them, inclusion, streams, signatures.
3. Its reader is a party of ours, and the one who was asked for where somebody asked.
4. It is not from the future, not older than what is kept for this bill and reader, and of the same
   history: one root for each size of the log, one entry at each place that both tell of.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

import structlog

from bol_service.application.delivery_abroad_home import flow_of
from bol_service.application.delivery_abroad_ports import (
    BadEvidence,
    DeliveryBook,
    Kept,
    NotCosigned,
    OldEvidence,
)
from bol_service.application.delivery_abroad_shown import ShownBill, shown
from bol_service.application.ports import Clock, Store
from bol_service.crypto import jws
from bol_service.domain.identifiers import custody_stream, party_stream
from bol_service.domain.states import PartyState
from bol_service.ledger.entry import public_entry, stream_tag
from bol_service.verification.bundle import (
    Bundle,
    BundleEntry,
    BundleError,
    HiddenEntry,
    Statement,
    read_bundle,
    read_statement,
)
from bol_service.verification.report import Outcome, Verdict
from bol_service.verification.trust import Trust
from bol_service.verification.verifier import verify
from bol_service.wire.abroad import AbroadError, Cover, Crossing, read_cover
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import decode

GENUINE: Final = (Verdict.CURRENT, Verdict.ENDED, Verdict.NOT_KNOWN_CURRENT)
CLOCKS_APART: Final = timedelta(minutes=5)

log = structlog.get_logger()


class Keeper:
    def __init__(self, store: Store, clock: Clock, book: DeliveryBook) -> None:
        self._store = store
        self._clock = clock
        self._book = book

    def take(
        self, platform: str, trust: Trust, crossing: Crossing, *, reader: str | None = None
    ) -> Kept:
        """Verify and keep; returns what is kept now.

        Raises:
            BadEvidence: It does not verify, is not for `reader` or any party of ours, or tells
                another history than what is kept: the log has forked.
            OldEvidence: Newer is kept.
        """
        try:
            return self._taken(platform, trust, crossing, reader)
        except (BadEvidence, OldEvidence) as refused:
            log.warning("evidence refused", platform=platform, why=str(refused))
            raise

    def _taken(self, platform: str, trust: Trust, crossing: Crossing, reader: str | None) -> Kept:
        now = self._clock.now()
        cover = self._cover(trust, crossing)
        bundle, statement = _verified(trust, crossing, cover, now)
        self._require_reader(platform, cover, reader)
        kept = Kept(
            platform=platform,
            bill=cover.bill,
            reader=cover.reader,
            at=instant_text(statement.at),
            size=statement.size,
            cover=crossing.cover,
            bundle=crossing.bundle,
            received=instant_text(now),
        )
        self._require_same_history(kept, bundle, statement)
        self._book.keep(kept, cover.containers)
        self._book.crossed(
            flow_of(
                at=kept.received,
                direction="IN",
                platform=platform,
                bill=cover.bill,
                what="evidence",
                content=crossing.bundle.decode("utf-8"),
                recipient=cover.reader,
                basis=f"evidence of {cover.origin}, size {kept.size}",
            )
        )
        return kept

    def _cover(self, trust: Trust, crossing: Crossing) -> Cover:
        try:
            cover, parsed = read_cover(crossing.cover)
            keys = {key.kid: key for key in trust.statement_keys}
            if parsed.kid not in keys:
                raise BadEvidence(f"{parsed.kid} is no statement key of {trust.origin}")
            jws.verify(parsed, keys[parsed.kid])
        except (AbroadError, jws.BadSignature) as error:
            raise BadEvidence(str(error)) from None
        digest = hashlib.sha256(crossing.bundle).hexdigest()
        if cover.bundle != digest:
            raise BadEvidence(f"the cover is of bundle {cover.bundle}, {digest} came with it")
        if cover.origin != trust.origin:
            raise BadEvidence(f"the cover is of {cover.origin}, {trust.origin} is pinned")
        return cover

    def _require_reader(self, platform: str, cover: Cover, reader: str | None) -> None:
        if reader is not None and cover.reader != reader:
            raise BadEvidence(f"the evidence is for {cover.reader}, {reader} was asked for")
        stream = party_stream(cover.reader)
        with self._store.reading() as reading:
            state, _ = reading.states([stream]).get(stream, (None, None))
        if not isinstance(state, PartyState):
            raise BadEvidence(f"the evidence is for {cover.reader}, who is no party here")
        names = {
            own.name for own in self._book.parties_abroad(cover.reader) if own.platform == platform
        }
        if cover.party is not None and cover.party not in names:
            raise BadEvidence(
                f"the evidence calls {cover.reader} {cover.party} on {platform}; it has not "
                "applied under that name"
            )

    def _require_same_history(self, kept: Kept, bundle: Bundle, statement: Statement) -> None:
        root = statement.root.hex()
        known = self._book.root_at(kept.platform, kept.size)
        if known is not None and known != root:
            raise BadEvidence(
                f"the log of {kept.platform} had root {known} at size {kept.size}, now {root} is "
                "told: it has forked. Stop relying on it and tell both operators"
            )
        before = self._book.kept(kept.platform, kept.bill, kept.reader)
        if before is not None:
            _require_continues(before, kept, bundle)
        self._book.keep_root(kept.platform, kept.size, root)


def read_kept(kept: Kept) -> tuple[Cover, ShownBill, Statement]:
    """What kept evidence shows; it was verified when it came."""
    cover, _ = read_cover(kept.cover)
    bundle = read_bundle(kept.bundle)
    statement, _ = read_statement(bundle.statement)
    return cover, shown(cover, bundle, statement), statement


def _verified(
    trust: Trust, crossing: Crossing, cover: Cover, now: datetime
) -> tuple[Bundle, Statement]:
    report = verify(crossing.bundle, trust, now)
    if report.verdict not in GENUINE:
        faults = [
            f"{finding.code}: {finding.message}"
            for finding in report.findings
            if finding.outcome is not Outcome.VALID
        ]
        waits = report.verdict is Verdict.CANNOT_SAY and "too_few_witnesses" in faults[0]
        refused = NotCosigned if waits else BadEvidence
        raise refused(f"{report.verdict}; {'; '.join(faults)}")
    try:
        bundle = read_bundle(crossing.bundle)
        statement, _ = read_statement(bundle.statement)
    except BundleError as error:  # the verifier has read it before
        raise BadEvidence(str(error)) from None
    _require_of_cover(cover, bundle, statement)
    if statement.at - now > CLOCKS_APART:
        raise BadEvidence(
            f"stated at {instant_text(statement.at)}, here it is {instant_text(now)}; set the "
            "clocks"
        )
    return bundle, statement


def _require_of_cover(cover: Cover, bundle: Bundle, statement: Statement) -> None:
    if (statement.bill, statement.at) != (cover.bill, cover.at):
        raise BadEvidence(
            f"the cover is of bill {cover.bill} at {instant_text(cover.at)}, the statement of "
            f"{statement.bill} at {instant_text(statement.at)}"
        )
    if not statement.is_partial or bundle.document is not None or bundle.chains:
        raise BadEvidence("only partial bundles without document and chains cross the border")
    own = {custody_stream(cover.shipment, container) for container in cover.containers}
    strange = [
        stream
        for stream in statement.heads
        if stream not in own and stream != f"bill:{cover.bill}" and not stream.startswith("party:")
    ]
    if strange:
        raise BadEvidence(f"the bundle tells of {', '.join(strange)}, the cover does not")


def _require_continues(before: Kept, kept: Kept, bundle: Bundle) -> None:
    if (kept.size, kept.at) < (before.size, before.at):
        raise OldEvidence(
            f"evidence of {before.at} at size {before.size} is kept, {kept.at} at size {kept.size} "
            "came"
        )
    known = {entry.index: _leaf(entry) for entry in read_bundle(before.bundle).entries}
    for entry in bundle.entries:
        if known.get(entry.index, _leaf(entry)) != _leaf(entry):
            raise BadEvidence(
                f"entry {entry.index} is another one than in the evidence of {before.at}: the log "
                "has forked. Stop relying on it and tell both operators"
            )


def _leaf(entry: BundleEntry) -> bytes:
    if isinstance(entry, HiddenEntry):
        return public_entry(entry.tag, entry.sequence, entry.digest)
    event = decode(entry.entry.event).event
    return public_entry(stream_tag(event.stream), event.sequence, entry.entry.digest)
