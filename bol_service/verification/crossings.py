"""Step 10 of the verifier: what other platforms and carriers signed about a bill that crossed.

1. MOVED and NOT_MOVED: the answer in the entry is signed by a key of the other platform that
   counted when the entry was recorded.
2. IMPORTED and RETURNED: the file holds the chain that ends with the entry they name. Each entry
   names the one before by its digest and is about this document, and what the chain tells after the
   part that was known is what was recorded: the same acts of the same parties.
3. Each entry of a chain is signed by the platform that it names; one of this platform is one that
   the ledger says was SENT.
4. The issuance manifest in the first entry is signed by the carrier that the document names, unless
   this ledger itself holds the ISSUE.

Manifest and earlier entries must be signed with keys that counted when they say they were made, the
last one with a key that counted when it was recorded here. A signer of whom the trust file names no
key is told as not checked: that neither proves nor forges anything, and leaves the verdict alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn

from bol_service.crypto import peer_jws, strictjson
from bol_service.crypto.jws import BadJws, BadSignature
from bol_service.crypto.peer_jws import PeerJws, text_digest
from bol_service.domain.events import Imported, Moved, NotMoved, Returned, Sent, Step
from bol_service.domain.world import World
from bol_service.verification.bundle import Bundle, Statement
from bol_service.verification.pint_possession import ForeignAct, transactions
from bol_service.verification.report import FORGED, Check, Report, Stop
from bol_service.verification.streams import ReadEvent
from bol_service.verification.trust import Trust
from bol_service.wire.pint_entry import ChainEntry, chain_entry
from bol_service.wire.pint_forms import PintFormatError
from bol_service.wire.pint_parties import LEI_LIST, OWN_CODES, UNNAMED, ChainParty, foreign_name

ADD_KEYS = "Add that signer's keys to the trust file (bol keys trust) if you want this checked."
_LEI = "LEI"


@dataclass(frozen=True, kw_only=True)
class _Link:
    """An entry of a chain."""

    parsed: PeerJws
    entry: ChainEntry


@dataclass(kw_only=True)
class _Signers:
    """Of each signer, in the order in which they come: how much was checked, or why nothing."""

    checked: dict[str, int] = field(default_factory=dict)
    unchecked: dict[str, str] = field(default_factory=dict)

    def add(self, name: str) -> None:
        self.checked[name] = self.checked.get(name, 0) + 1

    def miss(self, name: str, reason: str) -> None:
        self.checked.setdefault(name, 0)
        self.unchecked.setdefault(name, reason)


def judge(
    report: Report,
    trust: Trust,
    bundle: Bundle,
    statement: Statement,
    replayed: Sequence[ReadEvent],
    world: World,
) -> None:
    """No finding for a bill that never crossed."""
    _Border(
        report=report,
        trust=trust,
        statement=statement,
        world=world,
        document=bundle.document,
        chains={text_digest(text): text for text in bundle.chains},
    ).judge(replayed)


@dataclass(kw_only=True)
class _Border:
    """`sent` are the last entries of all envelopes that went out, `waits` that of the one without
    an answer, `known` that of the chain which both sides know; `seen` are digests of entries that
    were found good."""

    report: Report
    trust: Trust
    statement: Statement
    world: World
    document: bytes | None
    chains: dict[str, str]
    sent: set[str] = field(default_factory=set)
    waits: str | None = None
    known: str | None = None
    seen: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    signers: _Signers = field(default_factory=_Signers)

    def judge(self, replayed: Sequence[ReadEvent]) -> None:
        for item in replayed:
            self._event(item)
        if self.chains.keys() != self.told:
            _differs(self.report, "the file holds entries of a chain that nothing names")
        for name, count in self.signers.checked.items():
            _conclude(self.report, name, count, self.signers.unchecked.get(name))

    def _event(self, item: ReadEvent) -> None:
        match item.recorded.event:
            case Sent() as event:
                self.sent.add(event.last_entry)
                self.waits = event.last_entry
            case Moved() as event:
                self._answer(item, event.platform)
                self.known = self.waits
            case NotMoved() as event:
                self._answer(item, event.platform)
            case Imported() | Returned() as event:
                self._arrival(item, event)
                self.known = event.last_entry

    # -- answers ---------------------------------------------------------------------------------

    def _answer(self, item: ReadEvent, platform: str) -> None:
        answer = json.loads(item.signed.parsed.payload)["details"]["answer"]
        name = f"the answer of {platform} in entry {item.recorded.index}"
        self._verify(name, platform, peer_jws.parse(answer), item.recorded.recorded_at)

    # -- chains ----------------------------------------------------------------------------------

    def _arrival(self, item: ReadEvent, event: Imported | Returned) -> None:
        if self.statement.is_partial:
            self.signers.miss(event.platform, f"a partial file holds no chain of {event.platform}")
            return
        links = self._links(event)
        if links is None:
            return
        self._check_told(event, links)
        for place, link in enumerate(links):
            is_last = place == len(links) - 1
            self._check_signer(link, item.recorded.recorded_at, is_last=is_last)
        self._check_issuance(links[0], item.recorded.recorded_at)

    def _links(self, event: Imported | Returned) -> list[_Link] | None:
        """The chain that ends with the entry that is named, oldest first."""
        links: list[_Link] = []
        wanted: str | None = event.last_entry
        while wanted is not None:
            text = self.chains.get(wanted)
            if text is None:
                self._is_missing(event.platform, wanted)
                return None
            self.told.add(wanted)
            links.append(self._link(text))
            wanted = links[-1].entry.previous
        return links[::-1]

    def _is_missing(self, platform: str, digest: str) -> None:
        if platform in self.trust.peers.platforms:
            _missing(self.report, f"the entry {digest} of a chain of {platform} is missing")
        self.signers.miss(platform, _no_key(platform))

    def _link(self, text: str) -> _Link:
        try:
            parsed = peer_jws.parse(text)
            entry = chain_entry(parsed.value)
        except (BadJws, PintFormatError) as error:
            _differs(self.report, f"an entry of a chain cannot be read: {error}")
        if entry.document_checksum != self.statement.bill:
            _differs(
                self.report,
                f"an entry of a chain is about {entry.document_checksum}, not about this bill",
            )
        return _Link(parsed=parsed, entry=entry)

    def _check_told(self, event: Imported | Returned, links: list[_Link]) -> None:
        acts = transactions(link.entry for link in links)
        digests = [link.parsed.digest for link in links]
        name = f"the chain that ends with {event.last_entry}"
        if links[-1].entry.platform != event.platform:
            _differs(self.report, f"{name} is not of {event.platform}")
        if isinstance(event, Imported):
            first, *new = acts
            if not self._is_issue(event, first):
                _differs(self.report, f"{name} tells of another issue than was recorded")
        elif self.known not in digests:
            _differs(self.report, f"{name} does not continue what was known here")
        else:
            last_known = digests.index(self.known)
            new = [act for act in acts if act.entry > last_known]
        if len(new) != len(event.steps) or not all(map(self._is_told, new, event.steps)):
            _differs(self.report, f"{name} tells of other acts than were recorded")

    def _is_issue(self, event: Imported, act: ForeignAct) -> bool:
        return (
            (act.action, act.platform) == ("ISSUE", event.home)
            and act.recipient is not None
            and self._names(event.carrier, act.actor)
            and self._names(event.issue_to, act.recipient)
        )

    def _is_told(self, act: ForeignAct, step: Step) -> bool:
        # A repeated ISSUE is what older toolkits call every transfer.
        action = "TRANSFER" if act.action == "ISSUE" else act.action
        if (action, act.reason_code) != (str(step.action), step.reason):
            return False
        if act.recipient is None or step.recipient is None:
            return act.recipient is None and step.recipient is None
        return self._names(step.actor, act.actor) and self._names(step.recipient, act.recipient)

    def _names(self, name: str, party: ChainParty) -> bool:
        """Whether the ledger may call the party of a chain by this name."""
        if party.platform != self.trust.code:
            return name == foreign_name(party)
        known = self.world.party(name)
        leis = (
            {one.value for one in known.identity.identifiers if one.type == _LEI} if known else ()
        )
        return name == UNNAMED or any(
            (code.provider == OWN_CODES and code.code == name)
            or (code.provider == LEI_LIST and code.code in leis)
            for code in party.codes
        )

    # -- signatures ------------------------------------------------------------------------------

    def _check_signer(self, link: _Link, recorded_at: datetime, *, is_last: bool) -> None:
        digest, platform = link.parsed.digest, link.entry.platform
        if digest in self.seen:
            return  # it was checked when it became known
        self.seen.add(digest)
        if platform == self.trust.code:
            if digest not in self.sent:
                _forged(self.report, f"the entry {digest} was never sent by {platform}")
            return
        made_at = link.entry.transactions[-1].at
        moment = recorded_at if is_last else min(recorded_at, made_at)
        self._verify(f"the entry {digest} of {platform}", platform, link.parsed, moment)

    def _check_issuance(self, first: _Link, recorded_at: datetime) -> None:
        if first.entry.platform == self.trust.code or first.entry.issuance_manifest is None:
            return  # the ledger holds the ISSUE itself; or a peer's own way, judged when it came
        try:
            parsed = peer_jws.parse(first.entry.issuance_manifest)
            named = parsed.value.get("documentChecksum")
        except BadJws as error:
            _differs(self.report, f"the issuance manifest cannot be read: {error}")
        if named != self.statement.bill:
            _differs(self.report, "the issuance manifest is about another document")
        if parsed.digest in self.seen:
            return
        self.seen.add(parsed.digest)
        moment = min(recorded_at, first.entry.transactions[0].at)
        self._verify("the issuance manifest", self._carrier(), parsed, moment)

    def _carrier(self) -> str:
        assert self.document is not None  # a full file without one ends before
        value: Any = strictjson.loads_document(self.document)
        return f"{value.get('carrierCodeListProvider')}:{value.get('carrierCode')}"

    def _verify(self, what: str, signer: str, parsed: PeerJws, moment: datetime) -> None:
        peers = self.trust.peers
        keys = (peers.carriers if ":" in signer else peers.platforms).get(signer)
        if keys is None:
            self.signers.miss(signer, _no_key(signer))
            return
        try:
            peer_jws.verify(parsed, keys, moment)
        except BadSignature as error:
            if peers.all_keys:
                _forged(self.report, f"{what}: {error}")
            self.signers.miss(signer, f"{what} is by no key of {signer} that is pinned today")
            return
        self.signers.add(signer)


def _conclude(report: Report, name: str, count: int, reason: str | None) -> None:
    if reason is not None:
        report.unknown(Check.PEERS, "peer_unchecked", f"not checked: {reason}", ADD_KEYS)
        return
    report.valid(Check.PEERS, "peer_signed", f"{name}: {count} signed by keys of the trust file")


def _forged(report: Report, message: str) -> NoReturn:
    report.invalid(Check.PEERS, "peer_forged", message, FORGED)
    raise Stop


def _differs(report: Report, message: str) -> NoReturn:
    report.invalid(Check.PEERS, "chain_differs", message, FORGED)
    raise Stop


def _missing(report: Report, message: str) -> NoReturn:
    report.invalid(Check.PEERS, "no_chain", message, FORGED)
    raise Stop


def _no_key(signer: str) -> str:
    return f"no key of {signer} is in the trust file"
