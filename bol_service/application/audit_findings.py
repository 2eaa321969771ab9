"""What an audit finds, and what each kind of finding means.

Findings are told in the order of the log; the first one is what to look at. After `SHOWN` of them
the rest is only counted, so that a ruined table does not fill the memory.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from bol_service.domain.document import DocumentFacts

SHOWN = 100


class Kind(StrEnum):
    ROW = "row"
    LAW = "law"
    TREE = "tree"
    CHECKPOINT = "checkpoint"
    COSIGNATURE = "cosignature"
    HEAD = "head"
    EARLIER = "earlier"
    CACHE = "cache"
    BESIDE = "beside"


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """For whoever runs the platform: what a finding means, and what to do."""

    means: str
    do: str


_KEEP = (
    "Stop the service, keep this database as it is, and restore the newest backup or the standby "
    "(docs/operations.md, Restore)."
)
MEANINGS = {
    Kind.ROW: Meaning(
        means="A row of the log was changed, taken away or damaged after it was written.", do=_KEEP
    ),
    Kind.LAW: Meaning(
        means="An entry is in the log that the service could not have accepted: it was put in or "
        "changed past the service, or a row that it rests on was.",
        do=_KEEP,
    ),
    Kind.TREE: Meaning(
        means="A stored hash, or the entry under it, is not what was signed. Proofs for entries "
        "around it fail.",
        do=_KEEP,
    ),
    Kind.CHECKPOINT: Meaning(
        means="A stored checkpoint is not the log's own, or the entries under it are not those "
        "that were signed. With another key than the log's own, every checkpoint looks like this.",
        do="Make sure of the log's key first. If it is the right one: " + _KEEP,
    ),
    Kind.COSIGNATURE: Meaning(
        means="A witness's signature under a checkpoint was changed or taken away, or is of nobody "
        "who was named as a witness. Entries are not touched by it, but whoever demands witnesses "
        "will not believe this log.",
        do="Make sure of the witnesses' keys first, those of earlier ones too (--witness-vkey). If "
        "they are the right ones: " + _KEEP,
    ),
    Kind.HEAD: Meaning(
        means="The head of the log and its rows do not belong together: rows were taken away or "
        "added, or the head was put back.",
        do=_KEEP,
    ),
    Kind.EARLIER: Meaning(
        means="The log is not the one that the earlier audit saw: it was put back, or entries that "
        "were audited have been changed since.",
        do=_KEEP + " Audit without --since to find the entry.",
    ),
    Kind.CACHE: Meaning(
        means="A table that only repeats what the entries say is wrong: the service may show, find "
        "or refuse the wrong thing. The log itself is not touched by it.",
        do="Stop the service and run: bol ledger check --rebuild. Then find out who or what "
        "changed the table.",
    ),
    Kind.BESIDE: Meaning(
        means="A row beside the log (a document, a notice, a transfer, a line of the flow log ...) "
        "was changed, taken away or put in past the service. No entry and nobody's title is "
        "touched by it, but what the row tells is not to be believed.",
        do="Find the row in the newest backup or the standby and, as owner of the tables, put it "
        "back (docs/operations.md, Audit). Then find out who or what changed the table.",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`text` is a sentence; `index` the entry it belongs to, None for the log as a whole."""

    kind: Kind
    text: str
    index: int | None = None


@dataclass(kw_only=True)
class AuditReport:
    """`problems` are sentences that name the first wrong thing each; none of them: all is sound.

    Of the entries before `since` it was looked at nothing but that they are the same as in an
    earlier audit, which ended at `since_at`. `wrong_facts` are right where the cached facts of
    documents are wrong. Without any witness's key, `cosignatures` are unverified.
    """

    entries: int = 0
    root: bytes = b""
    since: int = 0
    since_at: str = ""
    findings: list[Finding] = field(default_factory=list)
    counted: Counter[Kind] = field(default_factory=Counter)
    wrong_facts: list[DocumentFacts] = field(default_factory=list)
    cosignatures: int = 0
    unverified_cosignatures: int = 0
    rebuilt: bool = False

    @property
    def problems(self) -> list[str]:
        return [finding.text for finding in self.findings]

    @property
    def unshown(self) -> int:
        """How many findings are counted and not told."""
        return self.counted.total() - len(self.findings)

    @property
    def is_rebuildable(self) -> bool:
        """Whether entries, tree and checkpoints are sound, whatever the caches are like."""
        return self.counted.keys() <= {Kind.CACHE, Kind.BESIDE}

    @property
    def is_sound(self) -> bool:
        """Nothing was wrong, or nothing but caches, which were written anew."""
        return not self.counted or (self.rebuilt and self.counted.keys() == {Kind.CACHE})

    def add(self, finding: Finding) -> None:
        self.counted[finding.kind] += 1
        self._show(finding)

    def take(self, other: AuditReport) -> None:
        """The findings of another part, after those of this one."""
        self.counted += other.counted
        self.wrong_facts += other.wrong_facts
        for finding in other.findings:
            self._show(finding)

    def _show(self, finding: Finding) -> None:
        if len(self.findings) < SHOWN:
            self.findings.append(finding)
