"""What came from other platforms about deliveries: applications, evidence and their roots.

1. An application proves that its key was meant for this party of this ledger.
2. Evidence is the bundle that its cover names; bill, reader, size and time are what both say. The
   peer's own signatures were verified when it came: its keys are in its trust file, not here.
3. A remembered root is the one that the evidence of that size states; a container belongs to
   evidence only if its cover names it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from bol_service.application.audit_beside_ports import BesideReading, RawRow
from bol_service.application.audit_rows import differing, judged
from bol_service.verification.bundle import read_bundle, read_statement
from bol_service.wire.abroad import read_application, read_cover
from bol_service.wire.event_fields import instant_text

_EVIDENCE: Final = ("platform", "bill", "reader", "at", "size", "cover", "bundle")


@dataclass(kw_only=True)
class _Told:
    """By what kept evidence says: roots by platform and size, places of containers."""

    roots: dict[tuple[object, object], str] = field(default_factory=dict)
    boxes: set[RawRow] = field(default_factory=set)
    evidence: set[RawRow] = field(default_factory=set)


def faults(beside: BesideReading, origin: str) -> Iterator[str]:
    """A sentence for each row that is not what it repeats."""
    applications = beside.rows("peer_applications", "number", "party", "kid", "application")
    yield from judged(applications, "the application {0}", lambda row: _applied(row, origin))
    told = _Told()
    evidence = beside.rows("kept_evidence", *_EVIDENCE)
    yield from judged(
        evidence, "the evidence of {0} on bill {1} for {2}", lambda row: _kept(told, row)
    )
    boxes = beside.rows("kept_boxes", "container", "platform", "bill", "reader")
    yield from judged(boxes, "container {0} of bill {2} of {1}", lambda row: _box(told, row))
    roots = beside.rows("kept_checkpoints", "platform", "size", "root")
    yield from judged(roots, "the root of {0} at size {1}", lambda row: _root(told, row))
    for platform, size in told.roots:
        yield f"the root of {platform} at size {size} is gone; kept evidence states it"


def _applied(row: RawRow, origin: str) -> str | None:
    _, party, kid, application = row
    body = {"party": party, "details": json.loads(str(application))}
    return differing(kid=(kid, read_application(body, origin).kid))


def _kept(told: _Told, row: RawRow) -> str | None:
    platform, bill, reader, at, size, cover_text, bundle = row
    if not isinstance(bundle, bytes | memoryview):
        return "has no bytes"
    content = bytes(bundle)
    cover, _ = read_cover(str(cover_text))
    found = hashlib.sha256(content).hexdigest()
    if (fault := differing(bundle=(found, cover.bundle))) is not None:
        return fault
    statement, _ = read_statement(read_bundle(content).statement)
    told.evidence.add((platform, bill, reader))
    told.boxes |= {(box, platform, bill, reader) for box in cover.containers}
    told.roots[platform, size] = statement.root.hex()
    return differing(
        bill=(bill, cover.bill),
        reader=(reader, cover.reader),
        at=(at, instant_text(statement.at)),
        size=(size, statement.size),
    )


def _box(told: _Told, row: RawRow) -> str | None:
    """Without evidence the database has told it already."""
    if row[1:] not in told.evidence or row in told.boxes:
        return None
    return "is not named by the cover of its evidence"


def _root(told: _Told, row: RawRow) -> str | None:
    platform, size, root = row
    stated = told.roots.pop((platform, size), None)
    return None if stated is None else differing(root=(root, stated))
