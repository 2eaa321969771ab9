"""A chain against what this platform knows of the bill already (DCSA PINT 3.0, A.8 step 6).

A chain only ever grows. So every known entry must come again, text for text, and then:

1. nothing new, and its end is the end of a transfer that was accepted: that transfer again. Its
   last entry may bear a new signature, as long as it says the same;
2. nothing new otherwise: the sender's chain is older than ours;
3. something new while the original is here: two originals;
4. something new while our own transfer of it waits for its signed answer: the peer has accepted
   it, or has forked; only that answer tells, so nothing can be said yet;
5. something new beside another chain whose transfer is open: two stories by the sender;
6. something new that this platform is said to have recorded: not by us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bol_service.crypto import peer_jws
from bol_service.crypto.peer_jws import PeerJws


class Original(StrEnum):
    """Where the original is, as the ledger of this platform says."""

    ELSEWHERE = "ELSEWHERE"
    HERE = "HERE"
    LEAVING = "LEAVING"
    """Sent by us; the signed answer is not in."""


@dataclass(frozen=True, kw_only=True)
class KnownEntry:
    """`accepted`: a transfer to this platform that ended with this entry was accepted."""

    text: str
    accepted: bool = False


@dataclass(frozen=True, kw_only=True)
class KnownHistory:
    """What is stored for one bill.

    `entries` are those of accepted transfers and those that we have sent and that were not refused,
    oldest first. `open_chain` is that of a transfer to us which is begun and not concluded.
    `held` are checksums of documents already received for this bill; `visualisation` is the one of
    the first accepted transfer.
    """

    entries: tuple[KnownEntry, ...] = ()
    original: Original = Original.ELSEWHERE
    open_chain: tuple[str, ...] | None = None
    held: frozenset[str] = frozenset()
    visualisation: str | None = None

    def knows(self, text: str) -> bool:
        return any(entry.text == text for entry in self.entries)


@dataclass(frozen=True, kw_only=True)
class Continued:
    """The chain goes on after `known` entries. `is_retry`: its transfer is open already."""

    known: int
    is_retry: bool


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """`text` is the last entry as it was accepted."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Unsettled:
    reason: str


class Contradiction(ValueError):  # noqa: N818 - named by what it is
    """The chain and the known history cannot both be true."""


def compare(
    chain: Sequence[PeerJws], platforms: Sequence[str], known: KnownHistory, me: str
) -> Continued | Repeated | Unsettled:
    """`platforms` says who recorded each entry. Raises Contradiction."""
    entries = known.entries
    _check_common_part(chain, entries)
    if len(chain) <= len(entries):
        return _repeated(len(chain), entries)
    if known.original is Original.HERE:
        raise Contradiction(
            f"the original is on {me}; the chain has {len(chain)} entries, {len(entries)} are known"
        )
    if me in platforms[len(entries) :]:
        index = platforms.index(me, len(entries))
        raise Contradiction(f"entry {index} was not recorded by {me}, whose name it bears")
    if known.original is Original.LEAVING:
        return Unsettled(reason=f"{me} has sent the original and waits for the signed answer")
    return Continued(known=len(entries), is_retry=_is_retry(chain[-1], known.open_chain))


def _check_common_part(chain: Sequence[PeerJws], entries: Sequence[KnownEntry]) -> None:
    for index, (given, entry) in enumerate(zip(chain, entries, strict=False)):
        if given.text == entry.text:
            continue
        if index < len(chain) - 1 or not _says_the_same(given, entry.text):
            raise Contradiction(f"entry {index} is not the one that is known here")


def _repeated(length: int, entries: Sequence[KnownEntry]) -> Repeated:
    last = entries[length - 1]
    if not last.accepted:
        raise Contradiction(
            f"the chain has {length} entries, {len(entries)} are known; known ones are missing"
        )
    return Repeated(text=last.text)


def _is_retry(last: PeerJws, open_chain: tuple[str, ...] | None) -> bool:
    """An entry names its predecessor, so the last one stands for all."""
    if open_chain is None:
        return False
    if not _says_the_same(last, open_chain[-1]):
        raise Contradiction("a transfer with another chain is open; send that one again")
    return True


def _says_the_same(given: PeerJws, text: str) -> bool:
    return given.text == text or given.content_digest == peer_jws.parse(text).content_digest
